"""What is written in the database of a running service, read from outside it: rows as dictionaries."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import asyncpg

Row = dict[str, Any]


class Books(Protocol):
    """One database, by its address; `rows` takes one SELECT, `change` one statement that arranges time."""

    @property
    def url(self) -> str: ...

    def rows(self, select: str) -> list[Row]: ...

    def change(self, statement: str) -> None: ...


class SqliteBooks:
    """An SQLite file, which its service may hold open meanwhile."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def url(self) -> str:
        return f"sqlite:///{self._file}"

    def rows(self, select: str) -> list[Row]:
        with closing(sqlite3.connect(self._file, timeout=5)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(select)]

    def change(self, statement: str) -> None:
        with closing(sqlite3.connect(self._file, timeout=5)) as connection, connection:
            connection.execute(statement)


class PostgresBooks:
    """A database of the tests' PostgreSQL; `with PostgresBooks(url) as books:`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._connection: Any = None

    def __enter__(self) -> Self:
        self._connection = self._runner.run(asyncpg.connect(self._url, ssl=False))  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()

    @property
    def url(self) -> str:
        return self._url

    def rows(self, select: str) -> list[Row]:
        return [dict(row) for row in self._runner.run(self._connection.fetch(select))]

    def change(self, statement: str) -> None:
        self._runner.run(self._connection.execute(statement))


def attempts_of(books: Books, lead_id: str) -> list[Row]:
    """The attempts of one lead, first to last."""
    assert lead_id.replace("-", "").isalnum()
    return books.rows(f"SELECT * FROM attempts WHERE lead_id = '{lead_id}' ORDER BY number")  # noqa: S608


def agents(books: Books) -> dict[str, str]:
    """Every agent's state as it stands in the table."""
    return {row["id"]: row["state"] for row in books.rows("SELECT id, state FROM agents")}


def lead_states(books: Books) -> dict[str, str]:
    """Every lead's state by its id."""
    return {row["id"]: row["state"] for row in books.rows("SELECT id, state FROM leads")}
