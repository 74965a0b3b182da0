"""Fixtures: a fresh migrated database per test, and a started engine on it, for both engines.

A test that asks for `engine` or `database_url` runs twice, once on SQLite and once on PostgreSQL; both missing
binaries and a failing server are errors. `sqlite_url` and `postgres_store_url` are for tests of one engine.
Databases are copies of one that was migrated once per session.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.store import migrate
from app.store.engine import Engine, open_engine
from tests.clocks import ManualClock
from tests.servers import PostgresServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite-template") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database with the schema, to be copied."""
    url = postgres_server.create_database()
    migrate.upgrade(url)
    return url.rsplit("/", 1)[1]


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh migrated SQLite database."""
    path = tmp_path / "leadring.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_store_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A fresh migrated PostgreSQL database, removed after the test."""
    name = f"store_{next(_numbers)}"
    postgres_server.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    url = postgres_server.url(name)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database on each engine."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_store_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
async def engine(database_url: str, clock: ManualClock) -> AsyncIterator[Engine]:
    """A started engine on a fresh migrated database, with `clock` as its clock."""
    started = open_engine(database_url, clock)
    await started.start()
    yield started
    await started.close()
