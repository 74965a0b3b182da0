"""[sources.*]: what a form builder's webhook is known by, and every mistake in it as a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.directory import Source, parse_directory
from app.directory_sources import SIGNING, secrets_of_sources
from app.directory_types import PRESETS
from app.errors import ConfigurationError
from app.forms.signatures import can_sign

BASE = """
[[sites]]
key = "main"
origins = ["https://x.example"]
[[agents]]
id = "dana"
extension = "SIPdana1"
"""
TOKEN = "0123456789abcdef"


def source(lines: str, more: str = "") -> Source:
    return parse_directory(f"{BASE}{more}[sources.shop]\n{lines}\n").sources["shop"]


def mistakes(lines: str, more: str = "") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        source(lines, more)
    return [mistake.removeprefix("leadring.toml: ") for mistake in caught.value.mistakes]


def test_a_token_is_enough_where_there_is_one_site() -> None:
    assert source(f'token = "{TOKEN}"') == Source("shop", "generic", "main", (TOKEN,))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_taken(preset: str) -> None:
    assert source(f'token = "{TOKEN}"\npreset = "{preset}"').preset == preset


def test_a_secret_may_stand_in_a_file_of_its_own_and_there_may_be_two(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert source(f'token = ["new-token-of-today", "file:{file}"]').tokens == ("new-token-of-today", TOKEN)


def test_what_is_older_than_fresh_is_not_rung_where_the_source_does_not_say_otherwise() -> None:
    assert source(f'token = "{TOKEN}"', '[policy]\nfresh_for = "7m"\n').max_age == 420
    assert source(f'token = "{TOKEN}"\nmax_age = "2m"', '[policy]\nfresh_for = "7m"\n').max_age == 120


def test_a_name_or_names_of_each_field() -> None:
    found = source(f'token = "{TOKEN}"\nmap = {{ phone = "Mobile", name = ["שם פרטי", "שם משפחה"] }}').map
    assert dict(found) == {"phone": ("Mobile",), "name": ("שם פרטי", "שם משפחה")}


def test_no_secret_is_in_what_is_printed_of_it() -> None:
    found = source(f'token = "{TOKEN}"\npreset = "meta"\nsigning_secret = "sign-me"\naccess_token = "EAAB-secret"')
    assert found.access_token == "EAAB-secret"
    assert not any(secret in repr(found) for secret in (TOKEN, "sign-me", "EAAB-secret"))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "sources.shop: token is missing"),
        ('token = "short"', "sources.shop: token must be at least 16 letters"),
        ('token = "with/a/slash/in/it/and/long"', "sources.shop: token must be at least 16 letters"),
        ('token = "file:/nowhere/at/all"', "sources.shop: token names /nowhere/at/all, which cannot be read: No such"),
        (f'token = ["{TOKEN}", "{TOKEN}1", "{TOKEN}2"]', "sources.shop: token holds 3, but at most 2 are taken"),
        (f'token = "{TOKEN}"\npreset = "elementar"', "sources.shop: preset must be one of generic, elementor"),
        (f'token = "{TOKEN}"\nsite = "mian"', 'sources.shop: site names "mian", but there is no such site; did you'),
        (f'token = "{TOKEN}"\nmap = "phone"', "sources.shop: map must be a table"),
        (f'token = "{TOKEN}"\nmap = {{ Phone = "x" }}', "sources.shop.map: Phone is no field of a lead"),
        (f'token = "{TOKEN}"\nmap = {{ phone = "" }}', "sources.shop.map: phone must be the name of a field"),
        (f'token = "{TOKEN}"\naccess_token = "x"', "sources.shop: access_token does nothing here"),
        (f'token = "{TOKEN}"\npreset = "tally"\nsigning_secret = ""', "sources.shop: signing_secret is empty"),
        (
            f'token = "{TOKEN}"\npreset = "wix"\nsigning_secret = "s"',
            'sources.shop: signing_secret does nothing here: preset = "wix" cannot sign',
        ),
        (f'token = "{TOKEN}"\npresett = "wix"', "sources.shop: presett is not known here"),
    ],
)
def test_a_mistake_is_a_sentence_with_its_place(lines: str, says: str) -> None:
    found = mistakes(lines)
    assert len(found) == 1
    assert found[0].startswith(says)


def test_a_slip_under_map_is_named_and_a_label_of_ones_own_is_not() -> None:
    text = f'{BASE}[sources.shop]\ntoken = "{TOKEN}"\nmap = {{ phonee = "Tel", rooms = "Rooms" }}\n'
    warnings = [one for one in parse_directory(text).warnings if "sources" in one]
    assert warnings == ['sources.shop.map: phonee is kept as a label of its own; did you mean "phone"?']


def test_the_site_must_be_said_where_there_are_two() -> None:
    more = '[[sites]]\nkey = "second"\norigins = ["https://y.example"]\n'
    assert mistakes(f'token = "{TOKEN}"', more) == ["sources.shop: site is missing: it must name one of the sites"]


def test_a_binary_an_empty_and_an_endless_file_hold_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content, says in ((b"\xff\xfe", "is not text"), (b" \n", "is empty"), (b"a" * 5000, "is too long")):
        file.write_bytes(content)
        assert mistakes(f'token = "file:{file}"')[0].endswith(f"which {says}{' for a secret' * (says[3:6] == 'too')}")


def test_who_can_sign_is_who_the_signatures_are_known_of() -> None:
    assert {preset for preset in PRESETS if can_sign(preset)} == set(SIGNING)


def test_a_source_that_nobody_can_ask_for_its_leads_is_warned_of() -> None:
    toml = f'{BASE}[sources.ads]\npreset = "meta"\ntoken = "{TOKEN}"\n'
    assert [warning for warning in parse_directory(toml).warnings if "sources" in warning] == [
        "sources.ads: without an access_token nobody can ask Meta for the leads that it tells of"
    ]


def test_every_secret_of_a_source_is_kept_out_of_the_log() -> None:
    found = source(f'token = ["{TOKEN}", "{TOKEN}2"]\npreset = "meta"\nsigning_secret = "s"\naccess_token = "a"')
    assert set(secrets_of_sources({"shop": found})) == {TOKEN, f"{TOKEN}2", "s", "a"}
