"""The languages in which a visitor is spoken to, and which of them is meant by a tag or by a browser's wishes."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("he", "en", "ar", "ru", "fr", "es")
RIGHT_TO_LEFT: Final = frozenset({"he", "ar"})
DEFAULT: Final = "en"
MOST_WISHES: Final = 20  # of an Accept-Language header; browsers send fewer than ten
_OLD_CODES: Final = {"iw": "he"}  # Hebrew's code until 1989; Java and Android still say it


def spoken(tag: str) -> str | None:
    """The language of ours that a tag such as `he-IL`, `iw`, `ar-EG` or `fr_CA` means, or None."""
    short = tag.strip().lower().replace("_", "-").split("-")[0]
    short = _OLD_CODES.get(short, short)
    return short if short in LANGUAGES else None


def known_language(tag: str) -> str:
    """The same, and English for what we do not speak."""
    return spoken(tag) or DEFAULT


def preferred_language(accept: str, otherwise: str = DEFAULT) -> str:
    """The language of ours that an Accept-Language header wants most; of equals the first.

    What is marked `q=0` is not wanted; `*` stands for `otherwise`; what cannot be read is passed over.
    """
    best, wanted = 0.0, otherwise
    for wish in accept.split(",")[:MOST_WISHES]:
        tag, *parameters = wish.split(";")
        language = otherwise if tag.strip() == "*" else spoken(tag)
        weight = _weight(parameters)
        if language is not None and weight > best:
            best, wanted = weight, language
    return wanted


def _weight(parameters: list[str]) -> float:
    """From 0 to 1, by RFC 9110; 1 where nothing is said, 0 for what is no weight."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            digits = value.strip()
            if not digits.isascii() or not digits.replace(".", "", 1).isdigit():
                return 0.0
            return min(float(digits), 1.0)
    return 1.0
