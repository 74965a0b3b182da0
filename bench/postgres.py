"""A PostgreSQL of our own that works as in production: every commit reaches the disk, vacuum runs by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

import psutil

from app.store import migrate
from bench.books import PostgresBooks
from bench.machine import CORES, on_cores
from tests.servers import PostgresServer


class DurablePostgres(PostgresServer):
    """PostgreSQL's own defaults where the tests would rather be quick."""

    settings: ClassVar[Mapping[str, str]] = {**PostgresServer.settings, "shared_buffers": "128MB"} | dict.fromkeys(
        ("fsync", "full_page_writes", "autovacuum"), "on"
    )

    async def migrated(self) -> PostgresBooks:
        """A new database with the schema."""
        url = self.create_database()
        await asyncio.to_thread(migrate.upgrade, url)
        return PostgresBooks(url)

    def cpu(self) -> float:
        """Seconds of CPU so far, of the server and all connections there have been."""
        server = psutil.Process(self.pid)
        ended = server.cpu_times()
        times = [one.cpu_times() for one in (server, *server.children()) if one.is_running()]
        return float(sum(spent.user + spent.system for spent in times) + ended.children_user + ended.children_system)


@contextlib.asynccontextmanager
async def durable_postgres() -> AsyncIterator[DurablePostgres]:
    """Started on every core, gone afterwards."""
    with on_cores(CORES):
        server = DurablePostgres()  # in this thread: the kernel ends it with the thread that started it
    try:
        yield server
    finally:
        server.stop()
