"""What the routers work with: the services of one application, made by the composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from fastapi import Request

from app.directory import Directory, Limits
from app.errors import ConfigurationError, StorageUnavailable
from app.metrics import Metrics
from app.ports import Store
from app.service.deliveries import Deliveries
from app.service.dispatcher import Dispatcher
from app.service.hooks import Hooks
from app.service.hub import Hub
from app.service.intake import Intake
from app.service.lead_view import LeadViews
from app.service.outcomes import Outcomes
from app.service.rules import Rules
from app.service.slots import Slots
from app.service.switches import Switches
from app.service.tokens import Tokens
from app.service.usual_wait import UsualWait
from app.web.limits import Gate

log = structlog.get_logger("leadring")


@dataclass
class Desk:
    """One application's services and outside settings; lives on `app.state.desk`."""

    version: str
    rules: Rules
    store: Store
    metrics: Metrics
    hub: Hub
    dispatcher: Dispatcher
    intake: Intake
    views: LeadViews
    slots: Slots
    usual_wait: UsualWait
    outcomes: Outcomes
    switches: Switches
    hooks: Hooks
    deliveries: Deliveries
    tokens: Tokens
    gate: Gate
    source_gate: Gate
    make_gates: Callable[[Limits], tuple[Gate, Gate]]
    decode_cdr: Callable[[bytes, str], str]
    public_url: str | None = None
    cdr_token: str | None = None
    metrics_token: str | None = None
    admin_token: str | None = None
    sandbox_url: str | None = None
    limiter_check: Callable[[], Awaitable[bool]] | None = None
    provider_check: Callable[[], str | None] | None = None
    load_directory: Callable[[], Directory] | None = None
    draining: bool = False
    _reloading: asyncio.Task[None] | None = None
    _reload_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin_shutdown(self) -> None:
        """From here on: not ready, no new dials, streams end. Must run on the loop's thread."""
        self.draining = True
        self.dispatcher.stop_dialling()
        self.hub.close()

    async def reload(self) -> None:
        """Put leadring.toml as it is now in force, whole; ConfigurationError and the old one stays."""
        if self.load_directory is None:
            return
        async with self._reload_lock:
            directory = await asyncio.to_thread(self.load_directory)
            gates = self.gate, self.source_gate
            if directory.limits != self.rules.directory.limits:
                gates = self.make_gates(directory.limits)
            await self.store.sync_agents(list(directory.agents))
            self.gate, self.source_gate = gates
            self.rules.replace(directory)
        self.metrics.config_loaded.set_to_current_time()
        log.info("directory.reloaded", agents=len(directory.agents), sites=len(directory.sites))
        self.dispatcher.wake()

    def reload_soon(self) -> None:
        """Reload in the background; what is wrong is said in the log."""
        self._reloading = asyncio.create_task(self._try_reload())

    async def _try_reload(self) -> None:
        try:
            await self.reload()
        except ConfigurationError as error:
            log.error("directory.refused", mistakes=error.mistakes)
        except StorageUnavailable as error:
            log.error("directory.not_reloaded", error=str(error))


def desk(request: Request) -> Desk:
    """The desk of the application that serves this request."""
    found: Desk = request.app.state.desk
    return found
