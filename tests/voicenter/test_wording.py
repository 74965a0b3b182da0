"""Other people's text never carries a secret on, however it is spelt and however long it is."""

from __future__ import annotations

import pytest

from app.voicenter.wording import short

SECRET = "s3cret+Code"


@pytest.mark.parametrize(
    "text",
    [SECRET, SECRET.upper(), f"code={SECRET}", "s3cret%2BCode", f"<b>s3cret</b>+Code {SECRET}", f"<i>{SECRET}</i>"],
)
def test_a_secret_is_hidden_in_every_spelling_also_when_there_is_nothing_else(text: str) -> None:
    said = short(text, [SECRET])
    assert "***" in said
    assert SECRET.lower() not in said.lower()


def test_a_text_that_is_shorter_than_the_secret_stays() -> None:
    assert short("OK", [SECRET, "+972541234567"]) == "OK"
