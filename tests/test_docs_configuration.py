"""docs/configuration.md holds every setting and every key, with the default and an example that really work."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.directory import KNOWN_KEYS, Directory, options_for, parse_directory
from app.settings import PREFIX, Settings, load_settings

PAGE = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
HEADINGS = {
    "settings": "## Settings",
    "policy": "### [policy]",
    "limits": "### [limits]",
    "guards": "### [guards]",
    "guards.cooldown": "The keys of `guards.cooldown`:",
    "guards.calls": "The keys of `guards.calls`:",
    "hours.*": "### [hours.*]",
    "sites": "### [[sites]]",
    "agents": "### [[agents]]",
    "sources.*": "### [sources.*]",
}
Row = tuple[list[str], str, str, str]  # names, default ("–" for none), unit, example


def rows(section: str) -> list[Row]:
    """The rows of the first table below the section's heading."""
    below = PAGE.split(f"\n{HEADINGS[section]}\n", 1)[1]
    table = re.search(r"^\| (?:name|key) \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", below, re.MULTILINE)
    assert table is not None, f"{section} has no table"
    found: list[Row] = []
    for line in table[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 5, line
        found.append((re.findall(r"`([^`]+)`", cells[0]), cells[1].strip("`"), cells[2], cells[4].strip("`")))
    return found


def toml(section: str, key: str, line: str) -> Directory:
    """The directory of a small file with `line`, which sets `key`, in its `section`."""
    site = {"key": 'key = "main"', "origins": 'origins = ["https://x.example"]'}
    agent = {"id": 'id = "dana"', "extension": 'extension = "SIPdana1"'}
    if section == "sites":
        site |= {key: line} | ({"ivr": 'ivr = "SIPqueue1"'} if key == "lines" else {})
    elif section == "agents":
        agent |= {key: line} | ({"extension": 'extension = "logincode"'} if key == "login_code" and line else {})
        line = ""
    elif section == "sources.*":
        source = {"token": 'token = "0123456789abcdef"', "site": 'site = "main"'} | ({key: line} if line else {})
        preset = {"access_token": "meta", "signing_secret": "typeform"}.get(key)
        line = "\n".join([*source.values(), *([f'preset = "{preset}"'] if preset else [])])
    if key in ("holiday_eves", "hol_hamoed"):
        line += '\nholidays = "IL"'
    inner = f"[{section.replace('*', 'shop')}]\n{line}\n" if section not in ("sites", "agents") else ""
    lines = ["[hours.office]", 'mon = ["09:00-10:00"]', inner, "[[sites]]", *site.values()]
    if section == "sources.*":
        lines += ["[[sites]]", 'key = "second"', site["origins"]]
    return parse_directory("\n".join([*lines, "[[agents]]", *agent.values()]))


KEY_ROWS = [(section, row) for section in HEADINGS if section != "settings" for row in rows(section)]


def test_every_setting_has_exactly_one_row() -> None:
    documented = [name for names, *_ in rows("settings") for name in names]
    assert documented == [PREFIX + name.upper() for name in Settings.model_fields]


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"\bLEADRING_[A-Z_]*[A-Z]\b", PAGE))
    assert named == {PREFIX + name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("row", rows("settings"), ids=lambda row: row[0][0])
def test_the_default_and_the_example_of_a_setting_are_true(row: Row) -> None:
    (name,), default, _, example = row
    field = name.removeprefix(PREFIX).lower()
    env = {f"{PREFIX}VOICENTER_CODE": "anotherCode"}
    unset = getattr(load_settings({}, env_file=None, secrets_dir=None, need_code=False), field)
    if default == "–":
        assert unset is None
    else:
        assert getattr(load_settings(env | {name: default}, env_file=None, secrets_dir=None), field) == unset
    given = getattr(load_settings(env | {name: example}, env_file=None, secrets_dir=None), field)
    assert given != unset
    if isinstance(given, SecretStr):
        assert given.get_secret_value() == example


def test_every_table_of_the_file_is_documented() -> None:
    assert set(HEADINGS) - {"settings"} | {""} == set(KNOWN_KEYS)
    for name in KNOWN_KEYS[""]:
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("section", [section for section in HEADINGS if section != "settings"])
def test_every_key_has_exactly_one_row_and_no_row_is_stale(section: str) -> None:
    documented = [name for names, *_ in rows(section) for name in names]
    assert sorted(documented) == sorted(KNOWN_KEYS[section])


@pytest.mark.parametrize(("section", "row"), KEY_ROWS, ids=lambda part: part if isinstance(part, str) else part[0][0])
def test_the_default_and_the_example_of_a_key_are_true(section: str, row: Row) -> None:
    """An example means something else than nothing; a default means the same as nothing."""
    names, default, unit, example = row
    key = names[0]
    ordinary = {"key": 'key = "main"', "id": 'id = "dana"', "extension": 'extension = "SIPdana1"'}
    assert unit
    if section != "sources.*" and key in ordinary:
        assert (default, unit) == ("–", "required")
        assert example == ordinary[key]
        return
    without = replace(toml(section, key, 'token = "fedcba9876543210"' if key == "token" else ""), warnings=())
    assert replace(toml(section, key, example), warnings=()) != without
    if default != "–":
        assert replace(toml(section, key, f"{key} = {default}"), warnings=()) == without


def test_the_complete_files_on_the_page_work() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        assert parse_directory(block).warnings == ()


def test_the_page_shows_each_kind_of_call_and_a_caller_id_of_a_site() -> None:
    """Lead first to people, lead first to an IVR, IVR first, and one site that shows another number."""
    sites = [
        (site.first, site.ivr is not None, options_for(directory.policy, site) != directory.policy.provider_options)
        for directory in map(parse_directory, re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
        for site in directory.sites.values()
    ]
    assert {("lead", False, False), ("lead", True, False), ("agent", True, False), ("agent", False, True)} <= set(sites)
