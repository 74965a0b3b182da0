"""Whether a lead could be stored now: also where small writes still get through, and a lead does not."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from app.errors import NotWritable, StorageUnavailable
from app.store import meta as kept
from app.store import sql_store
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from app.store.tables import leads, meta
from tests.clocks import ManualClock
from tests.store.leads_for_tests import Floor, a_lead


class Cramped:
    """An engine whose disk has so many bytes left."""

    def __init__(self, engine: Any, free: int) -> None:
        self._engine = engine
        self._free = free

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def room(self) -> int | None:
        return self._free


def limit(conn: Connection, pages: int) -> None:
    """SQLite takes the present size where that is more: not one page more then."""
    conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def fill(floor: Floor) -> int:
    """Leads until one finds no room; how many did."""
    for many in range(500):
        try:
            await floor.accept(a_lead(f"05423{many:05}", at=floor.now, message="word " * 800))
        except StorageUnavailable:
            return many
    raise AssertionError("there is room for everything")


async def room_taken(store: SqlStore) -> list[str]:
    def look(conn: Connection) -> list[str]:
        return list(conn.execute(select(meta.c.value).where(meta.c.name == "room")).scalars())

    return await store.engine.read(look)


async def test_a_good_database_is_ready(floor: Floor) -> None:
    assert await floor.store.ready() is None
    assert await floor.rows(leads) == []
    assert await room_taken(floor.store) == []


async def test_a_full_database_is_not_ready_from_the_lead_on_that_found_no_room(sqlite_url: str) -> None:
    clock = ManualClock()
    engine = open_engine(sqlite_url, clock)
    await engine.start()
    try:
        floor = await Floor(SqlStore(engine), clock).open()
        assert await floor.store.ready() is None
        await engine.write(limit, 1)
        stored = await fill(floor)
        for _ in range(3):
            clock.advance(1)
            with pytest.raises(NotWritable):
                await floor.store.ready()
        # What needs no page of its own is still written, and says nothing about leads.
        await engine.write(kept.touch, 1)
        with pytest.raises(NotWritable):
            await floor.store.ready()
        await engine.write(limit, 1_000_000)
        assert await floor.store.ready() is None
        assert await room_taken(floor.store) == [""]
        await floor.accept(a_lead("0542399999", at=floor.now, message="word " * 800))
        assert len(await floor.rows(leads)) == stored + 1
    finally:
        await engine.close()


async def test_a_server_without_room_is_not_ready_before_something_large_was_written(postgres_store_url: str) -> None:
    clock = ManualClock()
    engine = open_engine(postgres_store_url, clock)
    await engine.start()
    try:
        store = SqlStore(engine)
        with pytest.raises(StorageUnavailable, match="53100"):
            await engine.write(_no_room)
        assert engine.failures == 1
        assert await store.ready() is None
        assert await room_taken(store) == [""]
    finally:
        await engine.close()


def _no_room(conn: Connection) -> None:
    conn.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$")


async def test_what_has_nothing_to_do_with_the_disk_is_forgotten_at_once(floor: Floor) -> None:
    def broken(conn: Connection) -> None:
        raise ValueError("a mistake of ours")

    with pytest.raises(ValueError, match="a mistake"):
        await floor.store.engine.write(broken)
    assert floor.store.engine.failures == 0


async def test_little_room_is_told_while_everything_still_works(floor: Floor) -> None:
    store, engine = floor.store, floor.store.engine
    store.engine = Cramped(engine, sql_store.LOW_ROOM - 1)
    assert await store.ready() == "63 MiB are left on the database's disk"
    store.engine = Cramped(engine, sql_store.LOW_ROOM)
    assert await store.ready() is None


async def test_sqlite_knows_the_room_of_its_own_disk(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, ManualClock())
    await engine.start()
    try:
        found = await engine.room()
        assert found is not None
        assert found > 0
    finally:
        await engine.close()
