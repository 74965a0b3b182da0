"""Who is busy or away by the provider's account is not rung, for as long as that account is fresh. Both engines."""

from __future__ import annotations

import pytest

from app.domain.presence import Verdict
from app.domain.stories import AgentState
from tests.clocks import START
from tests.store.leads_for_tests import Floor, a_directory

KNOWN = 30  # seconds


async def told(floor: Floor, **verdicts: Verdict) -> bool:
    """What was told now, to count for half a minute."""
    return await floor.store.note_presence(verdicts, floor.now + KNOWN * 1000)


async def presence(floor: Floor, agent: str = "dana") -> tuple[str | None, float | None]:
    """The verdict that stands, and for how many seconds after the start."""
    row = await floor.agent(agent)
    until = row["presence_until"]
    return row["presence"], None if until is None else (until - START) / 1000


async def claimed(floor: Floor) -> list[str]:
    """The agents whom the leads that are due would get now."""
    claims, _ = await floor.claim_all()
    return [claim.attempt.agent_id for claim in claims]


# ---------------------------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("verdict", ["busy", "away"])
async def test_a_verdict_counts_until_its_time(floor: Floor, verdict: Verdict) -> None:
    assert not await told(floor, dana=verdict, yossi="free")
    assert await presence(floor) == (verdict, KNOWN)
    assert await presence(floor, "yossi") == (None, None)


async def test_the_same_verdict_is_renewed_when_half_of_its_time_is_over(floor: Floor) -> None:
    """Several hundred agents are not written anew at every look."""
    await told(floor, dana="busy")
    for passed, until in ((10, KNOWN), (15, KNOWN), (15.001, KNOWN + 15.001), (20, KNOWN + 15.001)):
        floor.clock.set_wall(START + round(passed * 1000))
        await told(floor, dana="busy")
        assert (await presence(floor))[1] == until, passed


async def test_another_verdict_replaces_the_one_that_stands_at_once(floor: Floor) -> None:
    await told(floor, dana="busy")
    floor.clock.advance(1)
    await told(floor, dana="away")
    assert await presence(floor) == ("away", KNOWN + 1)


async def test_free_clears_and_tells_once_that_somebody_became_free(floor: Floor) -> None:
    assert not await told(floor, dana="free", yossi="free"), "both were free"
    await told(floor, dana="busy", yossi="away")
    assert await told(floor, dana="free", yossi="away")
    assert await presence(floor) == (None, None)
    assert (await presence(floor, "yossi"))[0] == "away"
    assert not await told(floor, dana="free", yossi="away")


async def test_of_whom_nothing_was_told_nothing_is_forgotten_and_nothing_learned(floor: Floor) -> None:
    await told(floor, dana="busy")
    assert not await told(floor)
    assert not await told(floor, yossi="free")
    assert await presence(floor) == ("busy", KNOWN)


async def test_an_agent_who_is_not_in_the_table_is_passed_over(floor: Floor) -> None:
    assert not await told(floor, nobody="busy")
    assert not await told(floor, nobody="free", dana="free")


async def test_what_is_told_leaves_our_own_books_as_they_are(floor: Floor) -> None:
    """Also the end of a wrap-up, whose column has the shortest name."""
    claim = await floor.dial()
    await floor.outcome(claim, "connected")
    before = await floor.agent("dana")
    assert before["until"] == START + 30_000
    floor.clock.advance(5)
    await told(floor, dana="busy")
    after = await floor.agent("dana")
    mine = {"presence", "presence_until"}
    assert {name for name in after if after[name] != before[name]} == mine
    floor.clock.advance(1)
    await told(floor, dana="free")
    assert await floor.agent("dana") == before


# ---------------------------------------------------------------------------------------------- the claim


@pytest.mark.parametrize("verdict", ["busy", "away"])
async def test_a_lead_goes_past_who_is_not_there_to_the_next_at_once(floor: Floor, verdict: Verdict) -> None:
    """Dana would be first; that she is busy costs the lead no time."""
    await told(floor, dana=verdict, yossi="free")
    await floor.accept()
    assert await claimed(floor) == ["yossi"]


async def test_where_everybody_is_busy_the_lead_waits_and_is_due(floor: Floor) -> None:
    await told(floor, dana="busy", yossi="away")
    accepted = await floor.accept()
    assert await claimed(floor) == []
    row = await floor.lead(accepted.lead_id)
    assert (row["state"], row["due_at"]) == ("waiting", START)


async def test_who_is_free_again_is_rung_at_once(floor: Floor) -> None:
    await told(floor, dana="busy", yossi="busy")
    await floor.accept()
    assert await claimed(floor) == []
    assert await told(floor, dana="free", yossi="busy")
    assert await claimed(floor) == ["dana"]


async def test_a_verdict_that_ran_out_keeps_nobody_from_ringing(floor: Floor) -> None:
    """Fail-open: a provider that says nothing more takes no agents away."""
    await told(floor, dana="busy", yossi="away")
    await floor.accept()
    await floor.accept()
    floor.clock.advance(KNOWN - 0.001)
    assert await claimed(floor) == []
    floor.clock.advance(0.001)
    assert sorted(await claimed(floor)) == ["dana", "yossi"]


@pytest.mark.parametrize("routing", ["longest_idle", "round_robin", "priority", "weighted"])
async def test_every_strategy_goes_past_who_is_busy(floor: Floor, routing: str) -> None:
    await floor.open(a_directory("a", "b", "c", routing=routing))
    await told(floor, a="busy", b="away")
    await floor.accept()
    assert await claimed(floor) == ["c"]


async def test_being_free_by_the_provider_s_account_ends_no_pause_and_no_wrap_up(floor: Floor) -> None:
    await floor.store.pause("dana", None, "lunch")
    claim = await floor.dial()
    assert claim.attempt.agent_id == "yossi"
    await floor.outcome(claim, "connected")
    await told(floor, dana="free", yossi="free")
    await floor.accept()
    assert await claimed(floor) == []


# ------------------------------------------------------------------------------------------ in one word


async def seen(floor: Floor, agent: str = "dana") -> AgentState:
    return (await floor.store.agent_states())[agent]


async def test_an_agent_is_busy_or_away_in_one_word_only_while_free_by_our_books(floor: Floor) -> None:
    await told(floor, dana="away")
    one = await seen(floor)
    assert (one.at(START), one.at(START + 29_999), one.at(START + 30_000)) == ("away", "away", "available")
    claim = await floor.dial()
    assert claim.attempt.agent_id == "yossi"
    await told(floor, yossi="busy")
    assert (await seen(floor, "yossi")).at(START) == "on_call"
    await floor.outcome(claim, "connected")
    assert (await seen(floor, "yossi")).at(START) == "wrap_up"
    await floor.store.pause("dana", None, "lunch")
    assert (await seen(floor)).at(START) == "paused"
