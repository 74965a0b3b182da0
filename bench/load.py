"""Load: closed loops, in which every connection sends as soon as it is answered, and open ones, at a fixed rate."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.client import Pool, Reply
from bench.figures import CannotMeasure

CONNECTIONS = 64


@dataclass
class Run:
    """What came back: answer times in seconds, replies by status, and how long it all took."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Good answers (200, 202) a second."""
        return (self.statuses["200"] + self.statuses["202"]) / self.seconds

    def expect(self, *allowed: str) -> None:
        """CannotMeasure when anything else came back."""
        others = {status: count for status, count in self.statuses.items() if status not in allowed}
        if others or not self.statuses:
            raise CannotMeasure(f"expected {' or '.join(allowed)} only, got {dict(self.statuses)}")


Send = Callable[[], bytes]
Heard = Callable[[float, Reply], None]


async def one(pool: Pool, request: bytes, run: Run, heard: Heard | None = None) -> Reply | None:
    """Ask once and note what came of it; None when nothing came."""
    sent = time.monotonic()
    try:
        reply = await pool.ask(request)
    except (OSError, TimeoutError) as error:
        run.statuses[type(error).__name__] += 1
        return None
    run.latencies.append(reply.at - sent)
    run.statuses[str(reply.status)] += 1
    if heard is not None:
        heard(sent, reply)
    return reply


async def closed(pool: Pool, make: Send, seconds: float, connections: int = CONNECTIONS) -> Run:
    """`connections` senders for `seconds`; the answers to what was sent by then are waited for."""
    run = Run()
    await pool.warm(connections)
    began = time.monotonic()
    until = began + seconds

    async def sender() -> None:
        while time.monotonic() < until:
            if await one(pool, make(), run) is None:
                return

    await asyncio.gather(*(sender() for _ in range(connections)))
    run.seconds = time.monotonic() - began
    return run


async def many(pool: Pool, make: Send, count: int, connections: int = CONNECTIONS, heard: Heard | None = None) -> Run:
    """`count` requests, as fast as `connections` senders get them answered."""
    run = Run()
    left = iter(range(count))
    began = time.monotonic()

    async def sender() -> None:
        for _ in left:
            await one(pool, make(), run, heard)

    await asyncio.gather(*(sender() for _ in range(min(count, connections))))
    run.seconds = time.monotonic() - began
    return run


async def fixed_rate(pool: Pool, make: Send, rate: float, seconds: float, heard: Heard | None = None) -> Run:
    """`rate` requests a second, sent whether the earlier ones are answered or not."""
    run = Run()
    asked: list[Awaitable[Reply | None]] = []
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        asked.append(asyncio.ensure_future(one(pool, make(), run, heard)))
    await asyncio.gather(*asked)
    run.seconds = time.monotonic() - began
    return run


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float, what: str) -> None:
    """Wait until it holds; CannotMeasure naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await _holds(condition):
        if time.monotonic() > deadline:
            raise CannotMeasure(f"{what}: not within {seconds:g} s")
        await asyncio.sleep(0.02)


async def _holds(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer
