"""The default engine: one SQLite file, one writer thread with group commit, a few readers."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, QueuePool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, SystemClock
from app.errors import StorageUnavailable
from app.store import sqlite_file
from app.store.file_lock import FileLock
from app.store.group_commit import WAITING_MAX, GroupCommit, TimeLimit

P = ParamSpec("P")
T = TypeVar("T")

READERS: Final = 3
# As long as PostgreSQL's statement_timeout is with us.
FUNCTION_SECONDS: Final = 10.0

log = logging.getLogger(__name__)


class SqliteEngine:
    """See `app.store.engine.Engine`. Holds `<file>.lock` from start to close unless `allow_shared`."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(
        self,
        path: Path,
        clock: Clock | None = None,
        *,
        allow_shared: bool = False,
        function_seconds: float = FUNCTION_SECONDS,
    ) -> None:
        self.path = path
        self.clock: Clock = clock or SystemClock()
        self._lock = None if allow_shared else FileLock(path)
        connect = partial(sqlite_file.connect, path)
        self._writer = GroupCommit(connect, "leadring-writer", function_seconds, self._check_file)
        self._readers = create_engine(
            "sqlite+pysqlite://",
            creator=partial(sqlite_file.connect, path, read_only=True),
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=0,
            hide_parameters=True,
        )
        self._threads = ThreadPoolExecutor(READERS, "leadring-reader")
        self._reading = 0
        self._function_seconds = function_seconds
        self._open = False
        self._file: tuple[int, int] | None = None

    @property
    def commits(self) -> int:
        """Groups committed so far."""
        return self._writer.commits

    @property
    def failures(self) -> int:
        """Groups that found the disk full or failing."""
        return self._writer.failures

    @property
    def polls(self) -> bool:
        """One process has the file, so it is the one that polls."""
        return True

    @property
    def waiting(self) -> int:
        """Functions that wait for the writer."""
        return self._writer.waiting

    async def start(self) -> None:
        """Check the place, take the lock, connect; ConfigurationError or StorageUnavailable."""
        sqlite_file.check_place(self.path)
        try:
            if self._lock is not None:
                self._lock.acquire()
            await self._writer.start()
            self._file = _identity(self.path)
            self._open = True
            await self.read(lambda conn: None)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Run what waits, then let go of the file. May be called again."""
        self._open = False
        await self._writer.close()
        await asyncio.to_thread(self._threads.shutdown)
        self._readers.dispose()
        if self._lock is not None:
            self._lock.release()

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in the next group; returns after its COMMIT has reached the disk."""

        def work(conn: Connection) -> T:
            return fn(conn, *args, **kwargs)

        return cast(T, await self._writer.submit(work))

    async def write_behind(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Have `fn` run in the next group, and return: what is written later is written after it."""

        def work(conn: Connection) -> T:
            return fn(conn, *args, **kwargs)

        self._writer.submit(work).add_done_callback(_tell_failure)

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` on a read-only connection, on one snapshot that has everything committed before."""
        if not self._open:
            raise StorageUnavailable("closed")
        if self._reading >= WAITING_MAX:
            raise sqlite_file.unavailable(f"more than {WAITING_MAX} functions are waiting")

        def work(conn: Connection) -> T:
            return fn(conn, *args, **kwargs)

        self._reading += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        finally:
            self._reading -= 1

    # One statement or several: the writer's group and the reader's snapshot cost the same.
    write_one = write
    read_one = read

    def _read(self, work: Callable[[Connection], T]) -> T:
        limit = TimeLimit()
        try:
            with self._readers.connect() as conn:
                raw: Any = conn.connection.driver_connection
                limit.attach(raw)
                limit.restart(self._function_seconds)
                raw.execute("BEGIN")
                try:
                    return work(conn)
                finally:
                    limit.ends = float("inf")
                    raw.execute("ROLLBACK")
        except (SQLAlchemyError, sqlite3.Error, StopIteration) as error:
            seen = sqlite_file.outward(error)
            # A function that writes in a read is our mistake, no trouble that passes.
            if seen is error or sqlite_file.code_of(error) == sqlite3.SQLITE_READONLY:
                raise
            raise seen from seen.__cause__

    def _check_file(self) -> None:
        """A file that was deleted or replaced under us would take commits that nobody ever finds again."""
        if self._file is not None and _identity(self.path) != self._file:
            raise StorageUnavailable(f"the database file {self.path} was removed or replaced while the service runs")

    async def ping(self) -> None:
        """StorageUnavailable unless the writer takes its lock now."""
        await self.write(lambda conn: None)

    async def room(self) -> int | None:
        """Bytes that are free where the file is."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, sqlite_file.room, self.path)

    def listen(self, callback: Callable[[str, str], None]) -> None:
        """Nothing ever comes from outside: one process owns the file."""

    def tell(self, channel: str, payload: str = "") -> None:
        """Nobody else is listening."""


def _tell_failure(done: asyncio.Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("a write that nobody waited for failed: %s", error)


def _identity(path: Path) -> tuple[int, int] | None:
    """What makes a file this very file; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
