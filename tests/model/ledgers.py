"""Where the books are kept: in memory alone, or in the real store with the books in memory held against it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy import Table, select

from app.directory import CallCap, Policy
from app.domain.guards import Cap
from app.domain.lead import Claim, Term
from app.domain.moves import Decide, Move
from app.domain.stories import Moved
from app.store.sql_store import SqlStore
from app.store.tables import agents, attempts, budgets, leads
from tests.clocks import START, ManualClock
from tests.model.books import HOUR, Books, Person
from tests.model.machine import AGENTS, RESERVE_LEASE
from tests.simulation.database import Database, SimulatedEngine
from tests.simulation.loop import VirtualLoop
from tests.store.leads_for_tests import Floor, a_directory, a_lead, leg

T = TypeVar("T")
Picture = dict[str, dict[str, tuple[object, ...]]]


class InMemory:
    """The books alone. Whom a round takes is decided here: the longest due, and the first who is free."""

    def __init__(self, clock: ManualClock, policy: Policy, limit: int) -> None:
        self.books = Books({name: Person(name) for name in AGENTS}, limit, policy.pause_after_misses)
        self._clock = clock
        self._ids = itertools.count(1)
        self._keys: dict[str, str] = {}

    @property
    def _now(self) -> int:
        return self._clock.now()

    def accept(self, number: str, key: str, *, due: int, reason: str, hold: str | None) -> str:
        if key in self._keys:
            return self._keys[key]
        live = self.books.live_lead_of(number)
        lead = live.id if live else f"lead {next(self._ids)}"
        if live is None:
            self.books.accept(lead, number, self._now, due=due, reason=reason, hold=hold)
        self._keys[key] = lead
        return lead

    def claim(self, owner: str) -> list[str]:
        found: list[str] = []
        for lead in self.books.due(self._now):
            free = self.books.free(self._now)
            asked = self.books.asked(lead, free, self._now)
            if not asked:
                continue
            if self.books.used >= self.books.limit:
                self.books.held(lead.id, self._now)
                continue
            agent = asked[0]
            attempt = f"attempt {next(self._ids)}"
            self.books.claimed(lead.id, attempt, agent.id, owner, self._now, RESERVE_LEASE)
            found.append(attempt)
        return found

    def send(self, attempt: str, owner: str, lease: int) -> bool:
        return self.books.begin_sending(attempt, owner, self._now, lease)

    def settle(self, attempt: str, expected: tuple[str, ...], decide: Decide, who: str) -> Move | None:
        return self.books.settle(attempt, expected, decide, self._now)

    def report(self, attempt: str, leg: int, status: str, talk: int, decide: Decide) -> Move | None:
        return self.books.report(attempt, leg, status, talk, decide, self._now)

    def see(self, attempt: str, look_at: int, ask_at: int) -> None:
        self.books.seen_on_the_line(attempt, self._now, look_at, ask_at)

    def refute(self, attempt: str, ask_at: int) -> None:
        self.books.refuted(attempt, self._now, ask_at)

    def ask_the_log(self, attempt: str, ask_at: int | None, *, missed: bool) -> None:
        self.books.asked_the_log(attempt, ask_at, missed=missed)

    def cancel(self, lead: str) -> None:
        self.books.cancel(lead, self._now)

    def reschedule(self, lead: str, term: Term) -> None:
        self.books.reschedule(lead, term)

    def release(self, lead: str, term: Term) -> None:
        self.books.release(lead, term)

    def put_off(self, term: Term) -> None:
        self.books.put_off(term, self._now)

    def expire(self) -> None:
        self.books.expire(self._now)

    def end_pauses(self) -> None:
        self.books.end_pauses(self._now)

    def pause(self, agent: str, until: int | None) -> None:
        self.books.agents[agent].paused, self.books.agents[agent].paused_until = True, until

    def resume(self, agent: str) -> None:
        self.books.resume(agent)

    def presence(self, agent: str, verdict: str, until: int) -> None:
        told = None if verdict == "free" else verdict
        one = self.books.agents[agent]
        renewed = one.presence != told or (one.presence_until or 0) < self._now + (until - self._now) // 2
        if told is None or renewed:
            one.presence, one.presence_until = told, until if told else None

    def close(self) -> None:
        """There is nothing to let go of."""


class InTheStore(InMemory):
    """The real statements on SQLite. Each step is taken there and in the books, and they must agree to the letter."""

    def __init__(self, clock: ManualClock, policy: Policy, limit: int, database: Database) -> None:
        super().__init__(clock, policy, limit)
        database.empty()
        self._loop = VirtualLoop(random.Random(0))  # type: ignore[abstract]  # noqa: S311 - nothing is decided by it
        store = SqlStore(SimulatedEngine(database, clock, self._loop.world))
        self._floor = Floor(store, clock, a_directory(*AGENTS))
        self._floor.calls = CallCap("hold", limit, None)
        self._floor.caps = (Cap("hour", START, limit, START + HOUR),)
        self._claims: dict[str, Claim] = {}
        self._do(self._floor.open())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def accept(self, number: str, key: str, *, due: int, reason: str, hold: str | None) -> str:
        new = a_lead(
            number,
            at=self._now,
            due_at=due,
            expires_at=due + HOUR,
            reason=reason,
            hold=hold,
            submission_id=key,
            fingerprint="the same form",
        )
        accepted = self._do(self._floor.accept(new))
        if key in self._keys:
            assert accepted.kind in ("in_flight", "orphan")
            return accepted.lead_id
        live = self.books.live_lead_of(number)
        assert accepted.kind == ("new" if live is None else "duplicate")
        if live is None:
            self.books.accept(accepted.lead_id, number, self._now, due=due, reason=reason, hold=hold)
        self._keys[key] = accepted.lead_id
        self._compare()
        return accepted.lead_id

    def claim(self, owner: str) -> list[str]:
        claims, held = self._do(self._floor.claim_all(owner))
        for claim in claims:
            self._claims[claim.attempt.id] = claim
            self.books.claimed(claim.lead.id, claim.attempt.id, claim.attempt.agent_id, owner, self._now, RESERVE_LEASE)
        for lead in held:
            self.books.held(lead, self._now)
        self._compare()
        return [claim.attempt.id for claim in claims]

    def send(self, attempt: str, owner: str, lease: int) -> bool:
        sent = self._do(self._floor.store.begin_sending(self._claims[attempt], owner, lease))
        assert sent == super().send(attempt, owner, lease)
        self._compare()
        return sent

    def settle(self, attempt: str, expected: tuple[str, ...], decide: Decide, who: str) -> Move | None:
        moved = self._do(self._floor.store.settle(attempt, expected, decide, who, lambda _: self._floor.caps))
        return self._same(moved, super().settle(attempt, expected, decide, who))

    def report(self, attempt: str, leg_number: int, status: str, talk: int, decide: Decide) -> Move | None:
        record = leg(leg_number, status, self._claims[attempt].attempt, talk_seconds=talk)
        body = f"report {next(self._ids)}"
        moved = self._do(self._floor.store.report(body, [record], decide, lambda _: self._floor.caps))
        return self._same(moved[0] if moved else None, super().report(attempt, leg_number, status, talk, decide))

    def see(self, attempt: str, look_at: int, ask_at: int) -> None:
        for call in self._do(self._floor.store.open_calls()):
            if call.id == attempt:
                self._do(self._floor.store.note_sighting(call, None, look_at, ask_at))
        super().see(attempt, look_at, ask_at)
        self._compare()

    def refute(self, attempt: str, ask_at: int) -> None:
        for call in self._do(self._floor.store.open_calls(0)):
            if call.id == attempt:
                self._do(self._floor.store.note_refuted(call, None, ask_at))
        super().refute(attempt, ask_at)
        self._compare()

    def ask_the_log(self, attempt: str, ask_at: int | None, *, missed: bool) -> None:
        self._do(self._floor.store.note_log_look(attempt, ask_at, looked=True, missed=missed))
        super().ask_the_log(attempt, ask_at, missed=missed)
        self._compare()

    def cancel(self, lead: str) -> None:
        self._do(self._floor.store.cancel(lead, "visitor"))
        super().cancel(lead)
        self._compare()

    def reschedule(self, lead: str, term: Term) -> None:
        self._do(self._floor.store.reschedule(lead, term))
        super().reschedule(lead, term)
        self._compare()

    def release(self, lead: str, term: Term) -> None:
        self._do(self._floor.store.release(lead, "operator", term))
        super().release(lead, term)
        self._compare()

    def put_off(self, term: Term) -> None:
        self._do(self._floor.store.put_off("main", term))
        super().put_off(term)
        self._compare()

    def expire(self) -> None:
        self._do(self._floor.store.expire())
        super().expire()

    def end_pauses(self) -> None:
        self._do(self._floor.store.end_pauses())
        super().end_pauses()
        self._compare()

    def pause(self, agent: str, until: int | None) -> None:
        self._do(self._floor.store.pause(agent, until, "lunch"))
        super().pause(agent, until)

    def resume(self, agent: str) -> None:
        self._do(self._floor.store.resume(agent))
        super().resume(agent)

    def presence(self, agent: str, verdict: str, until: int) -> None:
        self._do(self._floor.store.note_presence({agent: verdict}, until))  # type: ignore[dict-item]
        super().presence(agent, verdict, until)

    def close(self) -> None:
        """The whole must be sound, and the log of the store empty of surprises."""
        self._compare()
        self._loop.close()

    # ---------------------------------------------------------------------------------------- comparing

    def _same(self, moved: Moved | None, move: Move | None) -> Move | None:
        assert (None if moved is None else moved.move) == move
        self._compare()
        return move

    def _compare(self) -> None:
        kept, meant = self._do(self._picture()), self.books.picture()
        for what, rows in meant.items():
            assert kept[what] == rows, f"the {what} of the store are not as they should be"

    async def _picture(self) -> Picture:
        async def rows(table: Table, key: str, *columns: str) -> dict[str, tuple[object, ...]]:
            query = select(table.c[key], *(table.c[name] for name in columns))
            found = await self._floor.store.engine.read(lambda conn: conn.execute(query).all())
            return {row[0]: tuple(row[1:]) for row in found}

        return {
            "leads": await rows(
                leads, "id", "state", "reason", "outcome", "due_at", "expires_at", "attempt_id", "attempts",
                "lead_tries", "agent_misses", "send_failures", "errors", "redials", "avoid_agent",
                "avoid_until", "rank", "deadline_at", "promised_at",
            ),
            "attempts": await rows(
                attempts, "id", "lead_id", "agent_id", "state", "outcome", "holds_agent", "look_at", "ask_at",
                "log_looks", "log_misses",
            ),
            "agents": await rows(
                agents, "id", "state", "until", "attempt_id", "paused", "paused_until", "misses"
            ),
            "spent": {"hour": (0,), **await rows(budgets, "span", "used")},
        }  # fmt: skip
