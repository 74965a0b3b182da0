"""Open time in which nobody is on shift, within one span of time. Pure; epoch milliseconds.

Where `coverage` reads the week aloud, this measures a time that is over.
"""

from __future__ import annotations

from datetime import timedelta

from app.directory import Directory, Hours, Site, may_take
from app.domain.clock_marks import at, millis
from app.domain.hours import DAY_NAMES, opening_spans, zone
from app.domain.shifts import Span, joined, timetable


def open_spans(week: Hours, since: int, until: int) -> list[Span]:
    """When these hours are open from `since` up to `until`, in order, cut to that time."""
    clock = zone(week.timezone)
    first, last = (at(moment).astimezone(clock).date() for moment in (since, until))
    days = (first + timedelta(days=offset) for offset in range(-1, (last - first).days + 1))  # a night begins before
    spans = joined((millis(start), millis(end)) for day in days for start, end in opening_spans(week, day))
    return [(max(start, since), min(end, until)) for start, end in spans if start < until and end > since]


def nobody_there(directory: Directory, site: Site, since: int, until: int) -> list[Span]:
    """When the site is open and nobody who could take its leads is on shift. An IVR is always there."""
    opening = open_spans(timetable(directory, site.hours), since, until)
    if site.ivr is not None:
        return []
    shifts = {agent.hours for agent in directory.people if may_take(site, agent)}
    there = joined(span for name in shifts for span in open_spans(timetable(directory, name), since, until))
    return without(opening, there)


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What is left of the `spans` when those that are `taken` are cut out. Both in order and apart."""
    left: list[Span] = []
    for start, end in spans:
        for other_start, other_end in taken:
            if other_end <= start:
                continue
            if other_start >= end:
                break
            if other_start > start:
                left.append((start, other_start))
            start = max(start, other_end)
        if start < end:
            left.append((start, end))
    return left


def common(spans: list[Span], others: list[Span]) -> list[Span]:
    """What is in both. Each in order and apart."""
    return without(spans, without(spans, others))


def minutes(spans: list[Span]) -> float:
    """How long they are together."""
    return sum(end - start for start, end in spans) / 60_000


def in_words(span: Span, timezone: str) -> str:
    """ "Friday 2026-11-27 12:00–12:30"; midnight at the end of that day is 24:00."""
    start, end = (at(moment).astimezone(zone(timezone)) for moment in span)
    until = f"{end:%H:%M}"
    if end.date() != start.date():
        next_midnight = end.date() == start.date() + timedelta(days=1) and (end.hour, end.minute) == (0, 0)
        until = "24:00" if next_midnight else f"{end:%Y-%m-%d %H:%M}"
    return f"{DAY_NAMES[start.weekday()]} {start:%Y-%m-%d %H:%M}–{until}"
