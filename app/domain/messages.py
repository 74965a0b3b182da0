"""What a visitor is told, one sentence each, in their language. English where a language is not known here."""

from __future__ import annotations

from app.domain.languages import known_language
from app.domain.sentences import SENTENCES


def sentence(key: str, language: str, **values: str) -> str:
    """The sentence for this key; KeyError for a key that does not exist.

    `time` is a phrase with its preposition, as app/domain/spoken_time.py says it.
    """
    return SENTENCES[known_language(language)][key].format(**values)


def has(key: str) -> bool:
    """Whether there is such a sentence."""
    return key in SENTENCES["en"]
