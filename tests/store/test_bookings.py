"""What slots of callbacks are filled with: waiting leads by the moment they are due. Both engines."""

from __future__ import annotations

from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_lead, a_term


async def test_waiting_leads_are_counted_by_site_and_moment(floor: Floor) -> None:
    """Callbacks, leads for the next opening and retries alike: each of them takes an agent's time then."""
    for site, due, reason in (
        ("main", START + HOUR, "scheduled"),
        ("main", START + HOUR, "closed"),
        ("main", START + HOUR + 1, "retry"),
        ("sales", START + HOUR, "scheduled"),
    ):
        await floor.accept(a_lead(site=site, due_at=due, reason=reason))
    booked = await floor.store.booked(["main", "sales", "unheard of"], START, START + 2 * HOUR, overdue=True)
    assert booked == {
        "main": {START + HOUR: 2, START + HOUR + 1: 1},
        "sales": {START + HOUR: 1},
        "unheard of": {},
    }
    assert await floor.store.booked(["sales"], START, START + HOUR, overdue=True) == {"sales": {}}
    assert await floor.store.booked(["sales"], START + HOUR, START + HOUR + 1, overdue=False) == {
        "sales": {START + HOUR: 1}
    }


async def test_only_waiting_leads_count(floor: Floor) -> None:
    """Neither a held one nor one that is over or being dialled."""
    due = START + HOUR
    held, cancelled = a_lead(hold="country", due_at=due), a_lead(due_at=due, reason="scheduled")
    for new in (held, cancelled):
        await floor.accept(new)
    assert await floor.store.booked(["main"], START, due + 1, overdue=True) == {"main": {due: 1}}
    await floor.store.cancel(cancelled.id, "lead")
    await floor.dial()
    assert await floor.store.booked(["main"], START, due + 1, overdue=True) == {"main": {}}


async def test_the_overdue_count_at_the_beginning_where_they_count(floor: Floor) -> None:
    for due in (START - HOUR, START - MINUTE, START, START + MINUTE):
        await floor.accept(a_lead(due_at=due))
    later = START + MINUTE
    assert await floor.store.booked(["main"], START, later + 1, overdue=True) == {"main": {START: 3, later: 1}}
    assert await floor.store.booked(["main"], START, later + 1, overdue=False) == {"main": {START: 1, later: 1}}
    assert await floor.store.booked(["main"], later, later + 1, overdue=False) == {"main": {later: 1}}


async def test_a_lead_that_moves_takes_its_count_along(floor: Floor) -> None:
    new = a_lead(due_at=START + HOUR, reason="scheduled")
    await floor.accept(new)
    await floor.store.reschedule(new.id, a_term(START + 2 * HOUR))
    found = await floor.store.booked(["main"], START, START + 3 * HOUR, overdue=True)
    assert found == {"main": {START + 2 * HOUR: 1}}
