"""The engine for several replicas: SQLAlchemy on asyncpg, one transaction per function."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from app import faults
from app.clock import Clock
from app.errors import StorageUnavailable
from app.store.database_clock import DatabaseClock
from app.store.postgres_errors import (
    DATABASE_ERRORS,
    DISK,
    READ_ONLY,
    asyncpg,
    kind_of,
    sqlstate_of,
    without_values,
)
from app.store.wakeups import Wakeups

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)

# Connections that are kept, once they were needed: each that is opened anew compiles and prepares its statements anew.
POOL: Final = 20
POOL_SECONDS: Final = 8.0  # a burst of 2,000 leads has to fit through the pool within it
RECYCLE_SECONDS: Final = 1800
RETRIES: Final = 3
RETRY_JITTER_SECONDS: Final = 0.02
CLOSE_SECONDS: Final = 15.0
WAITING_MAX: Final = 10_000
STATEMENTS: Final = 500  # that a connection keeps prepared; more than there are


class PostgresEngine:
    """See `app.store.engine.Engine`. `options` are keyword arguments of `asyncpg.connect`."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, options: Mapping[str, Any], clock: Clock | None = None, *, alone: bool | None = None) -> None:
        database_clock = DatabaseClock() if clock is None else None
        self.clock: Clock = clock or database_clock or DatabaseClock()
        self.commits = 0
        self.failures = 0  # transactions for which the server found no room, or a failing disk
        self._wakeups = Wakeups(options, database_clock, alone=alone)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open = False
        self._async_engine = _make_engine(options)
        self._engine = self._async_engine.sync_engine
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # A statement alone is a transaction by itself: without the trips for BEGIN and COMMIT.
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def polls(self) -> bool:
        """Whether this replica is the one that polls the provider."""
        return self._wakeups.polls

    @property
    def waiting(self) -> int:
        """Functions that run or wait for a connection."""
        return len(self._tasks)

    async def start(self) -> None:
        """Connect, measure the clock, listen; StorageUnavailable when the database cannot be reached."""
        try:
            await self._wakeups.start()
            self._open = True
            await self.ping()
        except DATABASE_ERRORS as error:
            await self.close()
            raise _unavailable(error) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Wait for the transactions that run (at most 15 s), then disconnect. May be called again."""
        self._open = False
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                log.error("%d transactions did not end within %s s", len(late), CLOSE_SECONDS)
                await asyncio.wait(late)
        await self._wakeups.close()
        await self._async_engine.dispose()

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in one READ COMMITTED transaction; returns after COMMIT is answered.

        Run again when the server rolled it back for a conflict, or when the connection was lost before COMMIT
        was sent. Lost after that, the transaction may have happened: StorageUnavailable.
        """
        return await self._run(self._engine, True, fn, *args, **kwargs)

    async def write_behind(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """The same as `write_one`: other connections see it only after its COMMIT."""
        await self.write_one(fn, *args, **kwargs)

    async def write_one(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn`, which executes one statement; returns after the server has committed it.

        Run again when it was rolled back for a conflict; when the connection was lost, it may have happened:
        StorageUnavailable.
        """
        return await self._run(self._single, True, fn, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in one read-only transaction on one snapshot."""
        return await self._run(self._snapshots, False, fn, *args, **kwargs)

    async def read_one(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn`, which executes one SELECT."""
        return await self._run(self._single, False, fn, *args, **kwargs)

    async def ping(self) -> None:
        """StorageUnavailable unless a transaction gets through now."""
        await self.write(lambda conn: conn.exec_driver_sql("SELECT 1").scalar_one())

    async def room(self) -> None:
        """The disk is another machine's."""

    def listen(self, callback: Callable[[str, str], None]) -> None:
        """Have `callback(channel, payload)` called when another replica notifies."""
        self._wakeups.listen(callback)

    def tell(self, channel: str, payload: str = "") -> None:
        """Tell the other replicas, soon; both texts together under 7,900 bytes, no space in `channel`."""
        self._wakeups.tell(channel, payload)

    async def _run(
        self,
        engine: Engine,
        writes: bool,
        fn: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self._sheltered(self._transact(engine, writes, lambda conn: fn(conn, *args, **kwargs)))

    async def _sheltered(self, transaction: Coroutine[Any, Any, T]) -> T:
        """The caller may be cancelled, the transaction is not: it ends whole, and close() waits for it."""
        if not self._open or len(self._tasks) >= WAITING_MAX:
            transaction.close()
            raise StorageUnavailable(
                f"the database is not available: more than {WAITING_MAX} functions are waiting"
                if self._open
                else "closed"
            )
        task = asyncio.create_task(transaction)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # asked for, so that asyncio does not report what a cancelled caller left behind

    async def _transact(self, engine: Engine, writes: bool, work: Callable[[Connection], T]) -> T:
        """In one go, on SQLAlchemy's greenlet: an awaited call for each step would cost as much as a statement."""
        alone = engine is self._single
        committing = False

        def transaction() -> T:
            nonlocal committing
            with engine.connect() as conn, conn.begin() as begun:
                if writes and alone:
                    faults.point("store.before_commit")
                committing = alone and writes
                value = work(conn)
                if writes and not alone:
                    faults.point("store.before_commit")
                committing = writes
                begun.commit()
                if writes:
                    faults.point("store.after_commit")
            return value

        retries_left = RETRIES
        while True:
            committing = False
            try:
                value = await greenlet_spawn(transaction)
            except IntegrityError as error:
                raise without_values(error) from error.__cause__
            except DATABASE_ERRORS as error:
                kind = kind_of(error)
                if kind is None or (engine is self._snapshots and sqlstate_of(error) == READ_ONLY):
                    raise
                again = kind == "conflict" or (kind == "lost" and not committing)
                self.failures += sqlstate_of(error) in DISK
                if not again or not retries_left:
                    raise _unavailable(error, committing=committing and kind != "conflict") from error
            else:
                self.commits += writes
                return value
            retries_left -= 1
            await asyncio.sleep(random.uniform(0, RETRY_JITTER_SECONDS))  # noqa: S311 - jitter, no secret


def _unavailable(error: BaseException, *, committing: bool = False) -> StorageUnavailable:
    reason = sqlstate_of(error) or type(error).__name__
    return StorageUnavailable(
        f"the database is not available: {'no answer to COMMIT' if committing else 'PostgreSQL'} ({reason})"
    )


def _make_engine(options: Mapping[str, Any]) -> AsyncEngine:
    async def connect() -> Any:
        return await asyncpg.connect(**options)

    engine = create_async_engine(
        f"postgresql+asyncpg://?prepared_statement_cache_size={STATEMENTS}",
        async_creator=connect,
        pool_size=POOL,
        max_overflow=0,
        pool_use_lifo=True,  # those that are warm are used again, and no more than are needed
        pool_timeout=POOL_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        isolation_level="READ COMMITTED",
        hide_parameters=True,  # parameters are names and phone numbers, tracebacks go to logs
    )

    # A pre-ping without the round trip: after a restart of the server the sockets are known to be closed.
    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(adapted: Any, record: object, proxy: object) -> None:
        if adapted.driver_connection.is_closed():
            raise DisconnectionError

    return engine
