"""Timetables read against the clock on the wall: open or not, until when, since when and why.

A period belongs to the day it begins on. What decides about a day, the first of these that speaks of it:
`extra_open`, `extra_closed`, the holidays, then the eves of holidays and Hol HaMoed, last the week. A day that one of
them closes is closed from its first minute to its last, so a night that runs into it ends at midnight. The hours of
eves and of Hol HaMoed only ever take from those of the week. On the days the clocks change, a time that does not
exist is the moment of the change, and one that comes twice is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.directory import Hours, Period
from app.domain.holiday_calendar import eve_on, hol_hamoed_on, holiday_on

Span = tuple[datetime, datetime]  # UTC; from the first moment up to, not including, the second

_DAY = 24 * 60
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_open(hours: Hours, at: datetime) -> bool:
    """Is `at` (aware) within the hours? ValueError for a naive moment."""
    today = _local(hours, at).date()
    return any(
        start <= at < end for day in (today, today - timedelta(days=1)) for start, end in opening_spans(hours, day)
    )


def next_opening(hours: Hours, after: datetime, *, horizon_days: int = 370) -> datetime | None:
    """The earliest open moment at or after `after`, in UTC; None when there is none within the horizon."""
    limit = after + timedelta(days=horizon_days)
    for start, end in _from(hours, after, horizon_days):
        if after < end:
            opening = max(start, after.astimezone(UTC))
            return opening if opening <= limit else None
    return None


def next_common_opening(timetables: Sequence[Hours], after: datetime, *, horizon_days: int = 370) -> datetime | None:
    """The earliest moment at or after `after` at which all of them are open, in UTC; None within the horizon.

    At least one timetable. However they alternate, each period within the horizon is looked at once.
    """
    limit = after + timedelta(days=horizon_days)
    together, *others = (_apart(_from(hours, after, horizon_days)) for hours in timetables)
    for spans in others:
        together = _both(together, spans)
    for start, end in together:
        if after < end:
            opening = max(start, after.astimezone(UTC))
            return opening if opening <= limit else None
    return None


def closes_at(hours: Hours, at: datetime) -> datetime | None:
    """When the hours that `at` lies in end, in UTC, however many periods that touch they are made of.

    None when it is closed at `at`, and when it does not close within 370 days.
    """
    closing: datetime | None = None
    for start, end in _from(hours, at, 370):
        if closing is None:
            if start <= at < end:
                closing = end
        elif start > closing:
            return closing
        else:
            closing = max(closing, end)
        if closing is None and start > at:
            return None
    return None if closing is None or closing - at > timedelta(days=369) else closing


def why_closed(hours: Hours, at: datetime) -> str:
    """A few words for people: "closed on Saturday", "holiday: Pesach", "before opening at 09:00"; "open" if it is."""
    if is_open(hours, at):
        return "open"
    local = _local(hours, at)
    day, minute = local.date(), local.hour * 60 + local.minute
    if closing := _closing(hours, day):
        return closing
    periods, week = periods_on(hours, day), hours.week[day.weekday()]
    special = "" if day in hours.extra_open or periods == week else _special_names(hours, day)
    if not periods:
        return f"{special}: closed" if special else f"closed on {DAY_NAMES[day.weekday()]}"
    later = [period for period in periods if period.start > minute]
    if not later:
        end = clock_face(periods[-1].end)
        return f"{special}: closed after {end}" if special else f"after closing at {end}"
    start = clock_face(later[0].start)
    if special:
        return f"{special}: closed until {start}"
    return f"closed until {start}" if later[0] is not periods[0] else f"before opening at {start}"


def periods_on(hours: Hours, day: date) -> tuple[Period, ...]:
    """The periods that begin on this local day."""
    if day in hours.extra_open:
        return hours.extra_open[day]
    if _closing(hours, day):
        return ()
    periods = hours.week[day.weekday()]
    for _, allowed in _special(hours, day):
        periods = _common(periods, allowed)
    return periods


def opening_spans(hours: Hours, day: date) -> tuple[Span, ...]:
    """The open spans that begin on this local day, in order."""
    periods = periods_on(hours, day)
    if not periods:
        return ()
    cut = periods[-1].end > _DAY and bool(_closing(hours, day + timedelta(days=1)))
    return _spans(hours.timezone, periods, day, cut)


def clock_face(minute: int) -> str:
    """A minute of the day as people write it: 540 is 09:00, 1440 is 24:00, 1560 is 02:00."""
    shown = minute if minute <= _DAY else minute - _DAY
    return f"{shown // 60:02}:{shown % 60:02}"


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone, read once; ZoneInfo itself keeps only the last eight, and a large country has more."""
    return ZoneInfo(name)


