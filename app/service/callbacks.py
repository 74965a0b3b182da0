"""Callbacks: a call promised for a set later time, as a form or a lead writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from app.clock import from_datetime
from app.domain.moves import Opening

WITHIN: Final = 60 * 86_400_000  # milliseconds ahead that a callback may be asked for
JUST_NOW: Final = 60_000  # milliseconds past that still mean now


def read_callback(text: str, now: int) -> tuple[int | None, str | None]:
    """The moment asked for in milliseconds, not before now, and None; or None and the mistake's code.

    `text` is ISO 8601 with an offset: anything else is `malformed`; the past and more than 60 days ahead are
    `out_of_range`.
    """
    try:
        moment = from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None, "malformed"
    if moment < now - JUST_NOW or moment > now + WITHIN:
        return None, "out_of_range"
    return max(moment, now), None


def first_due(opening: Opening, now: int, call_at: int | None) -> tuple[int, str]:
    """When a new lead is due at first, and why it waits until then: now or as asked, when its site is open."""
    due = opening(now if call_at is None else call_at)
    if call_at is not None:
        return due, "scheduled"
    return due, "closed" if due > now else "no_agent"
