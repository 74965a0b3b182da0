"""The switches as the database keeps them: both engines, every process, and whoever turns one first."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.switches import Switch
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from tests.clocks import START, ManualClock

ON = Switch()


async def test_what_nobody_ever_turned_is_on(store: SqlStore) -> None:
    assert await store.switches() == {"taking": ON, "dialling": ON}


async def test_each_is_turned_by_itself_and_says_since_when_by_whom_and_why(store: SqlStore) -> None:
    turned = await store.turn({"taking": False}, "operator", "the desk is flooded")
    assert turned == {"taking": Switch(False, START, "operator", "the desk is flooded"), "dialling": ON}
    assert await store.switches() == turned
    turned = await store.turn({"dialling": False}, "admin", None)
    assert turned["taking"].why == "the desk is flooded"
    assert turned["dialling"] == Switch(False, START, "admin", None)


async def test_both_are_turned_in_one_go(store: SqlStore, clock: ManualClock) -> None:
    await store.turn({"taking": False, "dialling": False}, "admin", "off")
    clock.advance(60)
    turned = await store.turn({"taking": True, "dialling": True}, "admin", "on")
    assert set(turned.values()) == {Switch(True, START + 60_000, "admin", "on")}


async def test_one_that_stands_so_already_keeps_its_since_and_has_the_latest_reason(
    store: SqlStore, clock: ManualClock
) -> None:
    await store.turn({"taking": False, "dialling": True}, "operator", "flood")
    clock.advance(60)
    turned = await store.turn({"taking": False}, "admin", "the desk is away")
    assert turned["taking"] == Switch(False, START, "admin", "the desk is away")
    assert turned["dialling"] == Switch(True, None, "operator", "flood"), "it was on all the time"


async def test_a_turn_outlives_its_process(store: SqlStore, store_url: str) -> None:
    """And is seen by any other: a command, another replica, the next start."""
    await store.turn({"dialling": False}, "operator", "שקט")
    other = open_engine(store_url, ManualClock(), allow_shared=True)
    await other.start()
    try:
        assert await SqlStore(other).switches() == await store.switches()
        assert (await store.switches())["dialling"].why == "שקט"
        await SqlStore(other).turn({"dialling": True}, "operator", None)
    finally:
        await other.close()
    assert (await store.switches())["dialling"].on


async def test_a_switch_that_there_is_not_is_not_turned(store: SqlStore) -> None:
    with pytest.raises(KeyError):
        await store.turn({"taking": False, "ringing": False}, "operator", None)  # type: ignore[dict-item]
    assert await store.switches() == {"taking": ON, "dialling": ON}


async def test_no_turn_is_lost_when_several_turn_it_for_the_first_time_at_once(store: SqlStore, store_url: str) -> None:
    """Whoever comes last is heard last: each answer is what stood at its own moment."""
    other = open_engine(store_url, ManualClock(), allow_shared=True)
    await other.start()
    try:
        who = [f"number {number}" for number in range(20)]
        places = [store, SqlStore(other)] * 10
        turns = [place.turn({"taking": False}, name, None) for place, name in zip(places, who, strict=True)]
        found = await asyncio.gather(*turns)
    finally:
        await other.close()
    assert [switches["taking"].who for switches in found] == who
    assert not (await store.switches())["taking"].on


async def test_on_postgresql_the_other_replicas_are_told_of_a_turn_when_it_is_committed(
    postgres_store_url: str,
) -> None:
    one, other = (open_engine(postgres_store_url, ManualClock()) for _ in range(2))
    told = asyncio.Event()
    other.listen(lambda channel, _: told.set() if channel == "switch" else None)
    await one.start()
    await other.start()
    try:
        await SqlStore(one).turn({"taking": False}, "operator", None)
        async with asyncio.timeout(5):
            await told.wait()
        assert not (await SqlStore(other).switches())["taking"].on
    finally:
        await one.close()
        await other.close()
