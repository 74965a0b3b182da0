"""What happens next: every answer, outcome and silence leads to a legal move, with waits that are waits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import Policy
from app.domain import moves
from app.domain.answers import Answer, NotSent, Placed, Refused, Unknown
from app.domain.lead import Attempt, Lead
from app.domain.moves import Move, after_answer, after_outcome, after_silence, outcome_of
from app.domain.states import (
    AGENT_STATES,
    ATTEMPT_LIVE,
    ATTEMPT_MOVES,
    LEAD_MOVES,
    LEAD_STATES,
    OUTCOMES,
    WAITING_REASONS,
    may_move,
)
from tests.clocks import START

POLICY: Final = Policy()
LEAD: Final = Lead(
    id="lead", site="main", source="widget", phone="+972541234567", name="", message="", language="he",
    state="dialing", reason=None, outcome=None, received_at=START, due_at=None, expires_at=START + 3_600_000,
    ended_at=None, attempt_id="attempt", attempts=1, lead_tries=0, agent_misses=0, send_failures=0, errors=0,
    avoid_agent=None, admitted=True,
)  # fmt: skip
ATTEMPT: Final = Attempt(
    id="attempt", lead_id="lead", agent_id="dana", extension="SIPdana", number=1, state="placed", outcome=None,
    reserved_at=START, sending_at=START, call_id="c", leg1_status=None, leg1_talk=None, leg2_status=None,
    leg2_talk=None,
)  # fmt: skip
RULES: Final = ("agent_offline", "agent_blocked", "request_wrong", "once_more", "configuration")


def always_open(moment: int) -> int:
    return moment


def lead(**fields: Any) -> Lead:
    return dataclasses.replace(LEAD, **fields)


def attempt(**fields: Any) -> Attempt:
    return dataclasses.replace(ATTEMPT, **fields)


counters = st.integers(0, 60)
leads = st.builds(
    lead, lead_tries=counters, agent_misses=counters, send_failures=counters, errors=counters, attempts=counters
)
policies = st.builds(
    Policy,
    wrap_up=st.integers(0, 3600),
    assume_call=st.integers(1, 7200),
    expire_after=st.integers(60, 86_400),
    retry_lead=st.lists(st.integers(0, 86_400), max_size=5).map(tuple),
)
answers: st.SearchStrategy[Answer] = st.one_of(
    st.builds(Placed, st.text(max_size=9)),
    st.builds(Unknown, st.text(max_size=9)),
    st.builds(NotSent, st.text(max_size=9)),
    st.builds(Refused, st.none() | st.integers(-1, 99), st.text(max_size=9), st.sampled_from(RULES)),
)
jitters = st.floats(0, 1, exclude_max=True)
openings: st.SearchStrategy[Callable[[int], int]] = st.one_of(
    st.just(always_open),
    st.integers(0, 10**9).map(lambda wait: lambda moment: moment + wait),
    st.integers(0, 10**9).map(lambda wait: lambda moment: max(moment, START + wait)),
)


def assert_legal(move: Move, before: str, lead: Lead, now: int) -> None:
    """As the tables of states and the database's CHECKs have it; and nobody waits for the past."""
    assert may_move(ATTEMPT_MOVES, before, move.attempt)
    live = move.attempt in ATTEMPT_LIVE
    assert (move.look_at is not None) is live
    assert (move.outcome is not None) is (move.attempt == "ended")
    assert move.outcome is None or move.outcome in OUTCOMES
    assert live or not move.holds_agent
    assert (move.agent in ("reserved", "on_call")) is move.holds_agent
    assert move.agent is None or move.agent in AGENT_STATES
    assert (move.agent_until is not None) is (move.agent in ("wrap_up", "offline", "blocked"))
    assert move.lead is None or may_move(LEAD_MOVES, lead.state, move.lead)
    assert (move.lead == "waiting") is (move.due_at is not None)
    assert move.lead != "waiting" or move.reason in WAITING_REASONS
    assert move.lead not in ("held", "failed", "exhausted") or move.reason
    assert move.event
    assert move.lead is None or move.lead in LEAD_STATES
    for moment in (move.look_at, move.due_at, move.agent_until, move.expires_at):
        assert moment is None or moment >= now
    if move.expires_at is not None and move.due_at is not None:
        assert move.expires_at > move.due_at, "a lead must be dialled before it expires"


