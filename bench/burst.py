"""T5: two thousand visitors press Send in the same moment, and there are two hundred agents; on both engines."""

from __future__ import annotations

import asyncio
import json
import time

from bench import audit, load, visitors
from bench.client import Pool, Reply
from bench.figures import CannotMeasure, Figure
from bench.hangups import Hangups
from bench.postgres import durable_postgres
from bench.service import Service
from bench.stub import Stub
from bench.workbench import Workbench, connections

TALK = 0.2
DELAY = 0.05  # seconds that the provider takes to answer


async def measure(bench: Workbench) -> list[Figure]:
    """Every visitor on a connection of their own; then all calls end, and the waiting ones are rung."""
    visitors_at_once = int(bench.pick(2000, 500))
    async with Stub(delay=DELAY) as stub:
        figures = await _burst(bench.service(stub.url, "burst"), stub, visitors_at_once, "SQLite")
    async with Stub(delay=DELAY) as stub, durable_postgres() as server:
        service = bench.service(stub.url, "burst", await server.migrated())
        return figures + await _burst(service, stub, visitors_at_once, "PostgreSQL")


async def _burst(service: Service, stub: Stub, visitors_at_once: int, engine: str) -> list[Figure]:
    accepted: list[str] = []

    def heard(at: float, reply: Reply) -> None:
        if reply.status == 202:
            accepted.append(json.loads(reply.body)["lead_id"])

    async with service, connections(service) as pool:
        hangups = Hangups(TALK, service.port)
        stub.on_call = hangups.later
        try:
            await _warm(pool)
            began = time.monotonic()
            run = await load.many(pool, visitors.lead, visitors_at_once, visitors_at_once, heard)
            run.expect("202", "429")
            await audit.until_settled(service.books, 60)
            rung = time.monotonic() - began
        finally:
            await hangups.close()
        await audit.nothing_lost(service.books, accepted)
        await audit.nobody_twice(service.books, stub.calls, TALK, apart=audit.APART)
        ended = await audit.states(service.books)
    if ended["connected"] < len(accepted):
        raise CannotMeasure(f"every call was answered, and yet leads are {dict(ended)}")
    slowest = max(run.latencies)
    told = ", ".join(f"{count:,} × {status}" for status, count in sorted(run.statuses.items()))
    detail = {"statuses": dict(run.statuses), "slowest_s": slowest, "all_rung_s": rung}
    return [
        Figure(
            "T5",
            f"burst of {visitors_at_once:,}, own connections, {engine}: all answered",
            "≤ 10 s",
            f"{slowest:.2f} s ({told})",
            met=slowest <= 10,
            detail=detail,
        ),
        Figure("T5", "  none lost, no agent or lead twice", "all", f"all connected in {rung:.1f} s", met=True),
    ]


async def _warm(pool: Pool) -> None:
    run = await load.many(pool, visitors.lead, 20, 4)
    run.expect("202")
    await asyncio.sleep(0.2)
