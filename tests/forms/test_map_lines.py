"""Lines for `map`: TOML that reads back as what was meant, and shows every character that it holds."""

from __future__ import annotations

import tomllib
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from app.forms.map_lines import map_lines, toml_text

NAMES = st.lists(st.text(min_size=1), min_size=1, max_size=3)
FIELDS = st.sampled_from(("phone", "name", "email", "call_at"))


@given(st.dictionaries(FIELDS, NAMES, min_size=1))
@example({"phone": ['"]\n[policy]\n"']})
@example({"name": ["\u202e\u200f\x7f\x00\\u0041'\ufeff", "שם מלא"]})
def test_they_read_back_as_the_very_names(told: dict[str, list[str]]) -> None:
    found = tomllib.loads(map_lines("shop", told))
    assert list(found) == ["sources"]
    read = found["sources"]["shop"]["map"]
    assert {field: [names] if isinstance(names, str) else names for field, names in read.items()} == told


@given(st.text())
def test_nothing_in_them_is_unseen_or_turns_the_line_around(text: str) -> None:
    for letter in toml_text(text):
        assert letter not in "\u200b\u200c\u200d\u200e\u200f\u061c\u2028\u2029\u2060\ufeff"
        assert unicodedata.bidirectional(letter) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        assert unicodedata.category(letter) != "Cc"


def test_half_a_surrogate_which_no_file_can_hold_becomes_a_mark() -> None:
    assert tomllib.loads(f"x = {toml_text(chr(0xD800))}") == {"x": "?"}


def test_one_name_stands_alone_and_several_in_a_list() -> None:
    assert map_lines("a", {"phone": ("x",), "name": ("ח", "y")}) == '[sources.a.map]\nphone = "x"\nname = ["ח", "y"]\n'