def _local(hours: Hours, at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return at.astimezone(zone(hours.timezone))


def _from(hours: Hours, at: datetime, days: int) -> Iterator[Span]:
    """Spans in order, from the day before `at` (its night may still be open) on."""
    first = _local(hours, at).date() - timedelta(days=1)
    for offset in range(days + 2):
        yield from opening_spans(hours, first + timedelta(days=offset))


def _apart(spans: Iterator[Span]) -> Iterator[Span]:
    """The same time in spans that do not overlap: a night may run into the `extra_open` of the next day."""
    latest: datetime | None = None
    for start, end in spans:
        if latest is None or end > latest:
            yield (start if latest is None else max(start, latest)), end
            latest = end


def _both(some: Iterator[Span], others: Iterator[Span]) -> Iterator[Span]:
    """What is in both of two rows of spans that are in order and apart."""
    one, two = next(some, None), next(others, None)
    while one is not None and two is not None:
        start, end = max(one[0], two[0]), min(one[1], two[1])
        if start < end:
            yield start, end
        if one[1] <= two[1]:
            one = next(some, None)
        else:
            two = next(others, None)


def _closing(hours: Hours, day: date) -> str:
    """Why the whole day is closed, or nothing."""
    if day in hours.extra_open:
        return ""
    if day in hours.extra_closed:
        return "extra closed day"
    if hours.holidays is None:
        return ""
    if name := holiday_on(hours.holidays, hours.holiday_categories, day):
        return f"holiday: {name}"
    return next((f"{name}: closed" for name, periods in _special(hours, day) if not periods), "")


def _special(hours: Hours, day: date) -> list[tuple[str, tuple[Period, ...]]]:
    """What goes for this day when it is an eve, or in Hol HaMoed, or both; each with its name."""
    found: list[tuple[str, tuple[Period, ...]]] = []
    if hours.holidays is not None and hours.holiday_eves is not None and (name := eve_on(hours.holidays, day)):
        found.append((f"eve of {name}", hours.holiday_eves))
    if hours.hol_hamoed is not None and (name := hol_hamoed_on(day)):
        found.append((name, hours.hol_hamoed))
    return found


def _special_names(hours: Hours, day: date) -> str:
    return " and ".join(name for name, _ in _special(hours, day))


def _common(some: tuple[Period, ...], others: tuple[Period, ...]) -> tuple[Period, ...]:
    """The minutes that are in both, in order."""
    both = ((max(one.start, two.start), min(one.end, two.end)) for one in some for two in others)
    return tuple(Period(start, end) for start, end in both if start < end)


@lru_cache(maxsize=4096)
def _spans(timezone: str, periods: tuple[Period, ...], day: date, cut: bool) -> tuple[Span, ...]:
    """The periods of one day as moments; `cut` ends them at midnight. Empty ones (clocks change) fall out."""
    found: list[Span] = []
    for period in periods:
        start = _moment(timezone, day, period.start)
        end = _moment(timezone, day, min(period.end, _DAY) if cut else period.end)
        if start < end:
            found.append((start, end))
    return tuple(found)


def _moment(timezone: str, day: date, minute: int) -> datetime:
    """The UTC moment when the clock on the wall shows `minute` of `day` (past 1440: of the next day)."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 a face, not a moment
    local = wall.replace(tzinfo=zone(timezone))
    moment = local.astimezone(UTC)
    if moment.astimezone(zone(timezone)).replace(tzinfo=None) == wall:
        return moment
    # The clocks jump over this time. Read with the offset before the jump, it lies after it; read with the one
    # after (fold=1), before it: the jump is between the two.
    low, high = local.replace(fold=1).astimezone(UTC), moment
    after = high.astimezone(zone(timezone)).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone(timezone)).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)
