"""A floor for store tests: leads, agents, and the verbs that the service would call, in the service's order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, select

from app.clock import to_datetime
from app.directory import Agent, CallCap, Cooldown, Directory, Guards, Limits, Policy, Site
from app.domain import moves, outcomes
from app.domain.answers import Answer, Placed
from app.domain.guards import Cap, NumberCap
from app.domain.intake_results import Accepted
from app.domain.lead import Attempt, Claim, Lead, NewLead, Term
from app.domain.moves import Move
from app.domain.phone import Phone
from app.domain.routing import Roster
from app.domain.stories import Moved
from app.ids import new_id
from app.ports import CallRecord
from app.store.sql_store import SqlStore
from app.store.tables import agents, attempts, events, leads
from tests.clocks import START, ManualClock

OFF: Final = Cooldown(mode="off", per_phone=())
UNCAPPED: Final = CallCap(mode="off", per_hour=None, per_day=None)
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
ANSWERED: Final = ("sending", "unknown")  # whom a provider's answer may still reach
SILENT: Final = ("reserved", "sending", "placed", "unknown")  # whom the sweeper looks at

_numbers = itertools.count(1)


def a_directory(*ids: str, skills: Mapping[str, Sequence[str]] | None = None, **policy: Any) -> Directory:
    """Two sites, `main` for anybody and `sales` for who has that skill; agents with these ids, in this order."""
    known = skills or {}
    listed = {
        name: Agent(id=name, name=name.title(), extension=f"SIP{name}", skills=frozenset(known.get(name, ())))
        for name in ids
    }
    sites = {
        "main": Site(key="main", name="Main"),
        "sales": Site(key="sales", name="Sales", skills=frozenset({"sales"})),
    }
    return Directory(Policy(**policy), Limits(), Guards(), {}, sites, listed)


def a_lead(phone: str | None = None, *, at: int = START, site: str = "main", **fields: Any) -> NewLead:
    """A lead as intake hands it over, due at `at` and to be rung within the hour; every phone another one."""
    number = phone or f"+97254{next(_numbers):07}"
    given: dict[str, Any] = {
        "id": new_id(),
        "site": site,
        "source": "widget",
        "phone": Phone(number, "IL", "mobile", True),
        "phone_key": f"key of {number}",
        "client_key": "client",
        "received_at": at,
        "due_at": at,
        "expires_at": at + HOUR,
        "deadline_at": at + 40_000,
        "reason": "no_agent",
    }
    return NewLead(**(given | fields))


def a_term(due: int, lasts: int = HOUR) -> Term:
    """Due at that moment, too late `lasts` ms after it."""
    return Term(due, due + lasts, due + 40_000)


def a_record(**fields: Any) -> CallRecord:
    """A call record that says nothing but what is given."""
    silent: dict[str, Any] = dict.fromkeys(CallRecord.__slots__)
    return CallRecord(**(silent | {"type": "", "status": ""} | fields))


def leg(number: int, status: str, attempt: Attempt | None = None, **fields: Any) -> CallRecord:
    """One leg's record, which carries our own variables when `attempt` is given."""
    ours = {"attempt_id": attempt.id, "lead_id": attempt.lead_id} if attempt else {}
    return a_record(leg=number, type=f"Click2Call leg{number}", status=status, **(ours | fields))


