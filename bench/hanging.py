"""T11: /livez answers at once while the provider, or Redis, has stopped answering at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bench import load, visitors
from bench.client import request
from bench.figures import Figure, ms, percentile
from bench.service import Service
from bench.stub import Stub
from bench.workbench import Workbench, connections
from tests.servers import RedisServer

POLLS = 100.0  # /livez requests a second
LEADS = 20.0  # leads a second meanwhile


async def measure(bench: Workbench) -> list[Figure]:
    """p99 over the whole time of both troubles."""
    seconds = bench.pick(15, 2.5)
    async with Stub(hangs=True) as stub, bench.service(stub.url, "hang") as service:
        polled, leads = await _poll(service, seconds, lambda: None)
        # No more than the breaker lets through: it does not wait for the deadlines of calls that hang.
        await load.until(lambda: len(stub.calls) >= LEADS, 5, "calls hang at the provider")
        provider = _figure("while the provider hangs", polled, leads)
        service.kill()  # 200 calls hang: an orderly end would wait for their deadline
    redis = RedisServer()  # in this thread: the kernel ends it with the thread that started it
    try:
        async with (
            Stub() as stub,
            bench.service(stub.url, "redis", LEADRING_RATE_LIMIT_URL=redis.url) as service,
        ):
            polled, leads = await _poll(service, seconds, redis.freeze)
        frozen = _figure("while Redis is frozen", polled, leads)
    finally:
        redis.stop()
    return [provider, frozen]


async def _poll(service: Service, seconds: float, trouble: Callable[[], None]) -> tuple[load.Run, load.Run]:
    ask = request("GET", "/livez")
    async with connections(service) as pool, connections(service) as others:
        (await load.fixed_rate(others, visitors.lead, LEADS, 1)).expect("202")
        trouble()
        polled, leads = await asyncio.gather(
            load.fixed_rate(pool, lambda: ask, POLLS, seconds),
            load.fixed_rate(others, visitors.lead, LEADS, seconds),
        )
    polled.expect("200")
    leads.expect("202", "503")
    return polled, leads


def _figure(when: str, polled: load.Run, leads: load.Run) -> Figure:
    p99 = percentile(polled.latencies, 0.99)
    told = {"leads": dict(leads.statuses), "lead_p99_ms": percentile(leads.latencies, 0.99) * 1000}
    return Figure("T11", f"/livez p99 {when}", "≤ 50 ms", ms(p99), met=p99 <= 0.05, detail=told)
