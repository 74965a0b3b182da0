"""T3: how many leads a second are taken in while every agent is busy, beside the bare endpoint."""

from __future__ import annotations

from functools import partial

from bench import audit, load, visitors
from bench.figures import Figure, median, ms, percentile
from bench.service import AGENTS, Service
from bench.stub import Stub
from bench.workbench import Workbench, connections


async def _all_busy(service: Service) -> bool:
    return await audit.agents_at_work(service.books) == AGENTS


async def measure(bench: Workbench) -> list[Figure]:
    """Rounds of both in turn; the medians, and the ratio."""
    rounds = int(bench.pick(4, 1))
    ours: list[load.Run] = []
    cpu: list[float] = []
    async with (
        Stub() as stub,
        bench.bare() as bare,
        bench.service(stub.url, "acceptance") as service,
        connections(service) as pool,
    ):
        occupied = await load.many(pool, visitors.lead, AGENTS)
        occupied.expect("202")
        await load.until(lambda: _all_busy(service), 20, "all agents are busy")
        bench.sample(service)
        for _ in range(rounds):
            await bare.round(bench.pick(4, 1))
            before = service.cpu()
            run = await load.closed(pool, visitors.lead, bench.pick(5, 1.5))
            run.expect("202")
            spent = service.cpu()
            ours.append(run)
            cpu.append((spent["all"] - before["all"]) / run.statuses["202"])
        plain = await load.closed(pool, partial(visitors.lead, submission=False), bench.pick(3, 1))
        plain.expect("202")
    accepted, cost = median([run.rate for run in ours]), median(cpu)
    ratio = accepted / bare.rate
    answered = [latency for run in ours for latency in run.latencies]
    detail = {
        "rates": [run.rate for run in ours],
        "bare": bare.rates,
        "p50_ms": median(answered) * 1000,
        "p99_ms": percentile(answered, 0.99) * 1000,
        "cpu_ms": cost * 1000,
        "bare_cpu_ms": bare.cpu_seconds * 1000,
        "loop_share_of_cpu": (spent["loop"] - before["loop"]) / (spent["all"] - before["all"]),
    }
    p50, p99 = median(answered), percentile(answered, 0.99)
    return [
        Figure("T3", "bare FastAPI endpoint, 64 connections", "", f"{bare.rate:,.0f}/s", "1.00"),
        Figure(
            "T3",
            "leads accepted, all agents busy",
            "≥ 45 % of bare",
            f"{accepted:,.0f}/s",
            f"{ratio:.2f}",
            ratio >= 0.45,
            detail,
        ),
        Figure(
            "T3",
            "  bare CPU a request to ours a lead",
            "",
            f"{ms(bare.cpu_seconds)} / {ms(cost)}",
            f"{bare.cpu_seconds / cost:.2f}",
        ),
        Figure("T3", "  answered in, p50 / p99", "", f"{ms(p50)} / {ms(p99)}"),
        Figure("T3", "  without submission ids", "", f"{plain.rate:,.0f}/s", f"{plain.rate / bare.rate:.2f}"),
    ]
