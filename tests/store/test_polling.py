"""Of all processes on one database exactly one polls the provider, and another takes over when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection, text

from app.store.engine import Engine, open_engine
from app.store.wakeups import POLLING_KEY
from tests.clocks import ManualClock

PATIENCE = 10.0  # seconds: a replica asks for the lock every two
_HOLDERS = text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :high AND objid = :low"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_TERMINATE = text("SELECT pg_terminate_backend(:pid)")


def holders(conn: Connection) -> list[int]:
    """The server's processes whose sessions hold the lock."""
    high, low = divmod(POLLING_KEY, 2**32)
    return list(conn.execute(_HOLDERS, {"high": high, "low": low}).scalars())


@pytest.fixture
async def replicas(postgres_store_url: str) -> AsyncIterator[list[Engine]]:
    """Two replicas, each of which minds no other."""
    started = [open_engine(postgres_store_url, ManualClock(), alone=False) for _ in range(2)]
    for one in started:
        await one.start()
    yield started
    for one in started:
        await one.close()


async def until(condition: Callable[[], bool], never: Callable[[], bool]) -> None:
    """Wait for what other tasks do, while the other thing never is; TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            assert not never()
            await asyncio.sleep(0.01)
    assert not never()


async def test_one_of_two_replicas_polls_and_the_other_takes_over_when_it_has_gone(replicas: list[Engine]) -> None:
    first, second = replicas
    assert (first.polls, second.polls) == (True, False)
    assert len(await second.read(holders)) == 1
    await first.close()
    assert not first.polls
    await until(lambda: second.polls, lambda: first.polls)
    assert len(await second.read(holders)) == 1


async def test_a_replica_that_lost_its_session_does_not_believe_that_it_still_polls(replicas: list[Engine]) -> None:
    """Whoever asks first has it next, and there are never two."""
    first, second = replicas
    (pid,) = await second.read(holders)
    await second.write(lambda conn: conn.execute(_TERMINATE, {"pid": pid}).scalar_one())
    await until(lambda: not first.polls, lambda: first.polls and second.polls)
    await until(lambda: first.polls or second.polls, lambda: first.polls and second.polls)
    (another,) = await second.read(holders)
    assert another != pid


async def test_a_process_alone_polls(postgres_store_url: str) -> None:
    one = open_engine(postgres_store_url, ManualClock(), alone=True)
    await one.start()
    try:
        assert one.polls
    finally:
        await one.close()


async def test_a_command_never_polls_and_keeps_nobody_from_it(postgres_store_url: str) -> None:
    command = open_engine(postgres_store_url, ManualClock())
    service = open_engine(postgres_store_url, ManualClock(), alone=False)
    await command.start()
    try:
        assert not command.polls
        assert await command.read(holders) == []
        await service.start()
        assert (command.polls, service.polls) == (False, True)
    finally:
        await service.close()
        await command.close()


@pytest.mark.parametrize("alone", [True, False, None])
async def test_on_sqlite_the_one_process_that_has_the_file_polls(sqlite_url: str, alone: bool | None) -> None:
    one = open_engine(sqlite_url, ManualClock(), alone=alone)
    await one.start()
    try:
        assert one.polls
    finally:
        await one.close()
