"""How long leads waited for their phone to ring, as the tables tell it. Both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from app.domain.answers import Placed
from app.domain.lead import Claim
from app.store.tables import attempts
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_directory, a_lead, a_term


async def rang(floor: Floor, claim: Claim, **moments: Any) -> None:
    """Write these moments of the attempt."""
    change = update(attempts).where(attempts.c.id == claim.attempt.id).values(**moments)
    await floor.store.engine.write(lambda conn: conn.execute(change))


async def test_a_wait_ends_with_the_first_ring_that_is_known(floor: Floor) -> None:
    """As it was seen on the line, else as the lead's leg was reported, else the conversation; the earliest attempt."""
    await floor.open(a_directory("dana", "yossi", "noa", "gil"))
    known: tuple[dict[str, Any], ...] = (
        {"lead_ringing_at": START + 7000, "leg2_at": START + 6000, "connected_at": START + 60_000},
        {"leg1_at": START + 2000, "leg2_at": START + 8000, "connected_at": START + 60_000},
        {"first_leg": "lead", "leg1_at": START + 3000, "leg2_at": START + 9000},
        {"connected_at": START + 90_000},
    )
    for number, moments in enumerate(known):
        await rang(floor, await floor.dial(Placed(f"c{number}"), a_lead()), **moments)
    assert set(await floor.store.waits("main", START)) == {3000, 7000, 8000, 90_000}
    assert await floor.store.waits("sales", START) == []
    assert await floor.store.waits("main", START + 1) == [], "older leads do not count"


async def test_who_waited_for_something_else_than_an_agent_does_not_count(floor: Floor) -> None:
    """A set time, the opening, a person's decision; nor who may still be rung, or cancelled before."""
    scheduled, closed, held = (
        a_lead(reason="scheduled", due_at=START + HOUR),
        a_lead(reason="closed", due_at=START + HOUR),
        a_lead(hold="country"),
    )
    moved, cancelled, waiting = a_lead(), a_lead(), a_lead()
    for new in (scheduled, closed, held, moved, cancelled, waiting):
        await floor.accept(new)
    await floor.store.reschedule(moved.id, a_term(START + HOUR))
    await floor.store.cancel(cancelled.id, "lead")
    assert await floor.store.waits("main", START) == []


async def test_a_phone_that_never_rang_is_told_as_such(floor: Floor) -> None:
    await floor.accept(a_lead(expires_at=START + MINUTE))
    floor.clock.advance(61)
    await floor.store.expire()
    assert await floor.store.waits("main", START) == [None]


async def test_the_longest_waiting_lead_is_the_one_that_is_due_for_longest(floor: Floor) -> None:
    assert await floor.store.oldest_due("main") is None
    for due in (START - 5000, START - 9000, START + HOUR):
        await floor.accept(a_lead(due_at=due))
    await floor.accept(a_lead(due_at=START - HOUR, site="sales"))
    assert await floor.store.oldest_due("main") == START - 9000
