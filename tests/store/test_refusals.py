"""Calls that the provider refused with an error of its own, and that took place all the same. Both engines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.domain import reconciling
from app.domain.answers import Answer, Placed, Refused, Unknown
from app.domain.guards import HELD_FOR, Cap
from app.domain.lead import Attempt, Claim, Lead
from app.domain.moves import Move
from app.domain.open_calls import OpenCall
from app.domain.stories import Moved
from app.store.tables import budgets, events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, Floor, a_directory, a_record, a_term, leg

ERROR = Refused(2, "internal error", "once_more")
OFFLINE = Refused(3, "offline", "agent_offline")


async def listed(floor: Floor, since: int = -HOUR) -> dict[str, OpenCall]:
    """The refused calls that may be on the line, by attempt; `since` in milliseconds from now."""
    found = await floor.store.open_calls(floor.now + since)
    return {call.id: call for call in found if call.state == "refused"}


async def sight(floor: Floor, claim: Claim, call_id: str | None = "c1") -> Moved | None:
    """The call of a refused attempt is on the line, as the line watch takes it."""

    def decide(attempt: Attempt, lead: Lead) -> Move | None:
        return reconciling.after_refuted_refusal(call_id, lead, floor.directory.policy, floor.now)

    return await floor.store.settle(claim.attempt.id, ("refused",), decide, "presence", lambda _: floor.caps)


async def again(floor: Floor, answer: Answer | None = None, *, after: float = 10) -> Claim:
    """The lead's next attempt; without an answer it is reserved and nothing more."""
    floor.clock.advance(after)
    claim = await floor.claim()
    if answer is not None:
        assert await floor.send(claim)
        assert await floor.answer(claim, answer) is not None
    return claim


async def states(floor: Floor, *claims: Claim) -> Sequence[str]:
    return [(await floor.attempt(claim))["state"] for claim in claims]


async def told_of(floor: Floor, claim: Claim) -> list[str]:
    """The history of one attempt."""
    return [row["event"] for row in await floor.rows(events, attempt_id=claim.attempt.id)]


# ---------------------------------------------------------------------------------------------- the list


async def test_a_call_refused_by_an_error_is_looked_for_wherever_its_lead_is(floor: Floor) -> None:
    first = await floor.dial(ERROR)
    (call,) = (await listed(floor)).values()
    assert (call.id, call.state, call.holds_agent, call.sending_at) == (first.attempt.id, "refused", False, START)
    second = await again(floor, ERROR)
    assert (await floor.lead(first.lead.id))["state"] == "held"
    assert list(await listed(floor)) == [second.attempt.id, first.attempt.id], "the latest first"
    await floor.store.cancel(first.lead.id, "visitor")
    assert len(await listed(floor)) == 2


async def test_a_clear_no_and_an_open_call_are_not_among_them(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c"))
    await floor.dial(Placed("c1"))
    await floor.dial(Unknown("x"))
    await floor.dial(OFFLINE)
    assert await listed(floor) == {}


async def test_they_are_listed_as_long_as_a_call_can_last(alone: Floor) -> None:
    await alone.dial(ERROR)
    alone.clock.advance(90)
    assert await listed(alone, since=-90_001)
    assert not await listed(alone, since=-90_000)


async def test_a_request_without_an_answer_is_among_them_as_its_call_may_be_on_the_line(floor: Floor) -> None:
    await floor.accept()
    claim = await floor.claim()
    assert await floor.store.open_calls(START - HOUR) == [], "nothing was sent"
    await floor.send(claim)
    (call,) = await floor.store.open_calls(START - HOUR)
    assert (call.id, call.state) == (claim.attempt.id, "sending")
    assert await floor.store.open_calls() == [], "whoever asks for placed and unknown calls does not mean it"


# ------------------------------------------------------------------------------------ seen on the line


async def test_an_error_whose_call_is_seen_was_none_and_is_not_repeated(alone: Floor) -> None:
    claim = await alone.dial(ERROR)
    alone.clock.advance(5)
    assert await sight(alone, claim) is not None
    assert (await alone.states(claim))[:2] == ("placed", "dialing")
    alone.clock.advance(10)
    assert await alone.claim_all() == ([], [])
    row = await alone.attempt(claim)
    assert (row["ended_at"], row["outcome"], row["look_at"]) == (None, None, START + 305_000)
    lead = await alone.lead(claim.lead.id)
    assert (lead["due_at"], lead["errors"]) == (None, 0)
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=3))
    assert (await alone.states(claim))[:2] == ("ended", "connected")


