"""The sweeper beside others: what it found overdue may have moved on before it is settled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from app.domain.answers import Placed, Refused
from app.domain.lead import Claim
from app.service.sweeper import Sweeper
from tests.service.conftest import House, Replica

LEASE = 22  # seconds, as Floor.send takes it


class Interrupted(Replica):
    """A store whose reader of overdue attempts is interrupted by somebody else before he goes on."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def overdue_attempts(self) -> list[str]:
        found = await super().overdue_attempts()
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return found


@pytest.fixture
def store(house: House) -> Interrupted:
    return Interrupted(house.store.engine)


def a_sweeper(house: House, store: Replica) -> Sweeper:
    return Sweeper(store, house.rules, house.dispatcher, house.hub, house.metrics)


async def a_silent_sender(house: House) -> Claim:
    """An attempt whose sender has not been heard of for longer than its lease."""
    await house.floor.accept()
    claim = await house.floor.claim()
    assert await house.floor.send(claim)
    house.clock.advance(LEASE)
    return claim


async def test_an_answer_that_comes_while_the_sweeper_looks_is_not_swept_away(house: House, store: Interrupted) -> None:
    """The call was just placed: its agent is on it, and its lead is not given up on."""
    claim = await a_silent_sender(house)
    store.meanwhile = lambda: house.floor.answer(claim, Placed("c1"))
    assert await a_sweeper(house, store).settle_overdue() == 0
    assert await house.floor.states(claim) == ("placed", "dialing", "on_call")


async def test_a_refusal_that_comes_while_the_sweeper_looks_stands(house: House, store: Interrupted) -> None:
    claim = await a_silent_sender(house)
    store.meanwhile = lambda: house.floor.answer(claim, Refused(3, "offline", "agent_offline"))
    assert await a_sweeper(house, store).settle_overdue() == 0
    assert await house.floor.states(claim) == ("refused", "waiting", "offline")


async def test_two_replicas_sweepers_do_not_sweep_twice(house: House, store: Interrupted) -> None:
    """One makes it unknown; the other, who found it overdue as well, does not let its agent go in the same breath."""
    claim = await a_silent_sender(house)
    store.meanwhile = a_sweeper(house, house.store).settle_overdue
    assert await a_sweeper(house, store).settle_overdue() == 0
    assert await house.floor.states(claim) == ("unknown", "dialing", "on_call")
    attempt = await house.floor.attempt(claim)
    assert attempt["look_at"] == house.clock.now() + house.rules.policy.assume_call * 1000


async def test_what_is_overdue_is_settled(house: House, store: Interrupted) -> None:
    claim = await a_silent_sender(house)
    assert await a_sweeper(house, store).settle_overdue() == 1
    assert await house.floor.states(claim) == ("unknown", "dialing", "on_call")
