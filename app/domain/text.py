"""What people type, made safe to store and to read aloud: no control characters, no surrogates, bounded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

CAPS: Mapping[str, int] = {
    "name": 200,
    "email": 254,
    "message": 4000,
    "language": 16,
    "consent": 32,
    "consent_text": 2000,
    "submission_id": 64,
    "page_url": 2000,
    "referrer": 2000,
    "phone": 64,
    "site": 64,
    "call_at": 40,
}
EXTRA_FIELDS = 30
EXTRA_NAME = 64
EXTRA_VALUE = 1000

# C0 and C1 controls but tab and line feed, lone surrogates, bidi overrides and isolates, BOM, line separators.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_SPACES = re.compile(r"\s+")
_MARK_RUN = 8


def clean(text: str, cap: int, *, lines: bool = False) -> str:
    """The text without what cannot be stored or would mislead a reader, in NFC, at most `cap` characters.

    Line breaks survive only with `lines`; long runs of combining marks are cut to a few.
    """
    text = _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")[: cap * 4])
    text = unicodedata.normalize("NFC", text)
    text = _without_mark_towers(text)
    text = text.strip() if lines else _SPACES.sub(" ", text).strip()
    return text[:cap].rstrip()


def _without_mark_towers(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MARK_RUN:
            kept.append(character)
    return "".join(kept)


def as_text(value: object) -> str:
    """A scalar a form may hold, as text; anything nested as compact JSON-like text. None becomes empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {as_text(item)}" for key, item in value.items())
    return str(value)


def first_name(name: str) -> str:
    """The first word of a person's name: what a lead is told of an agent."""
    return name.split()[0] if name.split() else ""