async def test_the_first_attempt_s_call_is_its_own_although_the_repeat_was_refused_as_well(floor: Floor) -> None:
    """The agent is on the phone with the lead, so the repeat is told that he is offline."""
    first = await floor.dial(ERROR)
    second = await again(floor, OFFLINE)
    floor.clock.advance(5)
    assert await sight(floor, first, "c1") is not None
    assert await states(floor, first, second) == ["placed", "refused"]
    lead = await floor.lead(first.lead.id)
    assert (lead["state"], lead["attempt_id"], lead["due_at"]) == ("dialing", first.attempt.id, None)
    assert (await told_of(floor, first))[-1] == "confirmed"
    await floor.report(leg(2, "ANSWER", talk_seconds=30, call_id="c1"))
    assert [(await floor.attempt(one))["outcome"] for one in (first, second)] == ["connected", None]
    assert (await floor.lead(first.lead.id))["state"] == "connected"
    story = await floor.store.story(first.lead.id)
    assert story is not None
    assert story.agent_id == first.attempt.agent_id


async def test_a_repeat_that_was_not_sent_yet_gives_way_to_the_call_that_is_on_the_line(floor: Floor) -> None:
    first = await floor.dial(ERROR)
    second = await again(floor)
    assert await sight(floor, first) is not None
    assert await states(floor, first, second) == ["placed", "lapsed"]
    assert (await floor.lead(first.lead.id))["attempt_id"] == first.attempt.id
    assert not await floor.send(second), "nothing leaves any more"
    assert (await floor.agent(second.attempt.agent_id))["state"] == "available"
    assert await floor.claim_all() == ([], [])


@pytest.mark.parametrize("answer", [None, Placed("c2"), Unknown("x")], ids=["sent", "placed", "unknown"])
async def test_a_repeat_that_was_sent_goes_on_and_the_two_are_not_mixed(floor: Floor, answer: Answer | None) -> None:
    first = await floor.dial(ERROR)
    second = await again(floor)
    await floor.send(second)
    if answer is not None:
        await floor.answer(second, answer)
    before = await floor.attempt(second)
    assert await sight(floor, first) is None
    assert await floor.attempt(second) == before
    lead = await floor.lead(first.lead.id)
    assert (lead["state"], lead["attempt_id"]) == ("dialing", second.attempt.id)
    assert (await floor.attempt(first))["state"] == "refused"


async def test_that_it_is_on_the_line_is_told_once_in_its_own_history_and_the_log_is_asked_about_it(
    floor: Floor,
) -> None:
    first = await floor.dial(ERROR)
    second = await again(floor, Placed("c2"))
    call = (await listed(floor))[first.attempt.id]
    assert await floor.store.note_refuted(call, None, floor.now + 120_000)
    floor.clock.advance(5)
    assert not await floor.store.note_refuted(call, "c1", floor.now + 120_000)
    assert not await floor.store.note_refuted(call, "another", floor.now + 120_000)
    assert (await told_of(floor, first)).count("refuted") == 1
    assert "refuted" not in await told_of(floor, second)
    row = await floor.attempt(first)
    assert (row["state"], row["seen_at"], row["call_id"]) == ("refused", floor.now, "c1")
    assert await floor.store.unheard_calls() == []
    floor.clock.advance(120)
    assert first.attempt.id in [one.attempt.id for one in await floor.store.unheard_calls()]


async def test_who_is_placed_after_all_is_not_noted_as_refused(alone: Floor) -> None:
    """The list is older than the sighting."""
    claim = await alone.dial(ERROR)
    (call,) = (await listed(alone)).values()
    await sight(alone, claim)
    before = await alone.attempt(claim)
    assert not await alone.store.note_refuted(call, "c9", alone.now)
    assert await alone.attempt(claim) == before


