"""The campaign: all worlds at once until every fault was made or the time is up; then quiet, and the books."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.crash.books import Database
from bench.crash.checker import check
from bench.crash.history import History
from bench.crash.nemesis import Servers
from bench.crash.plan import EngineName, Plan, Size, make
from bench.crash.processes import Launcher
from bench.crash.world import World

TELLS_EVERY: Final = 10.0  # seconds


@dataclass
class Result:
    """What came of one campaign."""

    seed: int
    size: Size
    plans: list[Plan]
    histories: list[tuple[EngineName, History]]
    done: dict[EngineName, Counter[str]]
    surprises: Counter[str]
    seconds: float
    starts: int
    slowest_turn: float
    cpu_seconds: dict[str, float]
    verdicts: dict[EngineName, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def violations(self) -> list[str]:
        """Everything that was promised and not kept, in sentences."""
        return [words for rules in self.verdicts.values() for accused in rules.values() for words in accused]

    @property
    def missing(self) -> list[str]:
        """What was asked for and did not happen within the time."""
        return [
            f"{plan.engine}: {where} {deck.done[where]} of {asked}"
            for plan in self.plans
            for deck in (plan.deaths, plan.stops)
            for where, asked in sorted(deck.asked.items())
            if deck.done[where] < asked
        ]

    @property
    def proves_nothing(self) -> list[str]:
        """Why this campaign would have been clean whatever the service does; empty when it would not."""
        found = []
        for plan in self.plans:
            told = [history for engine, history in self.histories if engine == plan.engine]
            found += [f"{plan.engine}: nobody died at {at}" for at in self.size.points if not plan.deaths.done[at]]
            if not any(one.leads for history in told for one in history.submissions):
                found.append(f"{plan.engine}: no lead was acknowledged")
            if not any(call.rung for history in told for call in history.requests):
                found.append(f"{plan.engine}: no telephone rang")
        return found


async def run(size: Size, engines: Sequence[EngineName], seed: int, folder: Path) -> Result:
    """One campaign in `folder`, which must be empty: `size.minutes` of faults at most, and two minutes to settle."""
    plans = make(size, list(engines), seed)
    began, cpu = time.monotonic(), time.process_time()
    async with AsyncExitStack() as stack:
        launcher = await stack.enter_async_context(Launcher(folder))
        servers = None
        if "postgresql" in engines:
            servers = stack.enter_context(Servers(random.Random(f"{seed}:servers")))
        worlds = _worlds(plans, folder, launcher, servers)
        for world in worlds:
            stack.callback(world.close)
            await stack.enter_async_context(world.provider)
            await world.migrate()
        turn = asyncio.create_task(_slowest_turn())
        await _trouble(worlds, servers, time.monotonic() + size.minutes * 60, began)
        print(f"  {time.monotonic() - began:5.0f} s  quiet: everything comes to its end", file=sys.stderr, flush=True)
        await asyncio.gather(*(world.settle() for world in worlds))
        turn.cancel()
        slowest_turn = await turn
    result = Result(
        seed=seed,
        size=size,
        plans=plans,
        histories=[(world.plan.engine, world.history) for world in worlds],
        done=_done(plans, worlds, servers),
        surprises=sum((world.surprises for world in worlds), Counter[str]()),
        seconds=time.monotonic() - began,
        starts=sum(replica.starts for world in worlds for replica in world.replicas),
        slowest_turn=slowest_turn,
        cpu_seconds={"replicas": round(launcher.cpu_seconds, 1), "ourselves": round(time.process_time() - cpu, 1)},
    )
    for plan in plans:
        result.verdicts[plan.engine] = _merged([check(h) for engine, h in result.histories if engine == plan.engine])
    return result


def _worlds(plans: list[Plan], folder: Path, launcher: Launcher, servers: Servers | None) -> list[World]:
    worlds: list[World] = []
    for plan in plans:
        for copy in range(plan.worlds):
            name = f"{plan.engine}{copy + 1}"
            if plan.engine == "sqlite":
                database, redis, is_down = Database(f"sqlite:///{folder / name}.db"), None, _never
            else:
                assert servers is not None
                database, is_down = Database(servers.postgres.create_database()), servers.was_down
                redis = servers.redis.url
            worlds.append(World(name, len(worlds), folder / name, plan, launcher, database, redis, is_down))
    return worlds


async def _trouble(worlds: list[World], servers: Servers | None, until: float, began: float) -> None:
    """All faults, until all are made or it is `until`."""
    plans = {world.plan.engine: world.plan for world in worlds}

    def progress() -> float:
        return min(plan.progress for plan in plans.values())

    work: list[Awaitable[None]] = [world.run(world.plan.leads / world.plan.worlds) for world in worlds]
    restarts: asyncio.Task[None] | None = None
    if servers is not None:
        plan = plans["postgresql"]
        restarts = asyncio.create_task(servers.restart_databases(plan.database_restarts, lambda: plan.progress))
        work.append(servers.trouble_redis())
    tasks = [asyncio.ensure_future(one) for one in work]
    watch = asyncio.create_task(_until_done(worlds, lambda: progress() >= 1, restarts, until, began))
    try:
        await asyncio.wait([watch, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        together = [task for task in (*tasks, watch, restarts) if task is not None]
        for task in together:
            task.cancel()
        ends = await asyncio.gather(*together, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _until_done(
    worlds: list[World],
    is_done: Callable[[], bool],
    restarts: asyncio.Task[None] | None,
    until: float,
    began: float,
) -> None:
    """Tells how far it is, until there is nothing left to do, or no time."""
    told = 0.0
    while (now := time.monotonic()) < until:
        enough = all(
            sum(world.acknowledged for world in worlds if world.plan is plan) >= plan.leads
            for plan in {id(world.plan): world.plan for world in worlds}.values()
        )
        if is_done() and enough and (restarts is None or restarts.done()):
            return
        if now - told >= TELLS_EVERY:
            told = now
            print(f"  {now - began:5.0f} s  {_progress(worlds)}", file=sys.stderr, flush=True)
        await asyncio.sleep(0.25)


def _progress(worlds: list[World]) -> str:
    plans = {id(world.plan): world.plan for world in worlds}.values()
    deaths = sum(plan.deaths.done.total() for plan in plans), sum(plan.deaths.asked.total() for plan in plans)
    stops = sum(plan.stops.done.total() for plan in plans), sum(plan.stops.asked.total() for plan in plans)
    leads = sum(world.acknowledged for world in worlds), sum(plan.leads for plan in plans)
    calls = sum(len(world.history.requests) for world in worlds)
    return (
        f"ends {deaths[0]}/{deaths[1]}, stood still {stops[0]}/{stops[1]}, leads taken {leads[0]}/{leads[1]}, "
        f"requests {calls}"
    )


def _done(plans: list[Plan], worlds: list[World], servers: Servers | None) -> dict[EngineName, Counter[str]]:
    """Other things that happened, by engine."""
    done: dict[EngineName, Counter[str]] = {plan.engine: Counter() for plan in plans}
    for world in worlds:
        done[world.plan.engine] += world.done
    if servers is not None:
        done["postgresql"] += servers.done
    return done


def _merged(verdicts: list[dict[str, list[str]]]) -> dict[str, list[str]]:
    return {rule: [words for verdict in verdicts for words in verdict[rule]] for rule in verdicts[0]}


async def _slowest_turn() -> float:
    """Until cancelled: by how many seconds our own loop, and so every moment that we noted, was ever late."""
    slowest = 0.0
    try:
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(0.05)
            slowest = max(slowest, time.monotonic() - asleep - 0.05)
    except asyncio.CancelledError:
        return slowest


def _never(since: float) -> bool:
    return False
