"""Moving attempts: fenced, one row or nobody; lead, agent, budget and history move along. Both engines."""

from __future__ import annotations

import dataclasses

import pytest

from app.domain.answers import NotSent, Placed, Refused, Unknown
from app.domain.guards import HELD_FOR
from app.domain.moves import BLOCKED_FOR, OFFLINE_FOR, Move
from app.store.tables import budgets, events
from tests.clocks import START
from tests.store.leads_for_tests import SILENT, Floor, a_term

ASSUME = 300  # seconds, the policy's default


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
    assert await alone.store.release(claim.lead.id, "operator", a_term(alone.now)) == "waiting"
    assert (await alone.claim()).attempt.number == 2


@pytest.mark.parametrize(
    "answer",
    [NotSent("x"), Refused(3, "x", "agent_offline"), Refused(1, "x", "request_wrong"), Refused(2, "", "configuration")],
)
async def test_what_was_not_called_costs_nothing(alone: Floor, answer: NotSent | Refused) -> None:
    await alone.dial(answer)
    assert await spent(alone) == 0


@pytest.mark.parametrize("answer", [Placed("c1"), Unknown("no answer")], ids=["placed", "unknown"])
async def test_what_was_or_may_have_been_called_is_paid_for(alone: Floor, answer: Placed | Unknown) -> None:
    await alone.dial(answer)
    assert await spent(alone) == 1


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
