"""T10: a thousand visitors watch their lead, and the next ones must not notice."""

from __future__ import annotations

import asyncio
import json
import time
from typing import cast

from bench import load, visitors
from bench.client import Reply, request
from bench.figures import CannotMeasure, Figure, median, ms, percentile
from bench.hangups import Hangups
from bench.speed_to_request import TALK, at_fixed_rate
from bench.stub import Stub
from bench.workbench import Workbench, connections

OPENING = 60.0  # seconds until every stream must have said something


class Watcher(asyncio.Protocol):
    """One open stream; counts what it hears."""

    def __init__(self, ask: bytes) -> None:
        self._ask = ask
        self.head = b""
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's has another ancestry
        self.transport.write(self._ask)
        self.open = True

    def data_received(self, data: bytes) -> None:
        if len(self.head) < 8192:
            self.head += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False

    @property
    def hears(self) -> bool:
        """The first status has arrived."""
        return self.open and b" 200 " in self.head[:20] and b"event: status" in self.head


async def measure(bench: Workbench) -> list[Figure]:
    """Memory before and after, and T1 without and with the streams."""
    count = int(bench.pick(1000, 100))
    urls: list[str] = []

    def heard(at: float, reply: Reply) -> None:
        if reply.status == 202:
            urls.append(json.loads(reply.body)["status_url"])

    watchers: list[Watcher] = []
    async with Stub() as stub, bench.service(stub.url, "streams") as service, connections(service) as pool:
        hangups = Hangups(TALK, service.port)
        stub.on_call = hangups.later
        try:
            parked = await load.many(pool, lambda: visitors.lead(visitors.PARKED), count, heard=heard)
            parked.expect("202")
            await at_fixed_rate(pool, stub, bench.pick(3, 0.5))
            alone = await at_fixed_rate(pool, stub, bench.pick(15, 1.5))
            before = service.memory()
            began = time.monotonic()
            watchers = await _open(service.port, urls)
            opened = time.monotonic() - began
            more = service.memory() - before
            beside = await at_fixed_rate(pool, stub, bench.pick(15, 1.5))
            if not all(watcher.open for watcher in watchers):
                raise CannotMeasure("streams were closed while they should have been open")
        finally:
            for watcher in watchers:
                watcher.transport.close()
            stub.on_call = None
            await hangups.close()
    ratio = median(beside.arrivals) / median(alone.arrivals)
    p99 = f"{ms(percentile(alone.arrivals, 0.99))} → {ms(percentile(beside.arrivals, 0.99))}"
    return [
        Figure(
            "T10",
            f"{count:,} open event streams",
            "≤ 60 MB more",
            f"{more:.1f} MB",
            met=more <= 60,
            detail={"opened_in_s": opened, "p99": p99},
        ),
        Figure(
            "T10",
            "  T1 p50 beside them, to T1 without",
            "≤ 1.5 ×",
            f"{ms(median(alone.arrivals))} → {ms(median(beside.arrivals))}",
            f"{ratio:.2f}",
            ratio <= 1.5,
        ),
    ]


async def _open(port: int, urls: list[str]) -> list[Watcher]:
    loop = asyncio.get_running_loop()
    watchers: list[Watcher] = []
    for url in urls:
        path, _, query = url.partition("?")
        ask = request("GET", f"{path}/events?{query}", headers="Accept: text/event-stream\r\n")
        _, watcher = await loop.create_connection(lambda ask=ask: Watcher(ask), "127.0.0.1", port)  # type: ignore[misc]
        watchers.append(watcher)
    await load.until(lambda: all(watcher.hears for watcher in watchers), OPENING, "every stream has its first event")
    return watchers
