"""Time, injected: nothing else in the house reads a clock.

Moments are whole milliseconds since the Unix epoch (int), in memory and in the database; durations that
decide whether a request may still leave are measured on the monotonic clock, in seconds.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

Millis = int


class Clock(Protocol):
    """What the service knows of time."""

    def now(self) -> Millis:
        """Milliseconds since the epoch by the clock that decides due times and leases."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow; for measuring, never for storing."""
        ...


class SystemClock:
    """This machine's clocks."""

    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


def to_datetime(moment: Millis) -> datetime:
    """The moment as an aware datetime in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC)


def to_iso(moment: Millis | None) -> str | None:
    """ISO 8601 in UTC with a trailing Z and milliseconds, or None."""
    if moment is None:
        return None
    return to_datetime(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_datetime(moment: datetime) -> Millis:
    """Milliseconds since the epoch of an aware datetime; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return int(moment.timestamp() * 1000)
