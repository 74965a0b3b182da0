"""What a visitor is told: one table per language, the same keys in each."""

from collections.abc import Mapping
from typing import Final

from app.domain.sentences import ar, en, es, fr, he, ru

SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "he": he.SENTENCES,
    "en": en.SENTENCES,
    "ar": ar.SENTENCES,
    "ru": ru.SENTENCES,
    "fr": fr.SENTENCES,
    "es": es.SENTENCES,
}
