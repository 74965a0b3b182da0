"""The database of a simulation: one SQLite in memory with the real schema, and an engine for each replica on it.

The statements are the service's own. A transaction runs whole, at one moment of its caller's waiting; before and after
it the seed may put time, a refusal, a repetition, or the loss of COMMIT's answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, NullPool, create_engine

from app.clock import Clock
from app.errors import StorageUnavailable
from app.store import migrate
from tests.simulation.loop import Process

P = ParamSpec("P")
T = TypeVar("T")

Fate = Literal["done", "refused", "again", "lost"]
"""Of a transaction: done; refused before it began; rolled back and run again; done, with the answer lost."""


class Weather(Protocol):
    """What the way to the database is like at this moment."""

    def delay(self) -> float:
        """Seconds that a message takes."""
        ...

    def fate(self) -> Fate: ...


class Calm:
    """Nothing happens to a transaction, and it takes no time."""

    def delay(self) -> float:
        return 0.0

    def fate(self) -> Fate:
        return "done"


class Database:
    """The rows, and the one connection to them. `on_commit` hears of every transaction that changed a row."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        _copy_schema_to(self.raw)
        self.raw.execute("PRAGMA foreign_keys=1")
        self._conn = create_engine("sqlite+pysqlite://", creator=lambda: self.raw, poolclass=NullPool).connect()
        # As in the service's own writer: the driver is in autocommit mode, BEGIN and COMMIT are ours.
        self._conn.begin()
        self._tables = [
            name
            for (name,) in self.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("alembic")
        ]
        self.on_commit: Callable[[str], None] = lambda name: None
        self.poller: Process | None = None

    def close(self) -> None:
        """Forget everything."""
        self._conn.close()
        self.raw.close()

    def empty(self) -> None:
        """No row of an earlier simulation is left."""
        self.raw.execute("PRAGMA foreign_keys=0")
        for table in self._tables:
            self.raw.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
        self.raw.execute("PRAGMA foreign_keys=1")
        self.poller = None
        self.on_commit = lambda name: None

    @property
    def changes(self) -> int:
        """Rows that were ever changed."""
        return self.raw.total_changes

    def write(self, name: str, work: Callable[[Connection], T], *, twice: bool = False) -> T:
        """One transaction; `twice`: the first time it is rolled back, as after a conflict."""
        before = self.raw.total_changes
        for last in (False, True) if twice else (True,):
            self.raw.execute("BEGIN IMMEDIATE")
            try:
                value = work(self._conn)
            except BaseException:
                self.raw.execute("ROLLBACK")
                raise
            self.raw.execute("COMMIT" if last else "ROLLBACK")
        if self.raw.total_changes != before:
            self.on_commit(name)
        return value

    def read(self, work: Callable[[Connection], T]) -> T:
        """One snapshot; AssertionError when something was written."""
        before = self.raw.total_changes
        self.raw.execute("BEGIN")
        try:
            return work(self._conn)
        finally:
            self.raw.execute("ROLLBACK")
            assert self.raw.total_changes == before, "a read has written"


class SimulatedEngine:
    """`app.store.engine.Engine` for one replica of several; `process` is the one whose waiting is counted."""

    # Of the two it is the one with several replicas: the store tells the others what it moved.
    dialect: Final[Literal["postgresql"]] = "postgresql"

    def __init__(
        self,
        database: Database,
        clock: Clock,
        process: Process,
        weather: Weather | None = None,
        heard: Callable[[SimulatedEngine, str, str], None] = lambda sender, channel, payload: None,
    ) -> None:
        self.clock = clock
        self.commits = 0
        self.failures = 0
        self._database = database
        self._process = process
        self._weather = weather or Calm()
        self._heard = heard
        self.also_polls = False  # it has not noticed yet that it lost the lock
        self.callbacks: list[Callable[[str, str], None]] = []

    @property
    def polls(self) -> bool:
        """The lock goes with its holder's session: it is free when that process is dead, kept when it stands still."""
        holder = self._database.poller
        if holder is None or not holder.alive:
            self._database.poller = holder = self._process
        return holder is self._process or self.also_polls

    async def start(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """It stays for the others."""

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._transact(fn.__name__, lambda conn: fn(conn, *args, **kwargs))

    async def write_behind(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        await self.write(fn, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._transact(None, lambda conn: fn(conn, *args, **kwargs))

    async def ping(self) -> None:
        await self.write(lambda conn: None)

    async def room(self) -> int | None:
        return None

    def listen(self, callback: Callable[[str, str], None]) -> None:
        self.callbacks.append(callback)

    # A statement alone or several: here they all run in one turn of the loop.
    write_one = write
    read_one = read

    def tell(self, channel: str, payload: str = "") -> None:
        self._heard(self, channel, payload)

    async def _transact(self, name: str | None, work: Callable[[Connection], T]) -> T:
        """A write has a name, a read has none."""
        self._process.in_flight += 1
        try:
            await asyncio.sleep(self._weather.delay())
            fate = self._weather.fate()
            if fate == "refused":
                raise StorageUnavailable("the database is not available (simulated)")
            value = self._database.read(work) if name is None else self._write(name, work, fate)
            await asyncio.sleep(self._weather.delay())
            if fate == "lost":
                raise StorageUnavailable("the database is not available: no answer to COMMIT (simulated)")
            return value
        finally:
            self._process.in_flight -= 1

    def _write(self, name: str, work: Callable[[Connection], T], fate: Fate) -> T:
        value = self._database.write(name, work, twice=fate == "again")
        self.commits += 1
        return value


def _copy_schema_to(raw: sqlite3.Connection) -> None:
    """The schema as the migrations make it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.db"
        migrate.upgrade(f"sqlite:///{path}")
        source = sqlite3.connect(path)
        try:
            source.backup(raw)
        finally:
            source.close()
