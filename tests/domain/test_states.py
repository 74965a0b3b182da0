"""The tables of moves: complete, reachable, and final where they say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pytest

from app.domain.presence import Verdict
from app.domain.states import (
    AGENT_STATES,
    ATTEMPT_LIVE,
    ATTEMPT_MOVES,
    ATTEMPT_OVER,
    ATTEMPT_STATES,
    LEAD_FINAL,
    LEAD_LIVE,
    LEAD_MOVES,
    LEAD_STATES,
    OUTCOMES,
    PRESENCES,
    may_move,
)

Moves = Mapping[str, frozenset[str]]


def reachable(table: Moves, *starts: str) -> set[str]:
    """Every state that can come of these."""
    found, new = set(starts), set(starts)
    while new:
        new = {to for state in new for to in table[state]} - found
        found |= new
    return found


def test_every_state_has_its_row_and_every_move_a_known_end() -> None:
    assert set(LEAD_MOVES) == set(LEAD_STATES)
    assert set(ATTEMPT_MOVES) == set(ATTEMPT_STATES)
    assert {to for ends in LEAD_MOVES.values() for to in ends} <= set(LEAD_STATES)
    assert {to for ends in ATTEMPT_MOVES.values() for to in ends} <= set(ATTEMPT_STATES)


def test_no_name_stands_for_two_things() -> None:
    for names in (LEAD_STATES, ATTEMPT_STATES, AGENT_STATES, OUTCOMES):
        assert len(set(names)) == len(names)
    assert not set(LEAD_LIVE) & set(LEAD_FINAL)
    assert not set(ATTEMPT_LIVE) & set(ATTEMPT_OVER)


def test_every_state_can_be_reached() -> None:
    assert reachable(LEAD_MOVES, "waiting", "held") == set(LEAD_STATES)
    assert reachable(ATTEMPT_MOVES, "reserved") == set(ATTEMPT_STATES)


@pytest.mark.parametrize("state", LEAD_LIVE)
def test_every_live_lead_can_still_end(state: str) -> None:
    assert reachable(LEAD_MOVES, state) & set(LEAD_FINAL)


@pytest.mark.parametrize("state", ATTEMPT_LIVE)
def test_every_live_attempt_can_still_end(state: str) -> None:
    assert reachable(ATTEMPT_MOVES, state) & set(ATTEMPT_OVER)


def test_final_leads_are_final_but_for_the_provider_s_late_account_and_a_person() -> None:
    leaving = {state: LEAD_MOVES[state] - {state} for state in LEAD_FINAL if LEAD_MOVES[state] - {state}}
    assert leaving == {
        "spam": {"waiting"},  # a person says it is none
        "exhausted": {"connected", "waiting"},
        "failed": {"connected", "waiting", "exhausted"},
        "cancelled": {"connected"},
        "expired": {"connected"},
    }


def test_nothing_leads_away_from_connected() -> None:
    assert LEAD_MOVES["connected"] == frozenset()


def test_attempts_that_are_over_only_ever_learn_how_they_ended() -> None:
    told = set(ATTEMPT_OVER) - {"refused"}
    assert {to for state in told for to in ATTEMPT_MOVES[state]} == {"ended"}
    for state in ("not_sent", "lapsed"):
        assert ATTEMPT_MOVES[state] == frozenset(), "nothing was called, so nothing can have ended"


def test_a_refusal_is_only_ever_taken_back_by_seeing_the_call_or_its_record() -> None:
    assert ATTEMPT_MOVES["refused"] == {"placed", "ended"}


def test_what_may_be_ringing_is_never_sent_again() -> None:
    for state in ("sending", "placed", "unknown", "refused", "ended"):
        assert not reachable(ATTEMPT_MOVES, *ATTEMPT_MOVES[state]) & {"reserved", "sending"}


def test_being_busy_or_away_is_no_state_of_our_own_books() -> None:
    """It is the provider's word, which runs out; a state would have to be left again by somebody."""
    assert not set(PRESENCES) & set(AGENT_STATES)
    assert set(get_args(Verdict)) == {"free", *PRESENCES}


def test_an_unknown_attempt_never_just_lapses() -> None:
    """Lapsed means that nothing was sent: only a reservation can say so."""
    assert [state for state in ATTEMPT_STATES if "lapsed" in ATTEMPT_MOVES[state]] == ["reserved"]


def test_may_move_reads_the_table() -> None:
    assert may_move(ATTEMPT_MOVES, "reserved", "sending")
    assert not may_move(ATTEMPT_MOVES, "sending", "reserved")
    with pytest.raises(KeyError):
        may_move(LEAD_MOVES, "asleep", "waiting")
