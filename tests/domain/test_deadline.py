"""One deadline per lead, spent across agents, and the time that is told when it breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deadline import LEAST_RING, ROUND, promised, ring_time
from tests.clocks import START

DEADLINE = START + 40_000


@pytest.mark.parametrize(
    ("spent", "rings"),
    [(0, 20), (20, 20), (25, 15), (30, 10), (30.001, 20), (35, 20), (40, 20), (400, 20)],
)
def test_the_last_agent_who_can_keep_the_promise_is_rung_as_long_as_it_lasts(spent: float, rings: int) -> None:
    """Less than ten seconds are no chance to pick up, and what is broken needs no hurry: then it rings in full."""
    assert ring_time(20, DEADLINE, START + round(spent * 1000)) == rings


@given(st.integers(1, 300), st.integers(-100_000, 100_000))
def test_nobody_is_rung_longer_than_configured_nor_too_short_to_pick_up(ring_agent: int, left: int) -> None:
    assert min(LEAST_RING, ring_agent) <= ring_time(ring_agent, START + left, START) <= ring_agent


@pytest.mark.parametrize(
    ("ahead", "agents", "minutes"),
    [(0, 1, 10), (1, 1, 10), (2, 1, 15), (5, 2, 15), (29, 10, 15), (30, 10, 20), (0, 0, 10)],
)
def test_a_promise_counts_who_is_before_and_how_many_share_the_work(ahead: int, agents: int, minutes: int) -> None:
    at = promised(START, ahead, agents, call_takes=300, callback_after=600)
    assert at == START + minutes * 60_000


@given(st.integers(START, START + 86_400_000), st.integers(0, 500), st.integers(0, 50))
def test_a_promise_is_a_round_time_that_is_never_too_early(now: int, ahead: int, agents: int) -> None:
    at = promised(now, ahead, agents, call_takes=300, callback_after=600)
    assert at % ROUND == 0
    assert at >= now + 600_000
    assert at - now < max(600_000, (ahead // max(1, agents) + 1) * 300_000) + ROUND
