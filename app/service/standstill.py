"""Times in which nobody could be dialled: who waited through one is not rung out of the blue afterwards."""

from __future__ import annotations

from typing import Final

import structlog

from app.domain.moves import SECOND
from app.ports import Store
from app.service.hub import Hub
from app.service.rules import Rules

log = structlog.get_logger("leadring.dispatcher")

ALIVE_EVERY: Final = 10_000  # milliseconds between notes that calls can be placed
OUTAGE: Final = 60_000  # milliseconds without such a note, by any process, that are an outage and no restart


class Standstill:
    """Notes in the database that calls can be placed, and sees when for long none could."""

    def __init__(self, store: Store, rules: Rules, hub: Hub) -> None:
        self._store = store
        self._rules = rules
        self._hub = hub
        self._noted_at: int | None = None

    async def look_back(self) -> None:
        """To be called before a claim: holds whoever has waited through an outage for longer than `fresh_for`.

        Whatever it was that stopped the calls: a stopped service, a dead database, the breaker, a switch.
        """
        now = self._store.clock.now()
        if self._noted_at is not None and 0 <= now - self._noted_at < ALIVE_EVERY:
            return
        held = await self._store.after_standstill(OUTAGE, self._rules.policy.fresh_for * SECOND)
        self._noted_at = now
        if held:
            log.error("lead.held", reason="outage", lead_ids=held)
            self._hub.changed(held)
