"""Calls of which nobody has told the end: when the call log is asked about them, and whose a call is. Both engines."""

from __future__ import annotations

import pytest

from app.domain import reconciling
from app.domain.answers import NotSent, Placed, Refused, Unknown
from app.domain.lead import Claim
from app.domain.moves import ASK_PLACED, LOG_LOOKS, UNRESOLVED_AFTER
from app.store.tables import events
from tests.clocks import START
from tests.store.leads_for_tests import Floor, a_directory, leg

ASSUME = 300  # seconds, the policy's default


async def asked_at(floor: Floor, claim: Claim) -> float | None:
    """When the log is to be asked, in seconds after the start."""
    moment = (await floor.attempt(claim))["ask_at"]
    return None if moment is None else (moment - START) / 1000


async def due(floor: Floor) -> list[str]:
    return [one.attempt.id for one in await floor.store.unheard_calls()]


async def ask(floor: Floor, claim: Claim, *, missed: bool = True) -> None:
    """The question is put at its time, and answered."""
    at = await asked_at(floor, claim)
    assert at is not None
    floor.clock.set_wall(START + round(at * 1000))
    (one,) = await floor.store.unheard_calls()
    again = reconciling.ask_again_at(one.attempt, floor.now)
    await floor.store.note_log_look(claim.attempt.id, again, looked=True, missed=missed)


# -------------------------------------------------------------------------------------- when it is asked


async def test_a_placed_call_is_asked_about_after_two_minutes(alone: Floor) -> None:
    claim = await alone.dial()
    assert await asked_at(alone, claim) == ASK_PLACED == 120
    alone.clock.advance(119.999)
    assert await due(alone) == []
    alone.clock.advance(0.001)
    (one,) = await alone.store.unheard_calls()
    assert (one.attempt.id, one.attempt.state, one.attempt.call_id) == (claim.attempt.id, "placed", "c1")
    assert one.phone == claim.lead.phone


async def test_an_unknown_call_is_asked_about_after_5_15_and_30_minutes_and_no_more(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    found = []
    while (at := await asked_at(alone, claim)) is not None:
        found.append(at)
        await ask(alone, claim)
    assert found == list(LOG_LOOKS) == [300, 900, 1800]
    row = await alone.attempt(claim)
    assert (row["log_looks"], row["log_misses"]) == (3, 3)
    alone.clock.advance(UNRESOLVED_AFTER)
    await alone.silence(claim)
    assert await asked_at(alone, claim) is None


async def test_a_sender_that_fell_silent_is_asked_about_from_the_moment_it_became_unknown(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    await alone.send(claim)
    assert await asked_at(alone, claim) is None
    alone.clock.advance(22)
    await alone.silence(claim)
    assert await asked_at(alone, claim) == 22 + 300
    await ask(alone, claim)
    assert await asked_at(alone, claim) == 22 + 900


async def test_looks_are_counted_and_misses_only_where_nothing_was_found(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    await ask(alone, claim, missed=False)
    await ask(alone, claim)
    row = await alone.attempt(claim)
    assert (row["log_looks"], row["log_misses"]) == (2, 1)
    before = row["ask_at"]
    await alone.store.note_log_look(claim.attempt.id, before + 60_000, looked=False, missed=False)
    row = await alone.attempt(claim)
    assert (row["log_looks"], row["log_misses"], row["ask_at"]) == (2, 1, before + 60_000)
    await alone.silence(claim)


async def test_a_question_that_needs_no_repeat_is_not_put_back_by_a_late_look(alone: Floor) -> None:
    """The record came while the log was being asked."""
    claim = await alone.dial()
    await alone.report(leg(2, "BUSY", claim.attempt))
    await alone.store.note_log_look(claim.attempt.id, alone.now + 1000, looked=True, missed=True)
    row = await alone.attempt(claim)
    assert (row["ask_at"], row["log_looks"]) == (None, 0)


async def test_the_longest_due_is_asked_about_first_and_what_is_not_due_not_at_all(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c"))
    unknown = await floor.dial(Unknown("x"))
    floor.clock.advance(100)
    placed = await floor.dial(Placed("c2"))
    await floor.dial(Unknown("x"))
    floor.clock.advance(200)
    assert await due(floor) == [placed.attempt.id, unknown.attempt.id]
    await floor.silence(unknown)


# ---------------------------------------------------------------------------------------- when no more


@pytest.mark.parametrize("outcome", ["connected", "lead_busy", "agent_no_answer", "cancelled"])
async def test_once_a_record_has_told_the_end_nobody_asks(alone: Floor, outcome: str) -> None:
    claim = await alone.dial()
    await alone.outcome(claim, outcome)
    assert await asked_at(alone, claim) is None


@pytest.mark.parametrize(
    "answer", [NotSent("x"), Refused(3, "offline", "agent_offline"), Refused(2, "error", "once_more")]
)
async def test_what_was_not_placed_is_not_asked_about(alone: Floor, answer: NotSent | Refused) -> None:
    claim = await alone.dial(answer)
    assert await asked_at(alone, claim) is None


async def test_a_late_refusal_of_an_unknown_ends_the_questions(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    await alone.answer(claim, Refused(1, "wrong", "request_wrong"))
    assert await asked_at(alone, claim) is None


async def test_a_call_that_ended_unreported_is_still_asked_about_until_its_record_comes(alone: Floor) -> None:
    claim = await alone.dial()
    await ask(alone, claim)
    alone.clock.set_wall(START + ASSUME * 1000)
    await alone.silence(claim)
    assert await alone.states(claim) == ("ended", "exhausted", "available")
    assert await asked_at(alone, claim) == 300
    alone.clock.set_wall(START + 300_000)
    assert await due(alone) == [claim.attempt.id]
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=4))
    assert (await alone.states(claim))[:2] == ("ended", "connected")
    assert await asked_at(alone, claim) is None


async def test_a_call_that_was_given_up_on_is_still_asked_about_until_its_record_comes(alone: Floor) -> None:
    """The log was not to be had until then."""
    claim = await alone.dial(Unknown("x"))
    alone.clock.advance(UNRESOLVED_AFTER)
    await alone.silence(claim)
    assert (await alone.states(claim))[:2] == ("unresolved", "failed")
    assert await due(alone) == [claim.attempt.id]
    await alone.report(leg(2, "BUSY", claim.attempt))
    assert await asked_at(alone, claim) is None


# ----------------------------------------------------------------------------------------- whose it is


async def test_a_call_is_known_by_our_variable_or_by_its_call_id(floor: Floor) -> None:
    first = await floor.dial(Placed("c1"))
    second = await floor.dial(Placed("c2"))
    whose = floor.store.whose_call
    assert await whose(first.attempt.id, None) == first.lead.id
    assert await whose(None, "c2") == second.lead.id
    assert await whose("somebody else's", "c2") == second.lead.id
    assert await whose("somebody else's", "c9") is None
    assert await whose(None, None) is None


async def test_an_attempt_without_a_call_id_is_nobody_s_by_an_empty_one(floor: Floor) -> None:
    await floor.dial(Unknown("x"))
    assert await floor.store.whose_call(None, "") is None
    assert await floor.store.whose_call("", None) is None


async def test_hanging_up_is_told_in_the_lead_s_history_and_moves_nothing(floor: Floor) -> None:
    claim = await floor.dial()
    before = await floor.states(claim)
    await floor.store.note_hang_up(claim.lead.id, claim.attempt.id, "operator")
    line = (await floor.rows(events, lead_id=claim.lead.id))[-1]
    assert (line["event"], line["who"], line["attempt_id"]) == ("hung_up", "operator", claim.attempt.id)
    assert await floor.states(claim) == before
