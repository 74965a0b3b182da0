"""A provider that rings nobody, and a database of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.books import Books, PostgresBooks, SqliteBooks
from tests.sandbox_server import RunningSandbox
from tests.story import CODE


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """The provider; its phones wait for hands. It outlives every service of the test."""
    with RunningSandbox(code=CODE) as sandbox:
        yield sandbox


@pytest.fixture
def postgres_books(postgres_url: str) -> Iterator[PostgresBooks]:
    """An empty PostgreSQL database."""
    with PostgresBooks(postgres_url) as books:
        yield books


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Books:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return SqliteBooks(tmp_path / "leadring.db")
    found = request.getfixturevalue("postgres_books")
    assert isinstance(found, PostgresBooks)
    return found