async def test_a_lead_that_is_held_for_the_refusal_is_with_its_call_again(floor: Floor) -> None:
    """Released by hand it would be rung while it talks."""
    first = await floor.dial(ERROR)
    second = await again(floor, ERROR)
    assert (await floor.lead(first.lead.id))["expires_at"] == floor.now + HELD_FOR
    assert await sight(floor, first) is not None
    lead = await floor.lead(first.lead.id)
    assert (lead["state"], lead["attempt_id"], lead["expires_at"]) == ("dialing", first.attempt.id, floor.now + HOUR)
    assert await sight(floor, second) is None, "one at a time"
    assert await floor.store.release(first.lead.id, "operator", a_term(floor.now)) == "dialing"


async def test_a_lead_that_is_cancelled_or_held_for_another_reason_stays_so(floor: Floor) -> None:
    claim = await floor.dial(ERROR)
    floor.clock.advance(10)
    assert await floor.store.hold_leads([claim.lead.id]) == [claim.lead.id]
    assert await sight(floor, claim) is None
    await floor.store.cancel(claim.lead.id, "visitor")
    assert await sight(floor, claim) is None
    assert (await floor.lead(claim.lead.id))["state"] == "cancelled"


async def test_the_agent_of_a_call_that_is_seen_is_nobody_else_s_from_that_moment_on(alone: Floor) -> None:
    """He was let go with the refusal, and is taken back in the transaction that says that he is on a call."""
    claim = await alone.dial(ERROR)
    assert (await alone.agent("dana"))["state"] == "available"
    assert await sight(alone, claim) is not None
    agent = await alone.agent("dana")
    assert (agent["state"], agent["attempt_id"]) == ("on_call", claim.attempt.id)
    assert (await alone.attempt(claim))["holds_agent"] == 1
    await alone.accept()
    assert await alone.claim_all() == ([], [])


# ------------------------------------------------------------------------------------------- reported


async def test_a_time_that_the_visitor_chose_since_is_kept_whatever_is_reported(floor: Floor) -> None:
    claim = await floor.dial(ERROR)
    chosen = floor.now + 3 * HOUR
    assert await floor.store.reschedule(claim.lead.id, a_term(chosen)) == "waiting"
    before = await floor.lead(claim.lead.id)
    await floor.report(leg(2, "NOANSWER", claim.attempt))
    after = await floor.lead(claim.lead.id)
    told = {"outcome": "lead_no_answer", "lead_tries": 1}
    assert after == {**before, **told, "attempt_id": after["attempt_id"], "errors": after["errors"]}
    assert (after["reason"], after["due_at"]) == ("scheduled", chosen)


async def test_a_lead_that_waits_again_is_over_when_its_record_says_that_all_tries_are_used_up(floor: Floor) -> None:
    """A call is seen to go unanswered, and the record corrects it: it was the lead's phone that rang in vain."""
    await floor.open(a_directory("a", "b", retry_lead=()))
    claim = await floor.dial()
    await floor.outcome(claim, "agent_no_answer")
    assert (await floor.lead(claim.lead.id))["state"] == "waiting"
    await floor.report(leg(2, "NOANSWER", claim.attempt))
    lead = await floor.lead(claim.lead.id)
    assert (lead["state"], lead["due_at"], lead["outcome"]) == ("exhausted", None, "lead_no_answer")
    assert await floor.claim_all() == ([], [])


async def test_a_record_without_id_and_mark_is_of_the_request_sent_last_before_its_call(floor: Floor) -> None:
    """Two attempts between the same phones, both refused by an error; one of them rang."""
    await floor.open(a_directory("dana"))
    first = await floor.dial(ERROR)
    second = await again(floor, ERROR)
    call = {"extension": "SIPdana", "phone": first.lead.phone, "leg": 2, "status": "ANSWER", "talk_seconds": 30}
    await floor.report(a_record(**call, started_at=START + 6000))
    assert [(await floor.attempt(one))["outcome"] for one in (first, second)] == ["connected", None]
    lead = await floor.lead(first.lead.id)
    assert (lead["state"], lead["attempt_id"]) == ("connected", first.attempt.id)


