"""What is on the line moves our books, and an answer that cannot be believed moves nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from app.directory import Directory, parse_directory
from app.domain.answers import Placed, Refused, Unknown
from app.domain.lead import Claim
from app.domain.line import LineStatus
from app.domain.presence import BELIEVED_AFTER
from app.errors import StorageUnavailable
from app.ports import ExtensionNow, LineCall, Presence
from app.service.belief import HAUNTED_FOR, Sight
from app.service.line_watch import HIDDEN_FOR, STALE_AFTER, LineWatch
from tests.clocks import START
from tests.service.conftest import House
from tests.store.leads_for_tests import a_directory, a_lead, leg

PHONE: Final = "+972541234567"
ERROR: Final = Refused(2, "internal error", "once_more")
Told = Sequence[ExtensionNow] | None
PATIENCE: Final = 5.0


class Line(Presence):
    """The provider's account as the test has it; None: it does not answer. `meanwhile`: what happens while it does."""

    def __init__(self) -> None:
        self.told: Told = [idle("dana"), idle("yossi")]
        self.asked = 0
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def look(self) -> Told:
        self.asked += 1
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.told


def idle(agent: str, login: Any = "in") -> ExtensionNow:
    return ExtensionNow(f"SIP{agent}", login)


def on_line(agent: str, status: LineStatus | None = "talking", **fields: Any) -> ExtensionNow:
    """A call on this agent's extension that says nothing but what is given."""
    silent: dict[str, Any] = dict.fromkeys(LineCall.__slots__)
    return ExtensionNow(f"SIP{agent}", "in", (LineCall(**(silent | {"status": status} | fields)),))


