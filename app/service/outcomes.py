"""What happened to the call: the provider's records, kept first, then matched, and the lead moved on."""

from __future__ import annotations

import asyncio

import structlog

from app import faults
from app.domain import moves, outcomes
from app.domain.lead import Attempt, Lead
from app.domain.moves import Move
from app.domain.stories import KeptCdr, Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import ReadCallRecords, Store
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.phoned_in import PhonedIn
from app.service.rules import Rules

log = structlog.get_logger("leadring.outcomes")

TICK = 5.0  # seconds between tries with records that could not be applied when they came


class Outcomes:
    """Keeps what the provider reports and applies it. Repeats, disorder and strangers are normal."""

    def __init__(
        self,
        store: Store,
        read_records: ReadCallRecords,
        rules: Rules,
        dispatcher: Dispatcher,
        hub: Hub,
        metrics: Metrics,
        phoned_in: PhonedIn | None = None,
    ) -> None:
        self._store = store
        self._read_records = read_records
        self._rules = rules
        self._dispatcher = dispatcher
        self._hub = hub
        self._metrics = metrics
        self._phoned_in = phoned_in

    async def keep(self, body: str) -> None:
        """Store the report as it came, and apply it in the same breath; what cannot be applied yet is tried again."""
        records = self._read_records(body)
        faults.point("report.before_keep")
        moved = await self._store.report(body, records, self._decide, self._rules.caps)
        faults.point("report.after_keep")
        for one in moved:
            self._tell(one)
        if moved:
            self._dispatcher.wake()
        if self._phoned_in is not None:
            await self._phoned_in.heard(body, records)

    async def run(self) -> None:
        """Apply until cancelled."""
        while True:
            try:
                while await self.apply():
                    pass
            except StorageUnavailable as error:
                log.warning("cdr.storage_unavailable", error=str(error))
            except Exception:
                # Without this loop no outcome arrives; what failed stays kept and is tried again.
                log.exception("cdr.apply_failed")
            await asyncio.sleep(TICK)

    async def apply(self) -> int:
        """Apply the kept records once; how many attempts were settled by them.

        They go to the store together, so that they share its commits. One that fails is put back and does
        not stop the others.
        """
        kept = await self._store.kept_cdrs()
        settled = sum(await asyncio.gather(*(self._apply_one(cdr) for cdr in kept)))
        if settled:
            self._dispatcher.wake()
        return settled

    async def _apply_one(self, cdr: KeptCdr) -> int:
        faults.point("report.before_apply")
        try:
            records = self._read_records(cdr.body)
            moved = await self._store.apply_cdr(cdr, records, self._decide, self._rules.caps)
            if self._phoned_in is not None:
                await self._phoned_in.heard(cdr.body, records)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("cdr.apply_failed", cdr=cdr.id)
            await self._store.put_back_cdr(cdr)
            return 0
        for one in moved:
            self._tell(one)
        return len(moved)

    def _tell(self, moved: Moved) -> None:
        outcome = moved.move.outcome or ""
        self._metrics.attempts.labels(outcome).inc()
        if outcome == "connected":
            waited = max(0, (moved.connected_at or self._store.clock.now()) - moved.lead.received_at) / 1000
            self._metrics.lead_to_connected.labels(moved.lead.site).observe(waited)
        log.info(
            "call.outcome",
            lead_id=moved.lead.id,
            attempt_id=moved.attempt.id,
            agent_id=moved.attempt.agent_id,
            outcome=outcome,
            lead_state=moved.lead_state,
        )
        self._hub.changed([moved.lead.id])

    def _decide(self, attempt: Attempt, lead: Lead) -> Move | None:
        policy = self._rules.policy_of(attempt.agent_id)
        outcome = outcomes.outcome_of(attempt)
        short = outcomes.talked_briefly(attempt, policy.short_call)
        if short:
            outcome = "lead_no_answer"
        if outcome is None or outcome == attempt.outcome:
            return None
        return moves.after_outcome(
            outcome,
            lead,
            policy,
            self._store.clock.now(),
            opening=self._rules.opening_for(lead.site, lead.phone),
            lead_first=attempt.first_leg == "lead",
            hung_up=attempt.hung_up_at is not None,
            short=short,
            why=f"talked {attempt.leg2_talk} s" if short else None,
        )
