"""The dialing window is read on the clock of the lead's own number, and in every zone of its country at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import Directory, Hours, Period, parse_directory
from app.domain.dialing_window import DialingWindow, never_rung, window_of
from app.domain.hours import is_open, next_common_opening, next_opening
from app.domain.phone import country_of
from app.domain.routing import Roster

JERUSALEM, NEW_YORK, LONDON = (ZoneInfo(name) for name in ("Asia/Jerusalem", "America/New_York", "Europe/London"))
FLOOR = """
[policy]
dialing_window = "decent"
countries = [{countries}]
{policy}
[hours.office]
sun-thu = ["09:00-18:00"]
fri = ["09:00-12:30"]
[hours.decent]
mon-sun = ["{window}"]
timezone = "Pacific/Auckland"
{more}
[[sites]]
key = "main"
hours = "office"
[[sites]]
key = "night-and-day"
[[agents]]
id = "dana"
extension = "SIPdana1"
"""


def floor(window: str = "09:00-21:00", policy: str = "", more: str = "", countries: str = '"IL"') -> Directory:
    return parse_directory(FLOOR.format(window=window, policy=policy, more=more, countries=countries))


def reading(window: str = "09:00-21:00", policy: str = "", more: str = "") -> DialingWindow:
    found = window_of(floor(window, policy, more))
    assert found is not None
    return found


def at(text: str, zone: ZoneInfo = JERUSALEM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def open_on(text: str, country: str | None, window: DialingWindow, zone: ZoneInfo = JERUSALEM) -> bool:
    return window.is_open(country, at(text, zone))


# ------------------------------------------------------------------------------------------------ which clocks


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+972541234567", "IL"),
        ("+972541234560", "IL"),
        ("+97239999999", "IL"),
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+442079460958", "GB"),
        ("+449999999999", "GB"),  # fits none of the four that share 44: the largest
        ("+38344123456", "XK"),
        ("+80012345678", None),
        ("+8835100012345", None),
        ("nonsense", None),
        ("0541234567", None),
    ],
)
def test_a_number_tells_its_country(number: str, country: str | None) -> None:
    assert country_of(number) == country


def test_the_clocks_are_those_of_the_country_and_the_windows_own_time_zone_does_not_count() -> None:
    window = reading()
    assert window.clocks("IL") == ("Asia/Jerusalem",)
    assert len(window.clocks("US")) > 20
    assert {"America/New_York", "Pacific/Honolulu"} <= set(window.clocks("US"))
    assert "Pacific/Auckland" not in {hours.timezone for hours in window.on_clocks("US")}


@pytest.mark.parametrize("country", [None, "XK"])
def test_a_country_that_cannot_be_told_or_has_no_listed_zone_goes_by_the_policys_clock(country: str | None) -> None:
    assert reading(policy='timezone = "Europe/London"').clocks(country) == ("Europe/London",)


def test_the_policy_may_name_the_one_zone_of_a_country() -> None:
    narrowed = reading(policy='dialing_zones = { US = "America/New_York", XK = "Europe/Belgrade" }')
    assert narrowed.clocks("US") == ("America/New_York",)
    assert narrowed.clocks("XK") == ("Europe/Belgrade",)
    assert narrowed.clocks("CA") == reading().clocks("CA")


# ------------------------------------------------------------------------------------------------ open or not


def test_a_number_may_be_rung_from_the_first_minute_to_the_last_on_its_own_clock() -> None:
    window = reading()
    for text, expected in (("08:59", False), ("09:00", True), ("20:59", True), ("21:00", False)):
        assert open_on(f"2026-11-24 {text}", "GB", window, LONDON) is expected
    assert not open_on("2026-11-24 10:00", "GB", window, JERUSALEM)  # 08:00 in London


def test_a_country_of_several_zones_may_be_rung_when_all_of_them_are_open() -> None:
    """In winter 09:00 in Hawaii is 14:00 in New York, where 21:00 is 16:00 in Hawaii."""
    window = reading()
    for text, expected in (("13:59", False), ("14:00", True), ("20:59", True), ("21:00", False)):
        assert open_on(f"2026-11-24 {text}", "US", window, NEW_YORK) is expected
    narrowed = reading(policy='dialing_zones = { US = "America/New_York" }')
    assert open_on("2026-11-24 09:00", "US", narrowed, NEW_YORK)


def test_the_clocks_of_a_country_change_on_its_own_days() -> None:
    """From 8 to 27 March 2026 New York has summer time and Jerusalem has not: six hours apart instead of seven."""
    window = reading(policy='dialing_zones = { US = "America/New_York" }')
    for day, opens in (("2026-03-07", "16:00"), ("2026-03-09", "15:00"), ("2026-03-28", "16:00")):
        assert window.next_opening("US", None, at(f"{day} 12:00")) == at(f"{day} {opens}")


def test_holidays_of_the_window_are_days_on_the_numbers_clock() -> None:
    """Yom Kippur 2026 is 21 September; at 03:00 in Jerusalem it is the evening before in New York."""
    window = reading("00:00-24:00", 'dialing_zones = { US = "America/New_York" }', 'holidays = "IL"')
    assert open_on("2026-09-21 03:00", "US", window)
    assert not open_on("2026-09-21 03:00", "IL", window)
    assert not open_on("2026-09-22 06:00", "US", window)
    assert open_on("2026-09-22 06:00", "IL", window)


def test_a_roster_says_whose_number_may_be_rung() -> None:
    noon = at("2026-11-24 12:00")
    roster = Roster(floor(), noon, 0)
    assert roster.may_ring("+972541234567")
    assert roster.may_ring("+442079460958")
    assert not roster.may_ring("+12125550123")
    assert not roster.may_ring("+14165550123")
    without = parse_directory(FLOOR.format(window="09:00-21:00", policy="", more="", countries='"IL"').replace(
        'dialing_window = "decent"', ""
    ))  # fmt: skip
    assert Roster(without, noon, 0).may_ring("+12125550123")
    assert window_of(without) is None


# ------------------------------------------------------------------------------------------ the next moment


def test_the_next_moment_is_one_at_which_site_and_number_are_open() -> None:
    """A lead from New York on a Tuesday morning in Israel: at 16:00 there it is 09:00 in New York."""
    directory = floor(policy='dialing_zones = { US = "America/New_York" }')
    window, office = window_of(directory), directory.hours["office"]
    assert window is not None
    assert window.next_opening("US", office, at("2026-11-24 10:00")) == at("2026-11-24 16:00")
    assert window.next_opening("US", office, at("2026-11-24 17:00")) == at("2026-11-24 17:00")
    assert window.next_opening("US", office, at("2026-11-24 18:00")) == at("2026-11-25 16:00")
    # On Friday the office has closed when New York wakes up: it is Sunday.
    assert window.next_opening("US", office, at("2026-11-26 18:00")) == at("2026-11-29 16:00")
    assert window.next_opening("IL", office, at("2026-11-27 13:00")) == at("2026-11-29 09:00")


def test_a_site_without_hours_waits_for_the_number_alone() -> None:
    assert reading().next_opening("IL", None, at("2026-11-24 22:00")) == at("2026-11-25 09:00")


def test_a_site_that_is_closed_for_long_is_waited_for() -> None:
    closed = frozenset(date(2026, 11, 24) + timedelta(days=day) for day in range(90))
    site = replace(floor().hours["office"], extra_closed=closed)
    assert reading().next_opening("IL", site, at("2026-11-24 10:00")) == at("2027-02-22 09:00")


def test_what_never_meets_has_no_next_moment() -> None:
    office = floor().hours["office"]
    assert reading().next_opening("US", office, at("2026-11-24 10:00")) is None
    assert reading("09:00-18:00").next_opening("RU", None, at("2026-11-24 10:00")) is None
    never = Hours("never", "Asia/Jerusalem", ((),) * 7)
    assert reading().next_opening("IL", never, at("2026-11-24 10:00")) is None


def test_numbers_that_can_never_be_rung_are_named_by_site_and_country() -> None:
    now = at("2026-11-24 10:00")
    assert never_rung(floor(countries='"IL", "GB"'), now) == []
    (us,) = never_rung(floor(countries='"IL", "US"'), now)
    assert us.startswith("main: the dialing window of US, in all of its ")
    assert us.endswith(" time zones at once, is never open while the site is")
    assert never_rung(floor(countries='"IL", "US"', policy='dialing_zones = { US = "America/New_York" }'), now) == []
    assert never_rung(floor("19:00-21:00"), now) == [
        "main: the dialing window of IL, on its clock, is never open while the site is"
    ]


# --------------------------------------------------------------------------------- several timetables at once

_PERIODS = st.lists(st.integers(0, 48), min_size=2, max_size=6, unique=True).map(
    lambda cuts: tuple(Period(a * 30, b * 30) for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)
_NIGHT = st.just((Period(22 * 60, 26 * 60),))
_ANY = st.builds(
    lambda week, zone, country, special: Hours("any", zone, tuple(week), country, extra_open=MappingProxyType(special)),
    st.lists(_PERIODS | st.just(()), min_size=7, max_size=7) | _NIGHT.map(lambda night: [night] * 7),
    st.sampled_from(["Asia/Jerusalem", "America/St_Johns", "America/New_York", "Pacific/Kiritimati", "UTC"]),
    st.sampled_from([None, "IL"]),
    st.dictionaries(st.dates(date(2026, 3, 26), date(2026, 4, 3)), _PERIODS, max_size=2),
)
STEP = timedelta(minutes=30)


@given(
    st.lists(_ANY, min_size=1, max_size=4),
    st.datetimes(datetime(2026, 3, 25), datetime(2026, 3, 30), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_next_common_opening_is_the_first_of_all_moments_at_which_all_are_open(
    timetables: list[Hours], after: datetime
) -> None:
    """Compared with a look at every half hour of five days, over the change of the clocks and a holiday."""
    after = after.replace(minute=after.minute // 30 * 30, second=0, microsecond=0)
    moments = (after + STEP * step for step in range(48 * 5 + 1))
    expected = next((one for one in moments if all(is_open(hours, one) for hours in timetables)), None)
    assert next_common_opening(timetables, after, horizon_days=5) == expected


@given(_ANY, st.datetimes(datetime(2026, 3, 25), datetime(2026, 3, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_common_opening_of_one_timetable_is_its_own(hours: Hours, after: datetime) -> None:
    assert next_common_opening([hours], after, horizon_days=9) == next_opening(hours, after, horizon_days=9)
    assert next_common_opening([hours, hours], after, horizon_days=9) == next_opening(hours, after, horizon_days=9)


def test_timetables_that_alternate_for_ever_come_to_an_end() -> None:
    """One has the odd hours, the other the even ones: a year of them is looked through once."""
    odd, even = (
        Hours(name, "UTC", (tuple(Period(hour * 60, hour * 60 + 60) for hour in range(first, 24, 2)),) * 7)
        for name, first in (("odd", 1), ("even", 0))
    )
    assert next_common_opening([odd, even], at("2026-11-24 10:00")) is None
    together = [odd, even, replace(odd, timezone="Asia/Kathmandu")]
    assert next_common_opening(together, at("2026-11-24 10:00")) is None


def test_a_window_all_day_long_never_makes_a_lead_wait() -> None:
    window = reading("00:00-24:00")
    moments = [at("2026-11-24 00:00") + timedelta(hours=hour) for hour in range(49)]
    assert all(window.next_opening("US", None, moment) == moment for moment in moments)
