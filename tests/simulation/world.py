"""One world: replicas, a provider, visitors, operators and troubles, all from one seed, until everything is settled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from app.directory import Directory, parse_directory
from app.metrics import Metrics
from app.service.rules import Rules
from app.store.sql_store import SqlStore
from tests.simulation.database import Database, Fate, SimulatedEngine
from tests.simulation.loop import PROCESS, Mishap, Process, VirtualLoop
from tests.simulation.people import People
from tests.simulation.provider import Provider
from tests.simulation.replica import APART, Replica, SimulatedClock
from tests.simulation.temper import CLOSES_AFTER, DAY_STARTS, OPENS_AFTER, WINDOWS, Temper, temper_of
from tests.simulation.troubles import Troubles
from tests.simulation.witness import Witness
from tests.store.soundness import assert_sound

HORIZON: Final = 72 * 3600.0  # seconds after which everything has to be settled; some go on the next day
# When something falls due by the tables; where it is due already, and somebody might do it later, a little later.
# While leads are due the rounds go on, as they note for themselves that the service lives.
_MOMENTS: Final = """
SELECT min(moment) FROM (
  SELECT min(due_at) AS moment FROM leads WHERE state = 'waiting' AND due_at > :now
  UNION ALL SELECT min(expires_at) FROM leads WHERE state IN ('waiting', 'held') AND expires_at > :now
  UNION ALL SELECT min(look_at) FROM attempts WHERE look_at > :now
  UNION ALL SELECT min(ask_at) FROM attempts WHERE ask_at > :now
  UNION ALL SELECT min(until) FROM agents WHERE until > :now
  UNION ALL SELECT min(paused_until) FROM agents WHERE paused_until > :now
  UNION ALL SELECT min(presence_until) FROM agents WHERE presence_until > :now
  UNION ALL SELECT :now + 5000 FROM cdrs WHERE state = 'kept'
  UNION ALL SELECT :now + 5000 FROM attempts WHERE ask_at <= :now
  UNION ALL SELECT :now + 20000 FROM leads WHERE state = 'waiting' AND due_at <= :now AND EXISTS (
    SELECT 1 FROM agents WHERE attempt_id IS NULL AND paused = 0 AND coalesce(until, 0) <= :now
    AND coalesce(presence_until, 0) <= :now)
  UNION ALL SELECT :now + 45000 FROM leads WHERE state = 'waiting' AND due_at <= :now
  UNION ALL SELECT :now FROM attempts WHERE look_at <= :now)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a world went. `schedule` and `history` are digests: who did what in which order, and what was committed."""

    seed: int
    failure: str | None
    schedule: str
    history: str
    steps: int
    leads: int
    requests: int
    lasted: float
    story: Sequence[str]
    happened: Mapping[str, int]


class Weather:
    """The way of one replica to the database."""

    def __init__(self, world: World) -> None:
        self._world = world
        temper = world.temper
        self._calm = not (temper.again or temper.refused or temper.lost)
        self._quick = not (temper.database_delay or temper.database_spike)

    def delay(self) -> float:
        if self._quick:
            return 0.0
        temper, chance = self._world.temper, self._world.chance
        if temper.database_spike and chance.random() < temper.database_spike:
            return chance.uniform(0.1, 3.0)
        return chance.random() * temper.database_delay

    def fate(self) -> Fate:
        world, temper = self._world, self._world.temper
        if world.loop.time() < world.outage_until:
            world.delayed()
            return "refused"
        if self._calm:
            return "done"
        drawn = world.chance.random() - temper.again
        if drawn < 0:
            return "again"
        if drawn < temper.refused + temper.lost:
            world.delayed()
            return "refused" if drawn < temper.refused else "lost"
        return "done"


class World:
    """Lives once. `database` and `metrics` may have served other worlds before."""

    def __init__(self, seed: int, database: Database, metrics: Metrics, *, tell: bool = False) -> None:
        self.seed = seed
        self.chance = chance = random.Random(seed)  # noqa: S311 - not a secret
        self.temper: Temper = temper_of(chance)
        self.loop = VirtualLoop(chance)  # type: ignore[abstract]  # asyncio's devices are not there
        self._database = database
        self._metrics = metrics
        self._directory = _directory(self.temper.directory)
        self.starts_at = DAY_STARTS + round((CLOSES_AFTER - self.temper.starts_early) * 1000)
        database.empty()
        self.provider = Provider(self.loop, chance, self.temper, self.starts_at)
        self.witness = Witness(self.loop, database, self.provider, Rules(self._directory), tell=tell)
        self.people = People(self)
        self.troubles = Troubles(self)
        self.outage_until = 0.0
        self.stepped = 0  # milliseconds by which the database's clock was put ahead
        self.replicas: list[Replica] = []
        self._made = 0
        self._todo: set[asyncio.Task[None]] = set()
        self._nothing_open = asyncio.Event()
        database.on_commit = self._committed
        self.provider.at_the_door = self.witness.request
        self.provider.deliver = self.people.deliver
        self.provider.happened = self.witness.note
        self.loop.hasten = self._hasten

    # ------------------------------------------------------------------------------------------- its life

    def live(self) -> Outcome:
        """From the first replica's start until everything is settled."""
        failure = None
        try:
            self.loop.run(self._main())
        except Mishap as error:
            failure = str(error)
        except AssertionError as error:
            failure = f"unsound at the end: {error}"
        finally:
            self.loop.close()
        witness = self.witness
        return Outcome(
            seed=self.seed,
            failure=failure,
            schedule=witness.schedule,
            history=witness.history,
            steps=self.loop.steps,
            leads=len(set(witness.acknowledged.values())),
            requests=witness.asked,
            lasted=self.loop.time(),
            story=witness.story,
            happened=witness.happened,
        )

    async def _main(self) -> None:
        store = SqlStore(self._engine(self.loop.world, calm=True))
        await store.sync_agents(list(self._directory.agents))
        for weight in self.temper.slow:
            self.start_replica(weight)
        for moment in (CLOSES_AFTER, OPENS_AFTER, *WINDOWS):
            self.loop.call_at(max(0.0, moment + (DAY_STARTS - self.starts_at) / 1000), lambda: None)
        self.people.begin()
        self.troubles.begin()
        try:
            async with asyncio.timeout(HORIZON):
                while self._todo or self.witness.open:
                    if self._todo:
                        await asyncio.wait(self._todo)
                    else:
                        await self._nothing_open.wait()
        except TimeoutError:
            self.witness.wrong("not everything is settled after three days")
            return
        self.witness.at_the_end(self._directory.guards.calls.per_hour or 0)
        await assert_sound(store)

    def later(self, delay: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have this done in the world after so many seconds; the world does not end before it."""

        async def then() -> None:
            await asyncio.sleep(delay)
            await work()

        context = self.loop.world_context.copy()
        task = self.loop.create_task(then(), context=context)
        self._todo.add(task)
        task.add_done_callback(self._done, context=context)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._todo.discard(task)
        if (error := task.exception()) is not None:
            self.loop.mishaps.append(f"{type(error).__name__}: {error}")

    def _committed(self, name: str) -> None:
        self.witness.committed(name)
        if self.witness.open:
            self._nothing_open.clear()
        else:
            self._nothing_open.set()
        self.troubles.committed(PROCESS.get(self.loop.world))

    # ---------------------------------------------------------------------------------------------- time

    def disturbed(self) -> None:
        """Something is in the way of whoever should settle things."""
        self.witness.troubled_at = self.witness.active_at = self.loop.time()

    def delayed(self) -> None:
        """Somebody has to try again, which he does within a quarter of a second."""
        witness, now = self.witness, self.loop.time()
        witness.troubled_at = now
        witness.active_at = max(witness.active_at, now - self.temper.quiet + 0.25)

    def _hasten(self, until: float) -> float:
        """Nobody has anything to do before `until`. Where nothing goes on at all, time may go on to the next event."""
        now, witness = self.loop.time(), self.witness
        if any(one.in_flight and not one.still for one in self.loop.processes):
            return until
        if now - witness.active_at < self.temper.quiet:
            return until
        witness.quiet()
        wall = witness.now_ms()
        moment = self._database.raw.execute(_MOMENTS, {"now": wall}).fetchone()[0]
        due = float("inf") if moment is None else (moment - wall) / 1000
        farthest = APART if self.temper.watchful and self.provider.rings(now) else max(self.temper.jump, due / 2)
        due = now + min(due, farthest)
        outside = self.loop.next_timer(self.loop.world)
        then = max(until, min(due, outside))
        self._who_wakes(then, nobody=outside < due)
        return then

    def _who_wakes(self, moment: float, *, nobody: bool) -> None:
        """Not all loops of all processes look at the very same moment: mostly, all but one come some time later.

        Where something comes from outside, which wakes whom it concerns, mostly `nobody` has a need to look.
        """
        awake = [one.process for one in self.replicas if not one.process.still]
        if self.chance.random() < 0.2 or not (nobody or len(awake) > 1):
            return
        if not nobody:
            awake.remove(self.chance.choice(awake))
        for process in awake:
            self.loop.hold_up(process, moment, self.chance.uniform(0.0, 3.0))

    # ------------------------------------------------------------------------------------------- replicas

    def start_replica(self, weight: float) -> None:
        """Another process of the service."""
        self._made += 1
        process = self.loop.process(f"r{self._made}", weight)
        engine = self._engine(process)
        replica = Replica(self.loop, process, engine, self.provider, self._directory, self._metrics, self.chance)
        self.replicas.append(replica)
        replica.start()
        self.witness.note("starts", process.name, counted="a replica starts")

    def end_replica(self, replica: Replica) -> None:
        """Its process is gone, wherever it was."""
        self.witness.note("is gone", replica.process.name, counted="a replica is gone")
        self.disturbed()
        self.loop.kill(replica.process)
        self.replicas.remove(replica)

    def some_replica(self) -> Replica | None:
        """One that takes what comes in, as far as a proxy knows."""
        there = [one for one in self.replicas if one.serves]
        return self.chance.choice(there) if there else None

    def _engine(self, process: Process, *, calm: bool = False) -> SimulatedEngine:
        clock = SimulatedClock(self.loop, self.starts_at, 0 if calm else self.chance.randint(-20, 20))
        clock.stepped = self.stepped
        return SimulatedEngine(self._database, clock, process, None if calm else Weather(self), self._notify)

    def _notify(self, sender: SimulatedEngine, channel: str, payload: str) -> None:
        for replica in self.replicas:
            if replica.engine is not sender:
                for callback in replica.engine.callbacks:
                    self.loop.call_later(0.001, callback, channel, payload, context=replica.context)


@lru_cache(maxsize=4096)
def _directory(text: str) -> Directory:
    return parse_directory(text)