class Watched:
    """A house whose line is watched."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.floor = house.floor
        self.line = Line()
        self.watch = LineWatch(
            house.store, self.line, house.rules, house.dispatcher, house.hub, house.metrics, apart=5.0
        )

    async def directory(self, directory: Directory) -> None:
        self.house.rules.replace(directory)
        await self.floor.open(directory)

    async def look(self, *told: ExtensionNow, after: float = 0) -> None:
        """One look, `after` seconds: the provider tells of these extensions."""
        await self.answer(list(told), after=after)

    async def blind(self, after: float = 0) -> None:
        await self.answer(None, after=after)

    async def answer(self, told: Told, after: float) -> None:
        self.floor.clock.advance(after)
        self.line.told = told
        asked = self.line.asked
        for _ in range(2):  # with no call on the line, every second time is enough
            if self.line.asked == asked:
                assert await self.watch.watch()
        assert self.line.asked == asked + 1

    def doubt(self) -> str | None:
        return self.watch.sight.doubt

    def doubts(self, reason: str) -> float:
        return self.house.counted("leadring_presence_doubts_total", reason=reason)

    async def presence(self, agent: str) -> str | None:
        """What the books keep of what was told, whether or not it still counts."""
        kept: str | None = (await self.floor.agent(agent))["presence"]
        return kept

    async def unknown(self) -> Claim:
        return await self.floor.dial(Unknown("x"), a_lead(PHONE, at=self.floor.now))

    async def placed(self) -> Claim:
        return await self.floor.dial(Placed("c1"), a_lead(PHONE, at=self.floor.now))


@pytest.fixture
def watched(house: House) -> Watched:
    return Watched(house)


# -------------------------------------------------------------------------------------- unknown calls


@pytest.mark.parametrize("known_by", ["our variable", "its phones"])
async def test_an_unknown_call_that_is_seen_is_confirmed(watched: Watched, known_by: str) -> None:
    claim = await watched.unknown()
    changed = watched.house.told(claim.lead.id)
    seen = {"attempt_id": claim.attempt.id} if known_by == "our variable" else {"phone": "0541234567"}
    await watched.look(on_line("dana", "ringing", call_id="c7", **seen), after=2)
    assert await watched.floor.states(claim) == ("placed", "dialing", "on_call")
    row = await watched.floor.attempt(claim)
    assert (row["call_id"], row["seen_at"], row["agent_ringing_at"]) == ("c7", START + 2000, START + 2000)
    assert (await watched.floor.history(claim.lead.id))[-2:] == ["confirmed", "agent_ringing"]
    assert changed()


async def test_an_unknown_call_whose_id_is_known_is_confirmed_by_it(watched: Watched) -> None:
    """A leg 1 record told the id, and no outcome."""
    claim = await watched.unknown()
    await watched.floor.report(leg(1, "ANSWER", claim.attempt, call_id="c5"))
    assert (await watched.floor.attempt(claim))["call_id"] == "c5"
    await watched.look(on_line("another", call_id="c5"), idle("dana"), after=2)
    assert (await watched.floor.states(claim))[0] == "placed"


async def test_somebody_else_s_call_confirms_nothing(watched: Watched) -> None:
    claim = await watched.unknown()
    await watched.look(on_line("dana", phone="0549999999", call_id="x"), after=1)
    assert (await watched.floor.states(claim))[0] == "unknown"


async def test_three_looks_are_taken_for_an_unknown_call(watched: Watched) -> None:
    """2, 10 and 30 s after it became unknown; looks in between count for nothing, and nobody is rung again."""
    claim = await watched.unknown()
    found = []
    for passed in (1, 1, 3, 5, 5, 14.999, 0.001, 5):
        await watched.look(idle("dana"), after=passed)
        found.append((await watched.floor.attempt(claim))["line_looks"])
    assert found == [0, 1, 1, 2, 2, 2, 3, 3]
    assert await watched.floor.states(claim) == ("unknown", "dialing", "on_call")


async def test_the_agent_of_an_unknown_call_is_let_go_when_no_phone_can_ring_any_more(watched: Watched) -> None:
    claim = await watched.unknown()
    policy = watched.floor.directory.policy
    rings = policy.ring_agent + policy.ring_lead + HIDDEN_FOR / 1000
    await watched.look(idle("dana"), after=rings)
    await watched.look(idle("dana"))
    assert (await watched.floor.states(claim))[2] == "on_call"
    await watched.look(idle("dana"), after=1)
    woken = watched.house.dispatcher.woken
    await watched.look(idle("dana"), after=5)
    assert await watched.floor.states(claim) == ("unknown", "dialing", "available")
    assert watched.house.dispatcher.woken > woken, "somebody is free"
    assert (await watched.floor.history(claim.lead.id))[-1] == "agent_released"
    await watched.look(idle("dana"), after=5)
    assert (await watched.floor.history(claim.lead.id)).count("agent_released") == 1


@pytest.mark.parametrize("kind", ["placed", "unknown"])
async def test_an_account_that_has_not_changed_since_the_call_frees_nobody(watched: Watched, kind: str) -> None:
    """It may be an old one, and the agent be talking."""
    await watched.look(idle("dana"))
    watched.floor.clock.advance(1)
    claim = await (watched.placed() if kind == "placed" else watched.unknown())
    for _ in range(20):
        await watched.look(idle("dana"), after=10)
    assert (await watched.floor.states(claim))[2] == "on_call"
    for _ in range(2):
        await watched.look(idle("dana"), idle("another"), after=10)
    assert (await watched.floor.states(claim))[2] != "on_call"


@pytest.mark.parametrize("answer", [None, [idle("yossi")]], ids=["blind", "not listed"])
async def test_who_cannot_be_seen_is_not_let_go(watched: Watched, answer: Told) -> None:
    claim = await watched.unknown()
    for _ in range(6):
        await watched.answer(answer, after=10)
    assert await watched.floor.states(claim) == ("unknown", "dialing", "on_call")
    assert (await watched.floor.attempt(claim))["line_looks"] == 0


async def test_an_agent_who_was_let_go_too_soon_is_taken_back_when_the_call_is_seen(watched: Watched) -> None:
    claim = await watched.unknown()
    for passed in (61, 5):
        await watched.look(idle("dana"), after=passed)
    assert (await watched.floor.states(claim))[2] == "available"
    await watched.look(on_line("dana", attempt_id=claim.attempt.id), after=5)
    assert await watched.floor.states(claim) == ("placed", "dialing", "on_call")
    assert await watched.presence("dana") == "busy"
    await watched.floor.outcome(claim, "connected")
    assert (await watched.floor.states(claim))[2] == "wrap_up"


async def test_an_error_of_the_provider_s_whose_call_is_on_the_line_is_not_repeated(watched: Watched) -> None:
    claim = await watched.floor.dial(ERROR, a_lead(PHONE))
    assert await watched.floor.states(claim) == ("refused", "waiting", "available")
    await watched.look(on_line("dana", "ringing", attempt_id=claim.attempt.id, call_id="c1"), after=5)
    assert (await watched.floor.states(claim))[:2] == ("placed", "dialing")
    watched.floor.clock.advance(10)
    assert await watched.floor.claim_all() == ([], [])
    await watched.floor.report(leg(2, "ANSWER", talk_seconds=9, call_id="c1"))
    assert (await watched.floor.states(claim))[:2] == ("ended", "connected")


async def test_an_error_of_the_provider_s_whose_call_is_nowhere_is_repeated(watched: Watched) -> None:
    claim = await watched.floor.dial(ERROR, a_lead(PHONE))
    await watched.look(idle("dana"), after=5)
    await watched.look(idle("dana"), after=5)
    again = await watched.floor.claim()
    assert (again.lead.id, again.attempt.number) == (claim.lead.id, 2)


async def test_a_repeat_that_is_reserved_when_the_call_of_the_error_shows_is_not_sent(watched: Watched) -> None:
    """The list of open calls was read before the repeat was claimed."""
    floor = watched.floor
    first = await floor.dial(ERROR, a_lead(PHONE))
    floor.clock.advance(10)
    watched.line.meanwhile = floor.claim
    await watched.look(on_line("dana", attempt_id=first.attempt.id))
    assert await floor.states(first) == ("placed", "dialing", "on_call")
    row = await floor.lead(first.lead.id)
    assert (row["attempts"], row["attempt_id"]) == (2, first.attempt.id)
    history = await floor.history(first.lead.id)
    assert history[-5:] == ["lapsed", "waiting", "confirmed", "agent_answered", "talking"]


async def test_a_call_of_an_error_is_known_by_its_phones_although_its_agent_was_asked_again(watched: Watched) -> None:
    """He is on the phone with the lead, so the second request is told that he is offline. Neither id nor mark."""
    floor = watched.floor
    await watched.directory(a_directory("dana"))
    first = await floor.dial(ERROR, a_lead(PHONE))
    floor.clock.advance(10)
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, Refused(3, "offline", "agent_offline"))
    await watched.look(on_line("dana", phone="0541234567", call_id="c1"), after=5)
    assert (await floor.attempt(first))["state"] == "placed"
    assert (await floor.attempt(first))["connected_at"] == floor.now
    assert (await floor.attempt(second))["state"] == "refused"
    await floor.report(leg(2, "ANSWER", talk_seconds=9, call_id="c1"))
    assert (await floor.states(first))[:2] == ("ended", "connected")


async def test_a_call_of_an_error_that_is_seen_beside_the_repeat_is_told_as_its_own(watched: Watched) -> None:
    floor = watched.floor
    first = await floor.dial(ERROR, a_lead(PHONE))
    floor.clock.advance(10)
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, Placed("c2"))
    changed = watched.house.told(first.lead.id)
    for _ in range(2):
        await watched.look(on_line("dana", call_id="c1", attempt_id=first.attempt.id), idle("yossi"), after=5)
    assert (await floor.attempt(first))["seen_at"] == floor.now
    assert (await floor.attempt(second))["seen_at"] is None
    assert (await floor.history(first.lead.id)).count("refuted") == 1
    assert (await floor.lead(first.lead.id))["attempt_id"] == second.attempt.id
    assert changed()


@pytest.mark.parametrize("sent", ["before the look", "while it is asked"])
async def test_a_call_whose_request_is_not_answered_yet_is_not_taken_for_the_one_before(
    watched: Watched, sent: str
) -> None:
    floor = watched.floor
    await watched.directory(a_directory("dana"))
    first = await floor.dial(ERROR, a_lead(PHONE))
    floor.clock.advance(10)

    async def send() -> None:
        watched.line.meanwhile = None
        assert await floor.send(await floor.claim())

    if sent == "before the look":
        await send()
    else:
        watched.line.meanwhile = send
    began = floor.now // 1000 + 1
    await watched.look(on_line("dana", "ringing", phone="0541234567", call_id="c2", raw_time=began))
    row = await floor.attempt(first)
    assert (row["state"], row["seen_at"]) == ("refused", None)
    assert (await floor.lead(first.lead.id))["state"] == "dialing"


async def test_a_call_that_is_over_and_still_shown_is_no_sign_of_one_that_was_refused(watched: Watched) -> None:
    """Without our mark it is known by the id that its attempt has."""
    floor = watched.floor
    await watched.directory(a_directory("dana"))
    first = await floor.dial(ERROR, a_lead(PHONE))
    floor.clock.advance(10)
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, Placed("c2"))
    await floor.report(leg(2, "BUSY", second.attempt))
    await watched.look(on_line("dana", call_id="c2", phone="0541234567"), after=2)
    assert (await floor.attempt(first))["state"] == "refused"
    assert (await floor.lead(first.lead.id))["state"] == "waiting"


async def test_a_refused_call_is_known_again_however_late_it_is_seen_first(watched: Watched) -> None:
    """Nobody could see the line for a minute; the repeat was refused as well, and had not rung."""
    floor = watched.floor
    await watched.directory(a_directory("dana"))
    first = await floor.dial(ERROR, a_lead(PHONE))
    floor.clock.advance(64)
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, ERROR)
    began = START // 1000 + 2
    await watched.look(on_line("dana", phone="0541234567", call_id="c1", raw_time=began), after=2)
    assert [(await floor.attempt(one))["state"] for one in (first, second)] == ["placed", "refused"]


async def test_a_refused_call_is_looked_for_while_it_may_begin_and_no_longer(watched: Watched) -> None:
    claim = await watched.floor.dial(ERROR, a_lead(PHONE))
    await watched.floor.store.cancel(claim.lead.id, "visitor")
    await watched.directory(a_directory())
    policy = watched.floor.directory.policy
    watched.floor.clock.advance(policy.ring_agent + policy.ring_lead + HIDDEN_FOR / 1000 - 0.001)
    assert await watched.watch.watch()
    watched.floor.clock.advance(0.001)
    assert not await watched.watch.watch()


# --------------------------------------------------------------------------------------- phases and the end


async def test_a_call_is_followed_from_the_agent_s_phone_to_the_conversation(watched: Watched) -> None:
    claim = await watched.placed()
    words: list[LineStatus | None] = ["ringing", None, "dialing", "talking", "talking"]
    for status in words:
        await watched.look(on_line("dana", status, call_id="c1"), after=5)
    row = await watched.floor.attempt(claim)
    moments = [row[name] for name in ("agent_ringing_at", "agent_answered_at", "lead_ringing_at", "connected_at")]
    assert [(moment - START) // 1000 for moment in moments] == [5, 15, 15, 20]
    assert row["seen_at"] == START + 25_000
    assert (row["ask_at"], row["look_at"]) == (START + 145_000, START + 325_000)
    assert watched.house.counted("leadring_lead_to_agent_answer_seconds_count", site="main") == 1


async def test_a_call_that_is_seen_is_not_over_however_long_it_lasts(watched: Watched) -> None:
    claim = await watched.placed()
    for _ in range(5):
        await watched.look(on_line("dana", call_id="c1"), after=200)
        assert await watched.floor.store.overdue_attempts() == []
        assert await watched.floor.store.unheard_calls() == []
    assert await watched.floor.states(claim) == ("placed", "dialing", "on_call")


async def test_a_call_that_left_the_line_twice_frees_its_agent_and_its_late_record_connects_the_lead(
    watched: Watched,
) -> None:
    claim = await watched.placed()
    await watched.look(on_line("dana", call_id="c1"), after=5)
    await watched.look(idle("dana"), after=5)
    assert (await watched.floor.states(claim))[2] == "on_call", "once may be between two legs"
    woken = watched.house.dispatcher.woken
    await watched.look(idle("dana"), after=5)
    assert await watched.floor.states(claim) == ("placed", "dialing", "wrap_up")
    assert (await watched.floor.agent("dana"))["until"] == watched.floor.now + 30_000
    assert watched.house.dispatcher.woken > woken
    watched.floor.clock.advance(120)
    await watched.floor.report(leg(2, "ANSWER", talk_seconds=40, call_id="c1"))
    assert (await watched.floor.states(claim))[:2] == ("ended", "connected")
    assert (await watched.floor.attempt(claim))["connected_at"] == START + 5000, "as it was seen"


async def test_a_silent_agent_is_followed_by_the_next_one_as_soon_as_his_phone_stops(watched: Watched) -> None:
    """On an account that has been seen to show what happens when an agent answers."""
    answered = await watched.placed()
    for status in ("ringing", "talking"):
        await watched.look(on_line("dana", status, call_id="c1"), after=5)
    await watched.floor.report(leg(2, "ANSWER", talk_seconds=40, call_id="c1"))
    watched.floor.clock.advance(60)
    silent = await watched.floor.dial(Placed("c2"), a_lead(at=watched.floor.now))
    agent = silent.attempt.agent_id
    for _ in range(4):
        await watched.look(on_line(agent, "ringing", call_id="c2"), after=5)
    await watched.look(idle(agent), after=5)
    assert (await watched.floor.states(silent))[0] == "placed", "once may be between two legs"
    await watched.look(idle(agent), after=5)
    assert await watched.floor.states(silent) == ("ended", "waiting", "wrap_up")
    assert (await watched.floor.attempt(silent))["outcome"] == "agent_no_answer"
    assert watched.house.counted("leadring_attempts_total", outcome="agent_no_answer") == 1
    following = await watched.floor.claim()
    assert (following.lead.id, following.attempt.agent_id != agent) == (silent.lead.id, True)
    assert answered.lead.id != silent.lead.id


@pytest.mark.parametrize("seen", ["not yet told", "answered", "never seen", "reported as answered", "out of sight"])
async def test_a_call_that_left_is_no_missed_one_without_proof(watched: Watched, seen: str) -> None:
    """Not before this account has shown an answered call, not when the agent answered, not when nothing was seen.

    And not when nobody looked for half a minute: in that time they may have talked.
    """
    if seen != "not yet told":
        await watched.placed()
        for status in ("ringing", "talking"):
            await watched.look(on_line("dana", status, call_id="c1"), after=5)
        await watched.floor.report(leg(2, "ANSWER", talk_seconds=40, call_id="c1"))
        watched.floor.clock.advance(60)
    claim = await watched.floor.dial(Placed("c2"), a_lead(at=watched.floor.now))
    agent = claim.attempt.agent_id
    if seen != "never seen":
        await watched.look(on_line(agent, "dialing" if seen == "answered" else "ringing", call_id="c2"), after=5)
    if seen == "reported as answered":
        await watched.floor.report(leg(1, "ANSWER", talk_seconds=40, call_id="c2"))
    await watched.look(idle(agent), after={"never seen": 70, "out of sight": 30}.get(seen, 5))
    await watched.look(idle(agent), after=5)
    assert await watched.floor.states(claim) == ("placed", "dialing", "wrap_up")


async def test_a_record_corrects_what_was_only_seen(watched: Watched) -> None:
    await watched.placed()
    for status in ("ringing", "talking"):
        await watched.look(on_line("dana", status, call_id="c1"), after=5)
    await watched.floor.report(leg(2, "ANSWER", talk_seconds=40, call_id="c1"))
    watched.floor.clock.advance(60)
    claim = await watched.floor.dial(Placed("c2"), a_lead(at=watched.floor.now))
    await watched.look(on_line(claim.attempt.agent_id, "ringing", call_id="c2"), after=5)
    for _ in range(2):
        await watched.look(idle(claim.attempt.agent_id), after=5)
    assert (await watched.floor.states(claim))[:2] == ("ended", "waiting")
    await watched.floor.report(leg(2, "ANSWER", talk_seconds=2, call_id="c2"))
    assert (await watched.floor.states(claim))[:2] == ("ended", "connected"), "who has talked is not rung again"


@pytest.mark.parametrize("between", ["seen", "not listed", "another call"])
async def test_not_being_seen_counts_only_twice_in_a_row(watched: Watched, between: str) -> None:
    claim = await watched.placed()
    ours = on_line("dana", call_id="c1")
    other = {"seen": ours, "not listed": idle("yossi"), "another call": on_line("dana", call_id="x")}[between]
    for told in (ours, idle("dana"), other, idle("dana")):
        await watched.look(told, after=5)
    assert (await watched.floor.states(claim))[2] == "on_call"


async def test_a_call_that_was_never_seen_may_be_hidden_while_phones_ring(watched: Watched) -> None:
    """How a leg that rings is shown is not documented (facts 3.2)."""
    claim = await watched.placed()
    policy = watched.floor.directory.policy
    rings = policy.ring_agent + policy.ring_lead + HIDDEN_FOR / 1000
    for after in (5, rings - 5):
        await watched.look(idle("dana"), after=after)
        await watched.look(idle("dana"))
    assert (await watched.floor.states(claim))[2] == "on_call"
    await watched.look(idle("dana"), after=5)
    await watched.look(idle("dana"), after=5)
    assert (await watched.floor.states(claim))[2] == "wrap_up"


async def test_a_call_that_is_only_out_of_sight_frees_nobody(watched: Watched) -> None:
    claim = await watched.placed()
    await watched.look(on_line("dana", call_id="c1"), after=5)
    for _ in range(4):
        await watched.blind(after=5)
    for _ in range(4):
        await watched.look(idle("yossi"), after=5)
    assert (await watched.floor.states(claim))[2] == "on_call"


# ------------------------------------------------------------------------------------------------ agents


async def test_a_busy_agent_is_passed_over_at_once_and_rung_when_free_again(watched: Watched) -> None:
    await watched.look(on_line("dana", phone="0500000000"), idle("yossi"))
    await watched.floor.accept()
    assert (await watched.floor.claim()).attempt.agent_id == "yossi"
    await watched.floor.accept()
    assert await watched.floor.claim_all() == ([], [])
    woken = watched.house.dispatcher.woken
    await watched.look(idle("dana"), idle("yossi"), after=5)
    assert watched.house.dispatcher.woken > woken
    assert (await watched.floor.claim()).attempt.agent_id == "dana"


async def test_an_unchanged_line_wakes_nobody(watched: Watched) -> None:
    await watched.look(idle("dana"), idle("yossi"))
    await watched.look(idle("dana"), idle("yossi"), after=5)
    assert watched.house.dispatcher.woken == 0


@pytest.mark.parametrize(("logged_out", "kept"), [("free", None), ("away", "away")])
async def test_logged_out_means_what_the_policy_says(watched: Watched, logged_out: str, kept: str | None) -> None:
    await watched.directory(a_directory("dana", "yossi", logged_out=logged_out))
    await watched.look(idle("dana", "out"), idle("yossi"))
    assert await watched.presence("dana") == kept


async def test_a_break_is_away_whatever_the_policy_says(watched: Watched) -> None:
    await watched.look(idle("dana", "break"), idle("yossi"))
    assert await watched.presence("dana") == "away"


async def test_what_was_told_runs_out_when_nothing_more_is_told(watched: Watched) -> None:
    """Fail-open: after half a minute of blindness our own books alone count again."""
    await watched.look(on_line("dana"), on_line("yossi"))
    await watched.floor.accept()
    for _ in range(5):
        await watched.blind(after=5)
    assert await watched.floor.claim_all() == ([], [])
    await watched.blind(after=5)
    assert (await watched.floor.claim()).attempt.agent_id == "dana"


# ------------------------------------------------------------------------------------------------ doubt


async def test_blindness_is_counted_and_said_and_changes_no_agent(watched: Watched) -> None:
    await watched.look(on_line("dana"), idle("yossi"))
    assert watched.watch.sight == Sight(START, None)
    await watched.blind(after=5)
    await watched.blind(after=5)
    assert watched.watch.sight == Sight(START, "blind"), "and since when is kept"
    assert watched.doubts("blind") == 2
    assert await watched.presence("dana") == "busy"
    assert watched.house.counted("leadring_presence_timestamp_seconds") == START / 1000
    await watched.look(idle("dana"), idle("yossi"), after=5)
    assert watched.watch.sight == Sight(START + 15_000, None)


async def test_an_answer_that_still_shows_a_call_whose_record_came_long_ago_is_stale(watched: Watched) -> None:
    claim = await watched.placed()
    await watched.floor.report(leg(2, "BUSY", claim.attempt))
    old = on_line("dana", call_id="c1", attempt_id=claim.attempt.id)
    await watched.look(old, idle("yossi"), after=STALE_AFTER / 1000)
    assert watched.doubt() is None, "the provider may be a little late"
    assert await watched.presence("dana") == "busy"
    await watched.look(old, on_line("yossi"), after=0.001)
    assert watched.doubt() == "stale"
    assert watched.doubts("stale") == 1
    assert await watched.presence("yossi") is None


async def test_a_call_that_hangs_where_it_ended_is_ignored_after_five_minutes(watched: Watched) -> None:
    """All answers would be doubted for ever otherwise, and its agent would never be rung again."""
    claim = await watched.placed()
    await watched.floor.report(leg(2, "BUSY", claim.attempt))
    hangs = on_line("dana", call_id="c1", attempt_id=claim.attempt.id)
    await watched.look(hangs, on_line("yossi"), after=STALE_AFTER / 1000 + 1)
    assert watched.doubt() == "stale"
    await watched.look(hangs, on_line("yossi"), after=HAUNTED_FOR / 1000)
    assert watched.doubt() == "stale", "as long as nothing else changes it may all be old"
    await watched.look(hangs, on_line("yossi"), idle("another"), after=5)
    assert watched.doubt() is None
    assert await watched.presence("dana") is None
    assert await watched.presence("yossi") == "busy"


async def test_a_call_that_was_passed_on_to_another_extension_is_no_sign_of_an_old_answer(watched: Watched) -> None:
    claim = await watched.placed()
    await watched.floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=5))
    passed_on = on_line("yossi", call_id="c1", attempt_id=claim.attempt.id)
    await watched.look(idle("dana"), passed_on, after=STALE_AFTER / 1000 + 1)
    assert watched.doubt() is None
    assert await watched.presence("yossi") == "busy"


async def test_a_stale_answer_frees_no_agent_and_confirms_no_call(watched: Watched) -> None:
    old = await watched.placed()
    await watched.floor.report(leg(2, "BUSY", old.attempt))
    watched.floor.clock.advance(61)
    claim = await watched.floor.dial(Unknown("x"), a_lead(at=watched.floor.now))
    stale = on_line("dana", attempt_id=old.attempt.id)
    for passed in (2, 8, 20):
        await watched.look(stale, idle("yossi"), after=passed)
    assert claim.attempt.agent_id == "yossi"
    assert await watched.floor.states(claim) == ("unknown", "dialing", "on_call")


async def test_an_answer_that_knows_none_of_our_extensions_is_not_believed(watched: Watched) -> None:
    await watched.look(idle("somebody"), on_line("another"))
    assert watched.watch.sight == Sight(None, "unknown_extensions")
    assert watched.doubts("unknown_extensions") == 1


@pytest.mark.parametrize("extension", ["0541234567", "SIPTRUNK", "logincode"])
async def test_where_no_agent_has_an_extension_of_their_own_there_is_nothing_to_doubt(
    watched: Watched, extension: str
) -> None:
    """The provider lists extensions; a telephone number and its two words are none."""
    directory = a_directory("dana")
    dana = replace(directory.agents["dana"], extension=extension)
    await watched.directory(replace(directory, agents={"dana": dana}))
    await watched.look(idle("somebody"))
    assert watched.watch.sight == Sight(START, None)


async def test_a_service_of_nothing_but_an_ivr_has_nothing_to_doubt(watched: Watched) -> None:
    await watched.directory(
        parse_directory("""
            [[sites]]
            key = "queue"
            ivr = "SIPqueue"
            [[agents]]
            id = "dana"
            extension = "SIPdana"
            enabled = false
        """)
    )
    await watched.look(idle("somebody"))
    assert watched.watch.sight == Sight(START, None)


async def test_everybody_s_leaving_at_once_is_believed_only_when_it_is_said_again_and_again(watched: Watched) -> None:
    await watched.look(idle("dana"), idle("yossi"))
    gone = (idle("dana", "break"), idle("yossi", "break"))
    for count in range(1, BELIEVED_AFTER):
        await watched.look(*gone, after=5)
        assert watched.watch.sight == Sight(START, "everybody_left")
        assert watched.doubts("everybody_left") == count
        assert await watched.presence("dana") is None
    await watched.look(*gone, after=5)
    assert watched.doubt() is None
    assert (await watched.presence("dana"), await watched.presence("yossi")) == ("away", "away")
    await watched.look(*gone, after=5)
    assert watched.doubt() is None, "it is no news any more"


async def test_one_believable_answer_in_between_starts_the_count_anew(watched: Watched) -> None:
    here = (idle("dana"), idle("yossi"))
    gone = (idle("dana", "break"), idle("yossi", "break"))
    for told in (here, gone, gone, here, gone, gone):
        await watched.look(*told, after=5)
    assert watched.doubt() == "everybody_left"
    assert await watched.presence("dana") is None


async def test_calls_are_followed_even_where_the_agents_cannot_be_judged(watched: Watched) -> None:
    claim = await watched.unknown()
    await watched.look(on_line("a mobile", attempt_id=claim.attempt.id, call_id="c1"), after=2)
    assert watched.doubt() == "unknown_extensions"
    assert (await watched.floor.states(claim))[0] == "placed"


# ------------------------------------------------------------------------------------------- when to ask


async def test_nobody_is_asked_about_nobody(watched: Watched) -> None:
    """No call is open, and nobody is on shift."""
    await watched.directory(a_directory())
    assert not await watched.watch.watch()
    assert watched.line.asked == 0


async def test_an_open_call_is_asked_about_after_hours(watched: Watched) -> None:
    await watched.placed()
    await watched.directory(a_directory())
    assert await watched.watch.watch()
    assert watched.line.asked == 1


async def test_without_a_call_every_second_question_is_enough_and_in_doubt_every_one_is_asked(
    watched: Watched,
) -> None:
    for _ in range(6):
        assert await watched.watch.watch()
    assert watched.line.asked == 3
    await watched.blind()
    asked = watched.line.asked
    for _ in range(3):
        assert await watched.watch.watch()
    assert watched.line.asked == asked + 3, "the first of them is still in doubt"


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)


class Looped(LineWatch):
    """Counts how often it watched."""

    rounds = 0
    failing: Exception | None = None

    async def watch(self) -> bool:
        self.rounds += 1
        if self.failing is not None:
            raise self.failing
        return await super().watch()


@contextlib.asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[Looped]:
    house = watched.house
    loop = Looped(house.store, watched.line, house.rules, house.dispatcher, house.hub, house.metrics, apart=0.001)
    task = asyncio.create_task(loop.run())
    try:
        yield loop
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_replica_that_does_not_poll_never_asks_and_begins_when_it_does(watched: Watched) -> None:
    await watched.placed()
    watched.house.store.polling = False
    async with running(watched) as loop:
        await eventually(lambda: watched.house.store.looked > 5)
        assert (loop.rounds, watched.line.asked) == (0, 0)
        watched.house.store.polling = True
        await eventually(lambda: watched.line.asked > 1)


@pytest.mark.parametrize("failure", [StorageUnavailable("gone"), ValueError("a mistake of ours")])
async def test_no_failure_ends_the_watch(watched: Watched, failure: Exception) -> None:
    await watched.placed()
    async with running(watched) as loop:
        loop.failing = failure
        rounds = loop.rounds
        await eventually(lambda: loop.rounds > rounds + 2)
        loop.failing = None
        asked = watched.line.asked
        await eventually(lambda: watched.line.asked > asked)
