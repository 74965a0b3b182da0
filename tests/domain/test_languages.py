"""Six languages: every one says everything, and the right one is found by a tag or by what a browser wishes."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.languages import LANGUAGES, RIGHT_TO_LEFT, known_language, preferred_language
from app.domain.messages import sentence
from app.domain.sentences import SENTENCES

# One letter that only this language has among the six (or that English has and nobody's alphabet lacks).
SCRIPTS = {"he": "[א-ת]", "ar": "[ء-ي]", "ru": "[а-яё]", "en": "[a-z]", "fr": "[a-z]", "es": "[a-z]"}


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_there_is_a_table_for_every_language_and_no_other() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    assert set(LANGUAGES) >= RIGHT_TO_LEFT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_blanks(language: str) -> None:
    ours, english = SENTENCES[language], SENTENCES["en"]
    assert list(ours) == list(english)
    for key, text in ours.items():
        assert placeholders(text) == placeholders(english[key]), key
        assert text == text.strip(), key
        assert re.search(SCRIPTS[language], text.lower()), key
        assert language == "en" or text != english[key], f"{key} is left in English"


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("he", "he"),
        ("he-IL", "he"),
        ("HE_il", "he"),
        ("iw", "he"),
        ("iw-IL", "he"),
        ("ar-EG", "ar"),
        ("fr_CA", "fr"),
        (" ru ", "ru"),
        ("es-419", "es"),
        ("en-GB", "en"),
        ("de", "en"),
        ("hebrew", "en"),
        ("", "en"),
        ("<script>", "en"),
    ],
)
def test_a_tag_means_the_language_of_its_first_part(tag: str, language: str) -> None:
    assert known_language(tag) == language
    assert sentence("open", tag) == SENTENCES[language]["open"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("he", "he"),
        ("he-IL,he;q=0.9,en-US;q=0.8,en;q=0.7", "he"),
        ("de-DE,de;q=0.9,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.3, ru;q=0.8", "ru"),
        ("en ; q = 0.3 , ar-EG ; q = 0.31", "ar"),
        ("es;q=0, fr;q=0.1", "fr"),
        ("es;q=0", "en"),
        ("de, *;q=0.5", "en"),
        ("ru;q=0.5, he;q=0.5", "ru"),
        ("fr;q=nonsense, es;q=0.1", "es"),
        ("fr;q=-1, es;q=0.1", "es"),
        ("fr;q=²", "en"),
        ("fr;q=.5, es;q=0.4", "fr"),
        ("fr;level=1;q=0.2, es;q=0.4", "es"),
        (",,;,=;q", "en"),
        ("iw", "he"),
    ],
)
def test_a_browsers_wishes_are_weighed(header: str, language: str) -> None:
    assert preferred_language(header) == language


def test_a_star_is_whatever_we_would_say_otherwise() -> None:
    assert preferred_language("de, *;q=0.5", otherwise="he") == "he"
    assert preferred_language("", otherwise="he") == "he"


@given(st.text(max_size=200) | st.text(st.sampled_from("heiwarufs-*;,q=01. "), max_size=200))
def test_any_header_leads_to_a_language(header: str) -> None:
    assert preferred_language(header) in LANGUAGES
