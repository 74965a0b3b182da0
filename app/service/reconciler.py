"""The reconciler: asks the call log about calls of which nobody told the end.

Rows that belong to one of those calls take the way of every pushed record: kept word for word, then applied. A call
that is in no account of the provider, again and again, did not take place: `absent`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from app.directory_extensions import LOGIN_CODE, SIP_TRUNK
from app.domain import reconciling
from app.domain.lead import Attempt, Lead
from app.domain.moves import Move
from app.domain.open_calls import UnheardCall
from app.domain.phone import same_number
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import CallLog, CallRecord, ReadCallRecords, Store
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.outcomes import Outcomes
from app.service.rules import Rules

log = structlog.get_logger("leadring.reconciler")

EVERY: Final = 5.0  # seconds between looks at our own tables
MARGIN: Final = 300_000  # milliseconds around the calls that are asked about
WINDOW: Final = 7_200_000  # milliseconds of calls asked about at once
BLIND_FOR: Final = 60_000  # milliseconds until a question that was not answered is put again
FOR_EVER: Final = 86_400_000  # milliseconds after which nothing more is hoped for


class Reconciler:
    """Puts the call log's rows to the calls they belong to."""

    def __init__(
        self,
        store: Store,
        call_log: CallLog,
        read_records: ReadCallRecords,
        outcomes: Outcomes,
        rules: Rules,
        dispatcher: Dispatcher,
        hub: Hub,
        metrics: Metrics,
        *,
        every: float = EVERY,
    ) -> None:
        self._store = store
        self._call_log = call_log
        self._read_records = read_records
        self._outcomes = outcomes
        self._rules = rules
        self._dispatcher = dispatcher
        self._hub = hub
        self._metrics = metrics
        self._every = every

    async def run(self) -> None:
        """Reconcile until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                if self._store.polls():
                    await self.reconcile()
            except StorageUnavailable as error:
                log.warning("reconcile.storage_unavailable", error=str(error))
            except Exception:
                # What could not be reconciled this time stays due.
                log.exception("reconcile.failed")

    async def reconcile(self) -> int:
        """One question about everything that is due; how many calls the log told of."""
        unheard = await self._store.unheard_calls()
        if not unheard:
            return 0
        now = self._store.clock.now()
        # One window that the log can give in few answers: the latest calls first, older ones the next time.
        latest = max(one.attempt.began_at for one in unheard)
        unheard = [one for one in unheard if one.attempt.began_at >= latest - WINDOW]
        rows = await self._call_log.calls(min(one.attempt.began_at for one in unheard) - MARGIN, now + MARGIN)
        if rows is None:
            log.warning("reconcile.call_log_unavailable", calls=len(unheard))
            for one in unheard:
                await self._put_off(one.attempt, now)
            return 0
        heard = await self._keep(rows, unheard)
        for one in unheard:
            missed = one.attempt.id not in heard
            if missed and one.attempt.state == "unknown" and rules_out(one.attempt):
                await self._missed(one)
            await self._store.note_log_look(
                one.attempt.id, reconciling.ask_again_at(one.attempt, now), looked=True, missed=missed
            )
        log.info("reconcile.asked", calls=len(unheard), heard=len(heard))
        return len(heard)

    async def _keep(self, rows: Sequence[str], unheard: Sequence[UnheardCall]) -> set[str]:
        """Hand over the rows that speak of our calls: the log holds everybody's. The ids of those attempts."""
        heard: set[str] = set()
        for row in rows:
            ours = {
                one.attempt.id
                for record in self._read_records(row)
                for one in unheard
                if speaks_of(record, one.attempt, one.phone)
            }
            if ours:
                await self._outcomes.keep(row)
                heard |= ours
        return heard

    async def _missed(self, one: UnheardCall) -> None:
        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            now = self._store.clock.now()
            opening = self._rules.opening_for(lead.site, lead.phone)
            return reconciling.after_log_miss(attempt, lead, self._rules.policy, now, opening=opening)

        moved = await self._store.settle(one.attempt.id, ("unknown",), decide, "call log", self._rules.caps)
        if moved is None:
            return
        self._metrics.attempts.labels("absent").inc()
        log.error("attempt.absent", lead_id=moved.lead.id, attempt_id=one.attempt.id, lead_state=moved.lead_state)
        self._hub.changed([moved.lead.id])
        self._dispatcher.wake()

    async def _put_off(self, attempt: Attempt, now: int) -> None:
        again = now + BLIND_FOR if now - attempt.began_at < FOR_EVER else None
        await self._store.note_log_look(attempt.id, again, looked=False, missed=False)


def rules_out(attempt: Attempt) -> bool:
    """Whether a log that knows nothing of this call rules it out.

    Where the agent is rung on a telephone number, through a trunk or by a login code, a row may be about the call and
    not be known for it, should our variable have got lost.
    """
    return not attempt.extension.isdecimal() and attempt.extension not in (SIP_TRUNK, LOGIN_CODE)


def speaks_of(record: CallRecord, attempt: Attempt, phone: str) -> bool:
    """Whether a record is about this attempt: by call id, our variable, or both phones and the time."""
    if attempt.call_id is not None and attempt.call_id in (record.call_id, record.original_call_id):
        return True
    if record.attempt_id is not None:
        return record.attempt_id == attempt.id
    if record.extension != attempt.extension or record.phone is None or not same_number(record.phone, phone):
        return False
    return record.started_at is None or record.started_at >= attempt.began_at - MARGIN
