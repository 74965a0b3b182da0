"""T9: what stays in memory after a hundred thousand leads, and what a million strangers leave in the limiter."""

from __future__ import annotations

import asyncio
import sys

from bench import load, visitors
from bench.child import output_of
from bench.figures import Figure
from bench.stub import Stub
from bench.workbench import Workbench, connections

SLICE = 1_000
LEADS_FOR = 150.0  # seconds at most; what is missing then is projected from the second half
STRANGERS_FOR = 120.0
WANTED = 100_000


async def measure(bench: Workbench) -> list[Figure]:
    """Both, each in a process of its own."""
    leads = int(bench.pick(WANTED, 2_000))
    async with Stub() as stub, bench.service(stub.url, "memory") as service, connections(service) as pool:
        empty = service.memory()
        loop = asyncio.get_running_loop()
        until = loop.time() + LEADS_FOR
        done = 0
        curve: list[float] = []
        while done < leads and loop.time() < until:
            run = await load.many(pool, visitors.lead, SLICE)
            run.expect("202")
            done += SLICE
            curve.append(service.memory())
        full = service.memory()
    middle = (len(curve) - 1) // 2
    each = (full - curve[middle]) / max(SLICE, done - SLICE * (middle + 1))
    missing = leads - done
    expected = full + each * missing
    detail = {"empty_mb": empty, "curve_mb": curve, "leads": done}
    return [
        Figure(
            "T9",
            f"memory after {leads:,} leads" + (f" (the target is {WANTED:,})" if leads < WANTED else ""),
            "≤ 120 MB",
            f"{expected:.0f} MB (empty {empty:.0f} MB" + (f", projected from {done:,})" if missing else ")"),
            met=expected <= 120,
            detail=detail,
        ),
        await _limiter(int(bench.pick(1_000_000, 60_000))),
    ]


async def _limiter(clients: int) -> Figure:
    out = await output_of(sys.executable, "-m", "bench.strangers", str(clients), seconds=STRANGERS_FOR)
    grown, micros = (float(word) for word in out.split())
    return Figure(
        "T9",
        f"limiter, {clients:,} distinct clients" + ("" if clients >= 1_000_000 else " (the target is 1,000,000)"),
        "≤ 30 MB more",
        f"{grown:.1f} MB ({micros:.0f} µs a client)",
        met=grown <= 30,
    )
