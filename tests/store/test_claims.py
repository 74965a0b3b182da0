"""Claiming: due leads and free agents, reserved for each other, within the cap. Both engines."""

from __future__ import annotations

from typing import Any

import pytest

from app.directory import CallCap
from app.domain.answers import NotSent, Placed, Refused
from app.domain.guards import HELD_FOR, Cap, NumberCap
from app.domain.priority import AGAIN, BACKLOG, FRESH, PROMISED
from app.store import due
from app.store.tables import attempts, budgets
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, Floor, a_directory, a_lead, a_term

HOLD = CallCap("hold", None, None)


def caps(hour: int, day: int) -> tuple[Cap, ...]:
    return Cap("hour", START, hour, START + HOUR), Cap("day", START, day, START + 24 * HOUR)


async def leads_at(floor: Floor, *seconds: float, site: str = "main") -> list[str]:
    """Leads that fall due so many seconds from the start, stored in this order; their ids."""
    found = []
    for second in seconds:
        new = a_lead(site=site, due_at=START + round(second * 1000))
        await floor.accept(new)
        found.append(new.id)
    return found


async def claimed(floor: Floor, most: int = 32) -> list[tuple[str, str]]:
    """Lead and agent of each claim of one round."""
    claims, _ = await floor.claim_all(most=most)
    return [(claim.lead.id, claim.attempt.agent_id) for claim in claims]


# ------------------------------------------------------------------------------------------ reservations


async def test_a_claim_reserves_lead_agent_and_attempt_together(floor: Floor) -> None:
    (lead,) = await leads_at(floor, 0)
    claim = await floor.claim("me")
    assert (claim.lead.id, claim.lead.state, claim.attempt.agent_id) == (lead, "waiting", "dana")
    attempt, row, agent = await floor.attempt(claim), await floor.lead(lead), await floor.agent("dana")
    assert (attempt["state"], attempt["owner"], attempt["holds_agent"], attempt["number"]) == ("reserved", "me", 1, 1)
    assert (attempt["extension"], attempt["look_at"], attempt["reserved_at"]) == ("SIPdana", START + 5000, START)
    assert (row["state"], row["attempt_id"], row["attempts"], row["due_at"]) == ("dialing", claim.attempt.id, 1, None)
    assert (agent["state"], agent["attempt_id"], agent["assigned_at"]) == ("reserved", claim.attempt.id, START)
    assert await floor.history(lead) == ["received", "reserved"]


async def test_nothing_due_or_nobody_free_is_no_claim(floor: Floor) -> None:
    assert await floor.claim_all() == ([], [])
    await leads_at(floor, 0, 0, 0)
    assert len(await claimed(floor)) == 2
    assert await claimed(floor) == []


async def test_who_is_on_a_call_is_passed_over_however_long_idle_before(floor: Floor) -> None:
    """The belt alone would hold, too: but then nobody at all would be dialled."""
    busy = await floor.dial()
    assert (await floor.agent(busy.attempt.agent_id))["idle_since"] == 0
    await floor.accept()
    assert (await floor.claim()).attempt.agent_id == "yossi"


async def test_leads_are_taken_in_the_order_in_which_they_fall_due(floor: Floor) -> None:
    later, first, third, second = await leads_at(floor, 60, -3, -1, -2)
    assert [lead for lead, _ in await claimed(floor)] == [first, second]
    for claim in await floor.rows(attempts):
        assert claim["lead_id"] not in (later, third)


async def test_a_lead_is_not_taken_a_millisecond_before_it_is_due(floor: Floor) -> None:
    await leads_at(floor, 1)
    floor.clock.advance(0.999)
    assert await claimed(floor) == []
    floor.clock.advance(0.001)
    assert len(await claimed(floor)) == 1


async def test_due_order_holds_across_sites(floor: Floor) -> None:
    await floor.open(a_directory("dana", skills={"dana": ["sales"]}))
    await leads_at(floor, -1, site="main")
    (oldest,) = await leads_at(floor, -2, site="sales")
    assert await claimed(floor) == [(oldest, "dana")]


