"""Callbacks: a call promised for a set later time, as a form or a lead writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from app.clock import from_datetime
from app.domain.guards import NO_COMMON_HOURS
from app.domain.priority import BACKLOG, FRESH, PROMISED, backlog_due

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


def first_due(
    next_ring: Callable[[int], int | None], now: int, call_at: int | None
) -> tuple[int, str, int, str | None]:
    """When a new lead is due at first, why not sooner, and its rank; and what holds it where it could never be rung.

    `next_ring` gives the earliest moment from another one on at which it may be rung, None when there is none.
    """
    wanted = now if call_at is None else call_at
    found = next_ring(wanted)
    due, hold = (wanted, NO_COMMON_HOURS) if found is None else (found, None)
    if call_at is not None:
        return due, "scheduled", PROMISED, hold
    if due > now:
        return backlog_due(due, now), "closed", BACKLOG, hold
    return due, "no_agent", FRESH, hold
