"""What goes wrong around the replicas: PostgreSQL is restarted, Redis is gone or hangs, the provider's door is shut."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Final, Self

from bench.crash.provider import Provider
from tests.server_process import STOP_SECONDS, is_alive, wait_until
from tests.servers import PostgresServer, RedisServer

STAYS_DOWN: Final = 1.5  # seconds at most that PostgreSQL is away, besides its recovery
DOOR_EVERY: Final = (6.0, 18.0)  # seconds between the moments at which the provider's door is shut
DOOR_SHUT: Final = (0.3, 1.2)
REDIS_EVERY: Final = (10.0, 25.0)
REDIS_HANGS: Final = 2.0
LEAST_BETWEEN: Final = 3.0  # seconds between two restarts of PostgreSQL


class Servers(AbstractContextManager["Servers"]):
    """A PostgreSQL and a Redis of our own, for all worlds of that engine."""

    def __init__(self, rng: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self._rng = rng
        self._stack = ExitStack()
        self._down_since: float | None = None
        self._up_since = 0.0

    def __enter__(self) -> Self:
        self.postgres = PostgresServer()
        self._stack.callback(self.postgres.stop)
        self.redis = RedisServer()
        self._stack.callback(self.redis.stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def was_down(self, since: float) -> bool:
        """Whether PostgreSQL was away at any time since then (monotonic seconds)."""
        return self._down_since is not None or self._up_since >= since

    async def restart_databases(self, count: int, progress: Callable[[], float]) -> None:
        """So many immediate shutdowns, spread over the campaign's progress; each is a crash recovery."""
        while self.done["postgresql"] < count:
            await asyncio.sleep(LEAST_BETWEEN)
            if progress() * count >= self.done["postgresql"]:
                await self._restart()

    async def _restart(self) -> None:
        self._down_since = time.monotonic()
        try:
            await _to_its_end(self._crash_and_recover, self._rng.uniform(0, STAYS_DOWN))
        finally:
            self._up_since, self._down_since = time.monotonic(), None
            self.done["postgresql"] += 1

    def _crash_and_recover(self, pause: float) -> None:
        pid = self.postgres.pid
        os.kill(pid, signal.SIGQUIT)  # an immediate shutdown: nothing is flushed, everybody is thrown out
        wait_until(lambda: not is_alive(pid), STOP_SECONDS, "PostgreSQL goes down")
        self.postgres.kill()
        time.sleep(pause)
        self.postgres.restart()

    async def trouble_redis(self) -> None:
        """Until cancelled: Redis is killed and comes back empty, or hangs for a while, in turn."""
        while True:
            await asyncio.sleep(self._rng.uniform(*REDIS_EVERY))
            await _to_its_end(self._restart_redis)
            self.done["redis killed"] += 1
            await asyncio.sleep(self._rng.uniform(*REDIS_EVERY))
            await asyncio.to_thread(self.redis.freeze)
            try:
                await asyncio.sleep(REDIS_HANGS)
            finally:
                self.redis.thaw()
            self.done["redis hung"] += 1

    def _restart_redis(self) -> None:
        self.redis.kill()
        self.redis.restart()


async def _to_its_end(work: Callable[..., None], *arguments: object) -> None:
    """Do this in a thread; whoever cancels it finds it done."""
    done = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(done)
    finally:
        await done


async def shut_doors(provider: Provider, rng: random.Random, done: Counter[str]) -> None:
    """Until cancelled: every now and then the provider refuses connections."""
    while True:
        await asyncio.sleep(rng.uniform(*DOOR_EVERY))
        await provider.refuse(rng.uniform(*DOOR_SHUT))
        done["door shut"] += 1
