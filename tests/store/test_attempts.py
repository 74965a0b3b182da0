"""Moving attempts: fenced, one row or nobody; lead, agent, budget and history move along. Both engines."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable

import pytest

from app.directory import CallCap
from app.domain.answers import NotSent, Placed, Refused, Unknown
from app.domain.guards import HELD_FOR, Cap
from app.domain.moves import BLOCKED_FOR, OFFLINE_FOR, UNRESOLVED_AFTER, Move
from app.store.tables import budgets, events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, SILENT, Floor, a_directory, a_lead, leg

ASSUME = 300  # seconds, the policy's default


@pytest.fixture
async def alone(floor: Floor) -> Floor:
    """Dana is the only agent, under a cap that is wide enough."""
    floor.calls = CallCap("hold", 100, None)
    floor.caps = (Cap("hour", START, 100, START + HOUR),)
    return await floor.open(a_directory("dana", retry_lead=(600, 3600)))


async def spent(floor: Floor) -> int:
    return sum(row["used"] for row in await floor.rows(budgets))


# ---------------------------------------------------------------------------------------------- sending


async def test_sending_is_on_disk_before_the_request_may_leave(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim("me")
    alone.clock.advance(1)
    assert await alone.send(claim, "me")
    row = await alone.attempt(claim)
    assert (row["state"], row["sending_at"], row["look_at"]) == ("sending", START + 1000, START + 23_000)
    assert await alone.history(claim.lead.id) == ["received", "reserved", "sending"]


async def test_only_the_owner_may_send_and_only_once(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim("me")
    assert not await alone.send(claim, "somebody else")
    assert (await alone.attempt(claim))["state"] == "reserved"
    assert await alone.send(claim, "me")
    assert not await alone.send(claim, "me")
    assert (await alone.history(claim.lead.id)).count("sending") == 1


async def test_a_reservation_that_has_lapsed_cannot_be_sent(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim("me")
    await alone.silence(claim)
    assert not await alone.send(claim, "me")
    again = await alone.claim("me")
    assert not await alone.send(dataclasses.replace(again, attempt=claim.attempt), "me")
    assert await alone.send(again, "me")


# ------------------------------------------------------------------------------------------ the answers


async def test_placed_says_nothing_about_any_phone(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    await alone.send(claim)
    alone.clock.advance(1)
    moved = await alone.answer(claim, Placed("call-7"))
    assert moved is not None
    assert (moved.lead_state, moved.move.event) == ("dialing", "placed")
    assert await alone.states(claim) == ("placed", "dialing", "on_call")
    row = await alone.attempt(claim)
    assert (row["call_id"], row["placed_at"], row["look_at"]) == ("call-7", START + 1000, START + 1000 + ASSUME * 1000)
    assert (row["agent_answered_at"], row["lead_ringing_at"], row["connected_at"]) == (None, None, None)
    assert await spent(alone) == 1


async def test_unknown_keeps_the_agent_and_is_not_due_again(alone: Floor) -> None:
    claim = await alone.dial(Unknown("timed out"))
    assert await alone.states(claim) == ("unknown", "dialing", "on_call")
    assert ((await alone.attempt(claim))["why"], await spent(alone)) == ("timed out", 1)
    alone.clock.advance(ASSUME - 1)
    assert await alone.claim_all() == ([], [])


async def test_what_never_left_frees_everybody_and_is_tried_again(alone: Floor) -> None:
    claim = await alone.dial(NotSent("connection refused"))
    assert await alone.states(claim) == ("not_sent", "waiting", "available")
    row = await alone.lead(claim.lead.id)
    assert (row["reason"], row["due_at"], row["send_failures"]) == ("retry", START + 2000, 1)
    assert (await spent(alone), (await alone.attempt(claim))["ended_at"]) == (0, START)


async def test_sending_again_waits_longer_each_time_and_starts_again_once_placed(alone: Floor) -> None:
    claim = await alone.dial(NotSent("refused"))
    waits = []
    for _ in range(4):
        due = (await alone.lead(claim.lead.id))["due_at"]
        waits.append((due - alone.now) // 1000)
        alone.clock.advance((due - alone.now) / 1000)
        claim = await alone.claim()
        await alone.send(claim)
        await alone.answer(claim, NotSent("refused"))
    assert waits == [2, 10, 30, 30]
    alone.clock.advance(60)
    claim = await alone.claim()
    await alone.send(claim)
    await alone.answer(claim, Placed("c"))
    assert (await alone.lead(claim.lead.id))["send_failures"] == 0


@pytest.mark.parametrize(
    ("rule", "state", "seconds"),
    [("agent_offline", "offline", OFFLINE_FOR), ("agent_blocked", "blocked", BLOCKED_FOR)],
)
async def test_a_refused_agent_is_set_aside_and_the_next_one_tried_at_once(
    floor: Floor, rule: str, state: str, seconds: int
) -> None:
    claim = await floor.dial(Refused(3, "no such phone", rule))  # type: ignore[arg-type]
    assert await floor.states(claim) == ("refused", "waiting", state)
    assert (await floor.agent("dana"))["until"] == START + seconds * 1000
    row = await floor.attempt(claim)
    assert (row["code"], row["why"], row["answered_at"]) == (3, "no such phone", START)
    assert (await floor.claim()).attempt.agent_id == "yossi"


async def test_a_wrong_request_ends_the_lead_where_a_person_sees_it(alone: Floor) -> None:
    claim = await alone.dial(Refused(1, "missing parameter", "request_wrong"))
    assert await alone.states(claim) == ("refused", "failed", "available")
    row = await alone.lead(claim.lead.id)
    assert (row["reason"], row["ended_at"], row["due_at"]) == ("request_wrong", START, None)
    assert (await alone.history(claim.lead.id))[-2:] == ["refused", "failed"]


async def test_a_provider_error_is_tried_once_more_and_then_held(alone: Floor) -> None:
    claim = await alone.dial(Refused(5, "internal", "once_more"))
    assert await alone.states(claim) == ("refused", "waiting", "available")
    alone.clock.advance(10)
    again = await alone.claim()
    await alone.send(again)
    await alone.answer(again, Refused(5, "internal", "once_more"))
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["reason"], row["expires_at"]) == ("held", "provider", alone.now + HELD_FOR)


async def test_a_wrong_account_holds_the_lead(alone: Floor) -> None:
    claim = await alone.dial(Refused(2, "bad code", "configuration"))
    assert await alone.states(claim) == ("refused", "held", "available")
    assert await alone.store.release(claim.lead.id, "operator", alone.now + HOUR) == "waiting"
    assert (await alone.claim()).attempt.number == 2


@pytest.mark.parametrize(
    "answer",
    [NotSent("x"), Refused(3, "x", "agent_offline"), Refused(1, "x", "request_wrong"), Refused(2, "", "configuration")],
)
async def test_what_was_not_called_costs_nothing(alone: Floor, answer: NotSent | Refused) -> None:
    await alone.dial(answer)
    assert await spent(alone) == 0


# ---------------------------------------------------------------------------------------- late answers


async def test_an_answer_after_unknown_still_places_the_call(alone: Floor) -> None:
    claim = await alone.dial(Unknown("process stood still"))
    alone.clock.advance(60)
    assert await alone.answer(claim, Placed("late")) is not None
    assert await alone.states(claim) == ("placed", "dialing", "on_call")
    assert (await alone.attempt(claim))["look_at"] == alone.now + ASSUME * 1000


async def test_a_refusal_after_unknown_lets_the_lead_be_dialled_again(floor: Floor) -> None:
    claim = await floor.dial(Unknown("process stood still"))
    await floor.answer(claim, Refused(3, "offline", "agent_offline"))
    assert await floor.states(claim) == ("refused", "waiting", "offline")
    assert (await floor.claim()).lead.id == claim.lead.id


async def test_a_late_placed_does_not_take_back_an_agent_who_was_let_go(alone: Floor) -> None:
    claim = await alone.dial(Unknown("process stood still"))
    alone.clock.advance(ASSUME)
    released = await alone.silence(claim)
    assert released is not None
    assert released.move.event == "agent_released"
    assert await alone.states(claim) == ("unknown", "dialing", "available")
    await alone.answer(claim, Placed("very late"))
    assert (await alone.attempt(claim))["state"] == "placed"
    await alone.accept()
    assert (await alone.claim()).lead.id != claim.lead.id


async def test_a_late_placed_is_stored_though_the_agent_is_in_another_call(alone: Floor) -> None:
    claim = await alone.dial(Unknown("process stood still"))
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    other = await alone.dial()
    assert await alone.answer(claim, Placed("very late")) is not None
    assert await alone.states(other) == ("placed", "dialing", "on_call")
    assert (await alone.attempt(claim))["call_id"] == "very late"


async def test_a_late_answer_to_a_call_that_has_ended_changes_nothing(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    await alone.outcome(claim, "connected")
    assert await alone.answer(claim, NotSent("x")) is None
    assert await alone.states(claim) == ("ended", "connected", "wrap_up")


# ------------------------------------------------------------------------------------------- the outcomes


async def test_connected_ends_everything_well(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(90)
    await alone.outcome(claim, "connected")
    assert await alone.states(claim) == ("ended", "connected", "wrap_up")
    attempt, lead, agent = await alone.attempt(claim), await alone.lead(claim.lead.id), await alone.agent("dana")
    assert (attempt["connected_at"], attempt["ended_at"], attempt["look_at"]) == (alone.now, alone.now, None)
    assert (lead["outcome"], lead["ended_at"]) == ("connected", alone.now)
    assert (agent["until"], agent["idle_since"], agent["attempt_id"]) == (alone.now + 30_000, alone.now, None)
    assert (await alone.history(claim.lead.id)).count("connected") == 1


async def test_a_call_that_is_seen_on_the_line_is_looked_at_later(alone: Floor) -> None:
    claim = await alone.dial()
    (seen,) = await alone.store.placed()
    await alone.store.note_phase(seen, "agent_ringing", START + 1)
    assert (await alone.attempt(claim))["look_at"] == START + ASSUME * 1000, "never sooner"
    await alone.store.note_phase(seen, "agent_ringing", START + HOUR)
    assert (await alone.attempt(claim))["look_at"] == START + HOUR
    await alone.outcome(claim, "connected")
    await alone.store.note_phase(seen, "talking", START + 2 * HOUR)
    assert (await alone.attempt(claim))["look_at"] is None


async def test_phases_are_written_once_and_tell_what_must_have_come_before(alone: Floor) -> None:
    claim = await alone.dial()
    (seen,) = await alone.store.placed()
    assert (seen.id, seen.site, seen.extension, seen.call_id) == (claim.attempt.id, "main", "SIPdana", "c1")
    found = []
    for phase in ("agent_ringing", "agent_ringing", "lead_ringing", "agent_ringing", "talking", "talking"):
        alone.clock.advance(1)
        found.append(await alone.store.note_phase(seen, phase))
    assert found == [True, False, True, False, True, False]
    row = await alone.attempt(claim)
    moments = [row[name] for name in ("agent_ringing_at", "agent_answered_at", "lead_ringing_at", "connected_at")]
    assert [(moment - START) // 1000 for moment in moments] == [1, 3, 3, 5]
    phases = ["agent_ringing", "agent_answered", "lead_ringing", "talking"]
    assert (await alone.history(claim.lead.id))[-4:] == phases


async def test_the_moment_of_connection_that_was_seen_live_stays(alone: Floor) -> None:
    claim = await alone.dial()
    (seen,) = await alone.store.placed()
    alone.clock.advance(12)
    assert await alone.store.note_phase(seen, "talking")
    assert not await alone.store.note_phase(seen, "talking")
    alone.clock.advance(300)
    await alone.outcome(claim, "connected")
    row = await alone.attempt(claim)
    assert (row["connected_at"], row["agent_answered_at"], row["ended_at"]) == (
        START + 12_000,
        START + 12_000,
        alone.now,
    )


@pytest.mark.parametrize("outcome", ["lead_no_answer", "lead_busy", "lead_unreachable"])
async def test_a_lead_who_was_not_reached_is_rung_by_schedule_and_then_no_more(alone: Floor, outcome: str) -> None:
    claim = await alone.dial()
    for wait in (600, 3600):
        await alone.outcome(claim, outcome)
        row = await alone.lead(claim.lead.id)
        assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "retry", alone.now + wait * 1000)
        assert row["expires_at"] is None
        alone.clock.advance(wait)
        claim = await alone.claim()
        await alone.send(claim)
        await alone.answer(claim, Placed("c"))
    await alone.outcome(claim, outcome)
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["reason"], row["outcome"]) == ("exhausted", outcome, outcome)
    assert (row["lead_tries"], row["attempts"]) == (3, 3)


async def test_three_agents_in_a_row_who_miss_a_lead_pause_it(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d"))
    claim = await floor.dial()
    for _ in range(2):
        await floor.outcome(claim, "agent_no_answer")
        assert (await floor.lead(claim.lead.id))["due_at"] == floor.now
        claim = await floor.claim()
        await floor.send(claim)
        await floor.answer(claim, Placed("c"))
    await floor.outcome(claim, "agent_no_answer")
    row = await floor.lead(claim.lead.id)
    assert (row["due_at"], row["agent_misses"], row["avoid_agent"]) == (floor.now + 2 * MINUTE, 3, "c")


async def test_a_retry_while_the_site_is_closed_waits_for_its_opening(alone: Floor) -> None:
    claim = await alone.dial()
    alone.opens_at = START + 12 * HOUR
    await alone.outcome(claim, "lead_busy")
    row = await alone.lead(claim.lead.id)
    assert (row["reason"], row["due_at"], row["expires_at"]) == ("closed", START + 12 * HOUR, START + 13 * HOUR)


# -------------------------------------------------------------------------------------------- silence


async def test_a_reservation_that_was_never_sent_lapses_and_is_due_again(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    alone.clock.advance(5)
    assert await alone.store.overdue_attempts() == [claim.attempt.id]
    await alone.silence(claim)
    assert await alone.states(claim) == ("lapsed", "waiting", "available")
    assert await spent(alone) == 0
    assert (await alone.claim()).attempt.number == 2


async def test_a_silent_sender_leaves_an_unknown_that_is_not_dialled_again(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    await alone.send(claim)
    alone.clock.advance(21.999)
    assert await alone.store.overdue_attempts() == []
    alone.clock.advance(0.001)
    assert await alone.store.overdue_attempts() == [claim.attempt.id]
    await alone.silence(claim)
    assert await alone.states(claim) == ("unknown", "dialing", "on_call")
    assert await spent(alone) == 1


async def test_a_call_that_nobody_reports_ends_unreported(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(ASSUME)
    assert await alone.store.overdue_attempts() == [claim.attempt.id]
    await alone.silence(claim)
    assert await alone.states(claim) == ("ended", "exhausted", "available")
    assert (await alone.lead(claim.lead.id))["reason"] == "unreported"


async def test_an_unknown_frees_its_agent_first_and_gives_up_later(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    assert await alone.states(claim) == ("unknown", "dialing", "available")
    assert (await alone.attempt(claim))["look_at"] == START + UNRESOLVED_AFTER * 1000
    alone.clock.advance(UNRESOLVED_AFTER - ASSUME)
    await alone.silence(claim)
    assert await alone.states(claim) == ("unresolved", "failed", "available")
    assert (await alone.lead(claim.lead.id))["reason"] == "unresolved"


async def test_the_longest_overdue_comes_first(floor: Floor) -> None:
    await floor.accept()
    first = await floor.claim()
    floor.clock.advance(1)
    await floor.accept()
    second = await floor.claim()
    floor.clock.advance(60)
    assert await floor.store.overdue_attempts() == [first.attempt.id, second.attempt.id]


async def test_what_an_earlier_process_left_is_looked_at_at_once(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d"))
    for _ in range(4):
        await floor.accept()
    reserved, sending, placed, mine = [
        claim for owner, most in (("old", 3), ("new", 1)) for claim in (await floor.claim_all(owner, most))[0]
    ]
    for claim in (sending, placed):
        await floor.send(claim, "old")
    await floor.answer(placed, Placed("c"))
    assert await floor.store.abandon_others("new") == 2
    assert set(await floor.store.overdue_attempts()) == {reserved.attempt.id, sending.attempt.id}
    assert await floor.send(mine, "new")


# ------------------------------------------------------------------------------------------- fences


async def test_a_settlement_that_expects_another_state_does_nothing(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    before = await alone.rows(events)
    assert await alone.answer(claim, Placed("c")) is None
    assert await alone.states(claim) == ("reserved", "dialing", "reserved")
    assert await alone.rows(events) == before


async def test_a_settlement_without_a_decision_does_nothing(alone: Floor) -> None:
    claim = await alone.dial()
    before = await alone.rows(events)
    store = alone.store
    assert await store.settle(claim.attempt.id, SILENT, lambda *_: None, "x", lambda _: ()) is None
    assert await store.settle("no such attempt", SILENT, lambda *_: Move("ended"), "x", lambda _: ()) is None
    assert await alone.rows(events) == before


async def test_a_move_that_the_table_does_not_know_is_refused_whole(alone: Floor) -> None:
    claim = await alone.dial()
    before = await alone.rows(events)
    back = Move("sending", agent="available", lead="waiting", due_at=START, look_at=START, event="back")
    with pytest.raises(ValueError, match="from placed to sending"):
        await alone.store.settle(claim.attempt.id, SILENT, lambda *_: back, "x", lambda _: ())
    assert await alone.states(claim) == ("placed", "dialing", "on_call")
    assert await alone.rows(events) == before


async def test_a_settled_attempt_moves_nobody_who_has_moved_on(alone: Floor) -> None:
    first = await alone.dial()
    await alone.outcome(first, "agent_no_answer")
    alone.clock.advance(30)
    second = await alone.claim()
    await alone.send(second)
    await alone.answer(second, Placed("c2"))
    moved = await alone.outcome(first, "lead_busy")
    assert moved is not None
    assert await alone.states(second) == ("placed", "dialing", "on_call")
    assert (await alone.attempt(first))["outcome"] == "lead_busy"
    assert (await alone.lead(first.lead.id))["lead_tries"] == 0


# ---------------------------------------------------------------------------------------- the late account


async def test_a_late_account_turns_unreported_into_connected(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    alone.clock.advance(120)
    assert len(await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=40))) == 1
    assert await alone.states(claim) == ("ended", "connected", "available")
    assert (await alone.lead(claim.lead.id))["ended_at"] == START + ASSUME * 1000


async def test_a_late_account_of_a_busy_lead_makes_it_wait_again(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    await alone.report(leg(2, "BUSY", claim.attempt))
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "retry", alone.now + 600_000)
    assert row["ended_at"] is None


async def test_a_closed_lead_does_not_come_back_beside_a_live_one_of_its_number(alone: Floor) -> None:
    claim = await alone.dial(new=a_lead("+972541234567"))
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    other = a_lead("+972541234567", at=alone.now)
    assert (await alone.accept(other)).kind == "new"
    await alone.report(leg(2, "BUSY", claim.attempt))
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["outcome"]) == ("exhausted", "lead_busy")
    assert (await alone.lead(other.id))["state"] == "waiting"


async def test_a_late_account_settles_what_was_given_up_on(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    for wait in (ASSUME, UNRESOLVED_AFTER):
        alone.clock.advance(wait)
        await alone.silence(claim)
    assert (await alone.states(claim))[:2] == ("unresolved", "failed")
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=5))
    assert (await alone.states(claim))[:2] == ("ended", "connected")


async def test_a_record_that_is_faster_than_the_answer_settles_the_call(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    await alone.send(claim)
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=5, call_id="c9"))
    assert await alone.states(claim) == ("ended", "connected", "wrap_up")
    assert await alone.answer(claim, Placed("c9")) is None
    assert (await alone.attempt(claim))["call_id"] == "c9"


# ------------------------------------------------------------------------------------------- history


async def test_history_is_only_ever_added_to(floor: Floor) -> None:
    seen: list[object] = []

    async def then(step: Awaitable[object]) -> None:
        await step
        rows = await floor.rows(events)
        assert rows[: len(seen)] == seen
        seen[:] = rows

    new = a_lead()
    await then(floor.accept(new))
    await then(floor.accept(a_lead(new.phone.e164)))
    claim = await floor.claim()
    await then(floor.send(claim))
    await then(floor.answer(claim, Refused(3, "offline", "agent_offline")))
    claim = await floor.claim()
    await then(floor.send(claim))
    await then(floor.answer(claim, Unknown("x")))
    floor.clock.advance(ASSUME)
    await then(floor.silence(claim))
    await then(floor.report(leg(2, "NOANSWER", claim.attempt)))
    await then(floor.store.cancel(new.id, "visitor"))
    await then(floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=9)))
    assert await floor.history(new.id) == [
        *("received", "joined", "reserved", "sending", "agent_offline", "waiting", "reserved", "sending", "unknown"),
        *("agent_released", "lead_no_answer", "waiting", "cancelled", "connected"),
    ]
