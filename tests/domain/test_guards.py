"""Guards: what each says of a number, which one decides, and which budgets are in force at a moment."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import from_datetime
from app.directory import CallCap, Directory, Guards, Limits, Mode, Policy
from app.domain.guards import NOT_A_PERSON, Cap, Hit, caps, look_at_number, worst
from app.domain.phone import Phone
from tests.clocks import START

HOUR = 3_600_000
BOTH = CallCap("hold", 120, 600)
ZONES = ("Asia/Jerusalem", "Europe/London", "America/New_York", "Asia/Kolkata", "Atlantic/Azores", "UTC")


def phone(kind: Any = "mobile", country: str | None = "IL") -> Phone:
    return Phone("+972541234567", country, kind, True)


def directory(country: Mode = "hold", premium: Mode = "refuse") -> Directory:
    return Directory(Policy(), Limits(), Guards(country=country, premium=premium), {}, {}, {})


def found(given_: Phone, whole: Directory) -> list[tuple[str, str]]:
    return [(hit.guard, hit.mode) for hit in look_at_number(given_, whole)]


# -------------------------------------------------------------------------------------------- the number


def test_an_ordinary_number_of_a_listed_country_passes() -> None:
    assert found(phone(), directory()) == []


@pytest.mark.parametrize("mode", ["observe", "hold", "refuse"])
def test_a_number_of_another_country_or_of_none_is_told(mode: Mode) -> None:
    assert found(phone(country="FR"), directory(country=mode)) == [("country", mode)]
    assert found(phone(country=None), directory(country=mode)) == [("country", mode)]


@pytest.mark.parametrize("mode", ["observe", "hold", "refuse"])
def test_a_premium_number_is_told(mode: Mode) -> None:
    assert found(phone("premium"), directory(premium=mode)) == [("premium", mode)]


@pytest.mark.parametrize("kind", sorted(NOT_A_PERSON))
def test_a_number_that_is_nobody_s_telephone_is_never_worse_than_held(kind: str) -> None:
    assert found(phone(kind), directory(premium="refuse")) == [("premium", "hold")]
    assert found(phone(kind), directory(premium="observe")) == [("premium", "observe")]


def test_guards_that_are_off_say_nothing() -> None:
    assert found(phone("premium", "FR"), directory("off", "off")) == []


def test_both_may_speak() -> None:
    assert found(phone("premium", "FR"), directory()) == [("premium", "refuse"), ("country", "hold")]


@given(st.lists(st.builds(Hit, st.sampled_from("abc"), st.sampled_from(["observe", "hold", "refuse"]))))
def test_refuse_decides_before_hold_and_observe_decides_nothing(hits: list[Hit]) -> None:
    decided = worst(hits)
    modes = {hit.mode for hit in hits}
    expected = "refuse" if "refuse" in modes else "hold" if "hold" in modes else None
    assert (decided.mode if decided else None) == expected
    if decided is not None:
        assert decided == next(hit for hit in hits if hit.mode == expected)


# ------------------------------------------------------------------------------------------- the budgets


def test_no_budget_is_in_force_when_switched_off_or_not_set() -> None:
    assert caps(CallCap("off", 1, 1), "Asia/Jerusalem", START) == ()
    assert caps(CallCap("hold", None, None), "Asia/Jerusalem", START) == ()


def test_the_hour_is_the_clock_s_and_the_day_begins_at_local_midnight() -> None:
    hour, day = caps(BOTH, "Asia/Jerusalem", START + 59 * 60_000)
    assert hour == Cap("hour", START, 120, START + HOUR)
    assert day == Cap("day", START - 12 * HOUR, 600, START + 12 * HOUR)


# In 2026 Israel's clocks go forward on 27 March at 2:00 and back on 25 October at 2:00.
@pytest.mark.parametrize(("date", "hours"), [((2026, 3, 27), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)])
def test_a_day_is_as_long_as_the_clocks_make_it(date: tuple[int, int, int], hours: int) -> None:
    zone = ZoneInfo("Asia/Jerusalem")
    midnight = from_datetime(datetime(*date, tzinfo=zone))
    days = {caps(BOTH, "Asia/Jerusalem", midnight + hour * HOUR)[1] for hour in range(hours)}
    assert days == {Cap("day", midnight, 600, midnight + hours * HOUR)}
    assert caps(BOTH, "Asia/Jerusalem", midnight + hours * HOUR)[1].starts_at == midnight + hours * HOUR
    assert caps(BOTH, "Asia/Jerusalem", midnight - 1)[1].ends_at == midnight


def test_a_midnight_that_comes_twice_begins_one_day() -> None:
    """In the Azores 1:00 becomes 0:00 on 25 October 2026: midnight strikes twice."""
    first = from_datetime(datetime(2026, 10, 25, tzinfo=ZoneInfo("Atlantic/Azores")))
    starts = {caps(BOTH, "Atlantic/Azores", first + minutes * 60_000)[1].starts_at for minutes in range(0, 25 * 60, 10)}
    assert starts == {first}


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - zone given beside
    st.sampled_from(ZONES),
)
def test_every_moment_lies_in_its_budgets_and_in_no_others(at: datetime, zone: str) -> None:
    now = from_datetime(at)
    for cap in caps(BOTH, zone, now):
        assert cap.starts_at <= now < cap.ends_at
        again = {one.span: one for one in caps(BOTH, zone, cap.starts_at)}
        assert again[cap.span] == cap, "the first moment of a span says the same"
        before = {one.span: one for one in caps(BOTH, zone, cap.starts_at - 1)}[cap.span]
        assert before.ends_at == cap.starts_at
        after = {one.span: one for one in caps(BOTH, zone, cap.ends_at)}[cap.span]
        assert after.starts_at == cap.ends_at


def test_a_budget_follows_its_limits_only() -> None:
    assert [cap.limit for cap in caps(dataclasses.replace(BOTH, per_hour=0), "UTC", START)] == [0, 600]
    assert [cap.span for cap in caps(dataclasses.replace(BOTH, per_day=None), "UTC", START)] == ["hour"]
    assert timedelta(milliseconds=HOUR) == timedelta(hours=1)
