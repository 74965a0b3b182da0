"""Deadlines that broke, and times in which nobody could be dialled. Both engines."""

from __future__ import annotations

import pytest

from app.domain.guards import HELD_FOR
from app.domain.priority import AGAIN, BACKLOG, FRESH, PROMISED
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_lead, a_term

GAP = 60_000
FRESH_FOR = 15 * MINUTE


async def test_whom_nobody_took_by_the_deadline_is_late_and_whoever_is_rung_or_not_due_is_not(alone: Floor) -> None:
    await alone.dial()
    first, second = a_lead(), a_lead(due_at=START + 10)
    later, held = a_lead(due_at=START + HOUR, deadline_at=START + HOUR + 40_000), a_lead(hold="country")
    for new in (first, second, later, held):
        await alone.accept(new)
    assert await alone.store.late(START + 39_999) == []
    alone.clock.advance(40)
    late = await alone.store.late(alone.now)
    assert [(one.id, one.ahead, one.promised_at) for one in late] == [(first.id, 0, None), (second.id, 1, None)]


async def test_a_promise_is_the_lead_s_deadline_from_then_on_and_is_not_let_expire_before(alone: Floor) -> None:
    new = a_lead(expires_at=START + 11 * MINUTE)
    await alone.accept(new)
    alone.clock.advance(40)
    at = START + 10 * MINUTE
    assert await alone.store.promise(new.id, at, at + HOUR)
    row = await alone.lead(new.id)
    assert (row["promised_at"], row["deadline_at"], row["expires_at"]) == (at, at, at + HOUR)
    assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "no_agent", START), "it stays due"
    assert (await alone.history(new.id))[-1] == "promised"
    assert not await alone.store.promise(new.id, at, at + HOUR), "another replica was faster"
    assert await alone.store.late(alone.now) == []


async def test_a_promise_that_breaks_is_late_again_but_only_the_first_one_lengthens_the_term(alone: Floor) -> None:
    new = a_lead()
    await alone.accept(new)
    alone.clock.advance(40)
    assert await alone.store.promise(new.id, START + 10 * MINUTE, START + 70 * MINUTE)
    alone.clock.advance(600)
    (late,) = await alone.store.late(alone.now)
    assert late.promised_at == START + 10 * MINUTE
    assert await alone.store.promise(new.id, START + 25 * MINUTE, START + 85 * MINUTE)
    row = await alone.lead(new.id)
    assert (row["promised_at"], row["expires_at"]) == (START + 25 * MINUTE, START + 70 * MINUTE)


async def test_nothing_is_promised_to_who_is_being_rung(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(60)
    assert not await alone.store.promise(claim.lead.id, alone.now + HOUR, alone.now + 2 * HOUR)


async def test_another_time_forgets_what_was_promised(alone: Floor) -> None:
    new = a_lead()
    await alone.accept(new)
    alone.clock.advance(40)
    await alone.store.promise(new.id, START + 10 * MINUTE, START + HOUR)
    await alone.store.reschedule(new.id, a_term(START + 3 * HOUR))
    row = await alone.lead(new.id)
    assert (row["promised_at"], row["rank"], row["deadline_at"]) == (None, PROMISED, START + 3 * HOUR + 40_000)


# --------------------------------------------------------------------------------------- standing still


async def test_whoever_waited_through_a_standstill_is_held_unless_nobody_sits_waiting(floor: Floor) -> None:
    assert await floor.store.after_standstill(GAP, FRESH_FOR) == [], "the first word there ever was"
    old = {rank: a_lead(rank=rank) for rank in (PROMISED, FRESH, AGAIN, BACKLOG)}
    for new in old.values():
        await floor.accept(new)
    floor.clock.advance(16 * 60)
    fresh = a_lead(at=floor.now)
    await floor.accept(fresh)
    held = await floor.store.after_standstill(GAP, FRESH_FOR)
    assert sorted(held) == sorted((old[PROMISED].id, old[FRESH].id))
    row = await floor.lead(old[FRESH].id)
    assert (row["state"], row["reason"], row["expires_at"]) == ("held", "outage", floor.now + HELD_FOR)
    left = [(await floor.lead(new.id))["state"] for new in (old[AGAIN], old[BACKLOG], fresh)]
    assert left == ["waiting"] * 3


@pytest.mark.parametrize("pause", [1, 10, 60])
async def test_a_restart_is_no_standstill(floor: Floor, pause: int) -> None:
    await floor.accept(a_lead())
    floor.clock.advance(20 * 60)
    await floor.store.after_standstill(GAP, FRESH_FOR)
    floor.clock.advance(pause)
    assert await floor.store.after_standstill(GAP, FRESH_FOR) == []


async def test_a_released_lead_of_a_standstill_is_rung(floor: Floor) -> None:
    await floor.store.after_standstill(GAP, FRESH_FOR)
    new = a_lead()
    await floor.accept(new)
    floor.clock.advance(20 * 60)
    assert await floor.store.after_standstill(GAP, FRESH_FOR) == [new.id]
    assert await floor.store.release(new.id, "operator", a_term(floor.now)) == "waiting"
    assert (await floor.claim()).lead.id == new.id
