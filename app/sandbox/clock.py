"""The sandbox's seconds: real, faster than real, or moved by hand."""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol


class Timer(Protocol):
    """Something due that can still be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Where the sandbox reads the time (epoch seconds) and sets its timers (seconds from now)."""

    def now(self) -> float: ...

    def call_later(self, seconds: float, then: Callable[[], None]) -> Timer: ...


class RealClock:
    """Wall time on the running event loop; `speed` 100 lets a 20 s ring pass in 0.2 s."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be greater than 0")
        self._speed = speed
        self._epoch = time.time()
        self._started = time.monotonic()

    def now(self) -> float:
        return self._epoch + (time.monotonic() - self._started) * self._speed

    def call_later(self, seconds: float, then: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds / self._speed, then)


class ManualClock:
    """Time that passes only in `advance`; timers fire in order, each at its own moment."""

    def __init__(self, start: float = 1_780_000_000.0) -> None:
        self._now = start
        self._order = count()
        self._due: list[tuple[float, int, _ManualTimer]] = []

    def now(self) -> float:
        return self._now

    def call_later(self, seconds: float, then: Callable[[], None]) -> Timer:
        timer = _ManualTimer(then)
        heapq.heappush(self._due, (self._now + seconds, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass and run everything that falls due meanwhile, in order."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._due)
            timer.fire()
        self._now = end


class _ManualTimer:
    def __init__(self, then: Callable[[], None]) -> None:
        self._then: Callable[[], None] | None = then

    def cancel(self) -> None:
        self._then = None

    def fire(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait `seconds` of the given clock."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    timer = clock.call_later(seconds, lambda: None if done.done() else done.set_result(None))
    try:
        await done
    finally:
        timer.cancel()
