"""Whoever polls dies, stands still or loses the database: within ten seconds another one polls, and never two do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.store import address
from app.store.engine import open_engine
from app.store.wakeups import HELD_SECONDS, IDLE_SECONDS, TOUCH_SECONDS, Wakeups
from tests.clocks import ManualClock
from tests.servers import PostgresServer, wait_until
from tests.store.poller import Poller, never_both
from tests.store.test_polling import holders, until

TAKEN_OVER = 10.0  # seconds, promised


@pytest.fixture
def pollers(postgres_store_url: str) -> Iterator[tuple[Poller, Poller]]:
    """The one that polls, and another."""
    with Poller(postgres_store_url) as first, Poller(postgres_store_url) as second:
        assert (first.polls, second.polls) == (True, False)
        yield first, second
        assert never_both(first, second)


async def test_one_that_stands_still_is_followed_and_does_not_believe_that_it_polls_when_it_goes_on(
    pollers: tuple[Poller, Poller], postgres_store_url: str
) -> None:
    """Stopped it keeps its socket, so its session would live for ever; going on it must find out before it asks."""
    first, second = pollers
    stopped_at = first.stands_still()
    wait_until(lambda: second.polls, TAKEN_OVER - (time.monotonic() - stopped_at), "the other polls")
    first.goes_on()
    since = [believed for at, believed in first.noted if at >= stopped_at]
    assert since
    assert not any(since)
    assert second.polls
    engine = open_engine(postgres_store_url, ManualClock())
    await engine.start()
    try:
        assert len(await engine.read(holders)) == 1
    finally:
        await engine.close()


def test_one_that_dies_is_followed(pollers: tuple[Poller, Poller]) -> None:
    first, second = pollers
    first.kill()
    wait_until(lambda: second.polls, TAKEN_OVER, "the other polls")


def test_after_a_restart_of_the_database_one_of_them_polls_again(
    pollers: tuple[Poller, Poller], postgres_server: PostgresServer
) -> None:
    postgres_server.kill()
    try:
        wait_until(lambda: not any(one.polls for one in pollers), TAKEN_OVER, "nobody polls")
    finally:
        postgres_server.restart()
    wait_until(lambda: any(one.polls for one in pollers), TAKEN_OVER, "one polls again")


async def test_by_its_own_clock_it_stops_believing_before_the_server_ends_its_session(postgres_store_url: str) -> None:
    """Whatever has come between: without an answer for so long the lock may be another's. Answered, it goes on."""
    clock = ManualClock()
    options = address.postgres_options(address.parse(postgres_store_url))
    one = Wakeups(options, None, alone=False, monotonic=clock.monotonic)
    await one.start()
    believed = []
    try:
        for seconds in (0, HELD_SECONDS - 0.01, 0.02):
            clock.advance(seconds)
            believed.append(one.polls)
        assert believed == [True, True, False]
        await until(lambda: one.polls, lambda: False)
    finally:
        await one.close()
    assert TOUCH_SECONDS < HELD_SECONDS < IDLE_SECONDS


@pytest.mark.parametrize(("seconds", "polls"), [(HELD_SECONDS - 0.01, True), (HELD_SECONDS + 0.01, False)])
async def test_an_answer_that_was_long_in_coming_counts_from_when_it_was_asked_for(seconds: float, polls: bool) -> None:
    """A process that stood still with a question under way reads the answer when its session may long have ended."""
    clock = ManualClock()

    class Session:
        """Gives the lock, and is read so much later."""

        async def fetchval(self, *_: object) -> bool:
            clock.advance(seconds)
            return True

    one = Wakeups({}, None, alone=False, monotonic=clock.monotonic)
    await one._take_polling(Session())
    assert one.polls is polls


async def test_a_session_that_is_closed_as_soon_as_it_is_open_is_let_go_of(postgres_store_url: str) -> None:
    """What is left open is a warning, and so an error of this test."""
    one = Wakeups(address.postgres_options(address.parse(postgres_store_url)), None, alone=False)
    await one.start()
    await one.close()
    assert not one.polls
