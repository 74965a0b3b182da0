"""Reading and ending leads: cancel, release, expire, put off, the view; and what outlives the process. Both engines."""

from __future__ import annotations

import pytest

from app.domain.guards import HELD_FOR
from app.domain.priority import BACKLOG, backlog_due
from app.store.sql_store import SqlStore
from app.store.tables import events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_directory, a_lead, a_term


@pytest.mark.parametrize("hold", [None, "country"])
async def test_what_is_not_ringing_yet_can_be_cancelled(floor: Floor, hold: str | None) -> None:
    new = a_lead(hold=hold)
    await floor.accept(new)
    floor.clock.advance(1)
    assert await floor.store.cancel(new.id, "visitor") == "cancelled"
    row = await floor.lead(new.id)
    assert (row["state"], row["reason"], row["ended_at"], row["due_at"]) == ("cancelled", "visitor", floor.now, None)
    assert await floor.claim_all() == ([], [])


async def test_what_is_being_dialled_or_over_is_not_cancelled(floor: Floor) -> None:
    claim = await floor.dial()
    before = await floor.rows(events)
    assert await floor.store.cancel(claim.lead.id, "visitor") == "dialing"
    await floor.outcome(claim, "connected")
    assert await floor.store.cancel(claim.lead.id, "visitor") == "connected"
    assert await floor.store.cancel("no such lead", "visitor") is None
    assert [row["event"] for row in await floor.rows(events)][len(before) :] == ["connected"]


async def test_a_person_releases_a_held_lead_with_a_new_term(floor: Floor) -> None:
    new = a_lead(hold="country")
    await floor.accept(new)
    floor.clock.advance(86_400)
    assert await floor.store.release(new.id, "operator", a_term(floor.now)) == "waiting"
    row = await floor.lead(new.id)
    assert (row["due_at"], row["expires_at"], row["admitted"]) == (floor.now, floor.now + HOUR, 1)
    assert (await floor.claim()).lead.id == new.id


async def test_only_what_is_held_can_be_released(floor: Floor) -> None:
    new = a_lead()
    await floor.accept(new)
    assert await floor.store.release(new.id, "operator", a_term(START)) == "waiting"
    assert await floor.history(new.id) == ["received"]
    await floor.store.cancel(new.id, "visitor")
    assert await floor.store.release(new.id, "operator", a_term(START)) == "cancelled"
    assert await floor.store.release("no such lead", "operator", a_term(START)) is None


async def test_a_lead_that_was_not_rung_in_time_expires_to_the_millisecond(floor: Floor) -> None:
    await floor.open(a_directory())
    new = a_lead()
    await floor.accept(new)
    floor.clock.advance(HOUR / 1000 - 0.001)
    assert await floor.store.expire() == []
    floor.clock.advance(0.001)
    assert await floor.store.expire() == [new.id]
    row = await floor.lead(new.id)
    assert (row["state"], row["reason"], row["ended_at"]) == ("expired", "expired", floor.now)
    assert await floor.history(new.id) == ["received", "expired"]


async def test_a_held_lead_that_nobody_looked_at_expires_after_a_week(floor: Floor) -> None:
    new = a_lead(hold="country")
    await floor.accept(new)
    floor.clock.advance(HELD_FOR / 1000)
    assert await floor.store.expire() == [new.id]


async def test_a_lead_that_is_being_dialled_does_not_expire(floor: Floor) -> None:
    await floor.dial(new=a_lead(expires_at=START + 1))
    floor.clock.advance(60)
    assert await floor.store.expire() == []


async def test_a_lead_whose_phone_has_rung_is_left_to_its_retry_schedule(floor: Floor) -> None:
    """Each retry has a term of its own, from when it is due: an hour for one that was due after ten minutes."""
    claim = await floor.dial()
    await floor.outcome(claim, "lead_no_answer")
    floor.clock.advance(69 * 60)
    assert await floor.store.expire() == []
    assert (await floor.claim()).lead.id == claim.lead.id


async def test_a_retry_that_nobody_could_take_in_its_term_ends(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.outcome(claim, "lead_no_answer")
    floor.clock.advance(70 * 60)
    assert await floor.store.expire() == [claim.lead.id]


async def test_a_site_that_has_closed_puts_off_what_is_due_and_nothing_else(floor: Floor) -> None:
    due, later, elsewhere = a_lead(), a_lead(due_at=START + 1), a_lead(site="sales")
    held = a_lead(hold="country")
    for new in (due, later, elsewhere, held):
        await floor.accept(new)
    assert await floor.store.put_off("main", a_term(START + 12 * HOUR)) == 1
    row = await floor.lead(due.id)
    assert (row["due_at"], row["expires_at"]) == (backlog_due(START + 12 * HOUR, START), START + 13 * HOUR)
    assert (row["reason"], row["rank"], row["deadline_at"]) == ("closed", BACKLOG, START + 12 * HOUR + 40_000)
    assert (await floor.lead(later.id))["due_at"] == START + 1
    assert (await floor.lead(elsewhere.id))["due_at"] == START


async def test_the_next_due_lead_of_these_sites_is_known(floor: Floor) -> None:
    for new in (
        a_lead(due_at=START),
        a_lead(due_at=START + 2 * MINUTE),
        a_lead(due_at=START + MINUTE, site="sales"),
        a_lead(due_at=START + 1, hold="country"),
    ):
        await floor.accept(new)
    assert await floor.store.next_due(["main"]) == START + 2 * MINUTE
    assert await floor.store.next_due(["main", "sales"]) == START + MINUTE
    assert await floor.store.next_due(["unheard of"]) is None
    assert await floor.store.next_due([]) is None


async def test_a_lead_s_story_tells_agent_attempt_and_who_is_ahead(floor: Floor) -> None:
    await floor.open(a_directory())
    first, second, other = a_lead(due_at=START - 2), a_lead(due_at=START - 1), a_lead(due_at=START - 3, site="sales")
    for new in (first, second, other):
        await floor.accept(new)
    story = await floor.store.story(second.id)
    assert story is not None
    assert (story.ahead, story.agent_id, story.attempt_state) == (1, None, None)
    await floor.open(a_directory("dana"))
    claim = await floor.claim()
    story = await floor.store.story(claim.lead.id)
    assert story is not None
    assert (story.lead.state, story.agent_id, story.attempt_state) == ("dialing", "dana", "reserved")
    assert ([event.event for event in story.history], story.ahead) == (["received", "reserved"], 0)
    assert await floor.store.story("no such lead") is None


async def test_leads_are_listed_newest_first_by_state(floor: Floor) -> None:
    found = [a_lead(received_at=START + number, hold="country" if number % 2 else None) for number in range(6)]
    for new in found:
        await floor.accept(new)
    newest = [new.id for new in reversed(found)]
    assert [lead.id for lead in await floor.store.leads([], 10)] == newest
    assert [lead.id for lead in await floor.store.leads(["held"], 2)] == [newest[0], newest[2]]
    assert [lead.id for lead in await floor.store.leads(["held", "waiting"], 3)] == newest[:3]


async def test_the_made_key_is_made_once(store: SqlStore) -> None:
    key = await store.secret_key()
    assert len(key) >= 40
    assert await store.secret_key() == key
