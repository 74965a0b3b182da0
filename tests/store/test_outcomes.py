"""How a call ends, by report, by silence or late; lead, agent and history move along. Both engines."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from app.domain.answers import Placed, Refused, Unknown
from app.domain.moves import UNRESOLVED_AFTER
from app.domain.priority import BACKLOG
from app.store.tables import budgets, events
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_directory, a_lead, leg

ASSUME = 300  # seconds, the policy's default


async def spent(floor: Floor) -> int:
    return sum(row["used"] for row in await floor.rows(budgets))


# ------------------------------------------------------------------------------------------- the outcomes


async def test_connected_ends_everything_well(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(90)
    await alone.outcome(claim, "connected")
    assert await alone.states(claim) == ("ended", "connected", "wrap_up")
    attempt, lead, agent = await alone.attempt(claim), await alone.lead(claim.lead.id), await alone.agent("dana")
    assert (attempt["connected_at"], attempt["ended_at"], attempt["look_at"]) == (alone.now, alone.now, None)
    assert (lead["outcome"], lead["ended_at"]) == ("connected", alone.now)
    assert (agent["until"], agent["idle_since"], agent["attempt_id"]) == (alone.now + 30_000, alone.now, None)
    assert (await alone.history(claim.lead.id)).count("connected") == 1


async def test_a_call_that_is_seen_on_the_line_is_looked_at_later(alone: Floor) -> None:
    claim = await alone.dial()
    (seen,) = await alone.store.open_calls()
    await alone.store.note_sighting(seen, "agent_ringing", START + 1, START + 1)
    assert (await alone.attempt(claim))["look_at"] == START + ASSUME * 1000, "never sooner"
    await alone.store.note_sighting(seen, "agent_ringing", START + HOUR, START + HOUR)
    assert (await alone.attempt(claim))["look_at"] == START + HOUR
    await alone.outcome(claim, "connected")
    await alone.store.note_sighting(seen, "talking", START + 2 * HOUR, START + 2 * HOUR)
    assert (await alone.attempt(claim))["look_at"] is None


async def test_phases_are_written_once_and_tell_what_must_have_come_before(alone: Floor) -> None:
    claim = await alone.dial()
    (seen,) = await alone.store.open_calls()
    assert (seen.id, seen.site, seen.extension, seen.call_id) == (claim.attempt.id, "main", "SIPdana", "c1")
    found = []
    for phase in ("agent_ringing", "agent_ringing", "lead_ringing", "agent_ringing", "talking", "talking"):
        alone.clock.advance(1)
        found.append(await alone.store.note_sighting(seen, phase, 0, 0))
    assert found == [True, False, True, False, True, False]
    row = await alone.attempt(claim)
    moments = [row[name] for name in ("agent_ringing_at", "agent_answered_at", "lead_ringing_at", "connected_at")]
    assert [(moment - START) // 1000 for moment in moments] == [1, 3, 3, 5]
    phases = ["agent_ringing", "agent_answered", "lead_ringing", "talking"]
    assert (await alone.history(claim.lead.id))[-4:] == phases


async def test_the_moment_of_connection_that_was_seen_live_stays(alone: Floor) -> None:
    claim = await alone.dial()
    (seen,) = await alone.store.open_calls()
    alone.clock.advance(12)
    assert await alone.store.note_sighting(seen, "talking", 0, 0)
    assert not await alone.store.note_sighting(seen, "talking", 0, 0)
    alone.clock.advance(300)
    await alone.outcome(claim, "connected")
    row = await alone.attempt(claim)
    assert (row["connected_at"], row["agent_answered_at"], row["ended_at"]) == (
        START + 12_000,
        START + 12_000,
        alone.now,
    )


@pytest.mark.parametrize("outcome", ["lead_no_answer", "lead_busy", "lead_unreachable"])
async def test_a_lead_who_was_not_reached_is_rung_by_schedule_and_then_no_more(alone: Floor, outcome: str) -> None:
    claim = await alone.dial()
    for wait in (600, 3600):
        await alone.outcome(claim, outcome)
        row = await alone.lead(claim.lead.id)
        assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "retry", alone.now + wait * 1000)
        assert row["expires_at"] == row["due_at"] + 3_600_000
        alone.clock.advance(wait)
        claim = await alone.claim()
        await alone.send(claim)
        await alone.answer(claim, Placed("c"))
    await alone.outcome(claim, outcome)
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["reason"], row["outcome"]) == ("exhausted", outcome, outcome)
    assert (row["lead_tries"], row["attempts"]) == (3, 3)


async def test_three_agents_in_a_row_who_miss_a_lead_pause_it(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d"))
    claim = await floor.dial()
    for _ in range(2):
        await floor.outcome(claim, "agent_no_answer")
        assert (await floor.lead(claim.lead.id))["due_at"] == floor.now
        claim = await floor.claim()
        await floor.send(claim)
        await floor.answer(claim, Placed("c"))
    await floor.outcome(claim, "agent_no_answer")
    row = await floor.lead(claim.lead.id)
    assert (row["due_at"], row["agent_misses"], row["avoid_agent"]) == (floor.now + 2 * MINUTE, 3, "c")


async def test_a_retry_while_the_site_is_closed_waits_for_its_opening(alone: Floor) -> None:
    claim = await alone.dial()
    alone.opens_at = START + 12 * HOUR
    await alone.outcome(claim, "lead_busy")
    row = await alone.lead(claim.lead.id)
    due = START + 12 * HOUR + 180  # the freshest of the backlog first
    assert (row["reason"], row["rank"], row["due_at"], row["expires_at"]) == ("closed", BACKLOG, due, due + HOUR)


# -------------------------------------------------------------------------------------------- silence


async def test_a_reservation_that_was_never_sent_lapses_and_is_due_again(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    alone.clock.advance(5)
    assert await alone.store.overdue_attempts() == [claim.attempt.id]
    await alone.silence(claim)
    assert await alone.states(claim) == ("lapsed", "waiting", "available")
    assert await spent(alone) == 0
    assert (await alone.claim()).attempt.number == 2


async def test_a_silent_sender_leaves_an_unknown_that_is_not_dialled_again(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    await alone.send(claim)
    alone.clock.advance(21.999)
    assert await alone.store.overdue_attempts() == []
    alone.clock.advance(0.001)
    assert await alone.store.overdue_attempts() == [claim.attempt.id]
    await alone.silence(claim)
    assert await alone.states(claim) == ("unknown", "dialing", "on_call")
    assert await spent(alone) == 1


async def test_a_call_that_nobody_reports_ends_unreported(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(ASSUME)
    assert await alone.store.overdue_attempts() == [claim.attempt.id]
    await alone.silence(claim)
    assert await alone.states(claim) == ("ended", "exhausted", "available")
    assert (await alone.lead(claim.lead.id))["reason"] == "unreported"


async def test_an_unknown_frees_its_agent_first_and_gives_up_later(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    assert await alone.states(claim) == ("unknown", "dialing", "available")
    assert (await alone.attempt(claim))["look_at"] == START + UNRESOLVED_AFTER * 1000
    alone.clock.advance(UNRESOLVED_AFTER - ASSUME)
    await alone.silence(claim)
    assert await alone.states(claim) == ("unresolved", "failed", "available")
    assert (await alone.lead(claim.lead.id))["reason"] == "unresolved"


async def test_an_attempt_is_overdue_at_its_moment_and_not_a_millisecond_before(alone: Floor) -> None:
    claim = await alone.dial()
    look_at = (await alone.attempt(claim))["look_at"]
    for moment, overdue in ((look_at - 1, []), (look_at, [claim.attempt.id])):
        alone.clock.set_wall(moment)
        assert await alone.store.overdue_attempts() == overdue


async def test_the_longest_overdue_comes_first(floor: Floor) -> None:
    await floor.accept()
    first = await floor.claim()
    floor.clock.advance(1)
    await floor.accept()
    second = await floor.claim()
    floor.clock.advance(60)
    assert await floor.store.overdue_attempts() == [first.attempt.id, second.attempt.id]


async def test_what_an_earlier_process_left_is_looked_at_at_once(floor: Floor) -> None:
    await floor.open(a_directory("a", "b", "c", "d"))
    for _ in range(4):
        await floor.accept()
    reserved, sending, placed, mine = [
        claim for owner, most in (("old", 3), ("new", 1)) for claim in (await floor.claim_all(owner, most))[0]
    ]
    for claim in (sending, placed):
        await floor.send(claim, "old")
    await floor.answer(placed, Placed("c"))
    assert await floor.store.abandon_others("new") == 2
    assert set(await floor.store.overdue_attempts()) == {reserved.attempt.id, sending.attempt.id}
    assert await floor.send(mine, "new")


# ---------------------------------------------------------------------------------------- the late account


async def test_a_late_account_turns_unreported_into_connected(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    alone.clock.advance(120)
    assert len(await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=40))) == 1
    assert await alone.states(claim) == ("ended", "connected", "available")
    assert (await alone.lead(claim.lead.id))["ended_at"] == START + ASSUME * 1000


async def test_a_late_account_of_a_busy_lead_makes_it_wait_again(alone: Floor) -> None:
    claim = await alone.dial()
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    await alone.report(leg(2, "BUSY", claim.attempt))
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "retry", alone.now + 600_000)
    assert row["ended_at"] is None


async def test_a_closed_lead_does_not_come_back_beside_a_live_one_of_its_number(alone: Floor) -> None:
    claim = await alone.dial(new=a_lead("+972541234567"))
    alone.clock.advance(ASSUME)
    await alone.silence(claim)
    other = a_lead("+972541234567", at=alone.now)
    assert (await alone.accept(other)).kind == "new"
    await alone.report(leg(2, "BUSY", claim.attempt))
    row = await alone.lead(claim.lead.id)
    assert (row["state"], row["outcome"]) == ("exhausted", "lead_busy")
    assert (await alone.lead(other.id))["state"] == "waiting"


async def test_a_late_account_settles_what_was_given_up_on(alone: Floor) -> None:
    claim = await alone.dial(Unknown("x"))
    for wait in (ASSUME, UNRESOLVED_AFTER):
        alone.clock.advance(wait)
        await alone.silence(claim)
    assert (await alone.states(claim))[:2] == ("unresolved", "failed")
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=5))
    assert (await alone.states(claim))[:2] == ("ended", "connected")


async def test_a_record_that_is_faster_than_the_answer_settles_the_call(alone: Floor) -> None:
    await alone.accept()
    claim = await alone.claim()
    await alone.send(claim)
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=5, call_id="c9"))
    assert await alone.states(claim) == ("ended", "connected", "wrap_up")
    assert await alone.answer(claim, Placed("c9")) is None
    assert (await alone.attempt(claim))["call_id"] == "c9"


# ------------------------------------------------------------------------------------------- history


async def test_history_is_only_ever_added_to(floor: Floor) -> None:
    seen: list[object] = []

    async def then(step: Awaitable[object]) -> None:
        await step
        rows = await floor.rows(events)
        assert rows[: len(seen)] == seen
        seen[:] = rows

    new = a_lead()
    await then(floor.accept(new))
    await then(floor.accept(a_lead(new.phone.e164)))
    claim = await floor.claim()
    await then(floor.send(claim))
    await then(floor.answer(claim, Refused(3, "offline", "agent_offline")))
    claim = await floor.claim()
    await then(floor.send(claim))
    await then(floor.answer(claim, Unknown("x")))
    floor.clock.advance(ASSUME)
    await then(floor.silence(claim))
    await then(floor.report(leg(2, "NOANSWER", claim.attempt)))
    await then(floor.store.cancel(new.id, "visitor"))
    await then(floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=9)))
    assert await floor.history(new.id) == [
        *("received", "joined", "reserved", "sending", "agent_offline", "waiting", "reserved", "sending", "unknown"),
        *("agent_released", "reported", "lead_no_answer", "waiting", "cancelled", "reported", "connected"),
    ]


# ------------------------------------------------------------------------------- conversations told of late


async def test_who_has_talked_with_us_is_not_rung_again_whichever_attempt_it_was(alone: Floor) -> None:
    """The first call was given up on and the lead released; then its record tells of a conversation."""
    first = await alone.dial()
    alone.clock.advance(ASSUME)
    await alone.silence(first)
    await alone.outcome(first, "lead_no_answer")
    waiting = await alone.lead(first.lead.id)
    assert waiting["state"] == "waiting"
    alone.clock.advance((waiting["due_at"] - alone.now) // 1000)
    second = await alone.claim()
    await alone.send(second)
    await alone.answer(second, Placed("c2"))
    await alone.report(leg(2, "ANSWER", first.attempt, talk_seconds=60))
    lead = await alone.lead(first.lead.id)
    assert (lead["state"], lead["outcome"]) == ("dialing", "connected"), "the second call is under way"
    await alone.report(leg(2, "NOANSWER", second.attempt))
    lead = await alone.lead(first.lead.id)
    assert (lead["state"], lead["outcome"], lead["due_at"]) == ("connected", "connected", None)


async def test_a_lead_that_waits_is_over_when_an_earlier_conversation_is_told_of(alone: Floor) -> None:
    first = await alone.dial()
    await alone.outcome(first, "lead_no_answer")
    alone.clock.advance(600)
    second = await alone.claim()
    await alone.send(second)
    await alone.answer(second, Refused(3, "offline", "agent_offline"))
    assert (await alone.lead(first.lead.id))["state"] == "waiting"
    await alone.report(leg(2, "ANSWER", first.attempt, talk_seconds=60))
    lead = await alone.lead(first.lead.id)
    assert (lead["state"], lead["due_at"]) == ("connected", None)


async def test_a_call_that_was_refused_by_an_error_and_took_place_is_heard_of(alone: Floor) -> None:
    """The provider's own error proves the least of all refusals: its record counts."""
    claim = await alone.dial(Refused(2, "Application error", "once_more"))
    assert (await alone.lead(claim.lead.id))["state"] == "waiting"
    await alone.report(leg(2, "ANSWER", claim.attempt, talk_seconds=60))
    assert (await alone.states(claim))[:2] == ("ended", "connected")
    alone.clock.advance(60)
    assert await alone.claim_all() == ([], [])


