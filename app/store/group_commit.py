"""The one writer of an SQLite file: a thread that commits every waiting function at once.

One fdatasync then serves all of them, which is worth 8 to 15 times the commits of one-per-request. A failing
function loses only its own work: the group is taken back and run again, each function in a savepoint of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final

from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError

from app import faults
from app.errors import ConfigurationError, StorageUnavailable
from app.store.sqlite_file import is_of_the_disk, outward, unavailable

log = logging.getLogger(__name__)

GROUP_MAX: Final = 256
WAITING_MAX: Final = 10_000
# How often SQLite asks whether the time is up, in its virtual machine's steps: about every millisecond.
STEPS_BETWEEN_LOOKS: Final = 100_000


@dataclass(slots=True, eq=False)
class Job:
    """One waiting function and what became of it."""

    work: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class TimeLimit:
    """Interrupts statements of one connection after `ends` (monotonic seconds)."""

    ends: float = field(default=float("inf"))

    def attach(self, raw: sqlite3.Connection) -> None:
        raw.set_progress_handler(self._is_over, STEPS_BETWEEN_LOOKS)

    def restart(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    def _is_over(self) -> int:
        return time.monotonic() > self.ends


class GroupCommit:
    """Runs jobs in groups on one connection in one thread. `submit` and `close` belong to one event loop.

    `check` raises what keeps a group from being written.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        name: str,
        function_seconds: float,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._function_seconds = function_seconds
        self._check = check
        self._engine = create_engine(
            "sqlite+pysqlite://",
            creator=connect,
            poolclass=NullPool,
            hide_parameters=True,  # parameters are names and phone numbers, tracebacks go to logs
        )
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._limit = TimeLimit()
        # A function that ended the transaction would end its neighbours' as well.
        event.listen(self._engine, "commit", self._refuse_in_function)
        event.listen(self._engine, "rollback", self._refuse_in_function)
        # These belong to the thread.
        self._in_function = False
        self._conn: Connection | None = None
        self._raw: sqlite3.Connection | None = None
        self.commits = 0
        self.failures = 0  # groups that found the disk full or failing

    @property
    def waiting(self) -> int:
        """Functions that wait for the next group."""
        return self._queue.qsize()

    async def start(self) -> None:
        """Start the thread, and wait until it has its connection; the connection's errors come out here."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        try:
            await self.submit(lambda conn: None)
        except StorageUnavailable as error:
            if isinstance(error.__cause__, ConfigurationError):
                raise error.__cause__ from None
            raise

    def submit(self, work: Callable[[Connection], Any]) -> asyncio.Future[Any]:
        """Have `work` run in the next group; the future is done after its COMMIT."""
        if self._closed or self._loop is None:
            raise StorageUnavailable("closed")
        if not self._thread.is_alive():
            raise unavailable("its writer has died")
        if self._queue.qsize() >= WAITING_MAX:
            raise unavailable(f"more than {WAITING_MAX} functions are waiting")
        job = Job(work, self._loop.create_future())
        self._queue.put(job)
        return job.future

    async def close(self, seconds: float = 15.0) -> None:
        """Run what is waiting, then end the thread."""
        if self._closed or self._loop is None:
            self._closed = True
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, seconds)
        if self._thread.is_alive():
            log.error("the database writer did not end within %s s", seconds)

    # ------------------------------------------------------------------------------------------ the thread

    def _run(self) -> None:
        last = False
        while not last:
            jobs, last = self._take()
            if not jobs:
                continue
            try:
                self._commit(jobs)
            # Whatever it was: nothing counts as done, and the next group is tried.
            except BaseException as error:  # noqa: BLE001
                log.warning("a group of %d was not committed: %s", len(jobs), type(error).__name__)
                self._give_up(jobs, error)
            finally:
                self.failures += any(job.error is not None and is_of_the_disk(job.error) for job in jobs)
                self._tell(jobs)
        self._disconnect()

    def _take(self) -> tuple[list[Job], bool]:
        """Everything that waits, up to the cap, and whether it is the end."""
        jobs: list[Job] = []
        job = self._queue.get()
        while job is not None:
            if not job.future.cancelled():  # not begun: dropped
                jobs.append(job)
            if len(jobs) >= GROUP_MAX:
                return jobs, False
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, False
        return jobs, True

    def _commit(self, jobs: list[Job]) -> None:
        conn, raw = self._connection()
        self._check()
        raw.execute("BEGIN IMMEDIATE")
        # A savepoint is two more statements and hardly ever needed.
        failed = next((job for job in jobs if not self._do(job, conn)), None)
        if failed is not None:
            if len(jobs) == 1:
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
                return  # its failure is the group's
            self._still_whole(raw, failed)
            raw.execute("ROLLBACK")
            raw.execute("BEGIN IMMEDIATE")
            self._do_apart(jobs, conn, raw)
        faults.point("store.before_commit")
        raw.execute("COMMIT")
        faults.point("store.after_commit")
        self.commits += 1

    def _do_apart(self, jobs: list[Job], conn: Connection, raw: sqlite3.Connection) -> None:
        """Each in a savepoint, so that those who fail leave the others' work alone."""
        for job in jobs:
            job.value, job.error = None, None
            raw.execute("SAVEPOINT job")
            if not self._do(job, conn):
                self._still_whole(raw, job)
                raw.execute("ROLLBACK TO job")
            raw.execute("RELEASE job")

    def _still_whole(self, raw: sqlite3.Connection, failed: Job) -> None:
        if not raw.in_transaction and failed.error is not None:
            raise failed.error  # a full disk, an interrupt: SQLite took everything back

    def _do(self, job: Job, conn: Connection) -> bool:
        self._limit.restart(self._function_seconds)
        self._in_function = True
        try:
            job.value = job.work(conn)
        # Its caller gets it, whatever it is; the thread goes on.
        except BaseException as error:  # noqa: BLE001
            job.error = outward(error)
        finally:
            self._in_function = False
            self._limit.ends = float("inf")
        self._keep_root(conn)
        return job.error is None

    def _keep_root(self, conn: Connection) -> None:
        """SQLAlchemy's own transaction stays open for good and means nothing: the driver is in autocommit mode,
        and BEGIN and COMMIT are ours. It makes `conn.begin()` in a function an error."""
        root = conn.get_transaction()
        if root is not None and not root.is_active:  # a function tried to end it
            root.rollback()
            root = None
        if root is None:
            conn.begin()

    def _refuse_in_function(self, conn: Connection) -> None:
        if self._in_function:
            raise InvalidRequestError("a statement function must leave COMMIT and ROLLBACK to the engine")

    def _give_up(self, jobs: list[Job], error: BaseException) -> None:
        try:
            if self._raw is not None and self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            log.exception("the database connection is thrown away")
            self._disconnect()
        seen = outward(error)
        for job in jobs:
            # Also one that had failed by itself: what it ran into may have been a neighbour's lost row.
            if not isinstance(job.error, StorageUnavailable):
                text = str(seen) if isinstance(seen, StorageUnavailable) else "the transaction could not be committed"
                job.error = _chained(StorageUnavailable(text), job.error or error)

    def _connection(self) -> tuple[Connection, sqlite3.Connection]:
        if self._conn is None or self._raw is None:
            conn = self._engine.connect()
            try:
                raw = conn.connection.driver_connection
                assert isinstance(raw, sqlite3.Connection)
                self._keep_root(conn)
                self._limit.attach(raw)
            except BaseException:
                conn.close()
                raise
            self._conn, self._raw = conn, raw
        return self._conn, self._raw

    def _disconnect(self) -> None:
        conn, self._conn, self._raw = self._conn, None, None
        if conn is not None:
            try:
                conn.close()
            except (sqlite3.Error, SQLAlchemyError):
                log.exception("closing the database connection failed")

    def _tell(self, jobs: list[Job]) -> None:
        assert self._loop is not None
        try:
            # One wake-up of the loop for the whole group.
            self._loop.call_soon_threadsafe(_settle, jobs)
        except RuntimeError:
            log.warning("the event loop ended while %d functions were at the database", len(jobs))


def _chained(error: StorageUnavailable, cause: BaseException) -> StorageUnavailable:
    error.__cause__ = cause
    return error


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue  # cancelled while it ran: the result is lost, the work is not
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.value)
