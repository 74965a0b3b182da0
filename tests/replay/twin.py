"""The same day through the real store: accepted, claimed, settled and swept by the service's own statements.

Time goes from one moment of the replay to the next; what people do is asked of the same habits. So the replay's books
are held against SQL that was written without them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.directory import Directory
from app.domain import deadline, guards, moves, reconciling
from app.domain.answers import Placed, Refused
from app.domain.lead import Attempt, Claim, Lead, NewLead
from app.domain.moves import Decide, Move
from app.domain.past_day import PastDay, PastLead
from app.domain.phone import read_phone
from app.metrics import Metrics
from app.service.breaker import Breaker
from app.service.callbacks import first_due
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.replay.calls import Going, go
from app.service.replay.habits import Habits
from app.service.replay.record import set_time
from app.service.rules import Rules
from app.service.sweeper import Sweeper
from app.service.switches import Switches
from app.store.sql_store import SqlStore
from tests.clocks import ManualClock
from tests.service.conftest import Silence

OWNER: Final = "twin"


@dataclass(frozen=True, slots=True)
class Made:
    """A call: for whom, with whom, when."""

    lead_id: str
    agent_id: str
    at: int


class Twin:
    """Runs a day through a store. `made` are its calls, `refused` who was not let in."""

    def __init__(self, store: SqlStore, clock: ManualClock, day: PastDay, directory: Directory, habits: Habits) -> None:
        self._store = store
        self._clock = clock
        self._day = day
        self._directory = directory
        self._habits = habits
        self._rules = Rules(directory)
        hub, metrics = Hub(), Metrics()
        dispatcher = Dispatcher(
            store,
            Silence(),
            self._rules,
            hub,
            metrics,
            Breaker(clock, None, metrics, probe_deadline=1.0),
            owner=OWNER,
            provider_timeout=12.0,
            switches=Switches(store, metrics),
        )
        self._sweeper = Sweeper(store, self._rules, dispatcher, hub, metrics)
        self._steps: list[tuple[int, int, Callable[[], object]]] = []
        self._rung: dict[str, int] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self.made: list[Made] = []
        self.fates: dict[str, str] = {}  # of submissions that became no lead of their own

    async def run(self, moments: Iterator[int]) -> None:
        """Live through these moments, which are all at which anything can happen."""
        await self._store.sync_agents(list(self._directory.agents))
        for lead in self._day.all:
            self._plan(lead.received_at, partial(self._come, lead, lead.id, False))
            for number, deed in enumerate((one for one in lead.deeds if one.event == "joined"), 1):
                self._plan(deed.at, partial(self._come, lead, f"{lead.id} again {number}", True))
            for deed in lead.deeds:
                if deed.event == "cancelled":
                    self._plan(deed.at, partial(self._store.cancel, lead.id, deed.who))
                elif deed.event == "released":
                    self._plan(deed.at, partial(self._release, lead.id))
        for moment in moments:
            self._clock.set_wall(moment)
            await self._sweeper.sweep()
            while self._steps and self._steps[0][0] <= moment:
                await heapq.heappop(self._steps)[2]()  # type: ignore[misc]
            while await self._claim():
                pass

    def _plan(self, at: int, step: Callable[[], object]) -> None:
        heapq.heappush(self._steps, (at, len(self._steps) + len(self.made) * 100_000, step))

    async def _release(self, lead_id: str) -> None:
        await self._store.release(lead_id, "operator", self._rules.term(self._clock.now()))

    async def _come(self, past: PastLead, lead_id: str, again: bool) -> None:
        """As `Intake.submit` does it, without a form."""
        now, policy = self._clock.now(), self._rules.policy
        phone = read_phone(past.phone, policy.default_country)
        decided = guards.worst(guards.look_at_number(phone, self._directory))
        if decided is not None and decided.mode == "refuse":
            self.fates[lead_id] = "refused"
            return
        call_at = None if again else set_time(past, policy.deadline)
        due, reason, rank, hold = first_due(
            lambda moment: self._rules.next_ring(past.site, phone.e164, moment), now, call_at
        )
        new = NewLead(
            id=lead_id,
            site=past.site,
            source="widget",
            phone=phone,
            phone_key=past.phone_key,
            client_key="",
            received_at=now,
            due_at=due,
            expires_at=due + policy.expire_after * 1000,
            deadline_at=due + policy.deadline * 1000,
            reason=reason,
            rank=rank,
            hold=decided.guard if decided else hold,
            asked_language=past.asked_language,
        )
        of = self._directory.guards
        accepted = await self._store.accept(new, of.cooldown, of.calls, self._rules.caps(now))
        if accepted.kind != "new":
            self.fates[lead_id] = {"duplicate": "joined"}.get(accepted.kind, accepted.kind)

    async def _claim(self) -> bool:
        now = self._clock.now()
        found = await self._store.claim(
            self._rules.roster(now),
            owner=OWNER,
            lease=5000,
            calls=self._directory.guards.calls,
            caps=self._rules.caps(now),
            most=32,
            numbers=self._rules.number_cap(now),
        )
        for claim in found.claims:
            assert await self._store.begin_sending(claim, OWNER, 22_000)
            await self._dial(claim, now)
        return bool(found.claims or found.put_off)

    async def _dial(self, claim: Claim, now: int) -> None:
        lead, agent = claim.lead, self._directory.agents[claim.attempt.agent_id]
        away = self._habits.away(agent.id, now)
        answer = Placed(claim.attempt.id) if away is None else Refused(3, "", away)

        def decide(attempt: Attempt, current: Lead) -> Move | None:
            opening = self._rules.opening_for(current.site, current.phone)
            return moves.after_answer(answer, current, self._rules.policy, now, jitter=0.0, opening=opening)

        await self._settle(claim, ("sending",), decide)
        if away is not None:
            return
        self.made.append(Made(lead.id, agent.id, now))
        asked = self._asked.get((lead.id, agent.id), 0)
        pick_up, _ = self._habits.pick_up(lead.id, agent, asked, lead.attempts + 1)
        reaction, _ = self._habits.reaction(lead.id, self._rung.get(lead.id, 0))
        ring = deadline.ring_time(self._rules.policy.ring_agent, lead.deadline_at, now)
        going = go(claim.attempt.first_leg, self._rules.policy, ring, pick_up, reaction)
        self._asked[lead.id, agent.id] = asked + going.agent_rang
        self._rung[lead.id] = self._rung.get(lead.id, 0) + going.lead_rang
        lags, ends = self._habits.lags, now + going.lasts
        if not going.missed:
            self._plan(ends + lags.over, partial(self._left, claim))
        known_at = ends + (lags.missed if going.missed else max(lags.over, lags.told))
        self._plan(known_at, partial(self._ended, claim, going))

    async def _left(self, claim: Claim) -> None:
        policy = self._rules.policy_of(claim.attempt.agent_id)
        now = self._clock.now()
        await self._settle(claim, ("placed",), lambda attempt, _: reconciling.after_call_left(attempt, policy, now))

    async def _ended(self, claim: Claim, going: Going) -> None:
        now = self._clock.now()

        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            return moves.after_outcome(
                going.outcome,
                lead,
                self._rules.policy_of(attempt.agent_id),
                now,
                opening=self._rules.opening_for(lead.site, lead.phone),
                lead_first=attempt.first_leg == "lead",
                short=going.short,
            )

        await self._settle(claim, ("placed",), decide)

    async def _settle(self, claim: Claim, expected: tuple[str, ...], decide: Decide) -> None:
        assert await self._store.settle(claim.attempt.id, expected, decide, "twin", self._rules.caps) is not None
