"""What is read of a day, on both engines, beside whoever else has the database; and that nothing is written."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from app.domain.past_day import EarlierCall, Talk
from app.errors import ConfigurationError, StorageUnavailable
from app.store import past_days
from app.store.engine import Engine, open_engine
from app.store.past_days import LookBack
from app.store.read_only import open_read_only
from app.store.tables import leads
from tests.replay.days import HOUR, MINUTE, THURSDAY, a_call, a_day, a_lead, clock, did, generated, held
from tests.replay.reading import read_back, through
from tests.replay.stored import write_leads

WEDNESDAY = THURSDAY.replace(day=25)


async def test_a_day_is_read_as_it_was_written(engine: Engine, database_url: str) -> None:
    """Leads in the order in which they came, each with all of its calls and deeds, whatever the page."""
    day = generated(2300, ("dana", "yossi", "noa", "amir"))
    assert len(day.leads) > 2 * past_days.PAGE
    assert any(len(lead.calls) > 2 for lead in day.leads)
    assert await through(engine, database_url, day) == day


async def test_every_field_of_a_call_is_read(engine: Engine, database_url: str) -> None:
    at = clock(10)
    offline = a_call("dana", at, None, state="refused", away="agent_offline", leg1_ring=None, leg2_ring=None)
    blocked = a_call("noa", at + 1, None, state="refused", away="agent_blocked", leg1_ring=None, leg2_ring=None)
    full = a_call("yossi", at + 2, agent_answered_at=at + 5000, left_at=at + 75_000, leg1_talk=71, first_leg="lead")
    unsent = a_call("amir", at + 3, None, state="lapsed", sending_at=None)
    lead = a_lead(1, at, offline, blocked, unsent, full, asked_language="he-IL", deeds=(held(at, "cooldown"),))
    day = a_day(lead)
    assert await through(engine, database_url, day) == day


async def test_who_was_open_from_before_is_read_too_and_who_was_over_is_not(engine: Engine, database_url: str) -> None:
    evening = clock(20, day=WEDNESDAY)
    waiting = a_lead(1, evening, a_call("dana", clock(9, 1)), deeds=(did(evening, "scheduled", "intake", "closed"),))
    long_ago = a_lead(2, clock(9) - 50 * 24 * HOUR, reason="scheduled", due_at=clock(15))
    over = a_lead(3, evening, a_call("dana", evening + 1000))
    future = a_lead(4, clock(9, day=THURSDAY.replace(day=27)))
    today = a_lead(5, clock(10), a_call("dana", clock(10)))
    await engine.write(write_leads, [waiting, long_ago, over, future, today])
    day = await read_back(database_url, clock(0), clock(0, day=THURSDAY.replace(day=27)))
    assert day.leads == (today,)
    assert day.open_before == (long_ago, waiting)


async def test_what_counts_of_before_is_read_for_the_numbers_of_the_day_alone(
    engine: Engine, database_url: str
) -> None:
    """Admissions for the cool-down, calls for the caps of the day, conversations for sticky."""
    since, at = clock(12), clock(9)
    known = a_lead(1, at, a_call("dana", at, "lead_no_answer"), a_call("yossi", at + HOUR))
    held_one = a_lead(
        1, at - HOUR, state="cancelled", due_at=None, ended_at=at - 1, deeds=(held(at - HOUR, "cooldown"),)
    )
    refused = replace(a_call("dana", at + 1, None, state="refused", away="agent_offline"), ended_at=at + 2)
    stranger = a_lead(2, at + 1, refused, a_call("noa", at + MINUTE))
    older = a_lead(1, at - 3 * HOUR, a_call("noa", at - 3 * HOUR))
    later = a_lead(1, clock(13), a_call("dana", clock(13)))
    await engine.write(write_leads, [known, held_one, stranger, older, later])
    back = LookBack(admitted_since=at - 2 * HOUR, called_since=at, talked_since=at - 24 * HOUR)
    day = await read_back(database_url, since, clock(18), back)
    assert day.admitted == {"key-1": (at,)}
    assert day.calls == (
        EarlierCall("key-1", at, True),
        EarlierCall("key-2", at + MINUTE, True),
        EarlierCall("key-1", at + HOUR, True),
    )
    assert day.talks == {"key-1": Talk("yossi", known.ended_at or 0)}


async def test_an_sqlite_file_is_read_while_its_service_writes(sqlite_url: str) -> None:
    """No lock is waited for: neither the service's lock file, nor the write lock of a transaction under way."""
    service = open_engine(sqlite_url)
    await service.start()
    path = sqlite_url.removeprefix("sqlite:///")
    try:
        await service.write(write_leads, a_day(a_lead(1, clock(10), a_call("dana", clock(10)))).all)
        writer = sqlite3.connect(path, isolation_level=None, timeout=0)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM events")
        day = await read_back(sqlite_url, clock(0), clock(23))
        writer.execute("ROLLBACK")
        writer.close()
        assert [lead.id for lead in day.leads] == [f"lead-00001-{clock(10)}"]
        assert await service.read(lambda conn: conn.execute(select(func.count()).select_from(leads)).scalar()) == 1
    finally:
        await service.close()


def test_reading_leaves_the_file_as_it_is(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    before = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
    asyncio.run(read_back(sqlite_url, clock(0), clock(23)))
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) == before
    assert not path.with_name(path.name + ".lock").exists()


async def test_a_reader_cannot_write(database_url: str) -> None:
    """Whatever a statement function tries."""

    def write(conn: Connection) -> None:
        conn.execute(delete(leads))

    async def try_it() -> None:
        async with open_read_only(database_url) as reader:
            assert reader is not None
            await reader.read(write)

    with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
        await try_it()


def test_a_file_that_is_not_there_is_none_and_none_is_made(tmp_path: Path) -> None:
    async def look() -> bool:
        async with open_read_only(f"sqlite:///{tmp_path}/none.db") as reader:
            return reader is None

    assert asyncio.run(look())
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises((StorageUnavailable, ConfigurationError)):
        await read_back(f"sqlite:///{tmp_path}/text.db", 0, 1)


async def test_a_postgresql_that_is_away_is_unavailable() -> None:
    with pytest.raises(StorageUnavailable):
        await read_back("postgresql://leadring@127.0.0.1:1/none", 0, 1)


async def test_a_page_is_found_by_an_index(sqlite_url: str) -> None:
    """However many leads there are of other days."""

    def plan(conn: Connection) -> str:
        query = "SELECT id FROM leads WHERE received_at >= 1 AND received_at < 2 ORDER BY received_at, id LIMIT 5"
        return " ".join(str(row) for row in conn.execute(text(f"EXPLAIN QUERY PLAN {query}")))

    async with open_read_only(sqlite_url) as reader:
        assert reader is not None
        assert "ix_leads_received" in await reader.read(plan)
