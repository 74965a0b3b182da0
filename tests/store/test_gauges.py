"""Figures that only the tables know; above all: a lead that nothing will move any more is counted. Both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from app.domain.answers import Unknown
from app.domain.stories import Gauges
from app.store.gauges import GRACE
from tests.store.leads_for_tests import HOUR, Floor, a_directory, a_lead


async def by_hand(floor: Floor, sql: str) -> None:
    """One statement that no code of ours would run."""

    def run(conn: Connection) -> None:
        conn.exec_driver_sql(sql)

    await floor.store.engine.write(run)


async def test_an_empty_house(floor: Floor) -> None:
    assert await floor.store.gauges() == Gauges(agents={"available": 2})


async def test_leads_are_counted_by_reason_and_by_age(floor: Floor) -> None:
    await floor.open(a_directory("nobody"))
    await floor.store.pause("nobody", None, "")
    await floor.accept(a_lead())
    floor.clock.advance(60)
    for reason in ("no_agent", "closed", "scheduled"):
        await floor.accept(a_lead(at=floor.now, due_at=floor.now + HOUR, reason=reason))
    await floor.accept(a_lead(at=floor.now, hold="country"))
    floor.clock.advance(5)
    gauges = await floor.store.gauges()
    assert gauges.waiting == {"no_agent": 2, "closed": 1, "scheduled": 1}
    assert gauges.oldest == {"no_agent": 65_000, "closed": 5000, "scheduled": 5000}
    assert (gauges.held, gauges.agents) == ({"country": 1}, {"paused": 1})


async def test_agents_are_counted_as_they_are_now(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d", "e"))
    call, _, wrapping = [await floor.dial() for _ in range(3)]
    await floor.outcome(wrapping, "connected")
    await floor.store.pause("d", floor.now + 60_000, "lunch")
    assert (await floor.store.gauges()).agents == {"on_call": 2, "wrap_up": 1, "paused": 1, "available": 1}
    await floor.store.pause(call.attempt.agent_id, None, "after this one")
    floor.clock.advance(60)
    assert (await floor.store.gauges()).agents == {"on_call": 2, "available": 3}


async def test_agents_who_are_listed_no_more_are_not_counted(floor: Floor) -> None:
    await floor.open(a_directory("yossi"))
    assert (await floor.store.gauges()).agents == {"available": 1}


async def test_unknown_attempts_are_counted(floor: Floor) -> None:
    claim = await floor.dial(Unknown("timed out"))
    assert (await floor.store.gauges()).unknown == 1
    await floor.outcome(claim, "connected")
    assert (await floor.store.gauges()).unknown == 0


async def test_a_lead_that_is_dialled_by_nobody_is_unaccounted_for(floor: Floor) -> None:
    claim = await floor.dial()
    await by_hand(floor, "UPDATE agents SET attempt_id = NULL, state = 'available'")
    await by_hand(floor, "UPDATE attempts SET state = 'lapsed', look_at = NULL, holds_agent = 0")
    assert (await floor.attempt(claim))["state"] == "lapsed"
    assert (await floor.store.gauges()).unaccounted == 1
    await by_hand(floor, "UPDATE leads SET state = 'failed', ended_at = 1")
    await by_hand(floor, "UPDATE events SET to_state = 'failed' WHERE event = 'placed'")


@pytest.mark.parametrize("hold", [None, "country"])
async def test_a_lead_that_should_have_expired_long_ago_is_unaccounted_for(floor: Floor, hold: str | None) -> None:
    new = a_lead(hold=hold)
    await floor.accept(new)
    await by_hand(floor, "UPDATE leads SET expires_at = received_at")
    floor.clock.advance(GRACE / 1000 - 0.001)
    assert (await floor.store.gauges()).unaccounted == 0
    floor.clock.advance(0.001)
    assert (await floor.store.gauges()).unaccounted == 1
    assert await floor.store.expire() == [new.id]
    assert (await floor.store.gauges()).unaccounted == 0


async def test_an_attempt_that_nobody_has_looked_at_for_long_is_unaccounted_for(floor: Floor) -> None:
    claim = await floor.dial()
    floor.clock.advance(300 + GRACE / 1000 - 0.001)
    assert (await floor.store.gauges()).unaccounted == 0
    floor.clock.advance(0.001)
    assert (await floor.store.gauges()).unaccounted == 1
    await floor.silence(claim)
    assert (await floor.store.gauges()).unaccounted == 0
