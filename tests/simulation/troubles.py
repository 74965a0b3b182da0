"""What goes wrong, and when: by the clock, or just after a certain commit, before whoever committed goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.loop import Process
from tests.simulation.provider import Span
from tests.simulation.replica import Replica

if TYPE_CHECKING:
    from tests.simulation.world import World

STOPS_WITHIN: Final = 30.0  # seconds that an orderly end may take before it is a kill
COMMITS: Final = 60  # among the first so many commits are those after which something happens

Trouble = Callable[[Replica | None], Coroutine[Any, Any, None]]


class Troubles:
    """Everything that goes wrong in one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._commits = 0
        self._after: dict[int, Trouble] = {}

    def begin(self) -> None:
        """Decide what goes wrong when."""
        temper, chance, provider = self._world.temper, self._world.chance, self._world.provider
        lasts = temper.arrivals + 300.0

        def some(many: int, trouble: Trouble) -> None:
            for _ in range(many):
                # Most troubles soon: while much is under way.
                self._world.later(chance.uniform(0.0, lasts) * chance.choice((0.1, 1.0)), partial(trouble, None))

        for many, trouble in ((temper.kills, self._kill), (temper.freezes, self._freeze)):
            for _ in range(many):
                if chance.random() < 0.5:
                    some(1, trouble)
                else:
                    self._after[chance.randint(1, COMMITS)] = trouble
        some(temper.stops, self._stop)
        some(temper.outages, self._outage)
        some(temper.clock_steps, self._step_clock)
        some(temper.second_pollers, self._second_poller)
        extensions = tuple(f"SIP{name}" for name in temper.agents)
        for many, spans, kinds, longest in (
            (temper.provider_outages, provider.troubles, ("unreachable", "hanging"), 200.0),
            (temper.blind_times, provider.blind, ("silent", "frozen", "everybody out", "empty"), 200.0),
            (temper.outside_calls, provider.outside, extensions, 120.0),
            (temper.breaks, provider.away, extensions, 600.0),
        ):
            for _ in range(many):
                since = chance.uniform(0.0, lasts)
                spans.append(Span(chance.choice(kinds), since, since + chance.uniform(5.0, longest)))

    def committed(self, process: Process) -> None:
        """A transaction of `process` has changed something."""
        self._commits += 1
        trouble = self._after.pop(self._commits, None)
        whose = next((one for one in self._world.replicas if one.process is process), None)
        if trouble is not None and whose is not None:
            process.still = True  # until it happens, which is at this same moment
            self._world.later(0.0, partial(trouble, whose))

    def _one(self, replica: Replica | None) -> Replica | None:
        """That one, or any, as long as it is there."""
        there = self._world.replicas
        if replica is None:
            return self._world.chance.choice(there) if there else None
        return replica if replica in there else None

    async def _kill(self, replica: Replica | None) -> None:
        """One process is gone, between any two of its steps; another one starts sooner or later."""
        if (found := self._one(replica)) is not None:
            self._world.end_replica(found)
            await asyncio.sleep(self._world.chance.choice((0.5, 5.0, 30.0)))
            self._world.start_replica(self._world.chance.choice((1.0, 0.2)))

    async def _freeze(self, replica: Replica | None) -> None:
        """One process stands still, perhaps past its leases, and then goes on as if nothing had been."""
        if (found := self._one(replica)) is None:
            return
        process, note = found.process, self._world.witness.note
        process.still = True
        note("stands still", process.name, counted="a replica stands still")
        await asyncio.sleep(self._world.chance.choice((1.0, 5.0, 25.0, 90.0)))
        process.still = False
        note("goes on", process.name, counted="a replica goes on")
        self._world.disturbed()

    async def _stop(self, replica: Replica | None) -> None:
        """An orderly restart, as a deployment does it."""
        found = self._one(replica)
        if found is None or not found.serves:
            return
        self._world.witness.note("is asked to end", found.process.name, counted="a replica is asked to end")
        try:
            await found.ask(found.stop, STOPS_WITHIN)
        except TimeoutError:
            self._world.witness.note("and does not")
        if found in self._world.replicas:
            self._world.end_replica(found)
            self._world.start_replica(1.0)

    async def _outage(self, _: Replica | None) -> None:
        world = self._world
        world.outage_until = world.loop.time() + world.chance.choice((1.0, 10.0, 40.0))
        world.witness.note("the database is away")
        await asyncio.sleep(world.outage_until - world.loop.time())

    async def _step_clock(self, _: Replica | None) -> None:
        """The database's clock is put right; each replica measures it within a few seconds."""
        world = self._world
        world.stepped += round(world.chance.choice((-60.0, -1.0, 1.0, 30.0)) * 1000)
        world.witness.stepped = world.stepped
        world.witness.astray = max(world.witness.astray, abs(world.stepped))
        world.witness.note("the clock is put right")
        world.disturbed()
        for replica in list(world.replicas):
            await asyncio.sleep(world.chance.uniform(0.0, 2.0))
            replica.clock.stepped = world.stepped

    async def _second_poller(self, replica: Replica | None) -> None:
        """One has lost its session and so the lock of the one that asks the provider, and does not know it yet."""
        if (found := self._one(replica)) is not None:
            found.engine.also_polls = True
            self._world.witness.note("asks the provider as well", found.process.name, counted="two poll")
            await asyncio.sleep(self._world.chance.choice((5.0, 60.0, 400.0)))
            found.engine.also_polls = False
