"""Slots of callbacks: where the clock cuts the day, how many calls fit, and where the next one finds room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import Directory, parse_directory
from app.domain.hours import is_open
from app.domain.slots import MOST_OFFERED, Plan

JERUSALEM: Final = "Asia/Jerusalem"
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
NOON: Final = "2026-06-14 12:00"  # a Sunday
OFFICE: Final = '[hours.office]\nsun-thu = ["09:00-18:00"]\n'
Moments = Mapping[str, int]


def ms(local: str, zone: str = JERUSALEM, fold: int = 0) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def face(moment: int, zone: str = JERUSALEM) -> str:
    return datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).strftime("%a %H:%M")


def site(key: str = "main", more: str = 'hours = "office"') -> str:
    return f'[[sites]]\nkey = "{key}"\norigins = ["https://x.example"]\n{more}\n'


def agent(name: str, more: str = "") -> str:
    return f'[[agents]]\nid = "{name}"\nextension = "SIP{name}"\n{more}\n'


def directory(*parts: str, policy: str = "", hours: str = OFFICE) -> Directory:
    return parse_directory("\n".join([f"[policy]\n{policy}\n", hours, *parts]))


def plan(given: Directory, now: str | int = NOON, days: int = 1, key: str = "main") -> Plan:
    return Plan(given, given.sites[key], ms(now) if isinstance(now, str) else now, days)


def offered(given: Directory, now: str = NOON, days: int = 1, key: str = "main", **booked: Moments) -> list[str]:
    """The faces of what is offered; `booked` by site: how many leads are due at these local times."""
    taken = {name: {ms(local): many for local, many in moments.items()} for name, moments in booked.items()}
    return [face(moment) for moment in plan(given, now, days, key).offered(taken)]


def room(given: Directory, now: str = NOON, key: str = "main", **booked: Moments) -> dict[str, int]:
    """The room of every slot of the first day, by its face."""
    taken = {name: {ms(local): many for local, many in moments.items()} for name, moments in booked.items()}
    return {face(slot.start)[4:]: slot.room for slot in plan(given, now, key=key).slots(taken)}


# ------------------------------------------------------------------------------------------------- the clock


def test_slots_lie_on_the_quarter_hours_within_the_opening_hours() -> None:
    given = directory(site(), agent("dana"))
    found = offered(given, "2026-06-14 08:00")
    assert (found[0], found[1], found[-1], len(found)) == ("Sun 09:00", "Sun 09:15", "Sun 17:45", 36)


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-06-14 12:00", "Sun 12:15"),
        ("2026-06-14 12:00:01", "Sun 12:30"),
        ("2026-06-14 12:14:59", "Sun 12:30"),
        ("2026-06-14 17:30", "Sun 17:45"),
        ("2026-06-14 17:31", "Mon 09:00"),  # what is left of today is too soon
        ("2026-06-14 18:00", "Mon 09:00"),
        ("2026-06-18 18:00", "Sun 09:00"),  # Thursday evening
    ],
)
def test_the_first_slot_is_a_whole_one_from_now(now: str, first: str) -> None:
    assert offered(directory(site(), agent("dana")), now, days=2)[0] == first


def test_a_slot_that_is_not_wholly_within_the_hours_is_not_offered() -> None:
    """A lunch break and odd edges: nothing from 12:45 to 13:30, nothing before 09:15 and after 17:30."""
    hours = '[hours.office]\nsun = ["09:10-12:50", "13:20-17:50"]\n'
    found = offered(directory(site(), agent("dana"), hours=hours), "2026-06-14 06:00")
    assert (found[0], found[-1]) == ("Sun 09:15", "Sun 17:30")
    assert [one for one in found if "12:15" <= one[4:] <= "13:45"] == [
        "Sun 12:15",
        "Sun 12:30",
        "Sun 13:30",
        "Sun 13:45",
    ]


def test_periods_that_touch_are_one() -> None:
    hours = '[hours.office]\nsun = ["09:00-13:05", "13:05-18:00"]\n'
    assert "Sun 13:00" in offered(directory(site(), agent("dana"), hours=hours))


def test_holidays_and_closed_days_are_skipped_and_only_open_days_count() -> None:
    """Two open days from Monday 2026-09-21 on: Yom Kippur (a holiday) and an extra closed day lie between."""
    hours = OFFICE + 'holidays = "IL"\nextra_closed = ["2026-09-22"]\n'
    given = directory(site(), agent("dana"), hours=hours, policy='slot = "2h"')
    found = offered(given, "2026-09-20 19:00", days=2)
    assert [one for one in found if one.startswith("Mon")] == []  # Yom Kippur
    assert [one[:3] for one in found] == ["Wed"] * 4 + ["Thu"] * 4
    assert offered(given, "2026-09-20 19:00", days=1)[-1] == "Wed 16:00"


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    hours = '[hours.office]\nsun-thu = ["22:00-02:00"]\n'
    given = directory(site(), agent("dana"), hours=hours, policy='slot = "1h"')
    assert offered(given, "2026-06-15 00:30") == []
    assert offered(given, "2026-06-14 23:30") == ["Mon 01:00"]
    assert offered(given, "2026-06-15 00:30", days=2) == ["Mon 22:00", "Mon 23:00", "Tue 00:00", "Tue 01:00"]


def test_a_site_that_never_opens_offers_nothing_and_keeps_what_is_asked_for() -> None:
    given = directory(site(), agent("dana"), hours="[hours.office]\nsun = []\n")
    assert offered(given) == []
    assert plan(given).book(ms(NOON) + HOUR, {}) == ms(NOON) + HOUR


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # 2026-03-27 02:00 becomes 03:00: that hour does not exist.
        ("2026-03-27 00:50", ["01:15", "01:30", "01:45", "03:00", "03:15"]),
        # 2026-10-25 02:00 becomes 01:00: that hour comes twice, and each quarter of it is a slot.
        ("2026-10-25 00:35", ["01:00", "01:15", "01:30", "01:45", "01:00", "01:15", "01:30", "01:45", "02:00"]),
    ],
)
def test_on_the_nights_the_clocks_change_slots_are_as_long_as_ever(now: str, expected: list[str]) -> None:
    given = directory(site(more=""), agent("dana"))
    found = [slot for slot in plan(given, now, days=2).slots({}) if slot.whole and slot.start >= ms(now) + 15 * MINUTE]
    assert [face(slot.start)[4:] for slot in found][: len(expected)] == expected
    assert {slot.end - slot.start for slot in found[: len(expected)]} == {15 * MINUTE}


def test_the_clock_is_the_sites_own() -> None:
    """A quarter to in Kathmandu is a full hour in UTC."""
    hours = '[hours.office]\ntimezone = "Asia/Kathmandu"\nsun = ["09:00-12:00"]\n'
    given = directory(site(), agent("dana"), hours=hours, policy='slot = "1h"')
    moments = plan(given, "2026-06-13 22:00").offered({})
    assert [face(moment, "Asia/Kathmandu") for moment in moments] == ["Sun 09:00", "Sun 10:00", "Sun 11:00"]


ZONES: Final = ("Asia/Jerusalem", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu", "UTC")


@given(
    zone=st.sampled_from(ZONES),
    slot=st.sampled_from((5, 7, 15, 20, 45, 50, 60, 90, 120)),
    start=st.integers(0, 365 * 24 * 60),
    opens=st.integers(0, 22 * 60),
    open_for=st.integers(1, 8 * 60),
)
def test_the_slots_are_all_of_the_open_time_and_nothing_else(
    zone: str, slot: int, start: int, opens: int, open_for: int
) -> None:
    """In any zone, on any day: they follow one another, lie within the hours, and whole ones begin on the clock."""
    shuts = opens + open_for
    end = f"{shuts // 60 % 24:02}:{shuts % 60:02}" if shuts != 1440 else "24:00"
    hours = f'[hours.office]\ntimezone = "{zone}"\nmon-sun = ["{opens // 60:02}:{opens % 60:02}-{end}"]\n'
    given = directory(site(), agent("dana"), hours=hours, policy=f'slot = "{slot}m"')
    week, clock = given.hours["office"], ZoneInfo(zone)
    now = int((datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)).timestamp() * 1000)
    found = list(plan(given, now, days=3).slots({}))
    assert found
    for one in found:
        assert now <= one.start < one.end
        first, last = (datetime.fromtimestamp(moment / 1000, UTC) for moment in (one.start, one.end - 1))
        assert is_open(week, first)
        assert is_open(week, last)
        wall = first.astimezone(clock)
        assert not one.whole or (wall.hour * 60 + wall.minute) % slot == 0
        assert one.whole <= (one.end - one.start >= slot * MINUTE)
        inside = (one.start + step for step in range(MINUTE, one.end - one.start, MINUTE))
        walls = (datetime.fromtimestamp(moment / 1000, clock) for moment in inside)
        assert all((wall.hour * 60 + wall.minute) % slot for wall in walls), "it would have been cut there"
    for before, after in pairwise(found):
        assert before.end <= after.start
        gap = datetime.fromtimestamp(before.end / 1000, UTC)
        assert before.end == after.start or not is_open(week, gap)


# --------------------------------------------------------------------------------------------- how many fit


@pytest.mark.parametrize(
    ("policy", "fit"),
    [
        ("", 3),
        ('call_takes = "4m"', 3),
        ('call_takes = "8m"', 1),
        ('call_takes = "20m"', 1),  # at least one
        ('slot = "1h"', 12),
    ],
)
def test_each_agent_takes_as_many_calls_as_go_into_a_slot(policy: str, fit: int) -> None:
    given = directory(site(), agent("dana"), agent("yossi"), policy=policy)
    assert room(given)["13:00"] == 2 * fit


def test_only_agents_who_may_take_the_site_count() -> None:
    given = directory(
        site(more='hours = "office"\nskills = ["sales"]'),
        agent("dana", 'skills = ["sales"]'),
        agent("yossi"),
        agent("noa", 'skills = ["sales"]\nenabled = false'),
    )
    assert room(given)["13:00"] == 3


def test_an_agent_counts_in_slots_for_all_of_which_they_are_there() -> None:
    """Dana's lunch and yossi's day end: 12:15 has one of them half an hour, 16:30 has yossi for ten minutes."""
    hours = OFFICE + '[hours.a]\nsun = ["09:00-12:00", "12:50-18:00"]\n[hours.b]\nsun = ["11:00-16:40"]\n'
    given = directory(site(), agent("dana", 'hours = "a"'), agent("yossi", 'hours = "b"'), hours=hours)
    found = room(given, "2026-06-14 09:00")
    expected = {"10:45": 3, "11:00": 6, "11:45": 6, "12:00": 3, "12:45": 3, "13:00": 6, "16:15": 6, "16:30": 3}
    assert {at: found[at] for at in expected} == expected


def test_agents_of_several_time_zones_are_there_by_their_own_clocks() -> None:
    """Nine to five in Jerusalem, London and New York, for a site that never closes."""
    zones = {"il": JERUSALEM, "gb": "Europe/London", "us": "America/New_York"}
    hours = "".join(f'[hours.{name}]\ntimezone = "{zone}"\nsun = ["09:00-17:00"]\n' for name, zone in zones.items())
    given = directory(site(more=""), *(agent(f"of_{name}", f'hours = "{name}"') for name in zones), hours=hours)
    found = room(given, "2026-06-14 00:00")
    expected = {"08:45": 0, "09:00": 3, "10:45": 3, "11:00": 6, "15:45": 6, "16:00": 9, "16:45": 9, "17:00": 6}
    assert {at: found[at] for at in expected} == expected
    assert (found["18:45"], found["19:00"], found["23:45"]) == (6, 3, 3)


def test_nobody_is_offered_a_time_at_which_nobody_is_there() -> None:
    hours = OFFICE + '[hours.morning]\nsun-thu = ["09:00-12:00"]\n'
    given = directory(site(), agent("dana", 'hours = "morning"'), hours=hours)
    assert offered(given)[:1] == []
    assert offered(given, days=2)[0] == "Mon 09:00"
    assert face(plan(given, days=2).book(ms("2026-06-14 15:00"), {})) == "Mon 09:00"


def test_an_ivr_takes_as_many_as_it_has_lines_for() -> None:
    ivr = 'hours = "office"\nivr = "SIPqueue1"\nlines = 4'
    given = directory(site(more=ivr), site("other"), agent("dana"))
    assert room(given)["13:00"] == 12
    assert plan(given).shares == {"main": 1}


# ------------------------------------------------------------------------------------------------- booked


def test_who_is_booked_takes_room_and_a_full_slot_is_not_offered() -> None:
    given = directory(site(), agent("dana"))
    found = room(given, main={"2026-06-14 13:00": 1, "2026-06-14 13:07": 1, "2026-06-14 14:00": 3})
    assert (found["12:45"], found["13:00"], found["13:15"], found["14:00"], found["14:15"]) == (3, 1, 3, 0, 3)
    shown = offered(given, main={"2026-06-14 13:00": 1, "2026-06-14 14:00": 3})
    assert ("Sun 13:00" in shown, "Sun 14:00" in shown, "Sun 14:15" in shown) == (True, False, True)


def test_what_does_not_fit_goes_on_into_the_next_slots_and_days() -> None:
    """Eight for a slot of three fill it and the next, and two are left for the one after; the same over night."""
    given = directory(site(), agent("dana"))
    found = room(given, main={"2026-06-14 13:00": 8})
    assert [found[at] for at in ("12:45", "13:00", "13:15", "13:30", "13:45")] == [3, 0, 0, 1, 3]
    assert offered(given, days=2, main={"2026-06-14 17:45": 7})[-34] == "Mon 09:30"


def test_who_is_overdue_is_in_the_first_slot() -> None:
    given = directory(site(), agent("dana"))
    found = room(given, main={"2026-06-14 11:00": 4})
    assert [found[at] for at in ("12:00", "12:15", "12:30")] == [0, 2, 3]


def test_leads_of_sites_that_share_agents_count_as_far_as_they_are_shared() -> None:
    """The whole team: all of them. One of three: a third, rounded up. None: none."""
    given = directory(
        site("main", 'hours = "office"\nagents = ["dana", "yossi"]'),
        site("same", 'hours = "office"\nagents = ["dana", "yossi"]'),
        site("part", 'hours = "office"\nagents = ["dana", "noa", "gil"]'),
        site("other", 'hours = "office"\nagents = ["gil"]'),
        *(agent(name) for name in ("dana", "yossi", "noa", "gil")),
    )
    at = "2026-06-14 13:00"
    assert room(given, same={at: 2})["13:00"] == 4
    assert [room(given, part={at: many})["13:00"] for many in (1, 3, 4)] == [5, 5, 4]
    assert room(given, other={at: 9})["13:00"] == 6
    assert set(plan(given).shares) == {"main", "same", "part"}


def test_a_fallback_that_every_site_has_does_not_close_them_all() -> None:
    """Dana stands in for five teams of four: a full team next door costs a fifth of its calls."""
    teams = ("main", "b", "c", "d", "e")
    given = directory(
        *(
            site(key, f'hours = "office"\nagents = ["{key}1", "{key}2", "{key}3", "{key}4"]\nfallback = ["dana"]')
            for key in teams
        ),
        *(agent(f"{key}{number}") for key in teams for number in range(1, 5)),
        agent("dana"),
    )
    at = "2026-06-14 13:00"
    assert room(given)["13:00"] == 15
    assert room(given, b={at: 15}, c={at: 15})["13:00"] == 9


# ------------------------------------------------------------------------------------------------ offering


def test_of_too_many_those_on_the_half_hour_are_offered_else_on_the_hour() -> None:
    """At most 60, over all of the days: three office days by quarter hours are 108."""
    given = directory(site(), agent("dana"))
    assert len(offered(given, "2026-06-13 20:00")) == 36
    three = offered(given, "2026-06-13 20:00", days=3)
    assert (three[:2], three[-1], len(three)) == (["Sun 09:00", "Sun 09:30"], "Tue 17:30", 54)
    always = directory(site(more=""), agent("dana"), policy='slot = "5m"')
    fortnight = offered(always, "2026-06-13 20:00", days=14)
    assert len(fortnight) <= MOST_OFFERED
    assert {one[4:] for one in fortnight} <= {"00:00", "06:00", "12:00", "18:00"}
    assert len(fortnight) == 14 * 4 - 4, "today has no more of them"


def test_where_few_have_room_all_of_them_are_offered() -> None:
    given = directory(site(), agent("dana"))
    full = {f"2026-06-14 {hour:02}:{minute:02}": 3 for hour in range(9, 18) for minute in (0, 15, 30, 45)}
    del full["2026-06-14 15:45"]
    shown = offered(given, "2026-06-13 20:00", days=2, main=full)
    assert shown[:2] == ["Sun 15:45", "Mon 09:00"]
    assert "Mon 09:15" in shown


# ------------------------------------------------------------------------------------------------- booking


def test_a_time_with_room_is_kept_to_the_minute_and_a_full_one_moves_to_the_next_slot_with_room() -> None:
    given = directory(site(), agent("dana"))
    wanted = ms("2026-06-14 13:07")
    assert plan(given).book(wanted, {}) == wanted
    full = {"main": {ms("2026-06-14 13:00"): 3, ms("2026-06-14 13:15"): 3}}
    assert face(plan(given).book(wanted, full)) == "Sun 13:30"


def test_the_last_minutes_before_closing_are_as_good_as_any() -> None:
    """They are not offered, being no whole slot; who asks for them gets them."""
    hours = '[hours.office]\nsun = ["09:00-17:55"]\n'
    given = directory(site(), agent("dana"), hours=hours)
    assert offered(given)[-1] == "Sun 17:30"
    assert face(plan(given).book(ms("2026-06-14 17:50"), {})) == "Sun 17:50"


def test_what_is_full_at_closing_time_moves_to_the_next_opening() -> None:
    given = directory(site(), agent("dana"))
    full = {"main": {ms("2026-06-14 17:45"): 3}}
    assert face(plan(given, days=2).book(ms("2026-06-14 17:45"), full)) == "Mon 09:00"


def test_without_room_within_the_days_the_time_is_kept() -> None:
    given = directory(site(), agent("dana"))
    wanted = ms("2026-06-14 13:07")
    assert plan(given).book(wanted, {"main": {wanted: 1000}}) == wanted


@given(wishes=st.lists(st.integers(0, 6 * 60), max_size=60), agents=st.integers(1, 3))
def test_bookings_one_after_another_never_fill_a_slot_beyond_its_room(wishes: list[int], agents: int) -> None:
    """Whatever is wished for, in whatever order: nobody comes sooner than wished, and nowhere more than fit."""
    given = directory(site(), *(agent(f"a{number}") for number in range(agents)))
    whole = plan(given, "2026-06-14 12:00", days=3)
    due: Counter[int] = Counter()
    for minutes in wishes:
        wanted = ms(NOON) + minutes * MINUTE - (minutes == 6 * 60)
        booked = whole.book(wanted, {"main": due})
        assert booked >= wanted
        due[booked] += 1
    slots = list(whole.slots({}))
    for slot in slots:
        assert sum(many for moment, many in due.items() if slot.start <= moment < slot.end) <= slot.room
    assert sum(due.values()) == len(wishes)