class Floor:
    """A store with agents at work. Its verbs decide as the service does; `caps` is the money cap in force."""

    def __init__(self, store: SqlStore, clock: ManualClock, directory: Directory | None = None) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory or a_directory("dana", "yossi")
        self.calls = UNCAPPED
        self.caps: tuple[Cap, ...] = ()
        self.numbers: NumberCap | None = None
        self.opens_at = 0  # every site is closed before this moment

    async def open(self, directory: Directory | None = None) -> Floor:
        """List the directory's agents, and no others."""
        self.directory = directory or self.directory
        await self.store.sync_agents(list(self.directory.agents))
        return self

    @property
    def now(self) -> int:
        return self.clock.now()

    def roster(self) -> Roster:
        return Roster(self.directory, to_datetime(self.now), self.now)

    async def accept(self, new: NewLead | None = None, cooldown: Cooldown = OFF) -> Accepted:
        return await self.store.accept(new or a_lead(at=self.now), cooldown, self.calls, self.caps)

    async def claim_all(self, owner: str = "me", most: int = 32) -> tuple[list[Claim], list[str]]:
        """What a round would claim, and whom the cap held."""
        found = await self.store.claim(
            self.roster(), owner=owner, lease=5000, calls=self.calls, caps=self.caps, most=most, numbers=self.numbers
        )
        return found.claims, found.held

    async def claim(self, owner: str = "me") -> Claim:
        """The one claim that a round makes."""
        claims, held = await self.claim_all(owner)
        assert (len(claims), held) == (1, [])
        return claims[0]

    async def send(self, claim: Claim, owner: str = "me") -> bool:
        return await self.store.begin_sending(claim, owner, 22_000)

    async def dial(self, answer: Answer | None = None, new: NewLead | None = None) -> Claim:
        """A new lead, claimed, sent and answered by the provider (placed as call `c1` unless told)."""
        await self.accept(new)
        claim = await self.claim()
        assert await self.send(claim)
        assert await self.answer(claim, answer or Placed("c1")) is not None
        return claim

    async def answer(self, claim: Claim, answer: Answer, jitter: float = 0.0) -> Moved | None:
        """The provider's answer, as the dispatcher settles it."""

        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            return moves.after_answer(
                answer, lead, self.directory.policy, self.now, jitter=jitter, opening=self._opening
            )

        return await self.store.settle(claim.attempt.id, ANSWERED, decide, "dispatcher", self._caps_at)

    async def silence(self, claim: Claim) -> Moved | None:
        """The attempt's time is up: what the sweeper does."""

        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            return moves.after_silence(attempt, lead, self.directory.policy, self.now, opening=self._opening)

        return await self.store.settle(claim.attempt.id, SILENT, decide, "sweeper", self._caps_at)

    async def outcome(self, claim: Claim, outcome: str) -> Moved | None:
        """The call has ended so."""

        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            return moves.after_outcome(outcome, lead, self.directory.policy, self.now, opening=self._opening)

        return await self.store.settle(
            claim.attempt.id, ("placed", "unknown", "unresolved", "ended"), decide, "provider", self._caps_at
        )

    async def report(self, *records: CallRecord, body: str | None = None) -> list[Moved]:
        """One push with these records, kept and applied; nothing when exactly this text came before."""
        text = body if body is not None else f"{next(_numbers)} {records!r}"
        return await self.store.report(text, records, self.decide, self._caps_at)

    def decide(self, attempt: Attempt, lead: Lead) -> Move | None:
        """What a record means, as the service decides it."""
        outcome = outcomes.outcome_of(attempt)
        if outcome is None or outcome == attempt.outcome:
            return None
        return moves.after_outcome(outcome, lead, self.directory.policy, self.now, opening=self._opening)

    def _opening(self, moment: int) -> int:
        return max(moment, self.opens_at)

    def _caps_at(self, moment: int) -> Sequence[Cap]:
        return self.caps

    # ---------------------------------------------------------------------------------------- looking

    async def row(self, table: Table, key: str) -> Mapping[str, Any]:
        """The one row with this id."""
        found = await self.rows(table, id=key)
        assert len(found) == 1
        return found[0]

    async def rows(self, table: Table, **where: Any) -> list[Mapping[str, Any]]:
        """All rows where these columns hold these values, by key."""
        query = select(table).order_by(*table.primary_key.columns)
        for column, value in where.items():
            query = query.where(table.c[column] == value)
        return await self.store.engine.read(lambda conn: [dict(row) for row in conn.execute(query).mappings()])

    async def lead(self, lead_id: str) -> Mapping[str, Any]:
        return await self.row(leads, lead_id)

    async def attempt(self, claim: Claim) -> Mapping[str, Any]:
        return await self.row(attempts, claim.attempt.id)

    async def agent(self, agent_id: str) -> Mapping[str, Any]:
        return await self.row(agents, agent_id)

    async def history(self, lead_id: str) -> list[str]:
        """The names of a lead's events, oldest first."""
        return [row["event"] for row in await self.rows(events, lead_id=lead_id)]

    async def states(self, claim: Claim) -> tuple[str, str, str]:
        """Where attempt, lead and agent are."""
        attempt, lead = await self.attempt(claim), await self.lead(claim.lead.id)
        return attempt["state"], lead["state"], (await self.agent(claim.attempt.agent_id))["state"]
