"""What runs the statement functions: one interface, two engines.

A statement function is plain and synchronous, `def f(conn: Connection, ...) -> T`. It is pure SQL (it may be
run again), returns plain values (never a cursor or a generator) and leaves BEGIN, COMMIT and ROLLBACK of the
transaction to the engine; `conn.begin_nested()` is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from app.clock import Clock
from app.errors import ConfigurationError
from app.store import address
from app.store.sqlite import SqliteEngine

P = ParamSpec("P")
T = TypeVar("T")
Dialect = Literal["sqlite", "postgresql"]
Hear = Callable[[str, str], None]


class Engine(Protocol):
    """A database that runs statement functions. Every method belongs to one event loop.

    Errors of `write` and `read`: StorageUnavailable for anything that may pass by itself (connection,
    lock, full disk, time limit, closed, more than 10,000 waiting) with the cause chained and without
    address or password; whatever the function raised otherwise, so IntegrityError as SQLAlchemy made it.
    """

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock that decides due times: the database's on PostgreSQL, this machine's on SQLite."""
        ...

    @property
    def commits(self) -> int:
        """Transactions committed by `write` so far."""
        ...

    @property
    def failures(self) -> int:
        """Transactions so far that found no room or a failing disk. One that asks for little may still get through."""
        ...

    @property
    def polls(self) -> bool:
        """Whether this process is the one of all on this database that polls the provider."""
        ...

    async def start(self) -> None:
        """Connect; StorageUnavailable or ConfigurationError when that cannot be."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go. May be called again."""
        ...

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in one transaction; returns after it is durable.

        When the awaiting task is cancelled, a function that has not begun may be dropped; one that has
        begun runs to its end, all or nothing, and its result is lost.
        """
        ...

    async def write_behind(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Like `write_one` for what may be lost with the process: returns once every later write will see it."""
        ...

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in one read-only transaction: one snapshot that has everything committed before."""
        ...

    async def write_one(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, for a function that executes one statement and so needs no transaction around it."""
        ...

    async def read_one(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, for a function that executes one statement and so sees one snapshot anyway."""
        ...

    async def ping(self) -> None:
        """StorageUnavailable unless a write would get through now."""
        ...

    async def room(self) -> int | None:
        """Bytes that are free on the database's disk; None where that is not ours to know."""
        ...

    def listen(self, callback: Hear) -> None:
        """Have `callback(channel, payload)` called on the loop when another replica notifies. Hints only."""
        ...

    def tell(self, channel: str, payload: str = "") -> None:
        """Tell the other replicas of what was written, soon, and without waiting for it. A hint, which may be lost."""
        ...


def open_engine(
    database_url: str, clock: Clock | None = None, *, allow_shared: bool = False, alone: bool | None = None
) -> Engine:
    """The engine for `sqlite:///file` or `postgresql://…`, not started; ConfigurationError for other addresses.

    An injected `clock` wins on both engines. `allow_shared` lets a command use an SQLite file that a running
    service holds; its writes wait for the service's, as SQLite arranges it. On PostgreSQL, `alone` says that
    this process wants no other service beside it (True), or minds none that thinks likewise (False);
    ConfigurationError at start when they do not go together. Commands leave it out.
    """
    url = address.parse(database_url)
    if url.get_backend_name() == "sqlite":
        return SqliteEngine(address.sqlite_path(url), clock, allow_shared=allow_shared)
    # Imported here because asyncpg is an extra: a service on SQLite runs without it.
    try:
        from app.store.postgres import PostgresEngine
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise ConfigurationError(["PostgreSQL needs the package asyncpg: pip install 'leadring[postgres]'"]) from error
    return PostgresEngine(address.postgres_options(url), clock, alone=alone)
