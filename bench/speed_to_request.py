"""T1 and T2: from the form to the provider's door, and the answer to the visitor, at 50 leads a second."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import load, visitors
from bench.client import Pool, Reply
from bench.figures import CannotMeasure, Figure, median, ms, percentile
from bench.hangups import Hangups
from bench.service import Service
from bench.stub import Stub
from bench.workbench import Workbench, connections

RATE = 50.0
TALK = 1.0  # seconds a call takes: at this rate a quarter of the agents is on the phone


@dataclass(frozen=True)
class Seen:
    """Seconds from the submission to the provider's door, and to the visitor's answer, lead by lead."""

    arrivals: list[float]
    answers: list[float]


async def at_fixed_rate(pool: Pool, stub: Stub, seconds: float, make: Callable[[], bytes] = visitors.lead) -> Seen:
    """Submit at 50 leads a second; CannotMeasure unless each one was accepted and arrived at the provider."""
    sent: dict[str, float] = {}

    def heard(at: float, reply: Reply) -> None:
        if reply.status == 202:
            sent[json.loads(reply.body)["lead_id"]] = at

    before = len(stub.calls)
    run = await load.fixed_rate(pool, make, RATE, seconds, heard)
    run.expect("202")
    await load.until(lambda: len(stub.calls) - before >= len(sent), 10, "every lead's request has arrived")
    arrived = {call.lead: call.at for call in stub.calls[before:]}
    if set(arrived) != set(sent):
        raise CannotMeasure("the provider's requests are not those of the leads")
    return Seen([arrived[lead] - at for lead, at in sent.items()], run.latencies)


def fdatasync_seconds(folder: Path) -> float:
    """The median time of a 4 KiB append and fdatasync where the database is."""
    times: list[float] = []
    path = folder / "fdatasync"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(200):
            began = time.perf_counter()
            os.write(descriptor, b"x" * 4096)
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return median(times)


async def connect_seconds(port: int) -> float:
    """The median time of a new TCP connection on loopback."""
    times: list[float] = []
    for _ in range(200):
        began = time.perf_counter()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        times.append(time.perf_counter() - began)
        writer.close()
    return median(times)


async def measure(bench: Workbench) -> list[Figure]:
    """T1 and T2, with T1's parts measured in the same run."""
    async with Stub() as stub:
        fdatasync, connect = fdatasync_seconds(bench.folder), await connect_seconds(stub.port)
        async with bench.service(stub.url, "speed") as service, connections(service) as pool:
            seen = await _under_load(bench, service, stub, pool)
    parts = 2 * fdatasync + connect
    t1, t1_99 = median(seen.arrivals), percentile(seen.arrivals, 0.99)
    t2, t2_99 = median(seen.answers), percentile(seen.answers, 0.99)
    detail = {
        "fdatasync_ms": fdatasync * 1000,
        "connect_ms": connect * 1000,
        "leads": len(seen.arrivals),
        "connections": stub.connections,
        "max_ms": max(seen.arrivals) * 1000,
    }
    return [
        Figure("T1", f"form → provider's door, {RATE:g}/s, p50", "≤ 5 ms", ms(t1), met=t1 <= 0.005, detail=detail),
        Figure("T1", "  p99", "≤ 25 ms", ms(t1_99), met=t1_99 <= 0.025),
        Figure(
            "T1",
            f"  p50 to its parts (2 × fdatasync {ms(fdatasync)} + connect {ms(connect)})",
            "≤ 3 ×",
            f"{ms(t1)} / {ms(parts)}",
            f"{t1 / parts:.2f}",
            t1 <= 3 * parts,
        ),
        Figure("T2", f"answer to the visitor, {RATE:g}/s, p50", "≤ 4 ms", ms(t2), met=t2 <= 0.004),
        Figure("T2", "  p99", "≤ 20 ms", ms(t2_99), met=t2_99 <= 0.020),
    ]


async def _under_load(bench: Workbench, service: Service, stub: Stub, pool: Pool) -> Seen:
    hangups = Hangups(TALK, service.port)
    stub.on_call = hangups.later
    try:
        await at_fixed_rate(pool, stub, bench.pick(3, 0.5))  # the first ones warm caches and connections
        bench.sample(service)
        return await at_fixed_rate(pool, stub, bench.pick(30, 3))
    finally:
        stub.on_call = None
        await hangups.close()
