"""The promise is what four out of five had, rounded up; and nothing at all where it is not known or not kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.usual_wait import FEWEST, rounded_up, usual_wait


def test_four_out_of_five_waited_no_longer() -> None:
    waits = [10_000] * 16 + [35_000] * 4
    assert usual_wait(waits, 40) == 10
    assert usual_wait([10_000] * 15 + [34_000] * 5, 40) == 40, "34 is said as 40"


def test_too_few_leads_tell_nothing() -> None:
    assert usual_wait([1000] * (FEWEST - 1), 40) is None
    assert usual_wait([1000] * FEWEST, 40) == 5


def test_telephones_that_never_rang_count_as_longest() -> None:
    assert usual_wait([5000] * 16 + [None] * 4, 40) == 5
    assert usual_wait([5000] * 15 + [None] * 5, 40) is None


def test_nothing_longer_than_the_deadline_is_promised_also_by_rounding() -> None:
    assert usual_wait([40_000] * 20, 40) == 40
    assert usual_wait([40_001] * 20, 40) is None
    assert usual_wait([41_000] * 20, 45) is None, "50 would be said"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, 5), (5, 5), (5.001, 10), (30, 30), (31, 40), (60, 60), (61, 90), (300, 300), (301, 360)],
)
def test_the_steps_grow_with_the_figure(seconds: float, said: int) -> None:
    assert rounded_up(seconds) == said


@given(st.floats(min_value=0, max_value=100_000))
def test_rounding_never_promises_less(seconds: float) -> None:
    assert seconds <= rounded_up(seconds) < seconds + 61
