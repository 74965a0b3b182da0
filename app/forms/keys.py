"""Names of fields made comparable: `field:phone_6a9f`, `your-phone`, `q5_phoneNumber` and `Phone*:` are one name."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST: Final = 200  # characters of a name that are looked at
_TAG: Final = re.compile(r"<[^<>]*>")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PREFIX: Final = re.compile(r"(?:q\d{1,4}_|field:|your[-_ ]|form[-_]field[-_]|no label |ללא תווית )+", re.IGNORECASE)
_RANDOM: Final = re.compile(r"(?<=\w)_(?=[0-9a-f]*\d)[0-9a-f]{4}$")  # Wix ends its keys with four of these
_COUNTED: Final = re.compile(r"(?<=[^\W\d_]{2})\d{1,3}$")
_QUOTES: Final = frozenset("'\"`´׳״‘’‚‛“”„«»\u05be")
_TATWEEL: Final = "\N{ARABIC TATWEEL}"
_LAST_WORDS: Final = frozenset({"required", "optional", "mandatory", "חובה", "רשות", "obligatoire", "obligatorio"})


@lru_cache(maxsize=8192)
def simple(name: str) -> str:
    """The name in lower case, words apart by one space, without marks, accents, quotes and what builders add to it."""
    text = _TAG.sub(" ", name[:LONGEST]).strip()
    text = _RANDOM.sub("", _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text)
    words = _letters(_CAMEL.sub(" ", text)).split()
    while len(words) > 1 and words[-1] in _LAST_WORDS:
        words.pop()
    return " ".join(words)


def without_number(name: str) -> str:
    """A simple name without the number at its end: `tel 839`, as Contact Form 7 counts, is `tel`; so is `tel2`."""
    words = name.split()
    return " ".join(words[:-1]) if len(words) > 1 and words[-1].isdigit() else _COUNTED.sub("", name)


def _letters(text: str) -> str:
    kept: list[str] = []
    for letter in unicodedata.normalize("NFKD", text).casefold():
        if letter in _QUOTES or letter == _TATWEEL:
            if letter == "\u05be":  # a maqaf joins two words
                kept.append(" ")
            continue
        category = unicodedata.category(letter)
        if category[0] in "LN":
            kept.append(letter)
        elif category not in ("Mn", "Me", "Cf"):
            kept.append(" ")
    return "".join(kept)
