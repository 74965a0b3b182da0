"""The loop of the simulation: what it does to time, to processes, and to those that are killed or stand still."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.simulation.loop import Mishap, Stuck, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop(random.Random(7))  # type: ignore[abstract]  # noqa: S311 - asyncio's devices are not there
    yield made
    made.close()


def test_time_goes_on_only_when_nobody_has_anything_to_do_and_then_at_once(loop: VirtualLoop) -> None:
    async def main() -> float:
        await asyncio.sleep(86_400)
        return loop.time()

    assert loop.run(main()) == 86_400


def test_timeouts_strike_at_their_moment(loop: VirtualLoop) -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.sleep(5)
        return loop.time()

    assert loop.run(main()) == 3


def test_what_one_process_does_is_done_in_its_order_and_between_processes_the_seed_decides() -> None:
    def order(seed: int) -> list[str]:
        loop = VirtualLoop(random.Random(seed))  # type: ignore[abstract]  # noqa: S311
        done: list[str] = []

        async def work(name: str) -> None:
            for step in range(4):
                done.append(f"{name}{step}")
                await asyncio.sleep(0)

        async def main() -> None:
            await asyncio.gather(*(loop.spawn(loop.process(name), work(name)) for name in "ab"))

        loop.run(main())
        loop.close()
        return done

    seen = {tuple(order(seed)) for seed in range(30)}
    assert len(seen) > 10
    assert order(3) == order(3)
    for one in seen:
        for name in "ab":
            assert [step for step in one if step[0] == name] == [f"{name}{step}" for step in range(4)]


def test_a_killed_process_does_nothing_any_more_not_even_its_clean_up(loop: VirtualLoop) -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(1)
            done.append("went on")
        except asyncio.CancelledError:
            done.append("was cancelled")
        finally:
            done.append("cleaned up")

    async def main() -> None:
        process = loop.process("r1")
        loop.spawn(process, work())
        await asyncio.sleep(0.5)
        loop.kill(process)
        await asyncio.sleep(10)
        assert done == []

    loop.run(main())


def test_the_tasks_that_a_process_has_begun_end_with_it(loop: VirtualLoop) -> None:
    done: list[str] = []

    async def child() -> None:
        await asyncio.sleep(1)
        done.append("child")

    async def parent() -> None:
        task = asyncio.create_task(child())
        await asyncio.sleep(0.5)
        await task

    async def main() -> None:
        process = loop.process("r1")
        loop.spawn(process, parent())
        await asyncio.sleep(0.7)
        loop.kill(process)
        await asyncio.sleep(10)

    loop.run(main())
    assert done == []


def test_a_process_that_stands_still_finds_its_timers_struck_when_it_goes_on(loop: VirtualLoop) -> None:
    woke: list[float] = []

    async def work() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            woke.append(loop.time())

    async def main() -> None:
        process = loop.process("r1")
        loop.spawn(process, work())
        await asyncio.sleep(1.5)
        process.still = True
        await asyncio.sleep(10)
        process.still = False
        await asyncio.sleep(10)

    loop.run(main())
    assert woke == [1, 11.5, 12.5]


def test_a_deadline_that_passed_while_a_process_stood_still_strikes_before_it_goes_on(loop: VirtualLoop) -> None:
    """As on a real machine: a request that was about to leave does not leave after its deadline."""
    left: list[str] = []

    async def work() -> None:
        try:
            async with asyncio.timeout(8):
                await asyncio.sleep(0.1)
                left.append("the request")
        except TimeoutError:
            left.append("nothing")

    async def main() -> None:
        process = loop.process("r1")
        loop.spawn(process, work())
        await asyncio.sleep(0.05)
        process.still = True
        await asyncio.sleep(20)
        process.still = False
        await asyncio.sleep(1)

    loop.run(main())
    assert left == ["nothing"]


def test_a_failure_that_nobody_catches_ends_the_run(loop: VirtualLoop) -> None:
    async def main() -> None:
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    with pytest.raises(Mishap, match="ZeroDivisionError"):
        loop.run(main())


def test_what_never_comes_is_said_so(loop: VirtualLoop) -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        loop.run(main())
