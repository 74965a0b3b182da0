"""Timetables of leadring.toml: days and ranges of days, periods past midnight, holidays, exceptions."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from types import MappingProxyType

import holidays

from app.directory_reading import Table, nearest
from app.directory_types import Hours, Period

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS_KEYS = (
    "timezone",
    "holidays",
    "holiday_categories",
    "holiday_eves",
    "hol_hamoed",
    "extra_closed",
    "extra_open",
)
_DAY_NAMES = dict(
    zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), range(7), strict=True)
) | {day: index for index, day in enumerate(DAYS)}
_PERIOD = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")
_DAY_MINUTES = 24 * 60


def parse_period(value: object) -> Period:
    """The Period of "09:00-18:00", "20:00-24:00" or, past midnight, "22:00-02:00"; ValueError otherwise."""
    match = _PERIOD.fullmatch(value.strip()) if isinstance(value, str) else None
    if match:
        from_hour, from_minute, to_hour, to_minute = (int(part) for part in match.groups())
        start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if start < _DAY_MINUTES and end <= _DAY_MINUTES and from_minute < 60 and to_minute < 60 and start != end:
            return Period(start, end if end > start else end + _DAY_MINUTES)
    raise ValueError('must be hours such as "09:00-18:00", or "00:00-24:00" for the whole day')


def parse_days(text: str) -> list[int] | None:
    """Indexes (0 is Monday) of "fri", "sun-thu" or "mon, wed"; None when these are no days."""
    found: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if first not in _DAY_NAMES or (dash and last not in _DAY_NAMES):
            return None
        start = _DAY_NAMES[first]
        found += [(start + step) % 7 for step in range((_DAY_NAMES[last or first] - start) % 7 + 1)]
    return found


@cache
def countries() -> frozenset[str]:
    """Two-letter codes of the countries there are (ISO 3166-1)."""
    return frozenset(code for code in holidays.list_supported_countries(include_aliases=False) if len(code) == 2)


@cache
def time_zones() -> frozenset[str]:
    """Names of the time zones there are."""
    return frozenset(zoneinfo.available_timezones())


def read_time_zone(table: Table, default: str) -> str:
    """The key `timezone`, checked against the time zone database."""
    name = table.text("timezone", default)
    if name in time_zones():
        return name
    table.wrong("timezone", f'is no time zone; write one such as "Asia/Jerusalem"{nearest(name, time_zones())}')
    return default


def read_hours(name: str, outer: Table, default_timezone: str) -> Hours:
    """The table [hours.`name`]; its mistakes are noted, and what is wrong in it is left out."""
    values = outer.values[name]
    days = {key: found for key in values if (found := parse_days(key))} if isinstance(values, dict) else {}
    table = outer.table(name, (*HOURS_KEYS, *DAYS, *days))
    week: list[tuple[Period, ...] | None] = [None] * 7
    for key, indexes in days.items():
        periods = _periods(table, key, table.values[key])
        for index in indexes:
            if week[index] is not None:
                table.wrong(key, f'names "{DAYS[index]}", which has its hours already')
            week[index] = periods
    whole_week = tuple(periods or () for periods in week)
    _check_nights(table, whole_week)
    country = table.text("holidays") or None
    if country is not None and country not in countries():
        table.wrong("holidays", 'must be a country in two capital letters, such as "IL"')
        country = None
    closed = _dates(table, "extra_closed", table.list_of("extra_closed", (), 'of dates, such as ["2027-05-11"]'))
    opened = _extra_open(table)
    for day in sorted(closed & opened.keys()):
        table.wrong("extra_open", f"names {day}, which extra_closed names as well")
    categories = _categories(table, country)
    return Hours(
        name=name,
        timezone=read_time_zone(table, default_timezone),
        week=whole_week,
        holidays=country,
        holiday_categories=categories,
        extra_closed=closed,
        extra_open=MappingProxyType(opened),
        holiday_eves=_eves(table, country, categories),
        hol_hamoed=_hol_hamoed(table, country),
    )


def _periods(table: Table, key: str, value: object) -> tuple[Period, ...]:
    """Sorted periods of one day's value; overlapping ones are a mistake."""
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list):
        table.wrong(key, 'must be a list of hours, such as ["09:00-13:00", "16:00-19:00"]')
        return ()
    found: list[Period] = []
    for entry in entries:
        try:
            found.append(parse_period(entry))
        except ValueError as error:
            table.wrong(key, str(error))
    found.sort(key=lambda period: period.start)
    if any(before.end > after.start for before, after in pairwise(found)):
        table.wrong(key, "has hours that overlap")
    return tuple(found)


def _check_nights(table: Table, week: tuple[tuple[Period, ...], ...]) -> None:
    """A period past midnight must be over when the next day's first one begins."""
    for index, periods in enumerate(week):
        tomorrow = week[(index + 1) % 7]
        if periods and tomorrow and periods[-1].end - _DAY_MINUTES > tomorrow[0].start:
            table.wrong(DAYS[index], f"runs past midnight into the hours of {DAYS[(index + 1) % 7]}: they overlap")


def _categories(table: Table, country: str | None) -> tuple[str, ...]:
    given = table.texts("holiday_categories", ("public",))
    if country is None:
        return given
    there_are = holidays.country_holidays(country).supported_categories
    for category in given:
        if category not in there_are:
            table.wrong("holiday_categories", f"must be among {', '.join(there_are)} for {country}")
    return tuple(category for category in given if category in there_are)


def _eves(table: Table, country: str | None, categories: tuple[str, ...]) -> tuple[Period, ...] | None:
    """Hours of the days before public holidays; None when nothing is said of them."""
    if "holiday_eves" not in table.values:
        return None
    if "holidays" not in table.values:
        table.wrong("holiday_eves", 'needs holidays, such as holidays = "IL"')
    elif country is not None and "public" not in categories:
        table.wrong("holiday_eves", 'are those of public holidays, and holiday_categories has no "public"')
    return _periods(table, "holiday_eves", table.values["holiday_eves"])


def _hol_hamoed(table: Table, country: str | None) -> tuple[Period, ...] | None:
    """Hours of the days within Sukkot and Pesach; None when nothing is said of them."""
    if "hol_hamoed" not in table.values:
        return None
    if country != "IL" and (country is not None or "holidays" not in table.values):
        table.wrong("hol_hamoed", 'needs holidays = "IL"')
    return _periods(table, "hol_hamoed", table.values["hol_hamoed"])


def _dates(table: Table, key: str, entries: list[object]) -> frozenset[date]:
    found = {entry: _date(entry) for entry in entries if isinstance(entry, (str, date))}
    if len(found) < len(set(map(str, entries))) or None in found.values():
        table.wrong(key, 'must hold dates such as "2027-05-11" (year, month, day)')
    return frozenset(day for day in found.values() if day is not None)


def _date(value: object) -> date | None:
    """A day written as text or as a TOML date; None for anything else, also for a date with a time."""
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            return None
    return None


def _extra_open(table: Table) -> dict[date, tuple[Period, ...]]:
    value = table.values.get("extra_open", {})
    found: dict[date, tuple[Period, ...]] = {}
    if not isinstance(value, dict):
        table.wrong("extra_open", 'must be a table, such as { "2027-05-10" = ["10:00-12:00"] }')
        return found
    for key, periods in value.items():
        day = _date(key)
        if day is None:
            table.wrong("extra_open", 'must name dates such as "2027-05-10" (year, month, day)')
        else:
            found[day] = _periods(table, f"extra_open.{key}", periods)
    return found
