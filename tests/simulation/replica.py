"""One process of the service: put together as app/main.py does it, on a simulated database and provider."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.clock import Millis
from app.directory import Directory
from app.metrics import Metrics
from app.service.breaker import Breaker
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.intake import Intake
from app.service.lead_view import LeadViews
from app.service.line_watch import LineWatch
from app.service.looks import Looks
from app.service.outcomes import Outcomes
from app.service.reconciler import Reconciler
from app.service.rules import Rules
from app.service.slots import Slots
from app.service.sweeper import Sweeper
from app.service.switches import Switches
from app.service.tokens import Tokens
from app.store.sql_store import SqlStore
from tests.simulation.database import SimulatedEngine
from tests.simulation.loop import PROCESS, Process, VirtualLoop
from tests.simulation.provider import TIMEOUT, Dialler, Line, Log, Provider, read_records

T = TypeVar("T")

APART = 5.0  # seconds between two questions to the provider
DRAIN = TIMEOUT + 3.0  # seconds that a stop waits for the calls under way
TOKENS = Tokens("the secret of the simulation")


class SimulatedClock:
    """The database's clock as one process knows it: the world's time, its steps, and a small error of its own."""

    def __init__(self, loop: VirtualLoop, starts_at: Millis, error: int) -> None:
        self._loop = loop
        self._starts_at = starts_at
        self._error = error
        self.stepped = 0  # milliseconds

    def now(self) -> Millis:
        return self._starts_at + self.stepped + self._error + int(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return 1000.0 + self._loop.time()


class Replica:
    """A process of the service. Everything that it does is done by `process`, and ends with it."""

    def __init__(
        self,
        loop: VirtualLoop,
        process: Process,
        engine: SimulatedEngine,
        provider: Provider,
        directory: Directory,
        metrics: Metrics,
        chance: random.Random,
    ) -> None:
        self._loop = loop
        self.process = process
        self.engine = engine
        assert isinstance(engine.clock, SimulatedClock)
        self.clock = engine.clock
        self.context = contextvars.copy_context()
        self.context.run(PROCESS.set, process)
        self.store = store = SqlStore(engine)
        self._rules = rules = Rules(directory)
        hub = Hub()
        engine.listen(lambda channel, payload: hub.changed([payload]) if channel == "lead" else None)
        looks = Looks(Line(provider, process), apart=APART)

        async def probe() -> bool:
            return await looks.look() is not None or not looks.ever_answered

        switches = Switches(store, metrics)
        engine.listen(lambda channel, _: switches.look_soon() if channel == "switch" else None)
        breaker = Breaker(engine.clock, probe, metrics, jitter=chance.random, probe_deadline=12.0)
        self._dispatcher = dispatcher = Dispatcher(
            store,
            Dialler(provider, process),
            rules,
            hub,
            metrics,
            breaker,
            owner=process.name,
            provider_timeout=TIMEOUT,
            switches=switches,
            jitter=chance.random,
        )
        breaker.on_change = switches.on_dialling = dispatcher.wake
        slots = Slots(store, rules)
        self.outcomes = Outcomes(store, read_records, rules, dispatcher, hub, metrics)
        self.intake = Intake(store, rules, dispatcher, hub, TOKENS, metrics, switches, slots)
        self.views = LeadViews(store, rules, dispatcher, hub, TOKENS, slots)
        watch = LineWatch(store, looks, rules, dispatcher, hub, metrics, apart=APART)
        sweeper = Sweeper(store, rules, dispatcher, hub, metrics)
        reconciler = Reconciler(
            store, Log(provider, process), read_records, self.outcomes, rules, dispatcher, hub, metrics, every=APART
        )
        self._loops: list[Callable[[], Coroutine[Any, Any, None]]] = [
            dispatcher.run,
            breaker.run,
            switches.run,
            self.outcomes.run,
            sweeper.run,
            watch.run,
            reconciler.run,
        ]
        self._running: list[asyncio.Task[None]] = []
        self.serves = False  # it takes what comes in

    def start(self) -> None:
        """Begin the loops."""
        self._running = [self._loop.spawn(self.process, loop()) for loop in self._loops]
        self._loop.spawn(self.process, self._wake())
        self.serves = True

    async def _wake(self) -> None:
        self._dispatcher.wake()

    def wake(self) -> None:
        """What a person has done may have made somebody free or due."""
        self._loop.spawn(self.process, self._wake())

    async def stop(self) -> None:
        """The orderly end, as on SIGTERM: what was sent is waited for."""
        self.serves = False
        await self._dispatcher.drain(DRAIN)
        for loop in self._running:
            loop.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def ask(self, work: Callable[[], Coroutine[Any, Any, T]], patience: float) -> T:
        """Have this process do `work`, from outside; TimeoutError when it says nothing, as the dead do."""
        answer: asyncio.Future[T] = self._loop.create_future()

        def pass_on(task: asyncio.Task[T]) -> None:
            if task.cancelled():
                return
            error = task.exception()
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(task.result())

        if self.process.alive:
            self._loop.spawn(self.process, work()).add_done_callback(pass_on, context=self._loop.world_context)
        async with asyncio.timeout(patience):
            return await answer