async def test_a_record_of_an_extension_that_was_offline_moves_nobody(alone: Floor) -> None:
    claim = await alone.dial(Refused(3, "offline", "agent_offline"))
    await alone.report(leg(1, "CHANUNAVAIL", claim.attempt))
    assert (await alone.states(claim))[0] == "refused"


# ---------------------------------------------------------------------------------------- missed rings


async def test_an_agent_who_misses_so_many_calls_in_a_row_is_paused_for_a_while(floor: Floor) -> None:
    await floor.open(a_directory("dana", pause_after_misses=2, pause_for=900))
    for _ in range(2):
        claim = await floor.dial(new=a_lead(at=floor.now))
        await floor.outcome(claim, "agent_no_answer")
        await floor.store.cancel(claim.lead.id, "visitor")
        floor.clock.advance(30)
    row = await floor.agent("dana")
    assert (row["paused"], row["pause_reason"], row["misses"]) == (1, "missed 2 calls in a row", 0)
    assert row["paused_until"] == floor.now - 30_000 + 900_000
    assert "agent_paused" in await floor.history(claim.lead.id)
    await floor.accept(a_lead(at=floor.now))
    assert await floor.claim_all() == ([], [])
    floor.clock.advance(870)
    assert len((await floor.claim_all())[0]) == 1, "and comes back by itself"


async def test_a_call_that_is_taken_makes_earlier_misses_forgotten(floor: Floor) -> None:
    await floor.open(a_directory("dana", pause_after_misses=2))
    for outcome in ("agent_no_answer", "lead_no_answer", "agent_no_answer"):
        claim = await floor.dial(new=a_lead(at=floor.now))
        await floor.outcome(claim, outcome)
        await floor.store.cancel(claim.lead.id, "visitor")
        floor.clock.advance(30)
    row = await floor.agent("dana")
    assert (row["paused"], row["misses"]) == (0, 1)


async def test_nobody_is_paused_unless_the_file_says_so(alone: Floor) -> None:
    for _ in range(5):
        claim = await alone.dial(new=a_lead(at=alone.now))
        await alone.outcome(claim, "agent_no_answer")
        await alone.store.cancel(claim.lead.id, "visitor")
        alone.clock.advance(200)
    assert (await alone.agent("dana"))["paused"] == 0
