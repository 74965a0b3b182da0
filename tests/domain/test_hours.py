"""Timetables: ordinary weeks, nights, the two strange days of the year, holidays and exceptions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import Hours, Period
from app.domain.hours import closes_at, is_open, next_opening, opening_spans, periods_on, why_closed

JERUSALEM = ZoneInfo("Asia/Jerusalem")
DAY = Period(9 * 60, 18 * 60)
SHORT = Period(9 * 60, 12 * 60 + 30)
OFFICE = Hours("office", "Asia/Jerusalem", ((DAY,), (DAY,), (DAY,), (DAY,), (SHORT,), (), (DAY,)), holidays="IL")
ALWAYS = Hours("always", "Asia/Jerusalem", ((Period(0, 1440),),) * 7)
NIGHT = Hours("night", "Asia/Jerusalem", ((Period(22 * 60, 26 * 60),),) * 7)
NEVER = Hours("never", "Asia/Jerusalem", ((),) * 7)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JERUSALEM, fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every_day(period: Period) -> Hours:
    return Hours("one", "Asia/Jerusalem", ((period,),) * 7)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-06-14 08:59:59", False),  # a Sunday
        ("2026-06-14 09:00", True),
        ("2026-06-14 17:59:59", True),
        ("2026-06-14 18:00", False),
        ("2026-06-19 12:29", True),  # Friday
        ("2026-06-19 12:30", False),
        ("2026-06-20 10:00", False),  # Saturday
    ],
)
def test_the_first_minute_is_open_and_the_last_is_not(at: str, expected: bool) -> None:
    assert is_open(OFFICE, local(at)) is expected
    assert is_open(OFFICE, local(at).astimezone(UTC)) is expected


def test_next_opening_is_now_when_open_and_the_next_working_morning_when_not() -> None:
    assert next_opening(OFFICE, local("2026-06-14 10:30")) == utc("2026-06-14 07:30")
    opening = next_opening(OFFICE, local("2026-06-19 14:00"))
    assert opening == local("2026-06-21 09:00")
    assert opening is not None
    assert opening.tzinfo is UTC


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    sunday_only = Hours("n", "Asia/Jerusalem", ((),) * 6 + ((Period(22 * 60, 26 * 60),),))
    assert is_open(sunday_only, local("2026-06-15 01:59"))
    assert not is_open(sunday_only, local("2026-06-14 01:59"))
    assert closes_at(sunday_only, local("2026-06-14 23:00")) == local("2026-06-15 02:00")


def test_touching_periods_close_together() -> None:
    assert closes_at(NIGHT, local("2026-06-14 23:00")) == local("2026-06-15 02:00")
    split = Hours("s", "Asia/Jerusalem", ((Period(540, 780), Period(780, 1440)), (Period(0, 60),), *((),) * 5))
    assert closes_at(split, local("2026-06-15 10:00")) == local("2026-06-16 01:00")


def test_what_never_closes_has_no_closing_and_what_is_closed_neither() -> None:
    assert is_open(ALWAYS, local("2026-06-20 03:00"))
    assert closes_at(ALWAYS, local("2026-06-20 03:00")) is None
    assert closes_at(OFFICE, local("2026-06-20 10:00")) is None
    assert closes_at(NEVER, local("2026-06-20 10:00")) is None


def test_what_never_opens_says_so_within_the_horizon() -> None:
    assert next_opening(NEVER, local("2026-06-20 10:00")) is None
    assert next_opening(OFFICE, local("2026-06-19 14:00"), horizon_days=1) is None


def test_a_holiday_is_closed_from_midnight_to_midnight() -> None:
    """22 May 2026 is Shavuot, a Friday."""
    assert not is_open(OFFICE, local("2026-05-22 10:00"))
    assert why_closed(OFFICE, local("2026-05-22 10:00")) == "holiday: Shavuot"
    night = Hours("night", "Asia/Jerusalem", NIGHT.week, holidays="IL")
    assert closes_at(night, local("2026-05-21 23:00")) == local("2026-05-22 00:00")
    assert not is_open(night, local("2026-05-22 01:00"))
    assert not is_open(night, local("2026-05-23 01:00"))
    assert is_open(night, local("2026-05-23 22:00"))


def test_only_the_chosen_kinds_of_holiday_close() -> None:
    purim = local("2026-03-03 10:00")
    assert is_open(OFFICE, purim)
    more = Hours("o", OFFICE.timezone, OFFICE.week, "IL", ("public", "optional"))
    assert why_closed(more, purim) == "holiday: Purim"


def test_exceptions_win_over_the_week_and_over_holidays() -> None:
    special = Hours(
        "o",
        OFFICE.timezone,
        OFFICE.week,
        "IL",
        extra_closed=frozenset({date(2026, 6, 14)}),
        extra_open=MappingProxyType({date(2026, 5, 22): (Period(600, 660),), date(2026, 6, 20): ()}),
    )
    assert why_closed(special, local("2026-06-14 10:00")) == "extra closed day"
    assert is_open(special, local("2026-05-22 10:30"))
    assert not is_open(special, local("2026-05-22 11:30"))
    assert why_closed(special, local("2026-05-22 11:30")) == "after closing at 11:00"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-06-20 10:00", "closed on Saturday"),
        ("2026-06-14 08:00", "before opening at 09:00"),
        ("2026-06-14 19:00", "after closing at 18:00"),
        ("2026-06-14 10:00", "open"),
    ],
)
def test_the_reason_is_said_in_words(at: str, words: str) -> None:
    assert why_closed(OFFICE, local(at)) == words


def test_a_break_says_when_it_is_over() -> None:
    lunch = Hours("l", "Asia/Jerusalem", ((Period(540, 720), Period(780, 1080)),) * 7)
    assert why_closed(lunch, local("2026-06-14 12:30")) == "closed until 13:00"


def test_the_short_day_of_spring_loses_an_hour() -> None:
    """27 March 2026: 02:00 becomes 03:00."""
    (span,) = opening_spans(ALWAYS, date(2026, 3, 27))
    assert span[1] - span[0] == timedelta(hours=23)
    jump = utc("2026-03-27 00:00")
    assert opening_spans(every_day(Period(150, 240)), date(2026, 3, 27)) == ((jump, utc("2026-03-27 01:00")),)
    assert opening_spans(every_day(Period(60, 150)), date(2026, 3, 27)) == ((utc("2026-03-26 23:00"), jump),)
    assert opening_spans(every_day(Period(125, 175)), date(2026, 3, 27)) == ()
    assert next_opening(every_day(Period(150, 240)), local("2026-03-27 01:59")) == jump


def test_the_long_day_of_autumn_has_an_hour_more_and_opens_once() -> None:
    """25 October 2026: 02:00 becomes 01:00; a time that comes twice is the first of the two."""
    (span,) = opening_spans(ALWAYS, date(2026, 10, 25))
    assert span[1] - span[0] == timedelta(hours=25)
    early = every_day(Period(60, 90))
    assert is_open(early, local("2026-10-25 01:15", fold=0))
    assert not is_open(early, local("2026-10-25 01:15", fold=1))
    assert opening_spans(early, date(2026, 10, 25)) == ((utc("2026-10-24 22:00"), utc("2026-10-24 22:30")),)
    over = every_day(Period(60, 180))
    assert is_open(over, local("2026-10-25 01:15", fold=1))


def test_both_days_of_the_change_are_ordinary_by_day() -> None:
    for day in ("2026-03-27", "2026-10-25"):
        assert next_opening(OFFICE, local(f"{day} 00:30")) == local(f"{day} 09:00")


def test_a_naive_moment_is_refused() -> None:
    naive = local("2026-06-14 10:00").replace(tzinfo=None)
    for ask in (is_open, next_opening, closes_at, why_closed):
        with pytest.raises(ValueError, match="time zone"):
            ask(OFFICE, naive)


ISRAELI = replace(OFFICE, holiday_eves=(SHORT,), hol_hamoed=(Period(9 * 60, 13 * 60),))
PESACH_EVE = date(2027, 4, 21)  # a Wednesday


def test_the_eve_of_a_holiday_has_its_own_hours() -> None:
    assert closes_at(OFFICE, local("2027-04-21 10:00")) == local("2027-04-21 18:00")
    assert closes_at(ISRAELI, local("2027-04-21 10:00")) == local("2027-04-21 12:30")
    assert closes_at(ISRAELI, local("2027-04-20 10:00")) == local("2027-04-20 18:00")
    assert next_opening(ISRAELI, local("2027-04-21 12:30")) == local("2027-04-23 09:00")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2027-04-21 13:00", "eve of Pesach: closed after 12:30"),
        ("2027-04-21 08:00", "eve of Pesach: closed until 09:00"),
        ("2027-04-22 10:00", "holiday: Pesach"),
        ("2027-04-23 13:00", "after closing at 12:30"),  # a Friday of Hol HaMoed: the week's own hours
        ("2027-04-24 10:00", "closed on Saturday"),
        ("2027-04-25 13:00", "Hol HaMoed Pesach: closed after 13:00"),
        ("2027-04-27 12:45", "eve of Seventh day of Pesach and Hol HaMoed Pesach: closed after 12:30"),
        ("2027-05-11 14:00", "eve of Independence Day: closed after 12:30"),
        ("2027-10-15 13:00", "after closing at 12:30"),  # the eve of Sukkot, a Friday
    ],
)
def test_eves_and_hol_hamoed_are_said_in_words_where_they_change_something(at: str, words: str) -> None:
    assert why_closed(ISRAELI, local(at)) == words


def test_an_eve_never_opens_what_the_week_has_closed() -> None:
    """29 September 2028, the eve of Yom Kippur, is a Friday; 1 October 2027 that of Rosh HaShana."""
    generous = replace(OFFICE, holiday_eves=(Period(0, 1440),), hol_hamoed=(Period(0, 1440),))
    assert opening_spans(generous, PESACH_EVE) == opening_spans(OFFICE, PESACH_EVE)
    assert opening_spans(generous, date(2028, 9, 29)) == opening_spans(OFFICE, date(2028, 9, 29))
    saturday = date(2027, 4, 24)
    assert opening_spans(generous, saturday) == ()
    late = replace(OFFICE, holiday_eves=(Period(20 * 60, 22 * 60),))
    assert opening_spans(late, PESACH_EVE) == ()
    assert why_closed(late, local("2027-04-21 21:00")) == "eve of Pesach: closed"


def test_a_day_that_is_eve_and_hol_hamoed_has_the_hours_that_both_leave() -> None:
    """27 April 2027 is the eve of Pesach VII, 22 October 2027 Hoshana Rabba."""
    both = replace(ALWAYS, holidays="IL", holiday_eves=(Period(480, 720),), hol_hamoed=(Period(600, 1440),))
    for day in (date(2027, 4, 27), date(2027, 10, 22)):
        (span,) = opening_spans(both, day)
        assert [moment.astimezone(JERUSALEM).hour for moment in span] == [10, 12]


@pytest.mark.parametrize(
    ("changes", "periods"),
    [
        ({"extra_open": MappingProxyType({PESACH_EVE: (Period(600, 1200),)})}, (Period(600, 1200),)),
        ({"extra_closed": frozenset({PESACH_EVE})}, ()),
        ({"extra_open": MappingProxyType({date(2027, 4, 22): (Period(600, 660),)})}, (SHORT,)),
        ({"holiday_eves": ()}, ()),
        ({"holiday_eves": None}, (DAY,)),
    ],
)
def test_exceptions_win_over_eves_and_an_eve_stays_one_when_its_holiday_is_worked(
    changes: dict[str, object], periods: tuple[Period, ...]
) -> None:
    assert periods_on(replace(ISRAELI, **changes), PESACH_EVE) == periods  # type: ignore[arg-type]


def test_an_eve_without_hours_is_closed_from_midnight_to_midnight() -> None:
    night = replace(NIGHT, holidays="IL", holiday_eves=(), hol_hamoed=())
    assert closes_at(night, local("2027-04-20 23:00")) == local("2027-04-21 00:00")
    assert why_closed(night, local("2027-04-21 01:00")) == "eve of Pesach: closed"
    assert why_closed(night, local("2027-04-25 22:30")) == "Hol HaMoed Pesach: closed"
    assert next_opening(night, local("2027-04-21 01:00")) == local("2027-04-29 22:00")


def test_the_night_before_an_eve_with_hours_of_its_own_runs_on_and_its_own_night_ends_at_midnight() -> None:
    """The night before belongs to the day before; behind the eve's own comes the holiday."""
    night = replace(NIGHT, holidays="IL", holiday_eves=(Period(22 * 60, 26 * 60),))
    assert closes_at(night, local("2027-04-20 23:00")) == local("2027-04-21 02:00")
    assert closes_at(night, local("2027-04-21 23:00")) == local("2027-04-22 00:00")
    day_only = replace(night, holiday_eves=(SHORT,))
    assert closes_at(day_only, local("2027-04-20 23:00")) == local("2027-04-21 02:00")
    assert not is_open(day_only, local("2027-04-21 23:00"))


