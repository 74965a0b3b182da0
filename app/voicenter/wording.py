"""Other people's text, made short and safe enough for an event, a log line or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

LIMIT: Final = 120  # characters

# Seven digits or more, however they are grouped, may be somebody's phone.
_DIGITS: Final = re.compile(r"\+?\d(?:[\s().\-]{0,3}\d){6,}")
_TAGS: Final = re.compile(r"<[^<>]*>")
_UNREADABLE: Final = re.compile(r"[^\w\s!-~]", re.UNICODE)


def short(text: str, hide: Iterable[str] = ()) -> str:
    """`text` without tags, secrets (`hide`) and long digit runs, on one line of at most 120 characters."""
    text = _mask(text, tuple(hide))
    # Masked again once the tags are gone: a secret may have been written around them.
    text = _mask(" ".join(_UNREADABLE.sub(" ", _TAGS.sub(" ", text)).split()), tuple(hide))
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def _mask(text: str, hide: tuple[str, ...]) -> str:
    for secret in hide:
        if len(secret) > len(text):
            continue  # no spelling is shorter; a pattern for each lead's number costs more than all the rest
        for spelling in {secret, quote(secret, safe=""), quote_plus(secret)} - {""}:
            text = re.sub(re.escape(spelling), "***", text, flags=re.IGNORECASE)
    return _DIGITS.sub("***", text)
