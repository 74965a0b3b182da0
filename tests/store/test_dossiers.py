"""What an explanation is made of, kept as it happens and read in one piece. Both engines."""

from __future__ import annotations

from app.directory import CallCap, Cooldown, Rate
from app.domain.answers import Placed
from app.domain.guards import Cap, NumberCap
from app.domain.hits import Hit
from app.domain.priority import AGAIN, BACKLOG, FRESH, PROMISED
from app.store.tables import events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_directory, a_lead, a_term, leg

PHONE = "+972541112222"
ONCE_AND_TWICE = Cooldown("hold", (Rate(1, 600), Rate(3, 86_400)))


async def whys(floor: Floor, event: str, lead_id: str) -> list[str | None]:
    return [row["why"] for row in await floor.rows(events, event=event, lead_id=lead_id)]


def cap(limit: int) -> NumberCap:
    return NumberCap(limit, START - HOUR, lambda site: a_term(START + 24 * HOUR))


# -------------------------------------------------------------------------------------------- guards' figures


async def test_a_cooldown_keeps_how_often_the_number_has_asked(floor: Floor) -> None:
    """Of two rates that are used up, the one that lasts longer."""
    for number in range(4):
        new = a_lead(PHONE, at=floor.now)
        await floor.accept(new, ONCE_AND_TWICE)
        if number == 1:
            assert await whys(floor, "held", new.id) == [
                "cooldown: request 2 of this number within 10 minutes; 1 is let through"
            ]
            await floor.store.release(new.id, "operator", a_term(floor.now))
        if number == 3:
            assert await whys(floor, "held", new.id) == [
                "cooldown: request 4 of this number within 1 day; 3 are let through"
            ]
        await floor.store.cancel(new.id, "lead")
        floor.clock.advance(1 if number == 0 else 3600)


async def test_a_cap_on_calls_keeps_which_one_is_spent_at_the_door_and_at_the_claim(floor: Floor) -> None:
    floor.calls = CallCap("hold", 1, None)
    first, second = a_lead(due_at=START - 2), a_lead(due_at=START - 1)
    for new in (first, second):
        await floor.accept(new)
    floor.caps = (Cap("hour", START, 1, START + HOUR),)
    claims, held = await floor.claim_all()
    assert ([claim.lead.id for claim in claims], held) == ([first.id], [second.id])
    third = a_lead()
    await floor.accept(third)
    for lead in (second, third):
        assert await whys(floor, "held", lead.id) == ["calls: the 1 call of this hour spent"]


async def test_a_cap_that_only_observes_is_kept_with_the_lead_it_would_have_stopped(floor: Floor) -> None:
    floor.calls, floor.caps = CallCap("observe", 1, None), ()
    first, second = a_lead(due_at=START - 2), a_lead(due_at=START - 1)
    for new in (first, second):
        await floor.accept(new)
    floor.caps = (Cap("hour", START, 1, START + HOUR),)
    assert len((await floor.claim_all())[0]) == 2
    assert await whys(floor, "observed", first.id) == []
    assert await whys(floor, "observed", second.id) == ["calls: the 1 call of this hour spent"]


async def test_all_guards_that_spoke_are_kept_and_in_which_mode(floor: Floor) -> None:
    country, premium = (
        Hit("country", "hold", "a number of GB; we ring IL"),
        Hit("premium", "hold", "a toll free number"),
    )
    other = Hit("country", "observe", "a number of GB; we ring IL")
    held, seen = a_lead(hold="premium", hits=(premium, country)), a_lead(hits=(other,))
    for new in (held, seen):
        await floor.accept(new)
    assert await whys(floor, "held", held.id) == ["premium: a toll free number"]
    assert await whys(floor, "observed", held.id) == ["country (hold): a number of GB; we ring IL"]
    assert await whys(floor, "observed", seen.id) == ["country: a number of GB; we ring IL"]


