"""What the script-free pages say: one table per language, the same keys in each.

`{n}` is a name or a number, set apart in its own direction; `{time}` is a phrase with its preposition.
"""

from collections.abc import Mapping
from typing import Final

from app.web.pages.words import ar, en, es, fr, he, ru

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "he": he.WORDS,
    "en": en.WORDS,
    "ar": ar.WORDS,
    "ru": ru.WORDS,
    "fr": fr.WORDS,
    "es": es.WORDS,
}
