"""A database that is only read, beside a service that has it: no writer, no lock, no session that listens.

The commands that change something go through the engine. This is for those that must not disturb: on SQLite the
connection cannot write and takes no lock that a writer waits for, on PostgreSQL every transaction is READ ONLY, so a
standby will do.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from app.errors import StorageUnavailable
from app.store import address, sqlite_file

P = ParamSpec("P")
T = TypeVar("T")


class Reader(Protocol):
    """Reads, one statement function after the other."""

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in a short read-only transaction of its own. StorageUnavailable for what may pass."""
        ...


@contextlib.asynccontextmanager
async def open_read_only(database_url: str) -> AsyncIterator[Reader | None]:
    """A reader of the database at `database_url`; None for an SQLite file that does not exist.

    ConfigurationError for addresses that are none, StorageUnavailable when it cannot be reached.
    """
    url = address.parse(database_url)
    if url.get_backend_name() == "postgresql":
        async with _postgres(address.postgres_options(url)) as reader:
            yield reader
        return
    path = address.sqlite_path(url)
    if not path.exists():
        yield None
        return
    yield _SqliteReader(path)


class _SqliteReader(Reader):
    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        def work() -> T:
            engine = create_engine(
                "sqlite+pysqlite://",
                creator=lambda: sqlite_file.connect(self._path, read_only=True),
                poolclass=NullPool,
                hide_parameters=True,
            )
            try:
                with engine.connect() as conn:
                    raw: Any = conn.connection.driver_connection
                    raw.execute("BEGIN")  # one snapshot; a WAL reader keeps no writer waiting
                    try:
                        return fn(conn, *args, **kwargs)
                    finally:
                        raw.execute("ROLLBACK")
            except (SQLAlchemyError, sqlite3.Error) as error:
                seen = sqlite_file.outward(error)
                if seen is error or sqlite_file.code_of(error) == sqlite3.SQLITE_READONLY:
                    raise
                raise seen from seen.__cause__

        return await asyncio.to_thread(work)


@contextlib.asynccontextmanager
async def _postgres(options: dict[str, Any]) -> AsyncIterator[Reader]:
    # What only PostgreSQL needs comes with its extra.
    from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

    from app.store.postgres_errors import DATABASE_ERRORS, READ_ONLY, asyncpg, kind_of, sqlstate_of

    async def connect() -> Any:
        return await asyncpg.connect(**options)

    class PostgresReader(Reader):
        def __init__(self, conn: AsyncConnection) -> None:
            self._conn = conn

        async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
            async with self._conn.begin():
                return await self._conn.run_sync(lambda conn: fn(conn, *args, **kwargs))

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,
    ).execution_options(postgresql_readonly=True)
    try:
        async with engine.connect() as conn:
            yield PostgresReader(conn)
    except DATABASE_ERRORS as error:
        if kind_of(error) is None or sqlstate_of(error) == READ_ONLY:
            raise
        raise StorageUnavailable(f"the database is not available: PostgreSQL ({type(error).__name__})") from error
    finally:
        await engine.dispose()
