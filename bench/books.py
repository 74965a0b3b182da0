"""What is written in the service's database, read from outside it, on either engine."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import asyncpg

PATIENCE = 30.0  # seconds until a question counts as unanswered

Row = tuple[Any, ...]


class Books(Protocol):
    """One database, by the address that its service is given; `rows` takes one SELECT."""

    @property
    def url(self) -> str: ...

    async def rows(self, sql: str) -> list[Row]: ...


class SqliteBooks:
    """A file, which its service holds open meanwhile."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def url(self) -> str:
        return f"sqlite:///{self._file}"

    async def rows(self, sql: str) -> list[Row]:
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=5)) as connection:
            return connection.execute(sql).fetchall()


class PostgresBooks:
    """A database on a server of our own; each question has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def rows(self, sql: str) -> list[Row]:
        connection: Any = await asyncpg.connect(self.url, ssl=False, timeout=PATIENCE)  # type: ignore[no-untyped-call]
        try:
            return [tuple(row) for row in await connection.fetch(sql, timeout=PATIENCE)]
        finally:
            await connection.close()
