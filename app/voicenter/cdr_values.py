"""Single values of a CDR, which come as text or as numbers: each reader gives None for what it cannot be.

Whatever comes out can be stored: no NUL, no lone surrogates, no number wider than a database column.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, Final

from app.clock import from_datetime

MAX_TEXT: Final = 2000
MAX_ID: Final = 128
MAX_SECONDS: Final = 2**31 - 1
MAX_WHOLE: Final = 2**53
# Hours where there are any; minutes alone may be more than 59.
_CLOCK: Final = re.compile(r"\s*(-?)(?:([0-9]{1,5}):([0-5]?[0-9])|([0-9]{1,6})):([0-5][0-9])(?:\.[0-9]*)?\s*")
_BELOW_ZERO: Final = re.compile(r"\s*-[0-9]{1,16}(?:\.[0-9]*)?\s*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def text(value: Any) -> str | None:
    """`value` as one line of text; None when empty, a truth value or a container."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_WHOLE:
        value = int(value)
    clean = str(value)[: 2 * MAX_TEXT]
    if not clean.isprintable():
        clean = "".join(each if each.isprintable() else " " for each in clean)
    return clean.strip()[:MAX_TEXT] or None


def call_id(value: Any) -> str | None:
    """An opaque id; None when it is longer than any id."""
    found = text(value)
    return found if found is not None and len(found) <= MAX_ID else None


def our_id(value: Any) -> str | None:
    """An id we gave; a UUID in small letters, as we write it, whatever was made of it on the way."""
    found = text(value)
    return found.lower() if found is not None and _UUID.fullmatch(found) else found


def whole(value: Any) -> int | None:
    """A whole number from 0; fractions are cut off."""
    if isinstance(value, str):
        digits = re.fullmatch(r"\s*([0-9]{1,16})(?:\.[0-9]*)?\s*", value)
        value = int(digits[1]) if digits else None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_WHOLE else None


def seconds(value: Any) -> int | None:
    """Whole seconds from 0, also of `HH:MM:SS` and `MM:SS`; what is below zero is 0, as no time passed.

    Seconds are documented (facts 2.2); clocks and signs are not, and nobody has shown a raw record.
    """
    if isinstance(value, str):
        if clock := _CLOCK.fullmatch(value):
            sign, hours, of_hour, minutes, rest = clock.groups()
            return 0 if sign else int(hours or 0) * 3600 + int(of_hour or minutes) * 60 + int(rest)
        if _BELOW_ZERO.fullmatch(value):
            return 0
    elif isinstance(value, int | float) and -MAX_WHOLE <= value < 0:
        return 0
    found = whole(value)
    return found if found is not None and found <= MAX_SECONDS else None


def moment(value: Any) -> int | None:
    """ISO 8601 that says its distance from UTC, as milliseconds since the epoch; None for a bare wall clock."""
    if not isinstance(value, str) or not re.fullmatch(
        r"\d{4}-\d\d-\d\d[Tt ][0-9:.]{5,18}(?:[Zz]|[+-]\d\d:?\d\d)", value.strip()
    ):
        return None
    try:
        found = from_datetime(datetime.fromisoformat(value.strip().upper()))
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found <= MAX_WHOLE else None


def phone(value: Any) -> str | None:
    """A phone number as the provider spelled it; None for a SIP code."""
    found = text(value)
    return found if found is not None and re.fullmatch(r"\+?[0-9][0-9\-() ]{3,24}", found) else None


def link(value: Any) -> str | None:
    """A web address; None for any other scheme, as pages will show it as a link."""
    found = text(value)
    return found if found is not None and re.fullmatch(r"https?://\S+", found, re.IGNORECASE) else None
