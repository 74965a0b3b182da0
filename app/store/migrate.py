"""Brings a database to this code's schema, and says when the two do not belong together.

Everything here is synchronous and blocks for the time it takes: call it before the loop runs, or in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, NullPool, create_engine, inspect, text

from app.errors import ConfigurationError, StorageUnavailable
from app.store import address, sqlite_file
from app.store.file_lock import FileLock

T = TypeVar("T")

# The steps, in order; a test holds them against migrations/versions. Named here so that a start with nothing to do
# does not load Alembic, which costs a tenth of a second and several megabytes.
STEPS: Final = ("0001", "0002", "0003", "0004", "0005")

# How long one of several replicas that start at once waits for the one that migrates.
PATIENCE_SECONDS: Final = 60
STEP_SECONDS: Final = 600
# The key of PostgreSQL's advisory lock: "leadring" in ASCII.
LOCK_KEY: Final = int.from_bytes(b"leadring", "big")


def upgrade(database_url: str) -> None:
    """Run the steps that are missing, all in one transaction; nothing when there are none.

    Safe when several replicas do it at once. ConfigurationError when the database is newer than this code;
    StorageUnavailable when it cannot be reached or, on SQLite, is in use.
    """
    url = address.parse(database_url)
    if _is_at_head(_on(url, read_revision)):
        return
    if url.get_backend_name() == "postgresql":
        _on_postgres(url, _upgrade_locked)
        return
    path = address.sqlite_path(url)
    sqlite_file.check_place(path)
    lock = FileLock(path)
    lock.acquire(PATIENCE_SECONDS)
    try:
        _on_sqlite(path, _upgrade)
    finally:
        lock.release()


def current_revision(database_url: str) -> str | None:
    """The step the database is at; None when it has no schema yet."""
    return _on(address.parse(database_url), read_revision)


def head_revision() -> str:
    """The step this code needs."""
    return STEPS[-1]


def check(database_url: str) -> None:
    """ConfigurationError unless the database is at this code's step; StorageUnavailable when it cannot be asked."""
    check_revision(current_revision(database_url))


def check_revision(revision: str | None) -> None:
    """ConfigurationError unless `revision` is what this code needs."""
    if not _is_at_head(revision):
        found = (
            "has no schema yet" if revision is None else f"is at step {revision}, this Leadring needs {head_revision()}"
        )
        raise ConfigurationError([f"the database {found}: run `leadring migrate`"])


def read_revision(conn: Connection) -> str | None:
    """Statement function: the step the database is at, None without a schema."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    revision: str | None = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _is_at_head(revision: str | None) -> bool:
    """Whether nothing is missing; ConfigurationError when the code does not know the revision."""
    if revision is not None and revision not in STEPS:
        raise ConfigurationError(
            [f"the database was made by a newer Leadring (step {revision}): update Leadring, or restore a backup"]
        )
    return revision == head_revision()


def _upgrade(conn: Connection) -> None:
    if _is_at_head(read_revision(conn)):
        return  # another process was quicker
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Doubled because the value is a ConfigParser's.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def _upgrade_locked(conn: Connection) -> None:
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    _upgrade(conn)


def _on(url: URL, work: Callable[[Connection], T]) -> T | None:
    """What `work` gives in a transaction of its own; None for an SQLite file that does not exist."""
    if url.get_backend_name() == "postgresql":
        return _on_postgres(url, work)
    path = address.sqlite_path(url)
    return _on_sqlite(path, work) if path.exists() else None


def _on_sqlite(path: Path, work: Callable[[Connection], T]) -> T:
    engine = create_engine("sqlite+pysqlite://", creator=lambda: sqlite_file.connect(path), poolclass=NullPool)
    try:
        with engine.connect() as conn:
            # A step that makes a table anew must not take the rows that refer to it along. The pragma only
            # works outside a transaction, and what it let through is looked for before COMMIT.
            conn.exec_driver_sql("PRAGMA foreign_keys=OFF")
            # Another process may be taking the steps just now, on a slow disk.
            conn.exec_driver_sql(f"PRAGMA busy_timeout={PATIENCE_SECONDS * 1000}")
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            value = work(conn)
            if broken := conn.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise ConfigurationError([f"the migration would leave {len(broken)} rows without what they refer to"])
            conn.commit()
            return value
    except Exception as error:
        seen = sqlite_file.outward(error)
        if seen is error:
            raise
        raise seen from error


def _on_postgres(url: URL, work: Callable[[Connection], T]) -> T:
    # In a thread, because the caller may be inside a running event loop.
    with ThreadPoolExecutor(1, "leadring-migrate") as threads:
        return threads.submit(lambda: asyncio.run(_transact(url, work))).result()


async def _transact(url: URL, work: Callable[[Connection], T]) -> T:
    # What only PostgreSQL needs comes with its extra.
    from sqlalchemy.ext.asyncio import create_async_engine

    from app.store.postgres_errors import DATABASE_ERRORS, asyncpg, kind_of

    options = address.postgres_options(url)
    options["command_timeout"] = STEP_SECONDS
    options["server_settings"] |= {"statement_timeout": f"{STEP_SECONDS}s", "lock_timeout": f"{PATIENCE_SECONDS}s"}

    async def connect() -> object:
        return await asyncpg.connect(**options)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as conn:
            return await conn.run_sync(work)
    except DATABASE_ERRORS as error:
        if kind_of(error) is None:
            raise
        raise StorageUnavailable(f"the database is not available: PostgreSQL ({type(error).__name__})") from error
    finally:
        await engine.dispose()
