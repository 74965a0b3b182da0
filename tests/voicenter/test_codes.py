"""The vendor's list of codes, and what follows from each."""

from __future__ import annotations

import pytest

from app.voicenter.codes import ACCEPTED, CODES, meaning, rule_of


def test_the_list_is_the_vendors_page_and_nothing_else() -> None:
    assert {code: words for code, (words, _) in CODES.items()} == {
        0: "OK",
        1: "Invalid request parameters",
        2: "Application error",
        3: "The representative's extension is offline",
        4: "Extension blocked for Click2Call calls",
    }


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (1, "request_wrong"),
        (2, "once_more"),
        (3, "agent_offline"),
        (4, "agent_blocked"),
        (5, "configuration"),
        (-1, "configuration"),
        (403, "configuration"),
    ],
)
def test_each_refusal_asks_one_thing_of_us_and_an_unlisted_one_is_held(code: int, rule: str) -> None:
    assert rule_of(code) == rule


def test_accepted_is_no_refusal() -> None:
    assert CODES[ACCEPTED][1] is None


def test_an_unlisted_code_still_has_words() -> None:
    assert "does not list" in meaning(77)
