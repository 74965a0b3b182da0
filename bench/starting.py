"""T8: how long the import takes, and how long from start to ready."""

from __future__ import annotations

import sys

from bench.child import output_of
from bench.figures import Figure, median
from bench.machine import SERVICE_CORE
from bench.stub import Stub
from bench.workbench import Workbench

IMPORT = """
import os, time
os.sched_setaffinity(0, {%d})
began = time.perf_counter()
import app.main
print(time.perf_counter() - began)
"""


async def measure(bench: Workbench) -> list[Figure]:
    """Medians; the first import is not counted, it may compile."""
    rounds = int(bench.pick(5, 1))
    imports = [await _import() for _ in range(rounds + 1)][1:]
    fresh: list[float] = []
    again: list[float] = []
    async with Stub() as stub:
        for _ in range(rounds):
            service = bench.service(stub.url, "start")
            async with service:
                fresh.append(service.ready_after)
            async with service:
                again.append(service.ready_after)
    detail = {"imports": imports, "fresh": fresh, "again": again}
    return [
        Figure(
            "T8", "import app.main", "≤ 0.8 s", f"{median(imports):.2f} s", met=median(imports) <= 0.8, detail=detail
        ),
        Figure("T8", "start → ready, new database", "≤ 1.5 s", f"{median(fresh):.2f} s", met=median(fresh) <= 1.5),
        Figure("T8", "start → ready, existing database", "≤ 1.5 s", f"{median(again):.2f} s", met=median(again) <= 1.5),
    ]


async def _import() -> float:
    return float(await output_of(sys.executable, "-c", IMPORT % SERVICE_CORE, seconds=60))
