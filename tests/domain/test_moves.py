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
from app.domain.moves import (
    AVOID_FOR,
    LINE_LOOKS,
    LOG_LOOKS,
    UNRESOLVED_AFTER,
    Move,
    after_answer,
    after_outcome,
    after_silence,
)
from app.domain.outcomes import outcome_of, talked_briefly
from app.domain.priority import AGAIN, BACKLOG, FRESH, PROMISED
from app.domain.reconciling import after_call_left, after_log_miss, after_sighting, after_unanswered, ask_again_at
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
    avoid_agent=None, redials=0, asked_language="", admitted=True, deadline_at=START + 40_000, promised_at=None,
    rank=FRESH, avoid_until=None,
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
    lead,
    lead_tries=counters,
    agent_misses=counters,
    send_failures=counters,
    errors=counters,
    attempts=counters,
    redials=counters,
)
policies = st.builds(
    Policy,
    wrap_up=st.integers(0, 3600),
    assume_call=st.integers(1, 7200),
    expire_after=st.integers(60, 86_400),
    retry_lead=st.lists(st.integers(0, 86_400), max_size=5).map(tuple),
    redial_absent=st.booleans(),
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
    assert move.lead in (None, lead.state) or may_move(LEAD_MOVES, lead.state, str(move.lead))
    assert (move.lead == "waiting") is (move.due_at is not None)
    assert move.lead != "waiting" or move.reason in WAITING_REASONS
    assert move.lead not in ("held", "failed", "exhausted") or move.reason
    assert move.event
    assert move.lead is None or move.lead in LEAD_STATES
    assert live or move.ask_at is None
    for moment in (move.look_at, move.ask_at, move.due_at, move.agent_until, move.expires_at):
        assert moment is None or moment >= now
    if move.expires_at is not None and move.due_at is not None:
        assert move.expires_at > move.due_at, "a lead must be dialled before it expires"


def assert_nobody_is_lost(move: Move) -> None:
    """A lead is dialled on, waits, is held or has ended: an attempt that is over never leaves it dialling."""
    assert (move.lead in (None, "dialing")) is (move.attempt in ATTEMPT_LIVE)


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
    st.sampled_from(["placed", "unknown", "sending", "unresolved", "absent", "ended"]),
    st.booleans(),
)
def test_any_outcome_leads_to_a_legal_move(
    outcome: str, lead: Lead, policy: Policy, opening: Callable[[int], int], state: str, lead_first: bool
) -> None:
    move = after_outcome(outcome, lead, policy, START, opening=opening, lead_first=lead_first)
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