def test_a_night_shift_through_hol_hamoed_keeps_its_nights_together() -> None:
    night = replace(NIGHT, holidays="IL", hol_hamoed=(Period(23 * 60, 25 * 60),))
    assert closes_at(night, local("2027-04-25 23:30")) == local("2027-04-26 01:00")
    assert next_opening(night, local("2027-04-25 21:00")) == local("2027-04-25 23:00")
    assert next_opening(night, local("2027-04-27 23:30")) == local("2027-04-27 23:30")
    assert closes_at(night, local("2027-04-27 23:30")) == local("2027-04-28 00:00")  # Pesach VII


@pytest.mark.parametrize(("day", "hours_long"), [("2026-03-27", 3), ("2026-10-25", 5)])
def test_a_night_over_the_change_of_the_clocks_is_open_on_both_sides_of_it(day: str, hours_long: int) -> None:
    """From 22:00 to 02:00: in spring it ends when 02:00 becomes 03:00, in autumn 01:00 to 02:00 comes twice."""
    evening = date.fromisoformat(day) - timedelta(days=1)
    (span,) = opening_spans(NIGHT, evening)
    assert span[0] == local(f"{evening} 22:00")
    assert span[1] - span[0] == timedelta(hours=4 if hours_long == 3 else hours_long)
    assert is_open(NIGHT, span[1] - timedelta(seconds=1))
    assert not is_open(NIGHT, span[1])


