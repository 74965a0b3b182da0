"""What the database of a world says, read from outside the service."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

from app.domain.states import ATTEMPT_LIVE
from bench.crash.history import Books, Row

PATIENCE = 20.0
BUSY = ", ".join(repr(state) for state in ATTEMPT_LIVE if state != "unknown")


class Database:
    """One database by its URL; every look is a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_sqlite = url.startswith("sqlite:///")

    async def rows(self, *selects: str) -> list[list[Row]]:
        """The rows of each SELECT, all of one snapshot."""
        if self._is_sqlite:
            return await asyncio.to_thread(_sqlite, Path(self.url.removeprefix("sqlite:///")), selects)
        connection: Any = await asyncpg.connect(self.url, ssl=False, timeout=PATIENCE)  # type: ignore[no-untyped-call]
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return [[dict(row) for row in await connection.fetch(select)] for select in selects]
        finally:
            await connection.close()

    async def read(self, now: int) -> Books:
        """Everything that the checker wants to know; `now` is when the house was last awake (milliseconds)."""
        leads, attempts, agents, spent = await self.rows(
            "SELECT * FROM leads",
            "SELECT * FROM attempts",
            "SELECT * FROM agents",
            "SELECT COALESCE(SUM(used), 0) AS used FROM budgets",
        )
        return Books(leads, attempts, agents, int(spent[0]["used"]), now)

    async def open_attempts(self) -> dict[str, str]:
        """Attempts that are neither over nor unknown, and their states."""
        (found,) = await self.rows(f"SELECT id, state FROM attempts WHERE state IN ({BUSY})")  # noqa: S608
        return {row["id"]: row["state"] for row in found}

    async def at_work(self) -> int:
        """How many leads are still on their way: due, or being called."""
        now = time.time_ns() // 1_000_000
        found = await self.rows(
            f"SELECT count(*) AS n FROM leads WHERE state = 'waiting' AND due_at <= {now}",  # noqa: S608
            f"SELECT count(*) AS n FROM attempts WHERE state IN ({BUSY})",  # noqa: S608
        )
        return sum(int(rows[0]["n"]) for rows in found)


def _sqlite(file: Path, selects: Sequence[str]) -> list[list[Row]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        return [[dict(row) for row in connection.execute(select)] for select in selects]
