"""What surrounds the code keeps its word: the menu, the pins, the settings file, the image."""

import ast
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from app.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted([*(ROOT / "tools").iterdir(), ROOT / ".ci" / "run"])


def read(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


# --- menu and scripts ---------------------------------------------------------------------------------------------


def test_make_without_a_target_prints_the_whole_menu() -> None:
    # Run from make itself, the outer make's flags would change what the inner one prints.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=20, check=True)
    menu = set(re.findall(r"^ {2}make ([a-z-]+) {2,}\S", done.stdout, re.MULTILINE))
    assert menu >= {"help", "run", "serve", "test", "check", "format", "bench", "pins", "container", "clean"}
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    assert phony is not None
    assert menu == set(phony[1].split()), "a target without '## what it does' is not in the menu"


def test_every_script_that_the_makefile_calls_is_there() -> None:
    called = set(
        re.findall(r"(?<!/)tools/[a-z-]+", "".join(path.read_text() for path in [ROOT / "Makefile", *SCRIPTS]))
    )
    assert called
    assert {name for name in called if not (ROOT / name).is_file()} == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_executable_stops_at_mistakes_and_parses(script: Path) -> None:
    text = script.read_text()
    assert os.access(script, os.X_OK), f"chmod +x {script.name}"
    assert re.search(r"^set -e?uo pipefail$", text, re.MULTILINE)
    subprocess.run(["bash", "-n", str(script)], timeout=10, check=True)


# --- pins ---------------------------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Every requirement of a pin file: its exact version and how many hashes it has. Fails on anything else."""
    found = {}
    for block in re.sub(r"\\\n", " ", read("requirements", name)).splitlines():
        line = block.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        pin = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", line)
        assert pin is not None, f"{name}: not an exact version: {line[:80]}"
        found[pin[1].lower()] = (pin[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}", line)))
    return found


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_every_package_is_pinned_with_hashes_and_no_index_is_named(name: str) -> None:
    found = pins(name)
    assert len(found) > 20
    assert [package for package, (_, hashes) in found.items() if not hashes] == []
    # No address, and no option but the hashes: neither of an index nor of another place to find packages.
    assert re.findall(r"(?m)://|--(?!hash=sha256:)\S*|^\s*-[^-].*", read("requirements", name)) == []


def test_tests_run_on_the_very_packages_that_the_service_runs_on() -> None:
    dev = pins("dev.txt")
    assert {name: pin for name, pin in pins("runtime.txt").items() if dev.get(name) != pin} == {}


def test_the_pins_hold_what_the_package_says_it_needs() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras.get("postgres", []), *extras.get("redis", [])]
    names = {re.split(r"[\s\[<>=!~;]", line)[0].lower() for line in wanted}
    assert names - set(pins("runtime.txt")) == set()


def test_no_lock_file_records_download_addresses() -> None:
    locks = {"uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"}
    hidden = {".venv", ".git", ".cache", "node_modules"}
    found: list[str] = []
    for _, folders, names in os.walk(ROOT):
        folders[:] = [folder for folder in folders if folder not in hidden]
        found += locks.intersection(names)
    assert found == []


# --- settings file ------------------------------------------------------------------------------------------------


def test_env_example_names_exactly_the_settings_with_their_defaults() -> None:
    lines = re.findall(r"^#?(LEADRING_\w+)=(.*)$", read(".env.example"), re.MULTILINE)
    assert sorted(name for name, _ in lines) == sorted(PREFIX + name.upper() for name in Settings.model_fields)
    shown = dict(lines)
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is None or isinstance(default, (str, Path)):
            expected = {"" if default is None else str(default)}
        else:
            expected = {",".join(default)} if isinstance(default, tuple) else {str(default), f"{default:g}"}
        if name == "log_format":
            expected = {"json"}  # the default depends on the terminal; the file shows the one of a server
        assert shown[PREFIX + name.upper()] in expected, name


def test_every_line_of_env_example_can_be_switched_on_as_it_stands_and_holds_no_secret(tmp_path: Path) -> None:
    assert load_settings({}, env_file=ROOT / ".env.example", secrets_dir=None, need_code=False) == Settings()
    switched_on = tmp_path / ".env"
    switched_on.write_text(re.sub(r"^#(LEADRING_\w+=.)", r"\1", read(".env.example"), flags=re.MULTILINE))
    settings = load_settings({}, env_file=switched_on, secrets_dir=None, need_code=False)
    assert settings == Settings(log_format="json")


def test_every_setting_in_env_example_has_its_comment() -> None:
    for block in re.split(r"\n\s*\n", read(".env.example")):
        if "LEADRING_" in (settings := [line for line in block.splitlines() if "=" in line] or [""])[-1]:
            assert block.startswith("# "), block
            assert len([line for line in settings if re.match(r"#?LEADRING_\w+=", line)]) == 1, block


# --- image --------------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, comments dropped and continued lines joined."""
    text = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(m[1], m[2].strip()) for m in re.finditer(r"^([A-Z]+) +(.*)$", text, re.MULTILINE)]


def test_the_image_runs_as_nobody_in_particular() -> None:
    final = max(n for n, (word, _) in enumerate(instructions()) if word == "FROM")
    users = [rest for word, rest in instructions()[final:] if word == "USER"]
    assert users == ["10001:10001"]


def test_the_image_fetches_nothing_but_hashed_packages() -> None:
    words = [word for word, _ in instructions()]
    assert "ADD" not in words
    assert re.findall(r"\b(curl|wget|apt-get|git clone)\b", read("Dockerfile")) == []
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]


def test_both_stages_stand_on_one_base() -> None:
    bases = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    assert len(bases) == 1, "the virtual environment points at the interpreter of the stage that made it"
    assert re.fullmatch(r"python:3\.\d+-slim", bases.pop())


def test_the_image_starts_the_service_without_a_shell_in_between() -> None:
    said = dict(instructions())
    command = [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]
    assert command == ["python", "-m", "app", "serve", "--host", "0.0.0.0", "--port", "8000"]  # noqa: S104
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert "/readyz" in said["HEALTHCHECK"]
    probe = json.loads(said["HEALTHCHECK"].split("CMD ", 1)[1])
    assert probe[:2] == ["python", "-c"]
    ast.parse(probe[2])


def test_nothing_private_can_get_into_the_image() -> None:
    lines = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "everything is left out unless it is named"
    assert {line[1:] for line in lines if line.startswith("!")} == {
        "app", "static", "requirements/runtime.txt", "leadring.example.toml",
    }  # fmt: skip
