"""Moments as people read them: on the policy's clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from app.clock import to_datetime


class WallClock:
    """A clock in the policy's time zone."""

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)

    def whole(self, moment: int) -> str:
        """Date and time, to the second."""
        return self._local(moment).strftime("%Y-%m-%d %H:%M:%S")

    def near(self, moment: int, now: int) -> str:
        """The time of day, to the second; on another day than that of `now` the date with it."""
        at = self._local(moment)
        return at.strftime("%H:%M:%S" if at.date() == self._local(now).date() else "%Y-%m-%d %H:%M:%S")

    def minute(self, moment: int) -> str:
        """The time of day, to the minute."""
        return self._local(moment).strftime("%H:%M")

    def _local(self, moment: int) -> datetime:
        return to_datetime(moment).astimezone(self.zone)
