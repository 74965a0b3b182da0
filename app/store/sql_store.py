"""The Store port over an engine: which function runs in which kind of transaction, and nothing more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.clock import Clock
from app.directory import CallCap, Cooldown
from app.domain.deadline import WARNED
from app.domain.guards import Cap, NumberCap
from app.domain.intake_results import Accepted, Claimed
from app.domain.lead import Claim, LateLead, Lead, NewLead, Term
from app.domain.moves import Decide
from app.domain.open_calls import OpenCall, UnheardCall
from app.domain.presence import Verdict
from app.domain.routing import Roster
from app.domain.stories import AgentState, Dossier, Gauges, KeptCdr, LeadStory, Moved
from app.domain.switches import Switch, SwitchName
from app.errors import ConfigurationError, StorageUnavailable
from app.ports import CallRecord
from app.store import (
    agents,
    attempts,
    bookings,
    cdrs,
    claims,
    dialing_windows,
    dossiers,
    gauges,
    intake,
    leads,
    meta,
    migrate,
    phoned_in,
    promises,
    reports,
    sightings,
    unheard,
)
from app.store import switches as switch_rows
from app.store.engine import Engine

T = TypeVar("T")

log = logging.getLogger("leadring.store")

TOUCH_EVERY = 1000  # milliseconds between writes that only look whether writing works


class SqlStore:
    """Leads in a SQL database; see app.ports.Store for what every method promises."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._touched = 0

    @property
    def clock(self) -> Clock:
        return self.engine.clock

    def _now(self) -> int:
        return self.engine.clock.now()

    async def _write(self, leads_of: Callable[[T], Iterable[str]], fn: Callable[..., T], *args: Any) -> T:
        """Run a write, and tell watchers on other replicas which leads it moved, in the same transaction."""
        if self.engine.dialect == "sqlite":
            return await self.engine.write(fn, *args)

        def and_tell(conn: Connection) -> T:
            result = fn(conn, *args)
            for lead_id in leads_of(result):
                self.engine.notify(conn, "lead", lead_id)
            return result

        return await self.engine.write(and_tell)

    async def accept(self, new: NewLead, cooldown: Cooldown, calls: CallCap, caps: Sequence[Cap]) -> Accepted:
        for _ in range(3):
            try:
                return await self.engine.write(intake.accept, new, cooldown, calls, caps, self._now())
            except IntegrityError as error:
                # A twin in another transaction was faster; the next look finds what it stored.
                clash = error
        raise clash

    async def known_submission(self, site: str, key: str, fingerprint: str) -> Accepted | None:
        # As a write, so that it comes after an answer that is being kept behind.
        return await self.engine.write(intake.known_submission, site, key, fingerprint, self._now())

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
            return await self._write(_claimed, claims.claim, terms, self._now())
        except IntegrityError:
            # The belt held: another replica was faster with an agent or a lead. Nothing of ours stands.
            return Claimed([], [], [])

    async def begin_sending(self, claim: Claim, owner: str, lease: int, ring_agent: int | None = None) -> bool:
        return await self.engine.write(attempts.begin_sending, claim, owner, self._now(), lease, ring_agent)

    async def settle(
        self,
        attempt_id: str,
        expected: Sequence[str],
        decide: Decide,
        who: str,
        caps_at: Callable[[int], Sequence[Cap]],
    ) -> Moved | None:
        return await self._write(_moved, attempts.settle, attempt_id, expected, decide, who, self._now(), caps_at)

    async def overdue_attempts(self) -> list[str]:
        return await self.engine.read(attempts.looks, self._now())

    async def abandon_others(self, owner: str) -> int:
        return await self.engine.write(attempts.abandon_others, owner, self._now())

    async def expire(self) -> list[str]:
        return await self._write(lambda expired: expired, leads.expire, self._now())

    async def put_off(self, site: str, term: Term) -> int:
        return await self.engine.write(leads.put_off, site, term, self._now())

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
        return await self.engine.write(attempts.end_pauses, self._now())

    async def next_due(self, sites: Sequence[str]) -> int | None:
        return await self.engine.read(leads.next_due, list(sites), self._now())

    async def booked(
        self, sites: Sequence[str], since: int, until: int, *, overdue: bool
    ) -> Mapping[str, Mapping[int, int]]:
        return await self.engine.read(bookings.booked, list(sites), since, until, overdue)

    async def story(self, lead_id: str) -> LeadStory | None:
        return await self.engine.read(leads.story, lead_id, self._now())

    async def dossier(self, lead_id: str, numbers: NumberCap | None) -> Dossier | None:
        return await self.engine.read(dossiers.read, lead_id, numbers, self._now())

    async def leads_begun(self, beginning: str) -> list[str]:
        return await self.engine.read(leads.begun, beginning)

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
        return await self.engine.read(leads.listed, tuple(states), most)

    async def sync_agents(self, ids: Sequence[str]) -> None:
        await self.engine.write(agents.sync, list(ids))

    async def agent_states(self) -> Mapping[str, AgentState]:
        return await self.engine.read(agents.states)

    async def pause(self, agent: str, until: int | None, reason: str) -> bool:
        return await self.engine.write(agents.pause, agent, until, reason)

    async def resume(self, agent: str) -> bool:
        return await self.engine.write(agents.resume, agent)

    async def report(
        self, body: str, records: Sequence[CallRecord], decide: Decide, caps_at: Callable[[int], Sequence[Cap]]
    ) -> list[Moved]:
        try:
            return await self._write(_leads_of, reports.report, body, records, decide, caps_at, self._now())
        except (ValueError, RuntimeError, IntegrityError):
            # Nothing of it stands; kept at least, it is tried again and then set aside.
            log.exception("a report could not be applied")
            await self.keep_cdr(body)
            return []

    async def keep_cdr(self, body: str) -> bool:
        """Keep a report without looking at it; False when exactly this text was kept before."""
        return await self.engine.write(cdrs.keep, body, self._now()) is not None

    async def kept_cdrs(self) -> list[KeptCdr]:
        return await self.engine.read(cdrs.kept)

    async def apply_cdr(
        self, cdr: KeptCdr, records: Sequence[CallRecord], decide: Decide, caps_at: Callable[[int], Sequence[Cap]]
    ) -> list[Moved]:
        return await self._write(_leads_of, reports.apply, cdr, records, decide, caps_at, self._now())

    async def put_back_cdr(self, cdr: KeptCdr) -> None:
        await self.engine.write(cdrs.put_back, cdr, self._now(), failed=True)

    async def phoned_in(
        self, body: str, record: CallRecord, phone_key: str, agent: str | None, talk: int
    ) -> str | None:
        return await self._write(
            lambda ended: [ended] if ended else [], phoned_in.note, body, record, phone_key, agent, talk, self._now()
        )

    def polls(self) -> bool:
        return self.engine.polls

    async def open_calls(self) -> list[OpenCall]:
        return await self.engine.read(sightings.open_calls)

    async def note_sighting(self, call: OpenCall, phase: str | None, look_at: int, ask_at: int) -> bool:
        return await self._write(
            lambda news: [call.lead_id] if news else [], sightings.note, call, phase, self._now(), look_at, ask_at
        )

    async def note_line_look(self, attempt_id: str) -> None:
        await self.engine.write(sightings.note_look, attempt_id)

    async def calls_over(self, attempt_ids: Sequence[str], before: int, sent_before: int) -> Mapping[str, str]:
        return await self.engine.read(sightings.over, list(attempt_ids), before, sent_before)

    async def line_tells_answers(self) -> bool:
        return await self.engine.read(sightings.tells_answers)

    async def note_presence(self, verdicts: Mapping[str, Verdict], until: int) -> bool:
        return await self.engine.write(sightings.note_presence, verdicts, self._now(), until)

    async def unheard_calls(self) -> list[UnheardCall]:
        return await self.engine.read(unheard.due, self._now())

    async def note_log_look(self, attempt_id: str, ask_at: int | None, *, looked: bool, missed: bool) -> None:
        await self.engine.write(unheard.note_look, attempt_id, ask_at, looked=looked, missed=missed)

    async def whose_call(self, attempt_id: str | None, call_id: str | None) -> str | None:
        return await self.engine.read(unheard.whose, attempt_id, call_id)

    async def note_hang_up(self, lead_id: str, attempt_id: str | None, who: str) -> None:
        await self._write(lambda _: [lead_id], unheard.note_hang_up, lead_id, attempt_id, who, self._now())

    async def switches(self) -> Mapping[SwitchName, Switch]:
        return await self.engine.read(switch_rows.read)

    async def turn(self, wanted: Mapping[SwitchName, bool], who: str, why: str | None) -> Mapping[SwitchName, Switch]:
        def and_tell(conn: Connection) -> Mapping[SwitchName, Switch]:
            turned = switch_rows.turn(conn, wanted, who, why, self._now())
            self.engine.notify(conn, "switch")
            return turned

        return await self.engine.write(and_tell)

    async def gauges(self) -> Gauges:
        return await self.engine.read(gauges.read, self._now())

    async def secret_key(self) -> str:
        return await self.engine.write(meta.secret_key)

    async def forget_submissions(self, before: int) -> int:
        return await self.engine.write(meta.forget_submissions, before)

    async def ready(self) -> None:
        now = self._now()
        if abs(now - self._touched) < TOUCH_EVERY:
            await self.engine.ping()
        else:
            await self.engine.write(meta.touch, now)
            self._touched = now
        try:
            migrate.check_revision(await self.engine.read(migrate.read_revision))
        except ConfigurationError as error:
            raise StorageUnavailable(str(error)) from error


def _claimed(result: Claimed) -> list[str]:
    return [claim.lead.id for claim in result.claims] + result.held + result.put_off


def _moved(moved: Moved | None) -> list[str]:
    return [] if moved is None else [moved.lead.id]


def _leads_of(settled: list[Moved]) -> list[str]:
    return [moved.lead.id for moved in settled]