async def test_an_outage_keeps_how_long_nothing_could_be_dialled(floor: Floor) -> None:
    await floor.store.after_standstill(MINUTE, 15 * MINUTE)
    new = a_lead()
    await floor.accept(new)
    floor.clock.advance(1800)
    await floor.store.after_standstill(MINUTE, 15 * MINUTE)
    assert await whys(floor, "held", new.id) == ["outage: nothing could be dialled for 30 minutes"]


# ------------------------------------------------------------------------------------------------ the attempts


async def test_a_request_keeps_the_ring_time_and_what_is_left_of_the_deadline(floor: Floor) -> None:
    for passed, left in ((0, "20 40"), (26, "14 14"), (100, "20 -60")):
        new = a_lead()
        await floor.accept(new)
        floor.clock.advance(passed - (floor.now - START) / 1000)
        claim = await floor.claim()
        assert await floor.store.begin_sending(claim, "me", 22_000, int(left.split()[0]))
        assert await whys(floor, "sending", new.id) == [left]
        await floor.answer(claim, Placed("c"))
        await floor.outcome(claim, "connected")
        await floor.store.end_pauses()


async def test_a_record_is_told_by_the_call_log_where_it_says_when_the_call_began(floor: Floor) -> None:
    """And by the provider where it was pushed: those do not say it (facts 2.6)."""
    for started, who in ((None, "provider"), (START, "call log")):
        claim = await floor.dial()
        await floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=9, started_at=started))
        rows = await floor.rows(events, lead_id=claim.lead.id)
        assert [row["who"] for row in rows if row["event"] in ("reported", "connected")] == [who, who]
        floor.clock.advance(60)


# ------------------------------------------------------------------------------------------------- the dossier


async def test_a_dossier_has_everything_that_is_known(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.outcome(claim, "lead_no_answer")
    await floor.store.pause("yossi", None, "lunch")
    await floor.store.turn({"dialling": False}, "operator", "trouble")
    found = await floor.store.dossier(claim.lead.id, None)
    assert found is not None
    assert (found.at, found.story.lead.id, found.story.lead.reason) == (START, claim.lead.id, "retry")
    (one,) = found.attempts
    assert (one.attempt.id, one.attempt.outcome, one.ended_at, one.look_at) == (
        claim.attempt.id, "lead_no_answer", START, None
    )  # fmt: skip
    assert (found.agents["dana"].state, found.agents["yossi"].pause_reason) == ("wrap_up", "lunch")
    assert (found.dialling.on, found.dialling.why) == (False, "trouble")
    assert (found.ahead, found.rung_out) == ({}, False), "it is not due"
    assert await floor.store.dossier("no such lead", None) is None


async def test_a_dossier_counts_who_is_before_it_by_rank(floor: Floor) -> None:
    floor.clock.advance(700)
    for rank, due in (
        (PROMISED, 699),
        (FRESH, 100),
        (FRESH, 600),
        (AGAIN, 10),
        (BACKLOG, 5),
        (FRESH, 699),
        (BACKLOG, 600),
    ):
        await floor.accept(a_lead(due_at=START + due * 1000, rank=rank))
    mine = a_lead(due_at=START + 690 * 1000)
    await floor.accept(mine)
    found = await floor.store.dossier(mine.id, None)
    assert found is not None
    assert found.ahead == {PROMISED: 1, FRESH: 2, AGAIN: 1, BACKLOG: 1}
    assert sum(found.ahead.values()) == found.story.ahead


async def test_a_dossier_tells_whether_the_number_has_been_rung_enough(floor: Floor) -> None:
    await floor.open(a_directory("dana", retry_lead=(0, 0, 0), wrap_up=0))
    claim = await floor.dial(new=a_lead(PHONE))
    await floor.outcome(claim, "lead_no_answer")
    for limit, rung_out in ((2, False), (1, True)):
        found = await floor.store.dossier(claim.lead.id, cap(limit))
        assert found is not None
        assert found.rung_out is rung_out