@given(
    st.text(max_size=12) | st.none(),
    st.text(max_size=12) | st.none(),
    st.integers(0, 9999) | st.none(),
    st.sampled_from(["agent", "lead"]),
)
def test_any_words_of_the_provider_are_an_outcome_or_none_yet(
    first: str | None, second: str | None, talk: int | None, first_leg: Any
) -> None:
    found = outcome_of(attempt(leg1_status=first, leg2_status=second, leg2_talk=talk, first_leg=first_leg))
    assert found in {None, *OUTCOMES}


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
        assert move.avoid_until == START + AVOID_FOR * 1000
        assert move.due_at is not None
        due.append((move.due_at - START) // 1000)
    assert due == [0, 0, 120, 0, 0, 120, 0]


def test_a_closed_site_turns_a_retry_into_its_opening_with_a_new_term() -> None:
    opens = START + 12 * 3_600_000
    move = after_outcome("lead_busy", LEAD, POLICY, START, opening=lambda moment: max(moment, opens))
    due = opens + 180  # the freshest first: a millisecond later for each four minutes that it has waited by then
    assert (move.reason, move.rank, move.due_at) == ("closed", BACKLOG, due)
    assert (move.expires_at, move.deadline_at) == (due + POLICY.expire_after * 1000, due + POLICY.deadline * 1000)


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
    given_up = UNRESOLVED_AFTER * 1000
    early, late = (
        after_silence(attempt(state="unknown", unknown_at=START), LEAD, POLICY, START + passed, opening=always_open)
        for passed in (given_up - 1, given_up)
    )
    assert early is not None
    assert late is not None
    assert (early.attempt, early.agent, early.look_at) == ("unknown", "available", START + given_up)
    assert (late.attempt, late.lead, late.reason) == ("unresolved", "failed", "unresolved")


def test_a_person_is_asked_only_after_the_call_log_was_asked_for_the_last_time() -> None:
    assert LOG_LOOKS[-1] < UNRESOLVED_AFTER
    assert list(LOG_LOOKS) == [300, 900, 1800]
    assert list(LINE_LOOKS) == [2, 10, 30]


# ----------------------------------------------------------------------------------- the provider's own accounts


@given(leads, policies, st.sampled_from(["unknown", "refused"]), st.none() | st.text(max_size=9))
def test_any_sighting_leads_to_a_legal_move(lead: Lead, policy: Policy, state: str, call_id: str | None) -> None:
    lead = dataclasses.replace(lead, state="waiting" if state == "refused" else "dialing")
    move = after_sighting(call_id, policy, START)
    assert_legal(move, state, lead, START)
    assert_nobody_is_lost(move)
    assert (move.attempt, move.lead, move.call_id, move.refund) == ("placed", "dialing", call_id, False)


@given(leads, policies)
def test_a_call_that_has_left_the_line_leaves_its_attempt_to_the_record(lead: Lead, policy: Policy) -> None:
    move = after_call_left(ATTEMPT, policy, START)
    assert_legal(move, "placed", lead, START)
    assert (move.attempt, move.lead, move.agent) == ("placed", None, "wrap_up")
    assert move.agent_until == START + policy.wrap_up * 1000


@given(leads, policies)
def test_an_unknown_call_that_is_not_on_the_line_lets_its_agent_go_and_nothing_else(lead: Lead, policy: Policy) -> None:
    move = after_call_left(attempt(state="unknown", unknown_at=START), policy, START)
    assert_legal(move, "unknown", lead, START)
    assert (move.attempt, move.agent, move.lead) == ("unknown", "available", None)


def test_an_account_that_comes_when_nobody_waits_any_more_rings_nobody() -> None:
    """A call log that was away for a day tells of yesterday's calls."""
    closed = lead(state="exhausted", ended_at=START)
    soon, late = (START + seconds * 1000 for seconds in (POLICY.expire_after, POLICY.expire_after + 1))
    for outcome in ("lead_no_answer", "agent_no_answer"):
        assert after_outcome(outcome, closed, POLICY, soon, opening=always_open).lead == "waiting"
        assert after_outcome(outcome, closed, POLICY, late, opening=always_open).lead == "exhausted"
    assert after_outcome("connected", closed, POLICY, late, opening=always_open).lead == "connected"


def test_a_call_that_a_person_had_ended_waits_for_a_person() -> None:
    for outcome in ("agent_no_answer", "lead_no_answer", "cancelled"):
        move = after_outcome(outcome, LEAD, POLICY, START, opening=always_open, hung_up=True)
        assert (move.lead, move.reason, move.counts) == ("held", "ended", ())
    assert after_outcome("connected", LEAD, POLICY, START, opening=always_open, hung_up=True).lead == "connected"


@given(st.integers(0, 5), st.integers(0, 5), leads, policies, openings)
def test_only_repeated_clean_answers_of_the_call_log_make_a_call_absent(
    looks: int, misses: int, lead: Lead, policy: Policy, opening: Callable[[int], int]
) -> None:
    unknown = attempt(state="unknown", unknown_at=START, log_looks=looks, log_misses=misses)
    move = after_log_miss(unknown, lead, policy, START, opening=opening)
    assert (move is not None) is (looks >= 2 and misses >= 1)
    if move is None:
        return
    assert_legal(move, "unknown", lead, START)
    assert_nobody_is_lost(move)
    assert move.refund, "there was no call"
    assert (move.lead == "waiting") is (policy.redial_absent and lead.redials == 0), "once, where it is allowed"
    assert move.lead != "held" or move.reason == "absent"


def test_a_redial_after_absent_is_counted_so_that_there_is_no_second_one() -> None:
    policy = Policy(redial_absent=True)
    third = attempt(state="unknown", unknown_at=START, log_looks=2, log_misses=2)
    first = after_log_miss(third, LEAD, policy, START, opening=always_open)
    assert first is not None
    assert (first.lead, first.counts, first.due_at) == ("waiting", ("redials",), START)
    assert first.expires_at == START + policy.expire_after * 1000
    again = after_log_miss(third, lead(redials=1), policy, START, opening=always_open)
    assert again is not None
    assert (again.lead, again.reason, again.counts) == ("held", "absent", ())


def test_by_default_nobody_is_rung_again_after_absent() -> None:
    assert not POLICY.redial_absent
    third = attempt(state="unknown", unknown_at=START, log_looks=2, log_misses=2)
    move = after_log_miss(third, LEAD, POLICY, START, opening=always_open)
    assert move is not None
    assert (move.attempt, move.lead, move.reason, move.due_at, move.counts) == ("absent", "held", "absent", None, ())


@pytest.mark.parametrize(
    ("state", "seen_after", "looks", "asked_after", "next_after"),
    [
        ("unknown", None, 0, 300, 900),
        ("unknown", None, 1, 900, 1800),
        ("unknown", None, 2, 1800, None),
        ("unknown", None, 0, 1000, 1001),  # late: at once, but never in the past
        ("placed", None, 0, 120, 300),
        ("placed", 600, 0, 720, 900),
        ("ended", 600, 1, 900, 1500),
        ("ended", 600, 2, 1500, 2400),
        ("ended", 600, 3, 2400, None),
        ("unresolved", None, 3, 3000, None),
    ],
)
def test_the_call_log_is_asked_at_fixed_times_and_not_for_ever(
    state: str, seen_after: int | None, looks: int, asked_after: int, next_after: int | None
) -> None:
    """Unknown calls 5, 15 and 30 min after they became so; others also 2 min after they were last on the line."""
    one = attempt(
        state=state,
        unknown_at=START if state in ("unknown", "unresolved") else None,
        seen_at=None if seen_after is None else START + seen_after * 1000,
        log_looks=looks,
    )
    found = ask_again_at(one, START + asked_after * 1000)
    assert found == (None if next_after is None else START + next_after * 1000)


def test_calls_that_were_placed_or_are_unknown_are_asked_about_and_refused_ones_are_not() -> None:
    def first_question(answer: Answer) -> int | None:
        ask_at = after_answer(answer, LEAD, POLICY, START, jitter=0, opening=always_open).ask_at
        return None if ask_at is None else (ask_at - START) // 1000

    assert first_question(Placed("c")) == 120
    assert first_question(Unknown("x")) == 300
    assert first_question(NotSent("x")) is None
    assert first_question(Refused(3, "", "agent_offline")) is None


# --------------------------------------------------------------------------------------------- the outcome

STATUSES: Final = (
    "ANSWER", "NOANSWER", "BUSY", "CANCEL", "ABANDONE", "TIMEOUT", "FULL", "EXIT", "JOINEMPTY", "VOEND", "TE",
    "NOTCALLED", "NOTDIALED", "VOICEMAIL", "CONGESTION", "CHANUNAVAIL", "INVALIDARGS", "SSWPREAUTH", "SOMETHING NEW",
)  # fmt: skip
NOT_REACHED: Final = ("FULL", "EXIT", "JOINEMPTY", "TE", "CONGESTION", "CHANUNAVAIL", "INVALIDARGS", "SSWPREAUTH")
RANG: Final = ("NOANSWER", "CANCEL", "ABANDONE", "TIMEOUT", "VOEND", "VOICEMAIL")
OF_THE_LEAD: Final = {
    "BUSY": "lead_busy",
    "SOMETHING NEW": "lead_unreachable",
    **dict.fromkeys(RANG, "lead_no_answer"),
    **dict.fromkeys(NOT_REACHED, "lead_unreachable"),
}
SILENT: Final = ("NOTCALLED", "NOTDIALED")


def expected(first: str | None, second: str | None, talk: int | None, *, lead_first: bool) -> str | None:
    """What facts 2.3 and 2.4 make of two legs, said another way than the code says it."""
    machine = lead_first and first == "VOICEMAIL"
    if second == "ANSWER" and talk != 0 and not machine:
        return "connected"
    if first not in (None, "ANSWER"):  # so leg 2 was never dialled, whatever is said of it
        if not lead_first:
            return "agent_no_answer"
        return "lead_unreachable" if first in SILENT else OF_THE_LEAD[str(first)]
    if second in (None, *SILENT) or (second == "SOMETHING NEW" and talk):
        return None
    if lead_first:
        return "connected" if second == "VOEND" else "agent_no_answer"
    return "lead_no_answer" if second == "ANSWER" else OF_THE_LEAD[str(second)]


@pytest.mark.parametrize("first_leg", ["agent", "lead"])
@pytest.mark.parametrize("talk", [None, 0, 12])
def test_every_pair_of_statuses_tells_its_outcome_whoever_is_rung_first(first_leg: Any, talk: int | None) -> None:
    """Statuses of facts 2.3, each with each; a lead counts as reached only by talk on leg 2 (facts 2.4)."""
    wrong = {}
    for first in (None, *STATUSES):
        for second in (None, *STATUSES):
            found = outcome_of(attempt(leg1_status=first, leg2_status=second, leg2_talk=talk, first_leg=first_leg))
            said = expected(first, second, talk, lead_first=first_leg == "lead")
            if found != said:
                wrong[first, second] = (found, said)
    assert not wrong


@given(st.sampled_from([one for one in OUTCOMES if one != "connected"]), leads, policies, openings)
def test_who_was_rung_first_and_picked_up_to_nobody_is_not_rung_again_at_once(
    outcome: str, lead: Lead, policy: Policy, opening: Callable[[int], int]
) -> None:
    move = after_outcome(outcome, lead, policy, START, opening=opening, lead_first=True)
    if outcome == "unreported" or lead.lead_tries >= len(policy.retry_lead):
        assert move.lead == "exhausted"
        return
    assert move.lead == "waiting"
    assert move.reason in ("retry", "closed")
    assert move.due_at is not None
    assert move.due_at >= START + policy.retry_lead[lead.lead_tries] * 1000
    assert "lead_tries" in move.counts, "the lead's phone rang"


def test_the_next_agent_is_tried_at_once_only_where_the_agent_was_rung_first() -> None:
    agent_first, lead_first = (
        after_outcome("agent_no_answer", LEAD, POLICY, START, opening=always_open, lead_first=first)
        for first in (False, True)
    )
    assert (agent_first.reason, agent_first.due_at) == ("no_agent", START)
    assert (lead_first.reason, lead_first.due_at) == ("retry", START + POLICY.retry_lead[0] * 1000)
    assert agent_first.avoid_until == lead_first.avoid_until == START + AVOID_FOR * 1000


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


# ------------------------------------------------------------------------------- retries by what happened


OWN = Policy(
    retry_agent=(5, 60), retry_lead=(600,), retry_busy=(180, 360), retry_unreachable=(), retry_short=(120, 240)
)


@pytest.mark.parametrize(
    ("outcome", "short", "waits"),
    [
        ("lead_no_answer", False, [600, None]),
        ("lead_busy", False, [180, 360, None]),
        ("lead_unreachable", False, [None]),
        ("lead_no_answer", True, [120, 240, None]),
    ],
)
def test_the_leads_leg_has_a_schedule_for_each_outcome(outcome: str, short: bool, waits: list[int | None]) -> None:
    for tries, wait in enumerate(waits):
        move = after_outcome(outcome, lead(lead_tries=tries), OWN, START, opening=always_open, short=short)
        assert move.lead == ("exhausted" if wait is None else "waiting")
        assert move.due_at == (None if wait is None else START + wait * 1000)
        assert move.event == ("short_call" if short else outcome)


def test_a_retry_of_the_lead_is_a_second_try_with_a_deadline_of_its_own() -> None:
    move = after_outcome("lead_busy", LEAD, OWN, START, opening=always_open)
    assert move.due_at is not None
    assert (move.rank, move.deadline_at) == (AGAIN, move.due_at + OWN.deadline * 1000)


def test_the_agents_leg_has_a_schedule_of_its_own_and_spends_the_lead_s_one_deadline() -> None:
    for misses, wait in enumerate((5, 60, 5, 60)):
        move = after_outcome("agent_no_answer", lead(agent_misses=misses), OWN, START, opening=always_open)
        assert move.due_at == START + wait * 1000
        assert (move.rank, move.deadline_at, move.expires_at) == (None, None, None)


def test_a_set_time_that_the_closing_broke_stays_a_set_time() -> None:
    opens = START + 12 * 3_600_000
    promised = lead(rank=PROMISED, agent_misses=0)
    move = after_outcome("agent_no_answer", promised, POLICY, START, opening=lambda moment: max(moment, opens))
    assert (move.reason, move.rank, move.due_at) == ("closed", None, opens)


def test_a_call_that_was_seen_to_go_unanswered_is_followed_by_the_next_agent() -> None:
    move = after_unanswered(ATTEMPT, LEAD, POLICY, START, opening=always_open)
    assert (move.attempt, move.outcome, move.why) == ("ended", "agent_no_answer", "seen on the line")
    assert (move.lead, move.reason, move.due_at) == ("waiting", "no_agent", START)
    ended = dataclasses.replace(ATTEMPT, hung_up_at=START)
    assert after_unanswered(ended, LEAD, POLICY, START, opening=always_open).lead == "held"


@pytest.mark.parametrize(("talk", "short"), [(None, False), (0, False), (1, True), (4, True), (5, False), (60, False)])
def test_a_very_short_talk_counts_as_not_reached_where_it_is_known_how_long(talk: int | None, short: bool) -> None:
    told = dataclasses.replace(ATTEMPT, leg1_status="ANSWER", leg2_status="ANSWER", leg2_talk=talk)
    assert talked_briefly(told, 5) is short
    assert not talked_briefly(told, 0), "off"
