"""The runtime side of the agents: listed, paused, set aside, free again. Both engines."""

from __future__ import annotations

from app.domain.answers import Placed, Refused
from app.store.tables import agents
from tests.clocks import START
from tests.store.leads_for_tests import Floor, a_directory


async def state(floor: Floor, agent: str = "dana") -> str:
    """The agent's state in one word, now."""
    return (await floor.store.agent_states())[agent].at(floor.now)


async def test_exactly_the_agents_of_the_file_are_listed(floor: Floor) -> None:
    await floor.open(a_directory("dana", "noa"))
    assert set(await floor.store.agent_states()) == {"dana", "noa"}
    assert {row["id"]: row["listed"] for row in await floor.rows(agents)} == {"dana": 1, "noa": 2, "yossi": 0}
    await floor.store.sync_agents([])
    assert await floor.store.agent_states() == {}


async def test_a_reload_keeps_what_is_known_of_an_agent(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.store.pause("yossi", None, "lunch")
    await floor.open(a_directory("noa"))
    await floor.open(a_directory("dana", "yossi"))
    assert (await state(floor, "dana"), await state(floor, "yossi")) == ("on_call", "paused")
    assert (await floor.agent("dana"))["attempt_id"] == claim.attempt.id


async def test_an_agent_who_is_unlisted_in_a_call_finishes_it(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.open(a_directory("yossi"))
    await floor.outcome(claim, "connected")
    assert (await floor.agent("dana"))["state"] == "wrap_up"


async def test_a_pause_is_seen_and_taken_back(floor: Floor) -> None:
    assert await floor.store.pause("dana", START + 60_000, "lunch")
    seen = (await floor.store.agent_states())["dana"]
    assert (seen.paused, seen.paused_until, seen.pause_reason) == (True, START + 60_000, "lunch")
    assert await state(floor) == "paused"
    assert await floor.store.resume("dana")
    assert await state(floor) == "available"


async def test_nobody_can_pause_or_resume_a_stranger(floor: Floor) -> None:
    assert not await floor.store.pause("nobody", None, "x")
    assert not await floor.store.resume("nobody")


async def test_a_pause_during_a_call_begins_after_it(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    claim = await floor.dial()
    await floor.store.pause("dana", None, "enough for today")
    assert await state(floor) == "on_call"
    await floor.outcome(claim, "connected")
    floor.clock.advance(3600)
    await floor.store.end_pauses()
    await floor.accept()
    assert (await floor.claim_all(), await state(floor)) == (([], []), "paused")


async def test_resuming_during_a_call_does_not_end_the_call(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.store.resume("dana")
    assert await floor.states(claim) == ("placed", "dialing", "on_call")


async def test_resuming_takes_back_a_block(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    claim = await floor.dial(Refused(4, "blocked", "agent_blocked"))
    await floor.store.resume("dana")
    assert (await floor.claim()).lead.id == claim.lead.id


async def test_wrap_up_and_refusals_end_by_the_clock(floor: Floor) -> None:
    offline = await floor.dial(Refused(3, "offline", "agent_offline"))
    second = await floor.claim()
    assert offline.lead.id == second.lead.id
    await floor.send(second)
    await floor.answer(second, Placed("c"))
    await floor.outcome(second, "connected")
    assert (await state(floor, "dana"), await state(floor, "yossi")) == ("offline", "wrap_up")
    floor.clock.advance(30)
    assert await floor.store.end_pauses() == 1
    assert ((await floor.agent("dana"))["state"], (await floor.agent("yossi"))["state"]) == ("offline", "available")
    floor.clock.advance(30)
    assert await state(floor, "dana") == "available"
    assert await floor.store.end_pauses() == 1
    assert await floor.store.end_pauses() == 0


async def test_the_end_of_other_pauses_leaves_a_call_alone(floor: Floor) -> None:
    claim = await floor.dial()
    floor.clock.advance(200)
    assert await floor.store.end_pauses() == 0
    assert await floor.states(claim) == ("placed", "dialing", "on_call")
