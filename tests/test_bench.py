"""What the benchmark builds its figures on: a day that is the same each time, and a crowd that the store works with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.clock import SystemClock
from app.store import migrate
from app.store.tables import metadata
from bench import crowd
from bench.backlog import opened
from bench.books import Books, PostgresBooks, SqliteBooks
from bench.replay import Day
from bench.replay import replay as replay_day

LEADS, AGENTS, TICK = 40, 3, 120


@pytest.fixture
def quiet() -> Iterator[None]:
    """A day has some thousand lines in the log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


async def replay(folder: Path, seed: int) -> Day:
    return await replay_day(folder, LEADS, AGENTS, seed, TICK)


@pytest.mark.usefixtures("quiet")
async def test_the_same_seed_is_the_same_day_and_another_is_another(tmp_path: Path) -> None:
    first = await replay(tmp_path, 1)
    assert await replay(tmp_path, 1) == first
    assert await replay(tmp_path, 2) != first


@pytest.mark.usefixtures("quiet")
async def test_every_lead_of_a_day_ends_and_is_accounted_for(tmp_path: Path) -> None:
    day = await replay(tmp_path, 3)
    assert day.leads.total() == LEADS
    assert set(day.leads) <= {"connected", "exhausted", "expired"}
    assert day.unaccounted == 0
    assert sum(day.calls) >= day.leads["connected"] > 0
    assert 0 < len(day.waits) <= day.in_hours < LEADS  # some came at night


@pytest.mark.usefixtures("quiet")
async def test_who_waits_longer_than_the_deadline_is_late_whatever_was_promised_since(tmp_path: Path) -> None:
    """The deadline in a lead's row moves on with each promise; few agents for many leads, so that some are broken."""
    day = await replay_day(tmp_path, 100, 3, 3, 15)
    assert day.late == sum(wait > 40 for wait in day.waits) + (day.in_hours - len(day.waits))
    assert 0 < day.broken < day.told <= day.late < day.in_hours


# --- the crowd ----------------------------------------------------------------------------------------------------

WAITING, OVER = 50, 20


@pytest.fixture(params=["sqlite", "postgresql"])
async def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> Books:
    """A database of each engine with some who wait and some who are over."""
    now = SystemClock().now()
    statements = [*crowd.waiting(request.param, 1, WAITING, now), *crowd.finished(request.param, OVER, now)]
    if request.param == "sqlite":
        file = tmp_path / "crowd.db"
        migrate.upgrade(f"sqlite:///{file}")
        await crowd.into_sqlite(file, statements)
        return SqliteBooks(file)
    url: str = request.getfixturevalue("postgres_url")
    await asyncio.to_thread(migrate.upgrade, url)
    await crowd.into_postgres(url, statements)
    return PostgresBooks(url)


async def test_a_crowd_is_claimed_longest_waiting_first_and_can_be_put_back(crowded: Books) -> None:
    async with opened(crowded.url) as place:
        await place.free(1)
        (claim,) = await place.claim(1)
        ((longest,),) = await crowded.rows("SELECT min(id) FROM leads WHERE id LIKE '0192%'")
        assert claim.lead.id == longest
        await place.undo([claim])
        assert dict(await crowded.rows("SELECT state, count(*) FROM leads GROUP BY 1")) == {
            "waiting": WAITING,
            "connected": OVER,
        }


async def test_a_crowd_leaves_the_tables_with_every_index_they_had(crowded: Books) -> None:
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'pk%'",
    }
    found = {name for (name,) in await crowded.rows(catalogue[crowded.url.partition(":")[0]])}
    made = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    assert made <= found
