"""T4: the whole job for a minute: accepted, reserved, sent, placed, both legs reported, recorded, released."""

from __future__ import annotations

import asyncio
import json
import time

from bench import audit, load, visitors
from bench.client import Pool
from bench.figures import CannotMeasure, Figure, median, ms, percentile
from bench.hangups import Hangups
from bench.service import Service
from bench.stub import Stub
from bench.workbench import Workbench, connections

UNDERWAY = 160  # leads between submission and reported end, at most: fewer than agents, so nobody waits for one
TALK = 0.05
SETTLE = 60.0


class Job:
    """Submits leads and sees each of them to its end."""

    def __init__(self, pool: Pool, stub: Stub, hangups: Hangups) -> None:
        self.run = load.Run()
        self.accepted: list[str] = []
        self.to_request: list[float] = []
        self._pool = pool
        self._stub = stub
        self._hangups = hangups

    async def sender(self, until: float) -> None:
        """One lead after the other; the next when this one's call is over and reported."""
        while time.monotonic() < until:
            reply = await load.one(self._pool, visitors.lead(), self.run)
            if reply is None or reply.status != 202:
                return
            lead: str = json.loads(reply.body)["lead_id"]
            self.accepted.append(lead)
            async with asyncio.timeout(30):
                await self._hangups.over(lead)
            del self._hangups.ended[lead]


async def measure(bench: Workbench) -> list[Figure]:
    """Sustained rate to the last release, its share of the bare rate, and what the database says afterwards."""
    async with bench.bare() as bare:
        for _ in range(2):
            await bare.round(bench.pick(4, 1))
    async with Stub() as stub, bench.service(stub.url, "job") as service, connections(service) as pool:
        hangups = Hangups(service.port, TALK)
        stub.on_call = hangups.later
        try:
            await _work(Job(pool, stub, hangups), service, bench.pick(2, 0.5))
            job = Job(pool, stub, hangups)
            bench.sample(service)
            before = service.cpu()
            seconds = await _work(job, service, bench.pick(60, 3))
            spent = service.cpu()
        finally:
            await hangups.close()
        _audit(service, stub, job, hangups)
    rate = len(job.accepted) / seconds
    ratio = rate / bare.rate
    cpu = (spent["all"] - before["all"]) / len(job.accepted)
    detail = {
        "leads": len(job.accepted),
        "seconds": seconds,
        "bare": bare.rates,
        "bare_cpu_ms": bare.cpu_seconds * 1000,
        "cpu_ms_a_lead": cpu * 1000,
        "loop_share_of_cpu": (spent["loop"] - before["loop"]) / (spent["all"] - before["all"]),
        "answer_p99_ms": percentile(job.run.latencies, 0.99) * 1000,
    }
    answers = f"{ms(median(job.run.latencies))} / {ms(percentile(job.run.latencies, 0.99))}"
    return [
        Figure("T4", "whole job, two CDR pushes each", "≥ 600/s", f"{rate:,.0f}/s", met=rate >= 600, detail=detail),
        Figure("T4", "  to the bare endpoint", "≥ 15 %", f"{bare.rate:,.0f}/s", f"{ratio:.2f}", ratio >= 0.15),
        Figure("T4", "  no 5xx, none lost, no agent or lead twice", "all", f"{len(job.accepted):,} leads", met=True),
        Figure("T4", "  CPU a lead, ratio of the bare request to it", "", ms(cpu), f"{bare.cpu_seconds / cpu:.2f}"),
        Figure("T4", "  answered in, p50 / p99", "", answers),
    ]


async def _work(job: Job, service: Service, seconds: float) -> float:
    began = time.monotonic()
    await asyncio.gather(*(job.sender(began + seconds) for _ in range(UNDERWAY)))
    job.run.expect("202")
    await audit.until_settled(service.database, SETTLE)
    return time.monotonic() - began


def _audit(service: Service, stub: Stub, job: Job, hangups: Hangups) -> None:
    if hangups.refused:
        raise CannotMeasure(f"{len(hangups.refused)} CDR pushes were refused: {hangups.refused[:3]}")
    audit.nothing_lost(service.database, job.accepted)
    audit.nobody_twice(service.database, stub.calls)
    found = audit.states(service.database)
    if set(found) != {"connected"}:
        raise CannotMeasure(f"every call was answered, and yet leads are {dict(found)}")
