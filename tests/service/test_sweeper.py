"""What fell silent is caught once, however many replicas look for it, and however long ago they looked."""

from __future__ import annotations

import asyncio

from app.domain.answers import Placed, Unknown
from app.service.sweeper import Sweeper
from tests.service.conftest import House, Replica


class Slept(Replica):
    """A replica that stands still between seeing whose time is up and doing something about it."""

    def __init__(self, other: Replica) -> None:
        super().__init__(other.engine)
        self.seen = asyncio.Event()
        self.woken = asyncio.Event()

    async def overdue_attempts(self) -> list[str]:
        found = await super().overdue_attempts()
        self.seen.set()
        await self.woken.wait()
        return found


class Overtaken:
    """A sweep that has seen what is overdue, and goes on only when it is told to."""

    def __init__(self, house: House) -> None:
        self._store = Slept(house.store)
        self._sweeper = Sweeper(self._store, house.rules, house.dispatcher, house.hub, house.metrics)
        self._task: asyncio.Task[int] | None = None

    async def looks(self) -> None:
        self._task = asyncio.create_task(self._sweeper.settle_overdue())
        await self._store.seen.wait()

    async def goes_on(self) -> int:
        assert self._task is not None
        self._store.woken.set()
        return await self._task


def _sweeper(house: House) -> Sweeper:
    return Sweeper(house.store, house.rules, house.dispatcher, house.hub, house.metrics)


async def test_an_agent_of_an_unknown_call_is_not_let_go_by_a_second_sweeper_that_saw_it_expire(house: House) -> None:
    """Both replicas saw that the sender was silent. The first says unknown, and the agent stays on the call that may
    be ringing; the second comes too late to say anything."""
    await house.floor.accept()
    claim = await house.floor.claim()
    assert await house.floor.send(claim)
    house.clock.advance(30)  # longer than any lease
    second = Overtaken(house)
    await second.looks()
    assert await _sweeper(house).settle_overdue() == 1
    assert await second.goes_on() == 0
    assert await house.floor.states(claim) == ("unknown", "dialing", "on_call")


async def test_a_call_whose_answer_came_late_is_not_ended_by_a_sweeper_that_saw_it_expire(house: House) -> None:
    await house.floor.accept()
    claim = await house.floor.claim()
    assert await house.floor.send(claim)
    house.clock.advance(30)  # longer than any lease
    sweep = Overtaken(house)
    await sweep.looks()
    await house.floor.answer(claim, Placed("c1"))
    assert await sweep.goes_on() == 0
    assert await house.floor.states(claim) == ("placed", "dialing", "on_call")


async def test_a_reservation_that_is_used_at_the_last_moment_is_not_settled_as_one_that_lapsed(house: House) -> None:
    await house.floor.accept()
    claim = await house.floor.claim()
    house.clock.advance(6)
    sweep = Overtaken(house)
    await sweep.looks()
    assert await house.floor.send(claim)
    await house.floor.answer(claim, Unknown("cut"))
    assert await sweep.goes_on() == 0
    assert await house.floor.states(claim) == ("unknown", "dialing", "on_call")


async def test_whose_time_is_up_again_is_looked_at_again(house: House) -> None:
    """Unknown first, and the agent let go when nobody has said anything for as long as a call is assumed to last."""
    claim = await house.floor.dial(Unknown("cut"))
    house.clock.advance(house.rules.policy.assume_call - 1)
    assert await _sweeper(house).settle_overdue() == 0
    house.clock.advance(1)
    assert await _sweeper(house).settle_overdue() == 1
    assert await house.floor.states(claim) == ("unknown", "dialing", "available")
