"""The sweeper: catches whatever fell silent on the way. Every method is one step; `sweep` does them all once."""

from __future__ import annotations

import asyncio

import structlog

from app import faults
from app.domain import deadline
from app.domain.guards import NO_COMMON_HOURS
from app.domain.lead import Attempt, Lead
from app.domain.moves import SECOND, Move
from app.domain.phone import country_of
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Store
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.rules import Rules

log = structlog.get_logger("leadring.sweeper")

EVERY = 1.0  # seconds between sweeps
NUMBERS_MOST = 1000  # due leads of a site whose numbers are looked at in one sweep
SUBMISSIONS_KEPT = 7 * 86_400_000  # milliseconds a submission id is remembered


class Sweeper:
    """Repairs by time: lapsed reservations, silent senders, calls nobody reported, leads nobody may ring now."""

    def __init__(self, store: Store, rules: Rules, dispatcher: Dispatcher, hub: Hub, metrics: Metrics) -> None:
        self._store = store
        self._rules = rules
        self._dispatcher = dispatcher
        self._hub = hub
        self._metrics = metrics
        self._swept = 0

    async def run(self) -> None:
        """Sweeps until cancelled; a failing database only delays the next one."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.sweep()
            except StorageUnavailable as error:
                log.warning("sweep.storage_unavailable", error=str(error))
            except Exception:
                # The sweeper must outlive whatever one sweep met: it is what finds everything else.
                log.exception("sweep.failed")

    async def sweep(self) -> int:
        """Everything once; how many rows moved."""
        done = await self.settle_overdue()
        done += await (self.put_off_numbers() if self._rules.has_window else self.put_off_closed())
        done += await self.tell_the_truth()
        done += await self.expire()
        done += await self._store.end_pauses()
        if self._swept % 3600 == 0:
            await self._store.forget_submissions(self._store.clock.now() - SUBMISSIONS_KEPT)
        if self._swept % 60 == 0:
            await self._store.forget_deliveries(
                {source.key: source.keep_raw for source in self._rules.directory.sources.values()}
            )
        self._swept += 1
        if done:
            self._dispatcher.wake()
        return done

    async def settle_overdue(self) -> int:
        """Attempts whose time is up: lapse, become unknown, free their agent, or end unreported."""
        settled = 0
        for attempt_id in await self._store.overdue_attempts():
            faults.point("sweep.before_settle")
            try:
                moved = await self._store.settle(
                    attempt_id,
                    ("reserved", "sending", "placed", "unknown"),
                    self._after_silence,
                    "sweeper",
                    self._rules.caps,
                )
            except (ValueError, RuntimeError):
                # One attempt that cannot be settled must not keep the sweep from all the others.
                log.exception("sweep.attempt_failed", attempt_id=attempt_id)
                continue
            faults.point("sweep.after_settle")
            if moved is None:
                continue
            settled += 1
            self._hub.changed([moved.lead.id])
            log.warning(
                "attempt." + moved.move.event,
                lead_id=moved.lead.id,
                attempt_id=attempt_id,
                agent_id=moved.attempt.agent_id,
                lead_state=moved.lead_state,
            )
            if moved.move.outcome:
                self._metrics.attempts.labels(moved.move.outcome).inc()
            elif moved.move.attempt in ("lapsed", "unresolved"):
                self._metrics.attempts.labels(moved.move.attempt).inc()
        return settled

    def _after_silence(self, attempt: Attempt, lead: Lead) -> Move | None:
        now = self._store.clock.now()
        if attempt.look_at is None or attempt.look_at > now:
            return None  # since we saw that its time was up, somebody else has moved it on
        return self._rules.after_silence(attempt, lead, now)

    async def put_off_closed(self) -> int:
        """Leads that are due at a site which has closed wait for its next opening."""
        now = self._store.clock.now()
        moved = 0
        for site in self._rules.directory.sites.values():
            if self._rules.is_open(site, now):
                continue
            due = self._rules.opening(site.key)(now)
            if due > now:
                moved += await self._store.put_off(site.key, self._rules.term(due))
        return moved

    async def tell_the_truth(self) -> int:
        """Leads that nobody could take by their deadline are told when they will be called instead. How many.

        They stay due: whoever becomes free before that calls at once.
        """
        now = self._store.clock.now()
        policy = self._rules.policy
        told = 0
        for late in await self._store.late(now + deadline.WARNED):
            agents = len(self._rules.roster(now).eligible(late.site))
            at = self._rules.opening_for(late.site, late.phone)(
                deadline.promised(
                    now, late.ahead, agents, call_takes=policy.call_takes, callback_after=policy.callback_after
                )
            )
            if not await self._store.promise(late.id, at, at + policy.expire_after * SECOND):
                continue
            told += 1
            if late.promised_at is None:
                self._metrics.deadlines_missed.labels(late.site).inc()
            log.warning(
                "lead.nobody_in_time", lead_id=late.id, site=late.site, agents_on_shift=agents, ahead=late.ahead
            )
            self._hub.changed([late.id])
        return told

    async def put_off_numbers(self) -> int:
        """As `put_off_closed`, lead by lead, where there is a dialing window.

        Leads that are due wait until their site is open and their own number may be rung; or for a person, if never.
        """
        now = self._store.clock.now()
        roster = self._rules.roster(now)
        moved: list[str] = []
        for site in self._rules.directory.sites.values():
            closed = not self._rules.is_open(site, now)
            shut: dict[str | None, list[tuple[str, str]]] = {}
            for lead_id, phone in await self._store.due_numbers(site.key, NUMBERS_MOST):
                if closed or not roster.may_ring(phone):
                    shut.setdefault(country_of(phone), []).append((lead_id, phone))
            for numbers in shut.values():
                ids = [lead_id for lead_id, _ in numbers]
                due = self._rules.next_ring(site.key, numbers[0][1], now)
                if due is None:
                    if held := await self._store.hold_leads(ids):
                        log.warning("lead.held", reason=NO_COMMON_HOURS, lead_ids=held)
                    moved += held
                elif due > now:
                    moved += await self._store.put_off_leads(ids, self._rules.term(due))
        self._hub.changed(moved)
        return len(moved)

    async def expire(self) -> int:
        """Leads that were never rung in time are not rung any more."""
        expired = await self._store.expire()
        if expired:
            log.warning("lead.expired", lead_ids=expired)
            self._hub.changed(expired)
        return len(expired)
