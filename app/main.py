"""The composition root: the one file that knows every other.

`create_app` makes an application from settings and a directory; nothing is built at import. Its lifespan
opens the database, starts the loops, and on the way down drains the dials within their deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI
from limits.storage import Storage
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import __version__, faults
from app.clock import Clock
from app.console import read_payload, sign_in
from app.directory import Directory, Limits, load_directory
from app.ids import new_id
from app.meta.graph import Graph
from app.metrics import Metrics
from app.ports import Telephony
from app.ports_deliveries import LeadLookup
from app.provider import PROBE_DEADLINE, Provider, open_provider
from app.service.breaker import Breaker
from app.service.deliveries import Deliveries
from app.service.dispatcher import Dispatcher
from app.service.hooks import Hooks
from app.service.hub import Hub
from app.service.intake import Intake
from app.service.lead_view import LeadViews
from app.service.line_watch import LineWatch
from app.service.looks import APART
from app.service.outcomes import Outcomes
from app.service.phoned_in import PhonedIn
from app.service.reconciler import Reconciler
from app.service.rules import Rules
from app.service.sealing import Seal
from app.service.slots import Slots
from app.service.sweeper import Sweeper
from app.service.switches import Switches
from app.service.tokens import Tokens
from app.service.unfinished import Unfinished
from app.service.usual_wait import UsualWait
from app.settings import Settings
from app.store import migrate
from app.store.engine import Engine, open_engine
from app.store.sql_store import SqlStore
from app.voicenter.cdr import decode_body, read_call_records
from app.web import (
    admin_explain,
    admin_switches,
    embed,
    files,
    form_status,
    forms,
    hooks,
    hosted_form,
    lead_view,
    leads,
    ops,
    problem_types,
    problems,
    scrape,
    sites,
    voicenter_cdr,
)
from app.web.cors import SiteCors
from app.web.desk import Desk
from app.web.limits import Gate, make_gate, make_limiter, source_key
from app.web.middleware import Around

log = structlog.get_logger("leadring")

STATIC: Final = Path(__file__).resolve().parent.parent / "static"
NOBODY_FREE_FOR: Final = 10  # minutes, by the provider's account, until it is worth a word
DRAIN_MARGIN: Final = 3.0  # seconds past the provider's deadline that a dial may need to be recorded


@dataclass(frozen=True)
class Options:
    """What differs between serving, the demo and tests."""

    telephony: Telephony | None = None
    clock: Clock | None = None
    migrate: bool = True
    sandbox_url: str | None = None
    lead_lookup: LeadLookup | None = None
    presence_apart: float = APART
    static: Path = STATIC


def create_app(settings: Settings, directory: Directory | None = None, options: Options | None = None) -> FastAPI:
    """An application that has not started yet. ConfigurationError with every mistake of the directory."""
    options = options or Options()
    rules = Rules(directory or load_directory(settings.config))
    metrics = Metrics()
    metrics.build_info.labels(__version__).set(1)
    metrics.config_loaded.set_to_current_time()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, settings, rules, metrics, options):
            yield

    app = FastAPI(
        title="Leadring",
        version=__version__,
        summary="A form is sent, the agent's phone rings, then the lead's.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.files = files.Assets(options.static)
    app.state.words_files = files.Assets(options.static / "words")
    app.state.demo_files = files.Assets(options.static / "demo")
    app.state.docs_files = files.Assets(options.static / "vendor" / "swagger-ui")
    problems.install(app)
    # They are tried in this order: first what every lead comes through, once and twice.
    for room in (leads, hooks, voicenter_cdr, lead_view, sites, forms, form_status, hosted_form):
        app.include_router(room.router)
    for room in (admin_switches, admin_explain, ops, scrape, embed, problem_types, files):
        app.include_router(room.router)
    if _secret(settings.admin_token):  # else there is nothing below /console, not even a method that is not allowed
        for room in (sign_in, read_payload):
            app.include_router(room.router)
    app.add_middleware(problems.Caught)
    app.add_middleware(SiteCors, rules=rules)
    app.add_middleware(Around, metrics=metrics)
    # Outermost: who is asking, by what trusted proxies say and nobody else.
    app.add_middleware(_TrustedProxies, trusted=list(settings.trusted_proxies))
    return app


class _TrustedProxies(ProxyHeadersMiddleware):
    def __init__(self, app: ASGIApp, trusted: list[str]) -> None:
        super().__init__(app, trusted_hosts=trusted)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def _running(
    app: FastAPI, settings: Settings, rules: Rules, metrics: Metrics, options: Options
) -> AsyncIterator[None]:
    owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-12:]}"
    if options.migrate:
        await asyncio.to_thread(migrate.upgrade, settings.database_url)
    alone = settings.rate_limit_url.startswith("memory://")
    engine = open_engine(settings.database_url, options.clock, alone=alone)
    async with contextlib.AsyncExitStack() as stack:
        await engine.start()
        stack.push_async_callback(engine.close)
        await asyncio.to_thread(migrate.check, settings.database_url)
        store = SqlStore(engine)
        secret = settings.secret_key.get_secret_value() if settings.secret_key else await store.secret_key()
        await store.sync_agents(list(rules.directory.agents))
        provider = open_provider(settings, metrics, stack, telephony=options.telephony, apart=options.presence_apart)
        breaker = Breaker(engine.clock, provider.probe, metrics, probe_deadline=PROBE_DEADLINE)
        hub = Hub()
        switches = Switches(store, metrics)
        engine.listen(lambda channel, payload: hub.changed([payload]) if channel == "lead" else None)
        engine.listen(lambda channel, _: switches.look_soon() if channel == "switch" else None)
        await switches.look()  # nothing is dialled before it is known whether it may be
        dispatcher = Dispatcher(
            store,
            provider.telephony,
            rules,
            hub,
            metrics,
            breaker,
            owner=owner,
            provider_timeout=settings.voicenter_timeout,
            switches=switches,
        )
        breaker.on_change = switches.on_dialling = dispatcher.wake
        tokens = Tokens(secret)
        phoned_in = PhonedIn(store, rules, hub, tokens)
        outcomes = Outcomes(store, read_call_records, rules, dispatcher, hub, metrics, phoned_in)
        watch = None
        if provider.presence is not None:
            watch = LineWatch(store, provider.presence, rules, dispatcher, hub, metrics, apart=options.presence_apart)

        slots = Slots(store, rules)

        intake = Intake(store, rules, dispatcher, hub, tokens, metrics, switches, slots)
        deliveries = Deliveries(store, rules, intake, tokens, Seal(secret), metrics)
        unfinished = Unfinished(deliveries, options.lead_lookup or await _graph(stack))

        def new_gates(limits: Limits) -> tuple[Gate, Gate]:
            app.state.limiter = make_limiter(settings.rate_limit_url, limits.per_client)
            of_sources = make_limiter(settings.rate_limit_url, limits.per_source, source_key)
            return (
                make_gate(app.state.limiter, settings.rate_limit_url, limits.per_client),
                make_gate(of_sources, settings.rate_limit_url, limits.per_source),
            )

        gate, source_gate = new_gates(rules.directory.limits)
        desk = Desk(
            version=__version__,
            rules=rules,
            store=store,
            metrics=metrics,
            hub=hub,
            dispatcher=dispatcher,
            intake=intake,
            hooks=Hooks(rules, deliveries, unfinished.wake),
            deliveries=deliveries,
            views=LeadViews(store, rules, dispatcher, hub, tokens, slots),
            slots=slots,
            usual_wait=UsualWait(store, rules, switches),
            outcomes=outcomes,
            switches=switches,
            tokens=tokens,
            gate=gate,
            source_gate=source_gate,
            make_gates=new_gates,
            decode_cdr=decode_body,
            public_url=settings.public_url,
            cdr_token=_secret(settings.voicenter_cdr_token),
            metrics_token=_secret(settings.metrics_token),
            admin_token=_secret(settings.admin_token),
            sandbox_url=options.sandbox_url,
            limiter_check=_limiter_check(app),
            provider_check=_provider_check(provider, breaker, watch, engine.clock),
            load_directory=lambda: load_directory(settings.config),
        )
        app.state.desk = desk
        await _recover(store, engine, owner)
        sweeper = Sweeper(store, rules, dispatcher, hub, metrics)
        loops = [_spawn(loop) for loop in (dispatcher.run(), breaker.run(), outcomes.run(), sweeper.run())]
        loops += [_spawn(switches.run()), _spawn(unfinished.run())]
        if watch is not None:
            loops.append(_spawn(watch.run()))
        if provider.call_log is not None:
            reconciler = Reconciler(
                store,
                provider.call_log,
                read_call_records,
                outcomes,
                rules,
                dispatcher,
                hub,
                metrics,
                every=options.presence_apart,
            )
            loops.append(_spawn(reconciler.run()))
        log.info("started", version=__version__, database=engine.dialect, agents=len(rules.directory.people))
        dispatcher.wake()
        try:
            yield
        finally:
            desk.begin_shutdown()
            left = await dispatcher.drain(settings.voicenter_timeout + DRAIN_MARGIN)
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            log.info("stopped", dials_cut_off=left)


async def _graph(stack: contextlib.AsyncExitStack) -> Graph:
    graph = Graph()
    stack.push_async_callback(graph.close)
    return graph


def _spawn(loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(loop)


async def _recover(store: SqlStore, engine: Engine, owner: str) -> None:
    """On SQLite we are alone: what an earlier process left in its hands is overdue now, not after its lease."""
    if engine.dialect == "sqlite":
        left = await store.abandon_others(owner)
        if left:
            log.warning("recovered", attempts=left)
    faults.point("start.after_recover")


def _provider_check(
    provider: Provider, breaker: Breaker, watch: LineWatch | None, clock: Clock
) -> Callable[[], str | None]:
    """What is wrong with the provider, in a sentence for /readyz; None while nothing is."""

    def check() -> str | None:
        found = []
        if breaker.is_open:
            found.append(f"calls are held back: {breaker.state}")
        if watch is not None and watch.sight.doubt is not None:
            found.append(f"agents and calls are not seen: {provider.blind() or watch.sight.doubt}")
        if watch is not None and watch.sight.nobody_free_since is not None:
            minutes = (clock.now() - watch.sight.nobody_free_since) // 60_000
            if minutes >= NOBODY_FREE_FOR:
                found.append(f"by its account nobody has been free for {minutes} minutes")
        return "; ".join(found) or None

    return check


def _limiter_check(app: FastAPI) -> Any:
    async def check() -> bool:
        storage = app.state.limiter._storage  # not `.limiter.storage`: that is the memory it falls back to
        return bool(await asyncio.to_thread(storage.check)) if isinstance(storage, Storage) else True

    return check


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None
