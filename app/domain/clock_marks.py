"""Where a clock on the wall shows a multiple of some minutes: quarter hours, half hours. Pure.

Also on the nights the clocks change: a mark that does not exist is none, and one that comes twice is two. Moments are
epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one clock, `step` milliseconds apart from midnight on."""

    clock: ZoneInfo
    step: int

    def before(self, moment: int) -> int:
        """The last mark up to `moment`."""
        while past := time_of_day(moment, self.clock) % self.step:
            moment -= past  # where the clocks changed in between, it is another time there: look again
        return moment

    def after(self, mark: int) -> int:
        """The first one after a mark."""
        ahead = mark + self.step
        while (found := self.before(ahead)) <= mark:
            ahead += self.step
        return found


def time_of_day(moment: int, clock: ZoneInfo) -> int:
    """What the clock on the wall shows, in milliseconds since midnight."""
    wall = at(moment).astimezone(clock)
    return (wall.hour * 60 + wall.minute) * _MINUTE + wall.second * 1000 + wall.microsecond // 1000


def at(moment: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + timedelta(milliseconds=moment)


def millis(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
