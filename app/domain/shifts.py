"""When a site is open, and when agents are there, as spans of time in order. Pure; epoch milliseconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from app.directory import Directory, Hours, Period
from app.domain.clock_marks import at, millis
from app.domain.hours import opening_spans, zone

LOOK_AHEAD: Final = 70  # days, of which some are open
_ALWAYS: Final = ((Period(0, 24 * 60),),) * 7

Span = tuple[int, int]  # from the first millisecond up to, not including, the second


def timetable(directory: Directory, name: str | None) -> Hours:
    """The hours of that name; without one, always."""
    return Hours("always", directory.policy.timezone, _ALWAYS) if name is None else directory.hours[name]


def next_open(week: Hours, since: int, days: int) -> list[Span]:
    """The open spans that end after `since`, of the first `days` days on which there are any."""
    first = _local_day(week, since)
    found: list[Span] = []
    for offset in range(-1, LOOK_AHEAD):  # a night begins the day before
        today = [span for span in _spans(week, first + timedelta(days=offset)) if span[1] > since]
        found += today
        days -= bool(today)
        if not days:
            break
    return joined(found)


def joined(spans: Iterable[Span]) -> list[Span]:
    """In order; those that touch or overlap are one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


class Shifts:
    """When agents with the same hours are there, from `since` to `until`."""

    def __init__(self, week: Hours, since: int, until: int) -> None:
        first, last = (_local_day(week, moment) for moment in (since, until))
        days = (first + timedelta(days=offset) for offset in range(-1, (last - first).days + 1))
        spans = joined(span for day in days for span in _spans(week, day))
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def cover(self, start: int, end: int) -> bool:
        """Whether they are there for all of that time."""
        found = bisect_right(self._starts, start) - 1
        return found >= 0 and self._ends[found] >= end


def _spans(week: Hours, day: date) -> list[Span]:
    return [(millis(start), millis(end)) for start, end in opening_spans(week, day)]


def _local_day(week: Hours, moment: int) -> date:
    return at(moment).astimezone(zone(week.timezone)).date()
