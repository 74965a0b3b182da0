"""Holes in the schedule: when a site is open and no agent who could take its leads is on shift; forgotten eves."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from app.directory import Directory, Hours, Period, Site, may_take
from app.domain.holiday_calendar import eve_on
from app.domain.hours import DAY_NAMES, Span, clock_face, opening_spans, periods_on, zone

_ALWAYS = (Period(0, 24 * 60),)
EVES_AHEAD = 14  # days


def holes(directory: Directory, site: Site, *, from_: date) -> list[str]:
    """Sentences such as "main: Sunday 12:00–13:00 nobody can take a call", for 7 days from `from_` on.

    A site or an agent without hours is always there. Days and times are those of the site's hours, else of the
    policy's time zone. Paused agents count: this is about the timetable, not about now. An IVR is there
    whenever its site is open.
    """
    if site.ivr is not None:
        return []
    opening = _hours(directory, site.hours)
    on_shift: list[Span] = []
    for agent in directory.people:
        if may_take(site, agent):
            shifts = _hours(directory, agent.hours)
            for offset in range(-2, 9):  # nights begin the day before, and an agent may sit in another time zone
                on_shift += opening_spans(shifts, from_ + timedelta(days=offset))
    on_shift.sort()
    found: list[str] = []
    for offset in range(7):
        day = from_ + timedelta(days=offset)
        for span in opening_spans(opening, day):
            for start, end in _uncovered(span, on_shift):
                words = _in_words(start, end, day, opening.timezone)
                found.append(f"{site.key}: {words} nobody can take a call")
    return found


def forgotten_eves(hours: Hours, *, from_: date) -> list[str]:
    """Sentences about the eves in the next 14 days that are worked like any other day, and nobody has said so.

    Of Israel's holidays only, whose eves hardly anybody works to the end. `holiday_eves` and `extra_open` say so.
    """
    if hours.holidays != "IL" or hours.holiday_eves is not None or "public" not in hours.holiday_categories:
        return []
    found: list[str] = []
    for offset in range(EVES_AHEAD):
        day = from_ + timedelta(days=offset)
        periods = () if day in hours.extra_open else periods_on(hours, day)
        if periods and (name := eve_on(hours.holidays, day)):
            when = f"{DAY_NAMES[day.weekday()]} {day}, the eve of {name},"
            found.append(f"hours.{hours.name}: {when} is open as usual until {clock_face(periods[-1].end)}")
    return found


def _hours(directory: Directory, name: str | None) -> Hours:
    if name is not None:
        return directory.hours[name]
    return Hours("always", directory.policy.timezone, (_ALWAYS,) * 7)


def _uncovered(span: Span, on_shift: list[Span]) -> list[Span]:
    """What is left of `span` when the sorted `on_shift` spans are taken out of it."""
    left: list[Span] = []
    start, end = span
    for shift_start, shift_end in on_shift:
        if shift_start >= end:
            break
        if shift_start > start:
            left.append((start, shift_start))
        start = max(start, shift_end)
        if start >= end:
            return left
    return [*left, (start, end)]


def _in_words(start: datetime, end: datetime, day: date, timezone: str) -> str:
    """ "Sunday 12:00–13:00"; midnight at the end of `day` is 24:00."""
    first, last = start.astimezone(zone(timezone)), end.astimezone(zone(timezone))
    midnight = datetime.combine(day + timedelta(days=1), time(), zone(timezone)).astimezone(UTC)
    until = "24:00" if end == midnight else f"{last:%H:%M}"
    return f"{DAY_NAMES[first.weekday()]} {first:%H:%M}–{until}"
