"""T4: the whole job for a minute: accepted, reserved, sent, placed, both legs reported, recorded, released."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

from bench import audit, load, visitors
from bench.books import Books
from bench.client import Pool
from bench.figures import CannotMeasure, Figure, median, ms, percentile
from bench.hangups import Hangups
from bench.stub import Call, Stub
from bench.workbench import Workbench, connections

UNDERWAY = 160  # leads between submission and reported end, at most: fewer than agents, so nobody waits for one
TALK = 0.05
SETTLE = 60.0


class Job:
    """Submits leads and sees each of them to its end."""

    def __init__(self, pool: Pool, hangups: Hangups, books: Books) -> None:
        self.run = load.Run()
        self.accepted: list[str] = []
        self.seconds = 0.0
        self._pool = pool
        self._hangups = hangups
        self._books = books

    @property
    def rate(self) -> float:
        """Leads a second, from the first submission to the last release."""
        return len(self.accepted) / self.seconds

    async def work(self, seconds: float) -> None:
        """Begin for so long; returns when every lead has ended."""
        began = time.monotonic()
        await asyncio.gather(*(self._sender(began + seconds) for _ in range(UNDERWAY)))
        self.run.expect("202")
        await audit.until_settled(self._books, SETTLE)
        self.seconds = time.monotonic() - began

    async def _sender(self, until: float) -> None:
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

    async def audit(self, calls: Sequence[Call], *, apart: int = 0) -> None:
        """CannotMeasure unless every lead of this job was stored, rung once, and ended connected."""
        if self._hangups.refused:
            raise CannotMeasure(f"{len(self._hangups.refused)} pushes were refused: {self._hangups.refused[:3]}")
        await audit.nothing_lost(self._books, self.accepted)
        await audit.nobody_twice(self._books, calls, self._hangups.seconds, apart=apart)
        found = await audit.states(self._books)
        if set(found) != {"connected"}:
            raise CannotMeasure(f"every call was answered, and yet leads are {dict(found)}")


async def measure(bench: Workbench) -> list[Figure]:
    """Sustained rate to the last release, its share of the bare rate, and what the database says afterwards."""
    async with bench.bare() as bare:
        for _ in range(2):
            await bare.round(bench.pick(4, 1))
    async with Stub() as stub, bench.service(stub.url, "job") as service, connections(service) as pool:
        hangups = Hangups(TALK, service.port)
        stub.on_call = hangups.later
        try:
            await Job(pool, hangups, service.books).work(bench.pick(2, 0.5))
            job = Job(pool, hangups, service.books)
            bench.sample(service)
            before = service.cpu()
            await job.work(bench.pick(60, 3))
            spent = service.cpu()
        finally:
            await hangups.close()
        await job.audit(stub.calls)
    ratio = job.rate / bare.rate
    cpu = (spent["all"] - before["all"]) / len(job.accepted)
    detail = {
        "leads": len(job.accepted),
        "seconds": job.seconds,
        "bare": bare.rates,
        "bare_cpu_ms": bare.cpu_seconds * 1000,
        "cpu_ms_a_lead": cpu * 1000,
        "loop_share_of_cpu": (spent["loop"] - before["loop"]) / (spent["all"] - before["all"]),
        "answer_p99_ms": percentile(job.run.latencies, 0.99) * 1000,
    }
    answers = f"{ms(median(job.run.latencies))} / {ms(percentile(job.run.latencies, 0.99))}"
    return [
        Figure(
            "T4",
            "whole job, two CDR pushes each",
            "≥ 600/s",
            f"{job.rate:,.0f}/s",
            met=job.rate >= 600,
            detail=detail,
        ),
        Figure("T4", "  to the bare endpoint", "≥ 15 %", f"{bare.rate:,.0f}/s", f"{ratio:.2f}", ratio >= 0.15),
        Figure("T4", "  no 5xx, none lost, no agent or lead twice", "all", f"{len(job.accepted):,} leads", met=True),
        Figure("T4", "  CPU a lead, ratio of the bare request to it", "", ms(cpu), f"{bare.cpu_seconds / cpu:.2f}"),
        Figure("T4", "  answered in, p50 / p99", "", answers),
    ]
