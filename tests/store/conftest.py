"""A store and a floor on both engines; after each test the database is asked whether it is sound."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Connection, delete, event, func, select
from sqlalchemy import Engine as SqlEngine

from app.directory import CallCap
from app.domain.guards import Cap
from app.store.engine import Engine, open_engine
from app.store.sql_store import SqlStore
from app.store.tables import metadata
from tests.clocks import START, ManualClock
from tests.servers import PostgresServer
from tests.store.engines import (
    clock,
    database_url,
    engine,
    postgres_store_url,
    postgres_template,
    sqlite_template,
    sqlite_url,
)
from tests.store.leads_for_tests import HOUR, Floor, a_directory
from tests.store.soundness import assert_sound

__all__ = [
    "alone",
    "clock",
    "database_url",
    "engine",
    "floor",
    "postgres_store_url",
    "postgres_template",
    "shared_postgres_url",
    "sqlite_template",
    "sqlite_url",
    "store",
    "store_url",
]


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: PostgresServer, postgres_template: str) -> str:
    """One database for all store tests, emptied before each: ten times as quick as a new one for each."""
    postgres_server.execute(f"CREATE DATABASE store_shared TEMPLATE {postgres_template}")
    return postgres_server.url("store_shared")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty migrated database on each engine; also for tests that open several engines on it."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "shared_postgres_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
async def store(store_url: str, clock: ManualClock) -> AsyncIterator[SqlStore]:
    """A store that must be sound when the test is over."""
    engine = open_engine(store_url, clock)
    await engine.start()
    if engine.dialect == "postgresql":
        await _empty(engine)
    opened = SqlStore(engine)
    try:
        yield opened
        await assert_sound(opened)
    finally:
        await engine.close()


async def _empty(engine: Engine) -> None:
    """DELETE is quicker for the few rows that most tests leave, TRUNCATE for the thousands that some do."""

    def empty(conn: Connection) -> None:
        if conn.execute(select(func.count()).select_from(metadata.tables["events"])).scalar_one() > 1000:
            conn.exec_driver_sql("TRUNCATE " + ", ".join(metadata.tables))
        for table in reversed(metadata.sorted_tables):
            conn.execute(delete(table))

    await engine.write(empty)


@pytest.fixture(autouse=True)
def lone_statements() -> Iterator[None]:
    """Whatever runs without a transaction of its own is one statement: of two, one might happen without the other."""
    begun: weakref.WeakKeyDictionary[Connection, str] = weakref.WeakKeyDictionary()
    broken: list[str] = []

    def overhear(conn: Connection, cursor: object, statement: str, *_: object) -> None:
        if conn.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            if conn in begun:
                broken.append(f"{begun[conn]}\nand then\n{statement}")
            begun[conn] = statement

    event.listen(SqlEngine, "before_cursor_execute", overhear)
    yield
    event.remove(SqlEngine, "before_cursor_execute", overhear)
    assert not broken, broken[0]


@pytest.fixture
async def floor(store: SqlStore, clock: ManualClock) -> Floor:
    """Two free agents, dana and yossi, no cool-down and no cap."""
    return await Floor(store, clock).open()


@pytest.fixture
async def alone(floor: Floor) -> Floor:
    """Dana is the only agent, under a cap that is wide enough."""
    floor.calls = CallCap("hold", 100, None)
    floor.caps = (Cap("hour", START, 100, START + HOUR),)
    return await floor.open(a_directory("dana", retry_lead=(600, 3600)))
