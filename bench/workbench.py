"""What every measurement works with: the folder, the mode, and the processes it may start."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.books import Books
from bench.child import Child
from bench.client import Pool
from bench.machine import CORES, SERVICE_CORE
from bench.replicas import Replicas
from bench.service import Service
from bench.yardstick import Yardstick


@dataclass
class Workbench:
    """`quick` makes everything short; `env` is added to the service's environment; `profile` samples it."""

    folder: Path
    quick: bool = False
    profile: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def pick(self, full: float, quick: float) -> float:
        """A duration or count for the mode."""
        return quick if self.quick else full

    def service(self, provider_url: str, name: str, books: Books | None = None, **env: str) -> Service:
        """A service that has not started yet, on a new SQLite file or those `books`."""
        return Service(
            self.folder,
            provider_url,
            {**self.env, **env},
            name=f"{name}-{next(self._numbers)}",
            books=books,
            profile=self.profile,
        )

    @contextlib.asynccontextmanager
    async def replicas(self, provider_url: str, many: int, books: Books, redis_url: str) -> AsyncIterator[Replicas]:
        """So many services on one migrated database, counting their limits in one Redis, on every core there is."""
        env = {**self.env, "LEADRING_RATE_LIMIT_URL": redis_url}
        names = [f"replica-{next(self._numbers)}" for _ in range(many)]
        async with contextlib.AsyncExitStack() as stack:
            services = [
                await stack.enter_async_context(
                    Service(
                        self.folder,
                        provider_url,
                        env,
                        name=name,
                        books=books,
                        cores=CORES,
                        migrates=False,
                        profile=self.profile,
                    )
                )
                for name in names
            ]
            yield Replicas(services)

    @contextlib.asynccontextmanager
    async def bare(self) -> AsyncIterator[Yardstick]:
        """The bare endpoint, which runs on the service's core."""
        place = self.folder / f"bare-{next(self._numbers)}"
        place.mkdir()
        child = Child([sys.executable, "-m", "bench.bare"], {SERVICE_CORE}, place, {}, "bare")
        async with child, connections(child) as pool:
            yield Yardstick(child, pool)

    def sample(self, *services: Service) -> None:
        """From now on their profiles count."""
        for service in services if self.profile else ():
            os.kill(service.pid, signal.SIGUSR1)


@contextlib.asynccontextmanager
async def connections(child: Child) -> AsyncIterator[Pool]:
    """Connections to a child, closed at the end."""
    pool = Pool(child.port)
    try:
        yield pool
    finally:
        pool.close()
