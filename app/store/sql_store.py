"""The Store port over an engine: which function runs in which kind of transaction, and nothing more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.directory import CallCap, Cooldown
from app.domain.deadline import WARNED
from app.domain.guards import Cap, NumberCap
from app.domain.intake_results import Accepted, Claimed
from app.domain.lead import Claim, LateLead, Lead, NewLead, Term
from app.domain.moves import Decide
from app.domain.routing import Roster
from app.domain.stories import AgentState, Dossier, Gauges, LeadStory, Moved
from app.domain.switches import Switch, SwitchName
from app.errors import ConfigurationError, NotWritable, StorageUnavailable
from app.store import (
    agents,
    attempts,
    bookings,
    claims,
    dialing_windows,
    dossiers,
    gauges,
    intake,
    joining,
    leads,
    meta,
    migrate,
    promises,
    waits,
)
from app.store import switches as switch_rows
from app.store.delivery_store import DeliveryStore
from app.store.engine import Engine
from app.store.provider_accounts import ProviderAccounts, lead_of_moved

T = TypeVar("T")

log = logging.getLogger("leadring.store")

TOUCH_EVERY = 1000  # milliseconds between writes that only look whether writing works
MEBI = 1024 * 1024
LOW_ROOM = 64 * MEBI  # bytes of the database's disk; with less than that left /readyz warns


class SqlStore(ProviderAccounts, DeliveryStore):
    """Leads in a SQL database; see app.ports.Store for what every method promises."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._touched = 0
        self._excused = 0  # of the engine's failures: after these, something large has been written

    async def accept(self, new: NewLead, cooldown: Cooldown, calls: CallCap, caps: Sequence[Cap]) -> Accepted:
        for _ in range(3):
            try:
                return await self.engine.write(intake.accept, new, cooldown, calls, caps, self._now())
            except (IntegrityError, joining.Overtaken) as error:
                # Another transaction was faster, with a twin or with the end of the lead; the next look finds that.
                clash = error
        raise clash

    async def known_submission(self, site: str, key: str, fingerprint: str) -> Accepted | None:
        # As a write, so that it comes after an answer that is being kept behind.
        return await self.engine.write_one(intake.known_submission, site, key, fingerprint, self._now())

    async def remember_answer(self, site: str, key: str, answer: str) -> None:
        await self.engine.write_behind(intake.remember_answer, site, key, answer)

    async def claim(
        self,
        roster: Roster,
        *,
        owner: str,
        lease: int,
        calls: CallCap,
        caps: Sequence[Cap],
        most: int,
        numbers: NumberCap | None = None,
    ) -> Claimed:
        terms = claims.ClaimTerms(roster, owner, lease, calls, caps, most, numbers)
        try:
            # By the moment of the roster, however long it waits: a process that stood still would ring by old hours.
            return await self._write(_claimed, claims.claim, terms, self._now())
        except IntegrityError:
            # The belt held: another replica was faster with an agent or a lead. Nothing of ours stands.
            return Claimed([], [], [])

    async def begin_sending(self, claim: Claim, owner: str, lease: int, ring_agent: int | None = None) -> bool:
        return await self.engine.write_one(attempts.begin_sending, claim, owner, self._now(), lease, ring_agent)

    async def settle(
        self,
        attempt_id: str,
        expected: Sequence[str],
        decide: Decide,
        who: str,
        caps_at: Callable[[int], Sequence[Cap]],
    ) -> Moved | None:
        def settle(conn: Connection) -> Moved | None:
            return attempts.settle(conn, attempt_id, expected, decide, who, self._now(), caps_at)

        return await self._write(lead_of_moved, settle)

    async def overdue_attempts(self) -> list[str]:
        return await self.engine.read_one(attempts.looks, self._now())

    async def abandon_others(self, owner: str) -> int:
        return await self.engine.write_one(attempts.abandon_others, owner, self._now())

    async def expire(self) -> list[str]:
        return await self._write(lambda expired: expired, leads.expire, self._now())

    async def put_off(self, site: str, term: Term) -> int:
        return await self.engine.write_one(leads.put_off, site, term, self._now())

    async def late(self, by: int) -> list[LateLead]:
        return await self.engine.read(promises.late, by, self._now())

    async def promise(self, lead_id: str, at: int, expires: int) -> bool:
        now = self._now()
        return await self._write(
            lambda done: [lead_id] if done else [], promises.promise, lead_id, at, expires, now + WARNED, now
        )

    async def after_standstill(self, gap: int, fresh_for: int) -> list[str]:
        return await self._write(lambda held: held, promises.after_standstill, gap, fresh_for, self._now())

    async def due_numbers(self, site: str, most: int) -> list[tuple[str, str]]:
        return await self.engine.read(dialing_windows.due, site, self._now(), most)

    async def put_off_leads(self, ids: Sequence[str], term: Term) -> list[str]:
        return await self._write(lambda moved: moved, dialing_windows.put_off, ids, term, self._now())

    async def hold_leads(self, ids: Sequence[str]) -> list[str]:
        return await self._write(lambda moved: moved, dialing_windows.hold, ids, self._now())

    async def end_pauses(self) -> int:
        return await self.engine.write_one(attempts.end_pauses, self._now())

    async def next_due(self, sites: Sequence[str]) -> int | None:
        return await self.engine.read(leads.next_due, list(sites), self._now())

    async def booked(
        self, sites: Sequence[str], since: int, until: int, *, overdue: bool
    ) -> Mapping[str, Mapping[int, int]]:
        return await self.engine.read(bookings.booked, list(sites), since, until, overdue)

    async def waits(self, site: str, since: int) -> list[int | None]:
        return await self.engine.read(waits.waits, site, since)

    async def oldest_due(self, site: str) -> int | None:
        return await self.engine.read_one(waits.oldest_due, site, self._now())

    async def story(self, lead_id: str) -> LeadStory | None:
        return await self.engine.read(leads.story, lead_id, self._now())

    async def dossier(self, lead_id: str, numbers: NumberCap | None) -> Dossier | None:
        return await self.engine.read(dossiers.read, lead_id, numbers, self._now())

    async def leads_begun(self, beginning: str) -> list[str]:
        return await self.engine.read_one(leads.begun, beginning)

    async def cancel(self, lead_id: str, who: str) -> str | None:
        return await self._write(lambda _: [lead_id], leads.cancel, lead_id, who, self._now())

    async def reschedule(self, lead_id: str, term: Term) -> str | None:
        return await self._write(lambda _: [lead_id], leads.reschedule, lead_id, term, self._now())

    async def release(self, lead_id: str, who: str, term: Term) -> str | None:
        try:
            return await self._write(lambda _: [lead_id], leads.release, lead_id, who, term, self._now())
        except IntegrityError:
            # The number has another live lead by now: this one stays as it is.
            story = await self.story(lead_id)
            return story.lead.state if story else None

    async def leads(self, states: Sequence[str], most: int) -> list[Lead]:
        return await self.engine.read_one(leads.listed, tuple(states), most)

    async def sync_agents(self, ids: Sequence[str]) -> None:
        await self.engine.write(agents.sync, list(ids))

    async def agent_states(self) -> Mapping[str, AgentState]:
        return await self.engine.read_one(agents.states)

    async def pause(self, agent: str, until: int | None, reason: str) -> bool:
        return await self.engine.write_one(agents.pause, agent, until, reason)

    async def resume(self, agent: str) -> bool:
        return await self.engine.write(agents.resume, agent)

    async def switches(self) -> Mapping[SwitchName, Switch]:
        return await self.engine.read_one(switch_rows.read)

    async def turn(self, wanted: Mapping[SwitchName, bool], who: str, why: str | None) -> Mapping[SwitchName, Switch]:
        turned = await self.engine.write(switch_rows.turn, wanted, who, why, self._now())
        self.engine.tell("switch")
        return turned

    async def gauges(self) -> Gauges:
        return await self.engine.read(gauges.read, self._now())

    async def secret_key(self) -> str:
        return await self.engine.write(meta.secret_key)

    async def forget_submissions(self, before: int) -> int:
        return await self.engine.write_one(meta.forget_submissions, before)

    async def ready(self) -> str | None:
        try:
            await self._try_to_write()
        except StorageUnavailable as error:
            if self.engine.failures != self._excused:
                raise NotWritable from error
            raise
        try:
            migrate.check_revision(await self.engine.read(migrate.read_revision))
        except ConfigurationError as error:
            raise StorageUnavailable(str(error)) from error
        room = await self.engine.room()
        return None if room is None or room >= LOW_ROOM else f"{room // MEBI} MiB are left on the database's disk"

    async def _try_to_write(self) -> None:
        """A little; or, after a write that found no room, as much as a lead and its history take."""
        now, failures = self._now(), self.engine.failures
        if failures != self._excused:
            # In two transactions: what is given back before it was written took no room in the log.
            await self.engine.write(meta.take_room)
            await self.engine.write(meta.give_room_back)
            self._excused = failures
        elif abs(now - self._touched) < TOUCH_EVERY:
            await self.engine.ping()
        else:
            await self.engine.write(meta.touch, now)
            self._touched = now


def _claimed(result: Claimed) -> list[str]:
    return [claim.lead.id for claim in result.claims] + result.held + result.put_off
