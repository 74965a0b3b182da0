"""Whose turn it is between leads that are due: written down, and nobody waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.priority import AGAIN, BACKLOG, FRESH, HANDICAPS, MINUTE, PROMISED, RANKS, backlog_due, told, turn
from tests.clocks import START

HOUR = 3_600_000


def test_of_leads_that_fall_due_together_a_promise_comes_first_and_the_backlog_last() -> None:
    assert sorted({*RANKS}, key=lambda rank: turn(rank, START)) == [PROMISED, FRESH, AGAIN, BACKLOG]


@pytest.mark.parametrize("rank", RANKS)
def test_what_waits_long_enough_has_its_turn_however_many_come_after_it(rank: int) -> None:
    later = START + max(HANDICAPS)
    assert all(turn(rank, START) <= turn(other, later) for other in RANKS)


def test_of_the_backlog_the_freshest_has_the_first_turn() -> None:
    evening, night, early = (backlog_due(START, START - hours * HOUR) for hours in (14, 9, 1))
    assert early < night < evening


@given(st.integers(0, 60 * 24 * HOUR))
def test_the_backlog_is_due_within_the_first_second_and_is_told_the_opening(age: int) -> None:
    opening = START - START % MINUTE
    due = backlog_due(opening, opening - age)
    assert opening <= due < opening + 1000
    assert told(due, BACKLOG) == opening


@pytest.mark.parametrize("rank", [PROMISED, FRESH, AGAIN])
def test_every_other_lead_is_told_exactly_when_it_is_due(rank: int) -> None:
    assert told(START + 12_345, rank) == START + 12_345