def assert_nobody_is_lost(move: Move) -> None:
    """A lead is dialled on, waits, is held or has ended: an attempt that is over never leaves it dialling."""
    assert (move.lead is None) is (move.attempt in ATTEMPT_LIVE)


# ------------------------------------------------------------------------------------------- properties


@given(answers, leads, policies, jitters, openings, st.sampled_from(["sending", "unknown"]))
def test_any_answer_leads_to_a_legal_move(
    answer: Answer, lead: Lead, policy: Policy, jitter: float, opening: Callable[[int], int], state: str
) -> None:
    move = after_answer(answer, lead, policy, START, jitter=jitter, opening=opening)
    assert_legal(move, state, lead, START)
    assert_nobody_is_lost(move)
    assert move.refund is isinstance(answer, NotSent | Refused), "only what was not called costs nothing"
    assert move.lead != "waiting" or not isinstance(answer, Unknown | Placed), (
        "what may be ringing is not dialled again"
    )


@given(
    st.sampled_from(OUTCOMES),
    leads,
    policies,
    openings,
    st.sampled_from(["placed", "unknown", "sending", "unresolved", "ended"]),
)
def test_any_outcome_leads_to_a_legal_move(
    outcome: str, lead: Lead, policy: Policy, opening: Callable[[int], int], state: str
) -> None:
    move = after_outcome(outcome, lead, policy, START, opening=opening)
    assert_legal(move, state, lead, START)
    assert_nobody_is_lost(move)
    assert not move.refund, "a call that was made has been paid for"
    assert (move.lead == "connected") is (outcome == "connected")


@given(st.sampled_from(ATTEMPT_LIVE), leads, policies, openings, st.integers(0, 10**7), st.sampled_from([None, START]))
def test_any_silence_leads_to_a_legal_move(
    state: str, lead: Lead, policy: Policy, opening: Callable[[int], int], passed: int, sent: int | None
) -> None:
    now = START + passed
    move = after_silence(attempt(state=state, sending_at=sent), lead, policy, now, opening=opening)
    assert move is not None, "a live attempt whose time is up always moves"
    assert_legal(move, state, lead, now)
    assert_nobody_is_lost(move)
    assert move.refund is (state == "reserved")
    assert state == "reserved" or move.lead != "waiting", "what may be ringing is not dialled again"


@given(st.sampled_from(["ended", "refused", "not_sent", "lapsed", "absent", "unresolved"]), leads)
def test_silence_moves_nothing_that_is_over(state: str, lead: Lead) -> None:
    assert after_silence(attempt(state=state), lead, POLICY, START, opening=always_open) is None


@given(st.text(max_size=12) | st.none(), st.text(max_size=12) | st.none(), st.integers(0, 9999) | st.none())
def test_any_words_of_the_provider_are_an_outcome_or_none_yet(
    first: str | None, second: str | None, talk: int | None
) -> None:
    assert outcome_of(attempt(leg1_status=first, leg2_status=second, leg2_talk=talk)) in {None, *OUTCOMES}


# ----------------------------------------------------------------------------------------------- waits


@given(counters, jitters)
def test_jitter_comes_after_the_cap(failures: int, jitter: float) -> None:
    """The wait is one of the table's, the last one repeated, and up to a quarter more: never less, never doubled."""
    move = after_answer(NotSent("x"), lead(send_failures=failures), POLICY, START, jitter=jitter, opening=always_open)
    assert move.due_at is not None
    base = moves.SEND_RETRY[min(failures, 2)] * 1000
    assert base <= move.due_at - START < base * 1.25 + 1


def test_two_failures_at_once_do_not_come_back_at_once() -> None:
    due = {
        after_answer(NotSent("x"), LEAD, POLICY, START, jitter=jitter, opening=always_open).due_at
        for jitter in (0.0, 0.25, 0.5, 0.999)
    }
    assert len(due) == 4


