"""A lead who phones in is over while it waits, and only then; and only by a call that came after it. Both engines."""

from __future__ import annotations

import itertools
from typing import Any, Final

import pytest

from app.domain.answers import Placed
from app.domain.states import WAITING_REASONS
from app.ports import CallRecord
from app.store.tables import cdrs, events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_lead, a_record

PHONE: Final = "+972541234567"
KEY: Final = f"key of {PHONE}"
TALK: Final = 42
_bodies = itertools.count(1)


def a_call_in(**fields: Any) -> CallRecord:
    """Somebody phoned in and talked with dana; the record does not say when."""
    said = {"incoming": True, "type": "Incoming Call", "status": "ANSWER", "talk_seconds": TALK, "call_id": "in-1"}
    return a_record(**(said | {"phone": "0541234567", "extension": "SIPdana"} | fields))


async def hears(floor: Floor, record: CallRecord, *, body: str | None = None, key: str = KEY) -> str | None:
    """The record comes: kept and applied as any other, then looked at for who phoned in."""
    text = body or f"a call in, {next(_bodies)}"
    assert await floor.report(record, body=text) == []
    return await floor.store.phoned_in(text, record, key, "dana", TALK)


async def waiting(floor: Floor, **fields: Any) -> str:
    new = a_lead(PHONE, at=floor.now, **fields)
    await floor.accept(new)
    floor.clock.advance(600)
    return new.id


@pytest.mark.parametrize("reason", WAITING_REASONS)
async def test_a_lead_that_waits_for_whatever_reason_is_over(floor: Floor, reason: str) -> None:
    lead_id = await waiting(floor, reason=reason, due_at=START + 2 * HOUR)
    assert await hears(floor, a_call_in()) == lead_id
    row = await floor.lead(lead_id)
    assert (row["state"], row["reason"], row["due_at"], row["ended_at"]) == ("cancelled", "phoned_in", None, floor.now)
    last = (await floor.rows(events, lead_id=lead_id))[-1]
    assert (last["event"], last["who"], last["agent_id"], last["why"]) == ("phoned_in", "provider", "dana", "42 s")
    assert (last["from_state"], last["to_state"]) == ("waiting", "cancelled")
    assert (await floor.rows(cdrs))[-1]["state"] == "applied"
    floor.clock.advance(2 * HOUR / 1000)
    assert await floor.claim_all() == ([], [])


async def test_somebody_else_s_number_ends_nobody(floor: Floor) -> None:
    lead_id = await waiting(floor)
    assert await hears(floor, a_call_in(), key="key of somebody else") is None
    assert (await floor.lead(lead_id))["state"] == "waiting"
    assert (await floor.rows(cdrs))[-1]["state"] == "kept", "looked at again, as any stranger's"


async def test_a_lead_that_is_held_stays_held_and_its_history_tells_it_once(floor: Floor) -> None:
    lead_id = await waiting(floor, hold="country")
    for _ in range(3):
        assert await hears(floor, a_call_in(), body="the same again and again") is None
    assert (await floor.lead(lead_id))["state"] == "held"
    assert await floor.history(lead_id) == ["received", "held", "phoned_in_while_held"]


async def test_a_lead_that_is_being_dialled_is_left_alone(floor: Floor) -> None:
    claim = await floor.dial(new=a_lead(PHONE))
    floor.clock.advance(600)
    assert await hears(floor, a_call_in()) is None
    assert (await floor.states(claim))[:2] == ("placed", "dialing")


async def test_a_lead_that_did_not_answer_and_rings_back_is_over(floor: Floor) -> None:
    """Also where it was that very agent: the record is not taken for one of our own attempt."""
    claim = await floor.dial(new=a_lead(PHONE))
    await floor.outcome(claim, "lead_no_answer")
    floor.clock.advance(300)
    assert await hears(floor, a_call_in(extension=claim.attempt.extension)) == claim.lead.id
    assert (await floor.states(claim))[:2] == ("ended", "cancelled")


@pytest.mark.parametrize("ids", [{"call_id": "c1"}, {"original_call_id": "c1"}])
async def test_a_call_that_belongs_to_an_attempt_is_ours(floor: Floor, ids: dict[str, str]) -> None:
    claim = await floor.dial(Placed("c1"), a_lead(PHONE))
    await floor.outcome(claim, "lead_no_answer")
    floor.clock.advance(300)
    assert await hears(floor, a_call_in(**ids)) is None
    assert (await floor.states(claim))[1] == "waiting"


@pytest.mark.parametrize(
    ("ago", "told", "over"),
    [
        (300, True, True),
        (900, True, False),  # they phoned in first and sent the form afterwards
        (300, False, True),
        (900, False, True),  # nobody knows when; the record came after the lead
    ],
)
async def test_only_a_call_that_came_after_the_lead_ends_it(floor: Floor, ago: int, told: bool, over: bool) -> None:
    """The lead came ten minutes ago. Of a record without a time, what is known is when it came."""
    lead_id = await waiting(floor)
    began = floor.now // 1000 - ago + 2 * 3600  # Israel's wall clock in winter
    found = await hears(floor, a_call_in(raw_time=began if told else None))
    assert found == (lead_id if over else None)


async def test_a_call_whose_talk_alone_is_longer_than_the_lead_is_there_began_before_it(floor: Floor) -> None:
    lead_id = await waiting(floor)
    record = a_call_in(talk_seconds=580, ring_seconds=21)
    await floor.report(record, body="long talk")
    assert await floor.store.phoned_in("long talk", record, KEY, None, 580) is None
    record = a_call_in(talk_seconds=580, ring_seconds=20)
    await floor.report(record, body="a second less")
    assert await floor.store.phoned_in("a second less", record, KEY, None, 580) == lead_id


async def test_a_record_that_is_sent_again_ends_no_lead_that_came_after_it(floor: Floor) -> None:
    """It came the first time; a lead that this person has left since is another wish."""
    assert await hears(floor, a_call_in(), body="sent twice") is None
    floor.clock.advance(60)
    lead_id = await waiting(floor)
    assert await hears(floor, a_call_in(), body="sent twice") is None
    assert (await floor.lead(lead_id))["state"] == "waiting"


async def test_a_report_that_was_never_kept_ends_nobody(floor: Floor) -> None:
    lead_id = await waiting(floor)
    assert await floor.store.phoned_in("not kept", a_call_in(), KEY, "dana", TALK) is None
    assert (await floor.lead(lead_id))["state"] == "waiting"


async def test_a_late_account_of_a_conversation_still_counts(floor: Floor) -> None:
    """Cancelled by phoning in, and then our own call of before turns out to have been answered."""
    claim = await floor.dial(new=a_lead(PHONE))
    await floor.outcome(claim, "lead_no_answer")
    floor.clock.advance(300)
    assert await hears(floor, a_call_in()) == claim.lead.id
    await floor.outcome(claim, "connected")
    assert (await floor.states(claim))[1] == "connected"


async def test_an_agent_s_own_books_know_nothing_of_it(floor: Floor) -> None:
    before = await floor.agent("dana")
    await waiting(floor)
    floor.clock.advance(MINUTE / 1000)
    assert await hears(floor, a_call_in()) is not None
    assert await floor.agent("dana") == before
