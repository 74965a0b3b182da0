"""What is written in the database of a running service, read from outside it: rows as dictionaries."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from tests.servers import PostgresServer

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
    """A database of the tests' PostgreSQL, asked through psql."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._server = server
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def rows(self, select: str) -> list[Row]:
        found: list[Row] = json.loads(self._run(f"SELECT coalesce(json_agg(found), '[]') FROM ({select}) AS found"))
        return found

    def change(self, statement: str) -> None:
        self._run(statement)

    def _run(self, statement: str) -> str:
        return self._server.execute(statement, self._url.rsplit("/", 1)[1])


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
