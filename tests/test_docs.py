"""What the documentation has to mention, walked from the code: routes, errors, metrics, commands, vendored files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from typer.main import get_command

from app.cli import cli
from app.directory import load_directory
from app.domain.choices import REASONS, RULES
from app.domain.states import LEAD_STATES, WAITING_REASONS
from app.errors import Refusal
from app.main import create_app
from app.metrics import Metrics
from app.service.event_words import HELD
from app.service.lead_view import TOLD
from app.settings import Settings
from app.web.problems import CODES

ROOT = Path(__file__).resolve().parent.parent
HTTP = (ROOT / "docs" / "http.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    database = tmp_path_factory.mktemp("docs") / "docs.db"
    settings = Settings(
        database_url=f"sqlite:///{database}",
        voicenter_code=SecretStr("account-code"),
        admin_token=SecretStr("admin-token-of-the-docs"),
    )
    return create_app(settings, load_directory(ROOT / "leadring.example.toml"))


def routes(application: FastAPI) -> set[tuple[str, str]]:
    """Method and path of every route, documented by OpenAPI or not."""
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = list(application.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is not None:
            waiting += inner
        elif getattr(route, "path", None) and getattr(route, "methods", None):
            found |= {(method, route.path) for method in route.methods - {"HEAD", "OPTIONS"}}
    return found - {("GET", "/openapi.json")}


def test_every_route_is_in_the_documentation(application: FastAPI) -> None:
    """`GET /v1/leads/{lead_id}` and so on, as they are written in docs/http.md or docs/operations.md."""
    known = routes(application)
    assert ("POST", "/v1/leads") in known
    for method, path in known:
        assert f"{method} {path}" in HTTP or f"`{path}`" in OPERATIONS, f"{method} {path} is not documented"


def refusals(kind: type[Refusal] = Refusal) -> set[str]:
    return {kind.code}.union(*(refusals(below) for below in kind.__subclasses__()))


def test_every_error_code_is_in_the_documentation_with_its_status() -> None:
    for code in refusals() | (set(CODES.values()) - {"forbidden"}):
        assert re.search(rf"^\| `{code}` \| \d{{3}}(?: or \d{{3}})? \|", HTTP, re.MULTILINE), (
            f"{code} is not documented"
        )


def test_every_metric_is_in_the_documentation_with_its_labels() -> None:
    for family in Metrics().registry.collect():
        if not family.name.startswith(("leadring_", "http_")):
            continue
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name in OPERATIONS, f"{name} is not documented"
    for name, text in vars(Metrics()).items():
        labels = getattr(text, "_labelnames", ())
        if labels:
            assert "{" + ",".join(labels) + "}" in OPERATIONS, f"the labels of {name} are not documented"


def test_every_command_is_in_the_documentation() -> None:
    for name in get_command(cli).commands:  # type: ignore[attr-defined]
        assert f"`leadring {name}" in OPERATIONS, f"leadring {name} is not documented"


def test_every_state_and_reason_is_in_the_documentation() -> None:
    for word in {*LEAD_STATES, *WAITING_REASONS, *HELD}:
        assert f"`{word}`" in OPERATIONS, f"{word} is not documented"


def test_every_rule_and_reason_of_a_choice_is_in_the_documentation() -> None:
    for word in {*RULES, *REASONS, "free"}:
        assert f"`{word}`" in HTTP, f"the explanation's {word} is not documented"


def test_every_word_of_a_timeline_is_in_the_documentation() -> None:
    for word in TOLD.values():
        assert f"`{word}`" in HTTP, f"the timeline's {word} is not documented"


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_vendored_files_are_as_published() -> None:
    vendor = ROOT / "static" / "vendor"
    sums = dict(line.split()[::-1] for line in (vendor / "SHA256SUMS").read_text().splitlines())
    found = {str(path.relative_to(vendor)) for path in vendor.glob("*/*")}
    assert set(sums) == found
    for name, expected in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == expected, name


def test_the_readme_names_the_two_commands_and_shows_the_demo() -> None:
    assert "make run" in README
    assert "make test" in README
    assert (ROOT / "docs" / "images" / "demo.png").stat().st_size > 20_000
