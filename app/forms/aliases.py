"""Which of our fields a name stands for, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.forms.keys import simple, without_number
from app.forms.vocabulary import ALIASES, CONSENT, FILLERS, PHONE_WORDS, words

_MOST_WORDS: Final = 12  # a name that is longer is a sentence
_CONSENT: Final = tuple(CONSENT)


def _table() -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for field, ranks in ALIASES.items():
        for rank, names in enumerate(ranks):
            for name in words(names):
                found.setdefault(name, (field, rank))
    return found


_TABLE: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(_table())


def alias_of(name: str) -> tuple[str, int, str] | None:
    """The field that a raw name stands for, how surely (0 is surest), and the alias; None for a name unknown here."""
    plain = simple(name)
    for rank, candidate in enumerate((plain, without_number(plain), _bare(plain))):
        known = _TABLE.get(candidate)
        if known is not None:
            return known[0], known[1] + rank, candidate
    return None


def speaks_of_phone(name: str) -> bool:
    """Whether a word for telephone is among the words of a raw name."""
    return not PHONE_WORDS.isdisjoint(simple(name).split())


def speaks_of_consent(name: str) -> bool:
    """Whether a raw name is a sentence by which somebody agrees to something."""
    plain = simple(name)
    return plain.startswith(_CONSENT) and " " in plain


def _bare(plain: str) -> str:
    """Without the words that change nothing."""
    told = plain.split()
    return " ".join(word for word in told if word not in FILLERS) if len(told) <= _MOST_WORDS else ""
