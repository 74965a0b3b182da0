"""Time that only moves when a test says so."""

from __future__ import annotations

from app.clock import Millis

# 2026-01-05 10:00 UTC, a Monday; noon in Jerusalem.
START: Millis = 1_767_607_200_000


class ManualClock:
    """A `Clock` that stands still until `advance`."""

    def __init__(self, now: Millis = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> Millis:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass, on both clocks."""
        self._now += round(seconds * 1000)
        self._monotonic += seconds

    def set_wall(self, now: Millis) -> None:
        """Step the wall clock alone, as NTP or an operator does."""
        self._now = now