@pytest.mark.parametrize(("status", "wait"), [("NOANSWER", 600), ("BUSY", 600)])
async def test_what_is_reported_of_a_refused_call_counts_where_nobody_was_rung_since(
    floor: Floor, status: str, wait: int
) -> None:
    """Whether its record comes before or after the repeat's refusal."""
    first = await floor.dial(ERROR)
    await again(floor, OFFLINE)
    assert (await floor.lead(first.lead.id))["due_at"] == floor.now
    await floor.report(leg(2, status, first.attempt))
    lead = await floor.lead(first.lead.id)
    assert (lead["state"], lead["due_at"]) == ("waiting", floor.now + wait * 1000)
    assert (lead["attempt_id"], lead["lead_tries"]) == (first.attempt.id, 1)


async def test_what_is_reported_late_of_a_refused_call_moves_no_lead_that_was_rung_since(floor: Floor) -> None:
    first = await floor.dial(ERROR)
    second = await again(floor, Placed("c2"))
    await floor.outcome(second, "lead_busy")
    before = await floor.lead(first.lead.id)
    floor.clock.advance(60)
    await floor.report(leg(2, "NOANSWER", first.attempt))
    after = await floor.lead(first.lead.id)
    assert after == {**before, "lead_tries": 2}, "but that its phone rang is counted"
    assert (await floor.attempt(first))["outcome"] == "lead_no_answer"


async def test_beside_another_call_that_is_under_way_only_the_ringing_is_counted(floor: Floor) -> None:
    first = await floor.dial(ERROR)
    second = await again(floor, Placed("c2"))
    before = await floor.lead(first.lead.id)
    await floor.report(leg(2, "BUSY", first.attempt))
    assert await floor.lead(first.lead.id) == {**before, "lead_tries": 1}
    assert await states(floor, first, second) == ["ended", "placed"]


async def test_who_has_talked_is_not_rung_by_a_repeat_that_was_not_sent_yet(floor: Floor) -> None:
    first = await floor.dial(ERROR)
    second = await again(floor)
    await floor.report(leg(2, "ANSWER", first.attempt, talk_seconds=30))
    assert await states(floor, first, second) == ["ended", "lapsed"]
    lead = await floor.lead(first.lead.id)
    assert (lead["state"], lead["attempt_id"]) == ("connected", first.attempt.id)
    assert not await floor.send(second)
    assert (await floor.agent(second.attempt.agent_id))["state"] == "available"


async def test_a_conversation_of_an_earlier_attempt_of_any_kind_stops_a_call_that_was_not_sent_yet(
    floor: Floor,
) -> None:
    first = await floor.dial()
    await floor.outcome(first, "agent_no_answer")
    second = await again(floor, after=0)
    await floor.report(leg(2, "ANSWER", first.attempt, talk_seconds=30))
    assert await states(floor, first, second) == ["ended", "lapsed"]
    assert (await floor.lead(first.lead.id))["state"] == "connected"


# ---------------------------------------------------------------------------------------------- the cap


async def spent(floor: Floor) -> int:
    return sum(row["used"] for row in await floor.rows(budgets))


@pytest.mark.parametrize("known_by", ["sight", "record"])
async def test_a_call_that_was_refused_and_took_place_is_paid_for_even_above_the_cap(
    floor: Floor, known_by: str
) -> None:
    floor.caps = (Cap("hour", START, 1, START + HOUR),)
    claim = await floor.dial(ERROR)
    assert await spent(floor) == 0
    other = await floor.dial(Placed("c9"))
    assert (await spent(floor), other.lead.id != claim.lead.id) == (1, True)
    if known_by == "sight":
        await sight(floor, claim)
    else:
        await floor.report(leg(2, "BUSY", claim.attempt))
    assert await spent(floor) == 2
    await floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=9))
    assert await spent(floor) == 2, "once"


async def test_a_repeat_that_gives_way_is_not_paid_for(floor: Floor) -> None:
    floor.caps = (Cap("hour", START, 5, START + HOUR),)
    first = await floor.dial(ERROR)
    await again(floor)
    assert await spent(floor) == 1
    await sight(floor, first)
    assert await spent(floor) == 1