def test_a_site_that_opens_within_the_changed_hour_opens_once_on_both_days() -> None:
    """From 01:30 to 02:30 local: half an hour on the short day, and from the first 01:30 on, two on the long one."""
    early = every_day(Period(90, 150))
    (spring,) = opening_spans(early, date(2026, 3, 27))
    assert spring == (utc("2026-03-26 23:30"), utc("2026-03-27 00:00"))
    (autumn,) = opening_spans(early, date(2026, 10, 25))
    assert autumn == (utc("2026-10-24 22:30"), utc("2026-10-25 00:30"))
    assert next_opening(early, local("2026-10-25 00:00")) == autumn[0]
    assert next_opening(early, autumn[1]) == local("2026-10-26 01:30")


_PERIODS = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(
    lambda cuts: tuple(Period(a, b) for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)
_HOURS = st.builds(
    lambda week, zone, country, eves, feasts: Hours(
        "any",
        zone,
        tuple(week),
        country,
        holiday_eves=eves if country else None,
        hol_hamoed=feasts if country == "IL" else None,
    ),
    st.lists(_PERIODS | st.just(()), min_size=7, max_size=7),
    st.sampled_from(["Asia/Jerusalem", "Australia/Lord_Howe", "America/New_York", "UTC"]),
    st.sampled_from([None, "IL", "US"]),
    st.none() | _PERIODS,
    st.none() | _PERIODS,
)


@given(_HOURS, st.dates(date(2026, 1, 1), date(2028, 12, 31)))
def test_eves_and_hol_hamoed_only_ever_take_away(hours: Hours, day: date) -> None:
    ordinary = opening_spans(replace(hours, holiday_eves=None, hol_hamoed=None), day)
    for start, end in opening_spans(hours, day):
        assert any(first <= start and end <= last for first, last in ordinary)


@given(_HOURS, st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_answers_agree_with_each_other(hours: Hours, at: datetime) -> None:
    opening = next_opening(hours, at, horizon_days=14)
    assert (opening == at) == is_open(hours, at)
    assert (why_closed(hours, at) == "open") == is_open(hours, at)
    if opening is not None:
        assert is_open(hours, opening)
        assert opening == at or not is_open(hours, opening - timedelta(seconds=1))
        closing = closes_at(hours, opening)
        if closing is not None:
            assert closing > opening
            assert not is_open(hours, closing)
            assert is_open(hours, closing - timedelta(seconds=1))
    closing = closes_at(hours, at)
    assert closing is None or (is_open(hours, at) and closing > at)
