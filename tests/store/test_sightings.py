"""Calls that are, or may be, on the line: which are listed, and what a sighting writes. Both engines."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain import reconciling
from app.domain.answers import NotSent, Placed, Refused, Unknown
from app.domain.lead import Attempt, Claim, Lead
from app.domain.moves import ASK_PLACED, Move
from app.domain.open_calls import OpenCall
from app.domain.stories import Moved
from app.store.tables import events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_directory, leg

ERROR = Refused(2, "internal error", "once_more")


async def listed(floor: Floor) -> dict[str, OpenCall]:
    """The open calls by attempt."""
    return {call.id: call for call in await floor.store.open_calls()}


async def settle(floor: Floor, claim: Claim, move: Move | None, *expected: str) -> Moved | None:
    """What the line watch found, whatever the attempt says."""

    def decide(attempt: Attempt, lead: Lead) -> Move | None:
        return move

    return await floor.store.settle(claim.attempt.id, expected, decide, "presence", lambda _: floor.caps)


async def sight(floor: Floor, claim: Claim, call_id: str | None = None) -> Moved | None:
    """The call was seen on the line, whatever was thought of it."""
    move = reconciling.after_sighting(call_id, floor.directory.policy, floor.now)
    return await settle(floor, claim, move, "unknown")


async def note(floor: Floor, claim: Claim, phase: str | None = None, look: int = 0, ask: int = 0) -> bool:
    """A sighting; `look` and `ask` in seconds after the start."""
    call = (await listed(floor))[claim.attempt.id]
    return await floor.store.note_sighting(call, phase, START + look * 1000, START + ask * 1000)


# ---------------------------------------------------------------------------------------------- the list


async def test_placed_and_unknown_calls_are_listed_with_all_that_is_needed_to_find_them(floor: Floor) -> None:
    placed = await floor.dial(Placed("c1"))
    floor.clock.advance(2)
    unknown = await floor.dial(Unknown("x"))
    found = await listed(floor)
    assert found[placed.attempt.id] == OpenCall(
        id=placed.attempt.id,
        lead_id=placed.lead.id,
        agent_id="dana",
        site="main",
        phone=placed.lead.phone,
        state="placed",
        extension="SIPdana",
        first_leg="agent",
        call_id="c1",
        holds_agent=True,
        received_at=START,
        sending_at=START,
        placed_at=START,
        unknown_at=None,
        seen_at=None,
        agent_ringing_at=None,
        agent_answered_at=None,
        line_looks=0,
    )
    other = found[unknown.attempt.id]
    assert (other.state, other.call_id, other.unknown_at, other.placed_at) == ("unknown", None, START + 2000, None)
    assert len(found) == 2


async def test_what_was_not_sent_or_is_over_is_not_listed(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d", "e"))
    ended = await floor.dial(Placed("c1"))
    await floor.outcome(ended, "connected")
    await floor.dial(NotSent("x"))
    await floor.dial(Refused(3, "offline", "agent_offline"))
    assert await listed(floor) == {}, "a clear no"
    reserved = await floor.claim()
    assert (await floor.attempt(reserved))["state"] == "reserved"
    assert await listed(floor) == {}


async def test_a_call_that_ended_unreported_is_not_looked_for_any_more(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(300)
    await alone.silence(claim)
    assert await listed(alone) == {}


# ---------------------------------------------------------------------------------------------- sightings


async def test_every_sighting_is_the_last_time_it_was_seen(alone: Floor) -> None:
    claim = await alone.dial()
    for passed in (3, 8):
        alone.clock.set_wall(START + passed * 1000)
        await note(alone, claim)
        row = await alone.attempt(claim)
        assert row["seen_at"] == START + passed * 1000
    assert (await listed(alone))[claim.attempt.id].seen_at == START + 8000


async def test_a_sighting_without_a_phase_proves_no_phase(alone: Floor) -> None:
    claim = await alone.dial()
    before = await alone.history(claim.lead.id)
    assert not await note(alone, claim, None)
    assert not await note(alone, claim, "a new word")
    row = await alone.attempt(claim)
    assert [row[name] for name in ("agent_ringing_at", "agent_answered_at", "lead_ringing_at", "connected_at")] == [
        None
    ] * 4
    assert await alone.history(claim.lead.id) == before


@pytest.mark.parametrize(
    ("phase", "proved"),
    [
        ("agent_ringing", {"agent_ringing": "agent_ringing_at"}),
        ("lead_ringing", {"agent_answered": "agent_answered_at", "lead_ringing": "lead_ringing_at"}),
        ("talking", {"agent_answered": "agent_answered_at", "talking": "connected_at"}),
    ],
)
async def test_a_phase_is_written_once(alone: Floor, phase: str, proved: dict[str, str]) -> None:
    claim = await alone.dial()
    alone.clock.advance(4)
    assert await note(alone, claim, phase)
    alone.clock.advance(4)
    assert not await note(alone, claim, phase)
    row = await alone.attempt(claim)
    moments = ("agent_ringing_at", "agent_answered_at", "lead_ringing_at", "connected_at")
    assert {name for name in moments if row[name] is not None} == set(proved.values())
    assert {row[name] for name in proved.values()} == {START + 4000}
    told = [line for line in await alone.rows(events, lead_id=claim.lead.id) if line["who"] == "presence"]
    assert [line["event"] for line in told] == list(proved)
    assert {(line["at"], line["attempt_id"], line["agent_id"]) for line in told} == {
        (START + 4000, claim.attempt.id, "dana")
    }


async def test_a_sighting_puts_off_the_sweeper_and_never_brings_it_nearer(alone: Floor) -> None:
    claim = await alone.dial()
    for look, expected in ((1, 300), (299, 300), (600, 600), (400, 600)):
        await note(alone, claim, look=look)
        assert (await alone.attempt(claim))["look_at"] == START + expected * 1000


async def test_a_sighting_puts_off_the_call_log_and_its_questions_begin_anew(alone: Floor) -> None:
    """Rows appear after the end of a call: what was asked before says nothing."""
    claim = await alone.dial()
    alone.clock.advance(ASK_PLACED)
    await alone.store.note_log_look(claim.attempt.id, alone.now + MINUTE, looked=True, missed=True)
    assert (await alone.attempt(claim))["log_looks"] == 1
    await note(alone, claim, look=500, ask=240)
    row = await alone.attempt(claim)
    assert (row["log_looks"], row["ask_at"]) == (0, START + 240_000)
    assert await alone.store.unheard_calls() == []


async def test_a_sighting_of_a_call_that_is_over_writes_nothing(alone: Floor) -> None:
    """The record came between the look and its writing."""
    claim = await alone.dial()
    (call,) = (await listed(alone)).values()
    await alone.outcome(claim, "lead_busy")
    before = await alone.attempt(claim)
    assert not await alone.store.note_sighting(call, "talking", START + HOUR, START + HOUR)
    assert await alone.attempt(claim) == before


# ------------------------------------------------------------------------------------- looks and moves


async def test_looks_that_found_nothing_are_counted(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    for count in (1, 2):
        await alone.store.note_line_look(claim.attempt.id)
        assert (await listed(alone))[claim.attempt.id].line_looks == count


async def test_an_unknown_call_that_is_seen_was_placed_and_its_agent_is_on_it(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    alone.clock.advance(2)
    assert await sight(alone, claim, "c7") is not None
    assert await alone.states(claim) == ("placed", "dialing", "on_call")
    row = await alone.attempt(claim)
    assert (row["call_id"], row["placed_at"], row["holds_agent"]) == ("c7", START + 2000, 1)
    assert (row["look_at"], row["ask_at"]) == (START + 302_000, START + 122_000)
    assert (await alone.history(claim.lead.id))[-1] == "confirmed"


async def test_a_sighting_without_a_call_id_forgets_none(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    await sight(alone, claim, None)
    assert (await alone.attempt(claim))["call_id"] is None
    assert await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=3, call_id="c8"))
    assert (await alone.attempt(claim))["call_id"] == "c8"


async def test_a_call_that_is_seen_after_its_agent_was_let_go_takes_nobody_back(floor: Floor) -> None:
    claim = await floor.dial(Unknown("x"))
    unknown = Attempt(**_as_attempt(await floor.attempt(claim)))
    await settle(floor, claim, reconciling.after_call_left(unknown, floor.directory.policy, floor.now), "unknown")
    assert await floor.states(claim) == ("unknown", "dialing", "available")
    other = await floor.dial(Placed("c2"))
    assert other.attempt.agent_id == "yossi"
    await floor.outcome(other, "connected")
    third = await floor.dial(Placed("c3"))
    assert third.attempt.agent_id == "dana", "free by our books"
    assert await sight(floor, claim, "c1") is not None
    assert (await floor.attempt(claim))["holds_agent"] == 0
    assert (await floor.agent("dana"))["attempt_id"] == third.attempt.id


async def test_a_call_that_is_seen_goes_on_although_an_earlier_one_was_a_conversation(alone: Floor) -> None:
    """The lead ends with the call that is on the line, not when that is seen: it would be live beside a closed lead."""
    first = await alone.dial(ERROR)
    alone.clock.advance(10)
    second = await alone.claim()
    await alone.send(second)
    await alone.answer(second, Unknown("x"))
    await alone.report(leg(2, "ANSWER", first.attempt, talk_seconds=60))
    assert await sight(alone, second, "c2") is not None
    assert (await alone.states(second)) == ("placed", "dialing", "on_call")
    await alone.report(leg(2, "NOANSWER", second.attempt))
    assert (await alone.states(second))[:2] == ("ended", "connected")


async def test_a_call_that_left_the_line_frees_its_agent_and_leaves_the_rest_to_the_record(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(20)
    await settle(alone, claim, reconciling.after_call_left(claim.attempt, alone.directory.policy, alone.now), "placed")
    assert await alone.states(claim) == ("placed", "dialing", "wrap_up")
    assert (await alone.agent("dana"))["until"] == START + 50_000
    assert (await alone.attempt(claim))["ask_at"] == START + 140_000
    alone.clock.advance(40)
    await alone.store.end_pauses()
    other = await alone.dial(Placed("c2"))
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=3))
    assert (await alone.states(claim))[:2] == ("ended", "connected")
    assert (await alone.agent("dana"))["attempt_id"] == other.attempt.id, "the record moves nobody's next call"


async def test_calls_are_over_where_their_record_came_before(floor: Floor) -> None:
    old, live = await floor.dial(Placed("c1")), await floor.dial(Placed("c2"))
    await floor.outcome(old, "connected")
    ids = [old.attempt.id, live.attempt.id]
    assert await floor.store.calls_over(ids, floor.now, 0) == {}
    assert await floor.store.calls_over(ids, floor.now + 1, 0) == {old.attempt.id: "SIPdana"}
    assert await floor.store.calls_over(["somebody else's"], floor.now + 1, 0) == {}
    assert await floor.store.calls_over([], floor.now + 1, 0) == {}


async def test_a_call_that_was_sent_longer_ago_than_any_can_last_is_over(alone: Floor) -> None:
    claim = await alone.dial()
    ids = [claim.attempt.id]
    assert await alone.store.calls_over(ids, 0, alone.now) == {}
    assert await alone.store.calls_over(ids, 0, alone.now + 1) == {claim.attempt.id: "SIPdana"}


async def test_which_call_ids_are_on_attempts_of_ours(floor: Floor) -> None:
    live, over = await floor.dial(Placed("c1")), await floor.dial(Placed("c2"))
    await floor.outcome(over, "connected")
    assert live.attempt.id != over.attempt.id
    assert await floor.store.known_calls(["c1", "c2", "c3"]) == {"c1", "c2"}
    assert await floor.store.known_calls([]) == set()


async def test_a_call_without_a_record_is_not_known_to_be_over(alone: Floor) -> None:
    """It ended by our own assumption; that it is still shown tells us that we were wrong."""
    claim = await alone.dial()
    assert await alone.store.calls_over([claim.attempt.id], alone.now + HOUR, 0) == {}
    alone.clock.advance(300)
    await alone.silence(claim)
    assert await alone.store.calls_over([claim.attempt.id], alone.now + HOUR, 0) == {}


def _as_attempt(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in Attempt.__slots__}
