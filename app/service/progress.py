"""Progress: while calls are on the line, asks what is happening on them, so that both legs are told live.

Nobody is asked while no call is placed, and never more often than the provider can bear (facts 3.2: five
seconds apart, or its data is stale). What is heard is written once and told; a call that
is still on the line is not taken for over. Nothing else is decided from it.
"""

from __future__ import annotations

import asyncio

import structlog

from app.domain.stories import PlacedAttempt
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import LiveCall, Presence, Store
from app.service.hub import Hub
from app.service.rules import Rules

log = structlog.get_logger("leadring.progress")

APART = 5.0  # seconds between two questions to the provider
IDLE = 1.0  # seconds between looks at our own table


class Progress:
    """Follows placed calls. `apart` in seconds."""

    def __init__(
        self, store: Store, presence: Presence, rules: Rules, hub: Hub, metrics: Metrics, *, apart: float = APART
    ) -> None:
        self._store = store
        self._rules = rules
        self._presence = presence
        self._hub = hub
        self._metrics = metrics
        self._apart = apart

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            pause = IDLE
            try:
                pause = self._apart if await self.follow() else min(IDLE, self._apart)
            except StorageUnavailable as error:
                log.warning("progress.storage_unavailable", error=str(error))
            except Exception:
                # Without this loop nobody is told how a call goes on; the calls themselves need it not.
                log.exception("progress.failed")
            await asyncio.sleep(pause)

    async def follow(self) -> bool:
        """One question, when there is anything to ask about; whether the provider was asked."""
        placed = await self._store.placed()
        if not placed:
            return False
        live = await self._presence.look()
        if live is None:
            return True
        look_at = self._store.clock.now() + self._rules.policy.assume_call * 1000
        for attempt in placed:
            call = _call_of(attempt, live)
            if call is not None and await self._store.note_phase(attempt, call.phase, look_at):
                self._tell(attempt, call)
        return True

    def _tell(self, attempt: PlacedAttempt, call: LiveCall) -> None:
        waited = max(0, self._store.clock.now() - attempt.received_at) / 1000
        if call.phase != "agent_ringing" and attempt.agent_answered_at is None:
            self._metrics.lead_to_agent_answer.labels(attempt.site).observe(waited)
        log.info("call.phase", lead_id=attempt.lead_id, attempt_id=attempt.id, phase=call.phase)
        self._hub.changed([attempt.lead_id])


def _call_of(attempt: PlacedAttempt, live: list[LiveCall]) -> LiveCall | None:
    """The call of an attempt: by our own variable, else by call id; never by extension alone."""
    for call in live:
        if call.attempt_id == attempt.id:
            return call
    if attempt.call_id is None:
        return None
    for call in live:
        if call.call_id == attempt.call_id:
            return call
    return None
