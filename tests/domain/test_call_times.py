"""When a leg began: the provider's `time` is read by Israel's wall clock or as the plain epoch, as the facts allow."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.call_times import AFTER, BEFORE, began_since, from_wall_clock, started_at, surely_before
from tests.clocks import START

HOUR = 3_600_000
DAY = 24 * HOUR
WINTER = START  # 2026-01-05, two hours ahead in Israel
SUMMER = 1_783_332_000_000  # 2026-07-06 10:00 UTC, three hours ahead


def utc(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    """Epoch milliseconds."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1000


def wall(moment: int) -> int:
    """As the provider writes that moment (facts 2.6): Israel's wall clock, in seconds, as if it were UTC."""
    local = datetime.fromtimestamp(moment / 1000, ZoneInfo("Asia/Jerusalem"))
    return int(local.replace(tzinfo=UTC).timestamp())


# ---------------------------------------------------------------------------------------------- wall clock


def test_the_facts_own_example_is_read() -> None:
    """Facts 2.6: `time` 1595333610 belongs to a call whose id says 12:13 in Israel, which is 09:13 UTC there."""
    moment = from_wall_clock(1_595_333_610)
    assert moment is not None
    assert datetime.fromtimestamp(moment / 1000, UTC) == datetime(2020, 7, 21, 9, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(("moment", "ahead"), [(WINTER, 2), (SUMMER, 3)])
def test_winter_is_two_and_summer_three_hours_ahead(moment: int, ahead: int) -> None:
    assert from_wall_clock(moment // 1000 + ahead * 3600) == moment


def test_the_hour_that_comes_twice_in_autumn_is_its_first() -> None:
    """2026-10-25, 02:00 summer time: the clock goes back to 01:00."""
    first, second = utc(2026, 10, 24, 22, 30), utc(2026, 10, 24, 23, 30)
    assert wall(first) == wall(second), "both are 01:30 in Israel"
    assert from_wall_clock(wall(first)) == first


def test_the_hour_that_is_left_out_in_spring_is_read_as_something_near() -> None:
    """2026-03-27, 02:00: the clock goes on to 03:00. A clock that was late to change shows 02:30."""
    shown = wall(utc(2026, 3, 26, 23, 59)) + 31 * 60
    moment = from_wall_clock(shown)
    assert moment is not None
    assert abs(moment - utc(2026, 3, 27, 0, 30)) <= HOUR


@given(st.integers(utc(2000, 1, 1, 12), utc(2090, 1, 1, 0)))
def test_what_the_wall_clock_shows_is_read_back_but_for_the_second_time_of_the_double_hour(moment: int) -> None:
    moment -= moment % 1000
    found = from_wall_clock(wall(moment))
    assert found is not None
    assert moment - found in (0, HOUR)
    assert wall(found) == wall(moment)


@pytest.mark.parametrize("raw", [0, -1, -(10**18), 32_503_680_000, 10**12, 10**30, START])
def test_nonsense_is_no_moment(raw: int) -> None:
    """Also milliseconds where seconds are meant."""
    assert from_wall_clock(raw) is None


@given(st.integers(), st.none() | st.integers(), st.integers(0, 10**13), st.integers(0, 10**9))
def test_no_number_is_too_strange_to_be_asked_about(raw: int, sure: int | None, sent: int, later: int) -> None:
    found = started_at(sure, raw, sent, sent + later)
    assert found is None or sent - BEFORE <= found <= sent + later + AFTER
    assert surely_before(sure, raw, sent, sent + later) in (True, False)


# ------------------------------------------------------------------------------------------- the beginning


@pytest.mark.parametrize("sent", [WINTER, SUMMER])
def test_both_readings_are_tried_and_the_one_between_request_and_record_is_it(sent: int) -> None:
    began, heard = sent + 20_000, sent + 300_000
    assert started_at(None, wall(began), sent, heard) == began
    assert started_at(None, began // 1000, sent, heard) == began, "an account that writes the plain epoch"


def test_an_unmistakable_moment_goes_before_every_reading() -> None:
    assert started_at(START + 5000, wall(START + 9000), START, START + 60_000) == START + 5000


def test_an_unmistakable_moment_that_cannot_be_is_passed_over() -> None:
    assert started_at(START - DAY, wall(START + 9000), START, START + 60_000) == START + 9000


@pytest.mark.parametrize("off", [-BEFORE, 0, 60_000 + AFTER])
def test_clocks_may_differ_by_two_minutes(off: int) -> None:
    assert started_at(START + off, None, START, START + 60_000) == START + off


@pytest.mark.parametrize("off", [-BEFORE - 1, 60_000 + AFTER + 1])
def test_and_no_more(off: int) -> None:
    assert started_at(START + off, None, START, START + 60_000) is None


def test_without_any_time_there_is_no_beginning() -> None:
    assert started_at(None, None, START, START + 60_000) is None
    assert started_at(None, 0, START, START + 60_000) is None


def test_a_call_across_the_change_of_the_clock_began_when_it_began() -> None:
    """Request in summer time, record an hour later in winter time."""
    sent = utc(2026, 10, 24, 22, 50)
    assert started_at(None, wall(sent + 5000), sent, sent + HOUR) == sent + 5000
    # In the double hour the plain first reading lies an hour before the request, which cannot be.
    late = utc(2026, 10, 24, 23, 30)
    assert started_at(None, wall(late), late, late + HOUR) is None


# ------------------------------------------------------------------------------------------------- before


def test_a_call_of_an_hour_ago_was_before_the_request_by_every_reading() -> None:
    """By the plain epoch an hour ago; by the wall clock even earlier."""
    assert surely_before(None, (START - HOUR) // 1000, START, START + 60_000)


def test_a_wall_clock_that_can_mean_now_is_not_before() -> None:
    assert not surely_before(None, wall(START + 5000), START, START + 60_000)


def test_one_reading_that_allows_it_is_enough() -> None:
    """An hour ago by the wall clock is an hour ahead by the epoch, which no record of now can be."""
    assert surely_before(None, wall(START - HOUR), START, START + 60_000)
    assert not surely_before(START + 1000, wall(START - HOUR), START, START + 60_000)


def test_a_time_of_another_day_or_of_the_future_proves_nothing() -> None:
    for raw in (wall(START - 2 * DAY), wall(START + 2 * DAY), 1, None):
        assert not surely_before(None, raw, START, START + 60_000)
    assert not surely_before(None, None, START, START + 60_000)


def test_two_minutes_before_the_request_may_be_a_slow_clock() -> None:
    assert not surely_before(START - BEFORE, None, START, START + 60_000)
    assert surely_before(START - BEFORE - 1, None, START, START + 60_000)


# ------------------------------------------------------------------------------------------ began since

CALLED = WINTER  # when somebody phoned in
LASTED = 60_000
HEARD = CALLED + LASTED + 4 * 60_000  # four minutes after the end


def began(moment: int, *, raw: int | None = None, sure: int | None = None, heard: int = HEARD) -> bool:
    return began_since(moment, sure, raw, heard, LASTED)


@pytest.mark.parametrize("written", [wall(CALLED), CALLED // 1000], ids=["wall clock", "plain epoch"])
def test_a_call_is_told_from_one_before_whichever_way_its_time_is_written(written: int) -> None:
    for before in (0, 1000, 5 * 60_000, 3 * HOUR):
        assert began(CALLED - before, raw=written)
    for after in (1000, 60_000, 4 * 60_000):
        assert not began(CALLED + after, raw=written)


def test_without_a_time_a_call_began_at_the_latest_when_its_talk_before_the_record() -> None:
    assert began(HEARD - LASTED)
    assert not began(HEARD - LASTED + 1)
    assert not began(HEARD)


def test_a_sure_time_is_the_only_one() -> None:
    assert began(CALLED, sure=CALLED, raw=wall(CALLED - DAY))
    assert not began(CALLED + 1, sure=CALLED)
    assert not began(CALLED + 1, sure=CALLED, heard=CALLED + DAY)


def test_of_a_record_that_comes_late_every_reading_must_say_so() -> None:
    """Five hours after: by the wall clock it was then, by the plain epoch two hours later. Nobody can tell."""
    late = {"raw": wall(CALLED), "heard": CALLED + 5 * HOUR}
    assert began(CALLED, **late)
    assert not began(CALLED + HOUR, **late)
    assert not began(CALLED + 3 * HOUR, **late)


def test_a_time_that_has_not_come_yet_is_no_time() -> None:
    assert began(HEARD - LASTED, raw=wall(CALLED + DAY))
    assert began(HEARD - LASTED, raw=10**15)


@given(
    raw=st.none() | st.integers(-(10**11), 10**11),
    sure=st.none() | st.integers(0, 10**13),
    moment=st.integers(WINTER - 30 * DAY, WINTER + 30 * DAY),
)
def test_no_call_began_after_its_record_came_less_its_length(raw: int | None, sure: int | None, moment: int) -> None:
    if began_since(moment, sure, raw, WINTER, LASTED):
        assert moment <= WINTER - LASTED
        assert sure is None or sure >= moment