def test_a_lapsed_reservation_is_tried_at_once_and_then_ever_more_slowly() -> None:
    waits = []
    for failures in range(6):
        move = after_silence(
            attempt(state="reserved"), lead(send_failures=failures), POLICY, START, opening=always_open
        )
        assert move is not None
        assert move.due_at is not None
        waits.append((move.due_at - START) // 1000)
    assert waits == [0, 2, 10, 30, 30, 30]


def test_the_retry_schedule_is_followed_to_its_end() -> None:
    found = [
        after_outcome("lead_busy", lead(lead_tries=tries), POLICY, START, opening=always_open) for tries in range(5)
    ]
    assert [(move.due_at or START) - START for move in found[:3]] == [wait * 1000 for wait in POLICY.retry_lead]
    assert [(move.lead, move.reason) for move in found[3:]] == [("exhausted", "lead_busy")] * 2


def test_without_a_retry_schedule_one_try_is_all() -> None:
    move = after_outcome("lead_no_answer", LEAD, Policy(retry_lead=()), START, opening=always_open)
    assert (move.lead, move.reason) == ("exhausted", "lead_no_answer")


def test_every_third_agent_who_misses_a_lead_pauses_it() -> None:
    due = []
    for misses in range(7):
        move = after_outcome("agent_no_answer", lead(agent_misses=misses), POLICY, START, opening=always_open)
        assert move.avoid_agent
        assert move.due_at is not None
        due.append((move.due_at - START) // 1000)
    assert due == [0, 0, 120, 0, 0, 120, 0]


def test_a_closed_site_turns_a_retry_into_its_opening_with_a_new_term() -> None:
    opens = START + 12 * 3_600_000
    move = after_outcome("lead_busy", LEAD, POLICY, START, opening=lambda moment: max(moment, opens))
    assert (move.reason, move.due_at, move.expires_at) == ("closed", opens, opens + POLICY.expire_after * 1000)


# ------------------------------------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("rule", "errors", "expected"),
    [
        ("agent_offline", 0, ("waiting", "offline")),
        ("agent_blocked", 0, ("waiting", "blocked")),
        ("request_wrong", 0, ("failed", "available")),
        ("once_more", 0, ("waiting", "available")),
        ("once_more", 1, ("held", "available")),
        ("configuration", 0, ("held", "available")),
    ],
)
def test_each_refusal_has_its_consequence(rule: Any, errors: int, expected: tuple[str, str]) -> None:
    move = after_answer(Refused(9, "", rule), lead(errors=errors), POLICY, START, jitter=0, opening=always_open)
    assert (move.lead, move.agent) == expected


def test_a_sender_that_fell_silent_is_unknown_and_a_reservation_is_not() -> None:
    sent = after_silence(attempt(state="sending"), LEAD, POLICY, START, opening=always_open)
    reserved = after_silence(attempt(state="reserved", sending_at=None), LEAD, POLICY, START, opening=always_open)
    assert sent is not None
    assert reserved is not None
    assert (sent.attempt, sent.lead, reserved.attempt, reserved.lead) == ("unknown", None, "lapsed", "waiting")


def test_an_unknown_first_lets_its_agent_go_and_later_gives_up() -> None:
    early, late = (
        after_silence(attempt(state="unknown"), LEAD, POLICY, START + passed, opening=always_open)
        for passed in (1_799_999, 1_800_000)
    )
    assert early is not None
    assert late is not None
    assert (early.attempt, early.agent, early.look_at) == ("unknown", "available", START + 1_800_000)
    assert (late.attempt, late.lead, late.reason) == ("unresolved", "failed", "unresolved")


@pytest.mark.parametrize(
    ("first", "second", "talk", "outcome"),
    [
        (None, None, None, None),
        ("ANSWER", None, None, None),
        ("ANSWER", "NOTCALLED", None, None),
        (None, "NOTDIALED", None, None),
        ("NOANSWER", None, None, "agent_no_answer"),
        ("BUSY", "NOTCALLED", None, "agent_no_answer"),
        ("CANCEL", "NOTDIALED", None, "agent_no_answer"),
        ("ANSWER", "ANSWER", 12, "connected"),
        (None, "ANSWER", None, "connected"),
        ("NOANSWER", "ANSWER", 12, "connected"),
        ("ANSWER", "ANSWER", 0, "lead_no_answer"),
        ("ANSWER", "VOICEMAIL", 12, "lead_no_answer"),
        ("ANSWER", "ABANDONE", None, "lead_no_answer"),
        ("ANSWER", "BUSY", None, "lead_busy"),
        ("ANSWER", "CHANUNAVAIL", None, "lead_unreachable"),
        ("ANSWER", "SOMETHING NEW", None, "lead_unreachable"),
    ],
)
def test_the_legs_tell_the_outcome(
    first: str | None, second: str | None, talk: int | None, outcome: str | None
) -> None:
    """Statuses of facts 2.3; a lead counts as reached only by an answered leg 2 with talk time (facts 2.4)."""
    assert outcome_of(attempt(leg1_status=first, leg2_status=second, leg2_talk=talk)) == outcome
