# The menu of Leadring. `make help` prints it.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8000
ARGS ?=

.PHONY: help run serve test conformance check format bench crash simulate mutants pins container clean

help: ## this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# A stamp is as old as the last installation: packages are installed again only when the pins change.
$(VENV)/runtime.stamp: requirements/runtime.txt tools/make-venv
	@tools/make-venv $<
	@touch $@

# dev.txt holds everything that runtime.txt holds, so it stands for both.
$(VENV)/dev.stamp: requirements/dev.txt requirements/runtime.txt tools/make-venv
	@tools/make-venv $<
	@touch $(VENV)/runtime.stamp $@

run: $(VENV)/runtime.stamp ## the service and a sandbox that rings nobody, with the example configuration
	@trap : INT; $(PY) -m app demo --port $(PORT) $(ARGS) || { s=$$?; [ $$s -eq 130 ] || exit $$s; }

serve: $(VENV)/runtime.stamp ## the service with your own .env and leadring.toml
	@trap : INT; $(PY) -m app serve --port $(PORT) $(ARGS) || { s=$$?; [ $$s -eq 130 ] || exit $$s; }

test: $(VENV)/dev.stamp ## the whole suite, on real PostgreSQL, Redis and Chromium (ARGS="-k …" for a part)
	@tools/prepare-tests
	@tools/run-tests $(ARGS)

conformance: $(VENV)/dev.stamp ## the provider's page as tests, on the sandbox, or on your account (docs/conformance.md)
	$(PY) -m pytest tests/conformance $(ARGS)

check: $(VENV)/dev.stamp ## ruff, mypy, import-linter, the widget's types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	tools/check-widget

format: $(VENV)/dev.stamp ## puts the code into shape
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/dev.stamp ## the benchmark: a table, and JSON in bench/results/
	$(PY) -m bench $(ARGS)

crash: $(VENV)/dev.stamp ## kills real processes for half an hour and checks what was promised (ARGS="--short --seed 7")
	$(PY) -m bench.crash $(ARGS)

simulate: $(VENV)/dev.stamp ## the service in one loop with virtual time, by seeds (ARGS="--seeds 50000" or "--seed 24 --story")
	$(PY) -W error -m tests.simulation $(ARGS)

mutants: $(VENV)/dev.stamp ## harms the dispatch code in copies, one harm after the other; each has to turn its tests red
	$(PY) -m tests.mutants $(ARGS)

pins: ## requirements/*.txt again from requirements/*.in (ARGS="--upgrade")
	tools/compile-pins $(ARGS)

container: ## builds the image leadring:dev
	docker build --tag leadring:dev --build-arg REVISION=$$(git rev-parse --short HEAD) .

clean: ## removes what the tools left behind; .venv stays (rm -r .venv)
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis \
	  build test-results bench/results .coverage ./*.egg-info
	find app tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