async def test_a_round_takes_at_most_what_it_is_told(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c"))
    await leads_at(floor, 0, 0, 0)
    assert len(await claimed(floor, most=2)) == 2


async def test_a_second_try_is_attempt_number_two(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.outcome(claim, "agent_no_answer")
    again = await floor.claim()
    assert (again.lead.id, again.attempt.number) == (claim.lead.id, 2)


# ----------------------------------------------------------------------------------------- who may serve


async def test_only_sites_that_a_free_agent_can_serve_are_looked_at(floor: Floor) -> None:
    await floor.open(a_directory("dana", "yossi", skills={"dana": ["sales"]}))
    (sale,) = await leads_at(floor, -2, site="sales")
    assert await claimed(floor) == [(sale, "dana")]
    await leads_at(floor, -1, site="sales")
    (other,) = await leads_at(floor, 0, site="main")
    assert await claimed(floor) == [(other, "yossi")]


async def test_older_leads_that_nobody_can_take_do_not_block_younger_ones(floor: Floor) -> None:
    await floor.open(a_directory("dana", "yossi", skills={"dana": ["sales"]}))
    await leads_at(floor, *[-10] * 40, site="sales")
    (young,) = await leads_at(floor, 0, site="main")
    found: list[tuple[str, str]] = []
    while made := await claimed(floor):
        found += made
    assert (young, "yossi") in found


async def test_a_lead_of_a_site_that_is_listed_no_more_waits(floor: Floor) -> None:
    await leads_at(floor, 0, site="closed down")
    assert await claimed(floor) == []


async def test_the_agent_who_has_just_missed_this_lead_is_asked_last(floor: Floor) -> None:
    claim = await floor.dial()
    assert claim.attempt.agent_id == "dana"
    await floor.outcome(claim, "agent_no_answer")
    floor.clock.advance(60)
    await floor.store.end_pauses()
    assert (await floor.claim()).attempt.agent_id == "yossi"


async def test_who_has_just_missed_this_lead_is_asked_last_although_idle_longest(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.outcome(claim, "agent_no_answer")
    await floor.store.pause("dana", None, "not to be taken for what comes between")
    between = await floor.dial(Placed("c2"), a_lead(at=floor.now - 1000))
    assert between.attempt.agent_id == "yossi"
    floor.clock.advance(60)
    await floor.outcome(between, "connected")
    floor.clock.advance(60)
    await floor.store.resume("dana")
    assert (await floor.agent("dana"))["idle_since"] < (await floor.agent("yossi"))["idle_since"]
    assert (await floor.claim()).attempt.agent_id == "yossi"


async def test_the_agent_to_avoid_is_asked_when_there_is_nobody_else(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    claim = await floor.dial()
    await floor.outcome(claim, "agent_no_answer")
    floor.clock.advance(60)
    assert (await floor.claim()).attempt.agent_id == "dana"


async def test_a_paused_agent_is_never_reserved(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    await leads_at(floor, 0)
    await floor.store.pause("dana", None, "lunch")
    floor.clock.advance(3 * 86_400)
    assert await claimed(floor) == []
    await floor.store.resume("dana")
    assert len(await claimed(floor)) == 1


async def test_a_pause_ends_by_itself_to_the_millisecond(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    await leads_at(floor, 0)
    await floor.store.pause("dana", START + 60_000, "lunch")
    floor.clock.advance(59.999)
    assert await claimed(floor) == []
    floor.clock.advance(0.001)
    assert len(await claimed(floor)) == 1
    assert ((await floor.agent("dana"))["paused"], (await floor.agent("dana"))["pause_reason"]) == (0, None)


@pytest.mark.parametrize(("rule", "seconds"), [("agent_offline", 60), ("agent_blocked", 900)])
async def test_an_agent_whom_the_provider_refused_is_left_alone_for_a_while(
    floor: Floor, rule: str, seconds: int
) -> None:
    await floor.open(a_directory("dana"))
    await floor.dial(Refused(3, "no", rule))  # type: ignore[arg-type]
    assert (await floor.agent("dana"))["state"] == rule.removeprefix("agent_")
    floor.clock.advance(seconds - 0.001)
    assert await claimed(floor) == []
    floor.clock.advance(0.001)
    assert len(await claimed(floor)) == 1


async def test_nobody_is_called_during_wrap_up(floor: Floor) -> None:
    await floor.open(a_directory("dana", wrap_up=30))
    claim = await floor.dial()
    await floor.outcome(claim, "connected")
    (lead,) = await leads_at(floor, 0)
    floor.clock.advance(29.999)
    assert await claimed(floor) == []
    floor.clock.advance(0.001)
    assert await claimed(floor) == [(lead, "dana")]


async def test_an_agent_who_is_listed_no_more_is_never_reserved(floor: Floor) -> None:
    await leads_at(floor, 0, 0)
    whole = floor.directory
    await floor.open(a_directory("yossi"))
    floor.directory = whole  # another replica has not reloaded yet
    assert [agent for _, agent in await claimed(floor)] == ["yossi"]


async def test_an_agent_whom_the_table_does_not_know_is_never_reserved(floor: Floor) -> None:
    floor.directory = a_directory("stranger")
    await leads_at(floor, 0)
    assert await claimed(floor) == []


async def test_who_has_been_idle_longest_is_asked_first(floor: Floor) -> None:
    first = await floor.dial()
    floor.clock.advance(10)
    second = await floor.dial()
    assert (first.attempt.agent_id, second.attempt.agent_id) == ("dana", "yossi")
    await floor.outcome(second, "connected")
    floor.clock.advance(1)
    await floor.outcome(first, "connected")
    floor.clock.advance(60)
    await leads_at(floor, 0)
    assert (await floor.claim()).attempt.agent_id == "yossi"


# ------------------------------------------------------------------------------------------ the money cap


async def used(floor: Floor) -> dict[str, int]:
    return {row["span"]: row["used"] for row in await floor.rows(budgets)}


async def test_what_is_over_the_cap_is_held_and_not_dialled(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d"))
    floor.calls, floor.caps = HOLD, caps(hour=2, day=100)
    ids = [a_lead(due_at=START - 10 + n) for n in range(4)]
    floor.caps = ()
    for new in ids:
        await floor.accept(new)
    floor.caps = caps(hour=2, day=100)
    claims, held = await floor.claim_all()
    assert [claim.lead.id for claim in claims] == [new.id for new in ids[:2]]
    assert held == [new.id for new in ids[2:]]
    row = await floor.lead(held[0])
    assert (row["state"], row["reason"], row["expires_at"]) == ("held", "calls", START + HELD_FOR)
    assert await floor.history(held[0]) == ["received", "held"]
    assert await used(floor) == {"hour": 2, "day": 2}


async def test_a_lead_that_the_cap_stops_takes_no_agent_from_the_next(floor: Floor) -> None:
    """Two agents and four leads: whoever may not be dialled is told so at once, and not when somebody else is free."""
    for number in range(4):
        await floor.accept(a_lead(due_at=START - 10 + number))
    floor.calls, floor.caps = HOLD, caps(hour=1, day=100)
    claims, held = await floor.claim_all()
    assert (len(claims), len(held)) == (1, 3)


@pytest.mark.parametrize(("hour", "day"), [(3, 100), (100, 3), (3, 3)])
async def test_the_smallest_cap_counts_and_no_other_is_overdrawn(floor: Floor, hour: int, day: int) -> None:
    floor.calls = HOLD
    await leads_at(floor, *range(-10, 0))
    floor.caps = caps(hour, day)
    placed = 0
    while True:
        claims, _ = await floor.claim_all()
        for claim in claims:
            await floor.send(claim)
            await floor.answer(claim, Placed("c"))
            await floor.outcome(claim, "connected")
            placed += 1
        floor.clock.advance(60)
        if not claims:
            break
    assert placed == 3
    assert await used(floor) == {"hour": 3, "day": 3}


async def test_a_new_hour_has_a_budget_of_its_own(floor: Floor) -> None:
    floor.calls, floor.caps = HOLD, (Cap("hour", START, 1, START + HOUR),)
    await leads_at(floor, 0)
    assert len(await claimed(floor)) == 1
    floor.caps = (Cap("hour", START + HOUR, 1, START + 2 * HOUR),)
    await leads_at(floor, 0)
    assert len(await claimed(floor)) == 1


async def test_a_cap_that_only_observes_stops_nobody_and_counts_all(floor: Floor) -> None:
    floor.calls, floor.caps = CallCap("observe", 1, 1), caps(hour=1, day=1)
    await leads_at(floor, 0, 0)
    assert len(await claimed(floor)) == 2
    assert await used(floor) == {"hour": 2, "day": 2}


async def test_a_call_that_was_never_made_is_given_back(floor: Floor) -> None:
    floor.calls, floor.caps = HOLD, caps(hour=1, day=1)
    claim = await floor.dial(NotSent("refused"))
    assert await used(floor) == {"hour": 0, "day": 0}
    floor.clock.advance(10)
    again = await floor.claim()
    assert again.lead.id == claim.lead.id


async def test_a_reservation_that_lapses_is_given_back_and_a_call_is_not(floor: Floor) -> None:
    floor.calls, floor.caps = HOLD, caps(hour=9, day=9)
    await floor.accept()
    await floor.silence(await floor.claim())
    await floor.open(a_directory("yossi"))
    claim = await floor.claim()
    await floor.send(claim)
    await floor.answer(claim, Placed("c1"))
    await floor.outcome(claim, "lead_busy")
    assert await used(floor) == {"hour": 1, "day": 1}


async def test_a_released_lead_is_dialled_when_there_is_budget_again(floor: Floor) -> None:
    floor.calls, floor.caps = HOLD, ()
    (lead,) = await leads_at(floor, 0)
    floor.caps = caps(hour=0, day=1)
    assert (await floor.claim_all())[1] == [lead]
    floor.caps = caps(hour=1, day=1)
    await floor.store.release(lead, "operator", a_term(START))
    assert [found for found, _ in await claimed(floor)] == [lead]


async def test_an_agent_who_speaks_the_lead_s_language_is_found_behind_any_number_of_others(floor: Floor) -> None:
    """The strategy's first few free ones are not enough to choose from."""
    crowd = [f"a{number:02}" for number in range(30)]
    await floor.open(a_directory(*crowd, "last", skills={"last": ["ru"]}))
    await floor.accept(a_lead(at=floor.now, asked_language="ru-RU"))
    await floor.accept(a_lead(at=floor.now + 1))
    floor.clock.advance(1)
    claims, _ = await floor.claim_all()
    assert [claim.attempt.agent_id for claim in claims] == ["last", "a00"]


async def test_a_returning_number_goes_to_its_last_agent_first_for_a_set_time(floor: Floor) -> None:
    await floor.open(a_directory("dana", "yossi", sticky=3600))
    first = await floor.dial(new=a_lead("+972541112222", at=floor.now))
    assert first.attempt.agent_id == "dana"
    await floor.outcome(first, "connected")
    floor.clock.advance(60)
    again = await floor.dial(new=a_lead("+972541112222", at=floor.now))
    assert again.attempt.agent_id == "dana", "although Yossi has been idle for longer"
    await floor.outcome(again, "connected")
    floor.clock.advance(3601)
    later = await floor.dial(new=a_lead("+972541112222", at=floor.now))
    assert later.attempt.agent_id == "yossi"


async def test_a_returning_number_does_not_wait_for_its_last_agent_nor_go_to_one_it_never_reached(floor: Floor) -> None:
    await floor.open(a_directory("dana", "yossi", sticky=3600))
    first = await floor.dial(new=a_lead("+972541112222", at=floor.now))
    await floor.outcome(first, "connected")
    second = await floor.dial(new=a_lead("+972541112222", at=floor.now))
    assert second.attempt.agent_id == "yossi", "Dana wraps up"
    await floor.outcome(second, "lead_no_answer")
    await floor.store.cancel(second.lead.id, "visitor")
    floor.clock.advance(60)
    third = await floor.dial(new=a_lead("+972541112222", at=floor.now))
    assert third.attempt.agent_id == "dana", "with whom it talked"


# ---------------------------------------------------------------------------------------- whose turn it is


async def ranked(floor: Floor, rank: int, second: float, **fields: Any) -> str:
    """A lead of that rank, due so many seconds from the start; its id."""
    new = a_lead(due_at=START + round(second * 1000), rank=rank, **fields)
    await floor.accept(new)
    return new.id


async def test_due_leads_go_by_rank_and_by_how_long_they_have_waited(alone: Floor) -> None:
    alone.clock.advance(20)
    backlog = await ranked(alone, BACKLOG, 0)
    old_backlog = await ranked(alone, BACKLOG, -601)
    again = await ranked(alone, AGAIN, 0)
    fresh, fresher = await ranked(alone, FRESH, 0), await ranked(alone, FRESH, 10)
    promised = await ranked(alone, PROMISED, 0)
    order = []
    for _ in range(6):
        claim = await alone.claim()
        order.append(claim.lead.id)
        assert await alone.send(claim)
        await alone.answer(claim, Refused(1, "wrong", "request_wrong"))  # over, and dana is free again
    assert order == [old_backlog, promised, fresh, fresher, again, backlog]


async def test_a_crowd_of_one_rank_hides_nobody_of_another(floor: Floor) -> None:
    for second in range(40):
        await ranked(floor, FRESH, second)
    floor.clock.advance(3600)
    backlog = await ranked(floor, BACKLOG, 0)
    found = await floor.store.engine.write(due.due_leads, ["main"], floor.now, 4)
    assert len(found) == 5
    assert found[-1].id == backlog


async def test_who_has_just_missed_a_lead_is_not_asked_again_while_anybody_else_is_on_shift(floor: Floor) -> None:
    claim = await floor.dial()
    assert claim.attempt.agent_id == "dana"
    await floor.store.pause("yossi", None, "lunch")
    await floor.outcome(claim, "agent_no_answer")
    floor.clock.advance(60)
    assert await claimed(floor) == [], "dana is free again; yossi will be back"
    floor.clock.advance(61)
    assert await claimed(floor) == [(claim.lead.id, "dana")], "two minutes are enough"


async def test_a_lone_agent_who_missed_a_lead_is_asked_again_after_wrap_up(alone: Floor) -> None:
    claim = await alone.dial()
    await alone.outcome(claim, "agent_no_answer")
    alone.clock.advance(31)
    assert await claimed(alone) == [(claim.lead.id, "dana")]


async def test_a_number_is_rung_so_often_in_a_day_and_goes_on_tomorrow(alone: Floor) -> None:
    """Over all of its leads; only calls in which the lead's phone rang count."""
    alone.numbers = NumberCap(2, START, lambda site: a_term(START + 24 * HOUR))
    claim = await alone.dial()
    for outcome in ("agent_no_answer", "lead_no_answer"):
        await alone.outcome(claim, outcome)
        alone.clock.advance(700)
        claim = await alone.claim()
        assert await alone.send(claim)
        await alone.answer(claim, Placed("again"))
    await alone.outcome(claim, "lead_busy")
    alone.clock.advance(4000)
    assert await claimed(alone) == []
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "retry", START + 24 * HOUR)
    assert (await alone.history(claim.lead.id))[-1] == "number_cap"
    alone.numbers = NumberCap(2, START + 23 * HOUR, lambda site: a_term(START + 48 * HOUR))
    alone.clock.advance(24 * 3600)
    assert len(await claimed(alone)) == 1, "another day"
