"""What people type, made safe: bounded, storable in both databases, and not able to mislead a reader."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.text import CAPS, as_text, clean, first_name

anything = st.text(st.characters(), max_size=60) | st.text(
    st.sampled_from("a \t\r\n\x00\x1f\x7f\x85\u200f\u202e\u2066\u2028\ufeff\ud800\udfff\u0301\u05b8é日😀"), max_size=40
)


@given(anything, st.integers(1, 50), st.booleans())
def test_whatever_is_typed_comes_out_safe_and_short(text: str, cap: int, lines: bool) -> None:
    safe = clean(text, cap, lines=lines)
    assert len(safe) <= cap
    assert safe == safe.strip()
    safe.encode()  # no lone surrogate: storable
    allowed = {"\n", "\t"} if lines else set()
    for letter in safe:
        assert unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") or letter in allowed
        assert unicodedata.bidirectional(letter) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@given(anything, st.integers(1, 50), st.booleans())
def test_what_is_clean_stays_as_it_is(text: str, cap: int, lines: bool) -> None:
    once = clean(text, cap, lines=lines)
    assert clean(once, cap, lines=lines) == once


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  דנה   לוי ", "דנה לוי"),
        ("O'Neil <b>", "O'Neil <b>"),
        ("a\r\nb\rc", "a b c"),
        ("a\x00b\ud83d", "ab"),
        ("admin\u202egpj.exe", "admingpj.exe"),
        ("e\u0301", "é"),
        ("😀 ok", "😀 ok"),
        ("\u200fשלום", "\u200fשלום"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_ordinary_text_is_kept_and_tricks_are_not(typed: str, kept: str) -> None:
    assert clean(typed, 100) == kept


def test_line_breaks_survive_only_where_they_are_wanted() -> None:
    assert clean("one\r\ntwo\rthree\n", 100, lines=True) == "one\ntwo\nthree"
    assert clean("one\r\ntwo", 100) == "one two"


def test_a_tower_of_marks_is_cut_to_a_few_and_the_text_goes_on() -> None:
    found = clean("z" + "\u0323" * 500 + "algo", 200)
    assert found.endswith("algo")
    assert len(found) <= 1 + 8 + 4
    assert clean("שָׁלוֹם", 100) == unicodedata.normalize("NFC", "שָׁלוֹם")


def test_a_very_long_text_costs_no_more_than_its_cap() -> None:
    assert clean("a" * 10_000_000, CAPS["name"]) == "a" * 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("as it is ", "as it is "),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (1.5, "1.5"),
        (["a", 1, None], "a, 1, "),
        ({"a": 1, "b": ["x", "y"]}, "a: 1, b: x, y"),
        ([], ""),
        (object, str(object)),
    ],
)
def test_anything_a_form_may_hold_is_text(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(("name", "first"), [("Dana Levi", "Dana"), (" דנה לוי", "דנה"), ("Dana", "Dana"), ("  ", "")])
def test_a_lead_is_told_the_first_name_only(name: str, first: str) -> None:
    assert first_name(name) == first
