"""Whatever the provider tells of its calls, in whatever order: the books stay sound. Both engines."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from app.domain import reconciling
from app.domain.answers import NotSent, Placed, Refused, Unknown
from app.domain.lead import Attempt, Claim, Lead
from app.domain.moves import Move
from app.domain.stories import Moved
from tests.store.leads_for_tests import Floor, a_directory, a_term, leg
from tests.store.soundness import assert_sound

ANSWERS = (
    Placed("c1"),
    Unknown("x"),
    Refused(2, "error", "once_more"),
    Refused(3, "offline", "agent_offline"),
    NotSent("x"),
)
STATUSES = ("ANSWER", "NOANSWER", "BUSY", "NOTCALLED", "VOEND", "CHANUNAVAIL")
PHASES = (None, "agent_ringing", "lead_ringing", "talking")


class Chance:
    """One after the other, whatever the provider may say of its calls, in an order that a seed decides."""

    def __init__(self, floor: Floor, seed: int) -> None:
        self.floor = floor
        self.random = random.Random(seed)  # noqa: S311 - not a secret
        self.claims: list[Claim] = []
        self.happened: Counter[str] = Counter()

    async def step(self) -> None:
        """Something happens, and the sweeper does its round."""
        deed = self.random.choice((self._dial, self._answer, self._line, self._log, self._record, self._person))
        moved = await deed()
        if moved is not None:
            self.happened[moved.move.event] += 1
        self.floor.clock.advance(self.random.choice((0, 1, 20, 400)))
        for claim in self.claims:
            if claim.attempt.id in await self.floor.store.overdue_attempts():
                await self.floor.silence(claim)
        await self.floor.store.expire()
        await self.floor.store.end_pauses()

    def _one(self) -> Claim | None:
        return self.random.choice(self.claims[-6:]) if self.claims else None

    async def _dial(self) -> None:
        if self.random.random() < 0.5:
            await self.floor.accept()
        claims, _ = await self.floor.claim_all()
        for claim in claims:
            self.claims.append(claim)
            if self.random.random() < 0.9:
                await self.floor.send(claim)
                await self.floor.answer(claim, self.random.choice(ANSWERS))

    async def _answer(self) -> Moved | None:
        """A late one."""
        claim = self._one()
        return None if claim is None else await self.floor.answer(claim, self.random.choice(ANSWERS))

    async def _line(self) -> Moved | None:
        floor = self.floor
        calls = await floor.store.open_calls()
        await floor.store.note_presence(
            {agent: self.random.choice(("free", "busy", "away")) for agent in floor.directory.agents},
            floor.now + 30_000,
        )
        if not calls:
            return None
        call = self.random.choice(calls)
        policy = floor.directory.policy

        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            if self.random.random() < 0.5:
                if attempt.state in ("placed", "unknown"):
                    return reconciling.after_call_left(attempt, policy, floor.now)
                return None
            return None if attempt.state == "placed" else reconciling.after_sighting(None, policy, floor.now)

        await floor.store.note_line_look(call.id)
        moved = await floor.store.settle(call.id, (call.state,), decide, "presence", lambda _: floor.caps)
        await floor.store.note_sighting(call, self.random.choice(PHASES), floor.now + 300_000, floor.now + 120_000)
        return moved

    async def _log(self) -> Moved | None:
        floor = self.floor
        moved = None
        for one in await floor.store.unheard_calls():

            def decide(attempt: Attempt, lead: Lead) -> Move | None:
                return reconciling.after_log_miss(
                    attempt, lead, floor.directory.policy, floor.now, opening=lambda moment: moment
                )

            moved = await floor.store.settle(one.attempt.id, ("unknown",), decide, "log", lambda _: floor.caps)
            again = reconciling.ask_again_at(one.attempt, floor.now)
            await floor.store.note_log_look(one.attempt.id, again, looked=True, missed=True)
        return moved

    async def _record(self) -> Moved | None:
        claim = self._one()
        if claim is None or (await self.floor.attempt(claim))["sending_at"] is None:
            return None
        record = leg(self.random.choice((1, 2)), self.random.choice(STATUSES), claim.attempt, talk_seconds=5)
        return next(iter(await self.floor.report(record)), None)

    async def _person(self) -> None:
        claim = self._one()
        if claim is None:
            return
        if self.random.random() < 0.5:
            await self.floor.store.cancel(claim.lead.id, "visitor")
        else:
            await self.floor.store.release(claim.lead.id, "operator", a_term(self.floor.now))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_the_provider_tells_in_whatever_order_the_books_are_sound(floor: Floor, seed: int) -> None:
    """Every move is allowed by the tables of states and by the database, and no lead is lost."""
    await floor.open(a_directory("a", "b", "c", "d", redial_absent=True))
    chance = Chance(floor, seed)
    for _ in range(80):
        await chance.step()
        await assert_sound(floor.store)
    assert chance.happened.total() > 5, "much has happened"
