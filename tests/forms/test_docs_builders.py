"""docs/builders.md names every builder, and what it says of each is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import cli
from app.directory import parse_directory
from app.directory_types import PRESETS
from app.forms.aliases import alias_of
from app.forms.presets import KNOWN
from app.forms.signatures import SCHEMES, can_sign
from app.forms.vocabulary import ALIASES
from tests.test_cli import NO_HOLES, Run, folder, run

__all__ = ["folder", "run"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "builders.md").read_text(encoding="utf-8")
SAID = re.sub(r"\s+", " ", PAGE)
EXAMPLES = re.findall(r"```toml\n(\[sources\..*?)```", PAGE, re.DOTALL)


def section(preset: str) -> str:
    """What stands under the heading that names the preset."""
    (found,) = [
        part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:] if f"(`{preset}`)" in part.split("\n")[0]
    ]
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_every_builder_has_a_section_that_tells_roots_ids_times_and_proof(preset: str) -> None:
    told = section(preset)
    known = KNOWN[preset]
    for path in (*known.roots, *known.ids, *(path for path, _ in known.times)):
        if not path.startswith("entry.") and path != "d":
            assert f"`{path}`" in told, path
    if preset in SCHEMES:
        assert f"`{SCHEMES[preset].header}" in told.lower()
    if not can_sign(preset) and preset != "generic":
        assert "nothing but the token" in " ".join(told.split())


def test_the_example_of_every_builder_is_right() -> None:
    whole = parse_directory(NO_HOLES + "\n".join(EXAMPLES))
    assert sorted({source.preset for source in whole.sources.values()}) == sorted(PRESETS)
    assert all(not source.signing_secrets or can_sign(source.preset) for source in whole.sources.values())


def test_every_field_has_a_row_whose_names_are_read_as_that_field() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", PAGE.split("| our field |")[1].split("\n\n")[0], re.MULTILINE)
    fields = [field for names, _ in rows for field in re.findall(r"`([^`]+)`", names)]
    assert sorted(fields) == sorted(ALIASES)
    for names, words in rows:
        ours = set(re.findall(r"`([^`]+)`", names))
        for word in re.findall(r"`([^`]+)`", words.split(":")[0]):
            alias = alias_of(word)
            if word != "consent_text":
                assert alias is not None, word
                assert alias[0] in ours, word


def test_every_option_of_the_commands_is_explained() -> None:
    commands = get_command(cli).commands  # type: ignore[attr-defined]
    for command in (commands["map"], commands["sources"].commands["learn"]):
        for parameter in command.params:
            if parameter.opts[0].startswith("--"):
                assert f"`{parameter.opts[0]}" in PAGE, parameter.opts[0]


def test_the_example_is_what_is_printed(run: Run, folder: Path) -> None:
    (folder / "captured.txt").write_text("שם מלא=דנה לוי&טלפון=054-2345678&form_name=LP", encoding="utf-8")
    (example,) = re.findall(r"```\n\$ leadring (map .*)\n([^`]*)```", PAGE)
    assert run(*example[0].split()).out == example[1]


def test_the_page_is_found_from_the_others() -> None:
    root = Path(__file__).resolve().parents[2]
    for page in ("docs/operations.md", "docs/embed.md"):
        assert "builders.md" in (root / page).read_text(encoding="utf-8"), page


def test_who_gives_no_time_or_no_proof_is_not_said_to() -> None:
    assert "only with *JSON* can it be verified" in SAID
    assert "are not signed" in section("webflow")
