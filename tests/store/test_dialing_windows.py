"""Due leads whose own number may not be rung are passed over, put off, or held. Both engines."""

from __future__ import annotations

from dataclasses import replace

from app.directory import Directory, Hours, Period, Policy
from app.domain.answers import Placed
from app.domain.guards import HELD_FOR
from app.domain.priority import backlog_due
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_directory, a_lead, a_term

LONDON, NEW_YORK = "+442079460958", "+12125550123"


def windowed(*agents: str) -> Directory:
    """At START it is 12:00 in Jerusalem, 10:00 in London, and 05:00 in New York."""
    decent = Hours("decent", "UTC", ((Period(9 * 60, 21 * 60),),) * 7)
    policy = Policy(dialing_window="decent", dialing_zones={"US": "America/New_York"})
    return replace(a_directory(*agents), policy=policy, hours={"decent": decent})


async def test_a_claim_passes_over_numbers_that_may_not_be_rung_now(floor: Floor) -> None:
    await floor.open(windowed("dana", "yossi"))
    asleep, awake = a_lead(NEW_YORK, due_at=START - 1000, expires_at=START + 9 * HOUR), a_lead(LONDON)
    for new in (asleep, awake):
        await floor.accept(new)
    claim = await floor.claim()
    assert claim.lead.id == awake.id
    assert (await floor.lead(asleep.id))["state"] == "waiting"
    await floor.send(claim)
    await floor.answer(claim, Placed("c1"))
    await floor.outcome(claim, "connected")
    floor.clock.advance(4 * 3600 - 1)
    assert await floor.claim_all() == ([], [])
    floor.clock.advance(1)
    assert (await floor.claim()).lead.id == asleep.id


async def test_due_leads_are_listed_with_their_numbers_longest_due_first(floor: Floor) -> None:
    first, second = a_lead(NEW_YORK, due_at=START - 1000), a_lead(LONDON)
    others = (a_lead(due_at=START + 1), a_lead(site="sales"), a_lead(hold="country"))
    for new in (second, first, *others):
        await floor.accept(new)
    assert await floor.store.due_numbers("main", 10) == [(first.id, NEW_YORK), (second.id, LONDON)]
    assert await floor.store.due_numbers("main", 1) == [(first.id, NEW_YORK)]
    assert await floor.store.due_numbers("unheard of", 10) == []


async def test_leads_are_put_off_unless_they_have_been_moved_meanwhile(floor: Floor) -> None:
    due, other, later = a_lead(), a_lead(), a_lead(due_at=START + MINUTE)
    for new in (due, other, later):
        await floor.accept(new)
    claims, _ = await floor.claim_all(most=1)
    taken = claims[0].lead.id
    left = ({due.id, other.id} - {taken}).pop()
    moved = await floor.store.put_off_leads([due.id, other.id, later.id, "nobody"], a_term(START + HOUR))
    assert moved == [left]
    row = await floor.lead(left)
    assert (row["state"], row["reason"], row["due_at"], row["expires_at"]) == (
        "waiting", "closed", backlog_due(START + HOUR, START), START + 2 * HOUR,
    )  # fmt: skip
    assert (await floor.lead(later.id))["due_at"] == START + MINUTE
    assert (await floor.lead(taken))["state"] == "dialing"


async def test_leads_are_held_once_and_their_history_says_why(floor: Floor) -> None:
    due, later = a_lead(), a_lead(due_at=START + MINUTE)
    for new in (due, later):
        await floor.accept(new)
    assert await floor.store.hold_leads([due.id, later.id]) == [due.id]
    assert await floor.store.hold_leads([due.id]) == []
    row = await floor.lead(due.id)
    assert (row["state"], row["reason"], row["due_at"]) == ("held", "dialing_window", None)
    assert row["expires_at"] == START + HELD_FOR
    assert await floor.history(due.id) == ["received", "held"]
    assert await floor.store.release(due.id, "operator", a_term(START)) == "waiting"
