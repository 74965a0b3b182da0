"""T9: what stays in memory after a hundred thousand leads, and what a million strangers leave in the limiter."""

from __future__ import annotations

import asyncio
import sys

from bench import load, visitors
from bench.child import ROOT
from bench.figures import CannotMeasure, Figure
from bench.stub import Stub
from bench.workbench import Workbench, connections

SLICE = 5_000
PATIENCE = 200.0  # seconds for the leads, and for the strangers


async def measure(bench: Workbench) -> list[Figure]:
    """Both, each in a process of its own."""
    leads = int(bench.pick(100_000, 5_000))
    async with Stub() as stub, bench.service(stub.url, "memory") as service, connections(service) as pool:
        empty = service.memory()
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        done = 0
        curve: list[float] = []
        while done < leads and loop.time() < until:
            run = await load.many(pool, visitors.lead, SLICE)
            run.expect("202")
            done += SLICE
            curve.append(service.memory())
        full = service.memory()
    detail = {"empty_mb": empty, "curve_mb": curve, "leads": done}
    return [
        Figure(
            "T9",
            f"memory after {done:,} leads" + ("" if done >= 100_000 else " (the target is 100,000)"),
            "≤ 120 MB",
            f"{full:.0f} MB (empty {empty:.0f} MB)",
            met=full <= 120,
            detail=detail,
        ),
        await _limiter(int(bench.pick(1_000_000, 100_000))),
    ]


async def _limiter(clients: int) -> Figure:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.strangers", str(clients), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise CannotMeasure(f"the limiter took more than {PATIENCE:g} s for {clients:,} clients") from error
    if process.returncode:
        raise CannotMeasure("the limiter failed")
    grown, micros = (float(word) for word in out.split())
    return Figure(
        "T9",
        f"limiter, {clients:,} distinct clients" + ("" if clients >= 1_000_000 else " (the target is 1,000,000)"),
        "≤ 30 MB more",
        f"{grown:.1f} MB ({micros:.0f} µs a client)",
        met=grown <= 30,
    )
