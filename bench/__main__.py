"""`python -m bench`: runs the measurements one after the other, prints the table and writes it as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import uvloop

from bench import (
    acceptance,
    backlog,
    burst,
    day,
    hanging,
    machine,
    memory,
    scaling,
    speed_to_request,
    starting,
    streams,
    whole_job,
)
from bench.child import ROOT
from bench.figures import CannotMeasure, Figure, table
from bench.tried import TRIED
from bench.workbench import Workbench

Measure = Callable[[Workbench], Awaitable[list[Figure]]]
MEASUREMENTS: Final[tuple[tuple[frozenset[str], Measure], ...]] = (
    (frozenset({"T1", "T2"}), speed_to_request.measure),
    (frozenset({"T3"}), acceptance.measure),
    (frozenset({"T4"}), whole_job.measure),
    (frozenset({"T5"}), burst.measure),
    (frozenset({"T6"}), scaling.measure),
    (frozenset({"T7"}), backlog.on_sqlite),
    (frozenset({"T7"}), backlog.on_postgres),
    (frozenset({"T8"}), starting.measure),
    (frozenset({"T9"}), memory.measure),
    (frozenset({"T10"}), streams.measure),
    (frozenset({"T11"}), hanging.measure),
    (frozenset({"T12"}), day.measure),
)
KNOWN: Final = sorted(frozenset().union(*(targets for targets, _ in MEASUREMENTS)), key=lambda name: int(name[1:]))
WHOLE = 20 * 60.0  # seconds for everything
EACH = 300.0  # seconds for one measurement
QUIET = 1.0  # load average from which on others disturb
FILES = 8192  # open files: the burst has a connection for every visitor


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when everything was measured, met or missed; 1 when something could not be."""
    asked = _arguments(arguments)
    _allow_files()
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    folder = Path(tempfile.mkdtemp(prefix="leadring-bench-"))
    env = dict(pair.split("=", 1) for pair in asked.set)
    bench = Workbench(folder, quick=asked.quick, profile=asked.profile is not None, env=env)
    seen, crowd = machine.describe(), os.getloadavg()[0]
    print("\n".join(f"{name:12} {value}" for name, value in seen.items()), flush=True)
    busy, stolen = machine.steal()
    began = time.monotonic()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures, failures = runner.run(_run(bench, frozenset(asked.only or KNOWN)))
        for profile in folder.glob("*/profile.txt") if asked.profile else ():
            asked.profile.mkdir(parents=True, exist_ok=True)
            shutil.copy(profile, asked.profile / f"{profile.parent.name}.txt")
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    busy, stolen = (now - then for now, then in zip(machine.steal(), (busy, stolen), strict=True))
    seen |= {"seconds": f"{time.monotonic() - began:.0f}", "core seconds busy / stolen": f"{busy:.0f} / {stolen:.0f}"}
    print("\n" + table(figures))
    if crowd > QUIET:
        print(f"\nOthers were at work here (load {crowd:.1f}): believe the CPU figures, not the times.")
    for target in sorted({figure.target for figure in figures if figure.met is False}, key=KNOWN.index):
        print(f"\n{target} missed. {TRIED.get(target, 'Nothing has been tried yet.')}")
    for failure in failures:
        print(f"\nNOT MEASURED: {failure}", file=sys.stderr)
    path = asked.json or ROOT / "bench" / "results" / f"{seen['date'].replace(':', '')[:17]}.json"
    _write(path, {"machine": seen, "quick": asked.quick, "settings": env, "failures": failures}, figures)
    print(f"\n{path}" + (f"\n{folder}" if asked.keep else ""))
    return 1 if failures else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of some minutes; its figures are rough")
    parser.add_argument("--only", type=_targets, metavar="T1,T3", help=f"only these of {', '.join(KNOWN)}")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the JSON goes")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="sample the service; figures are lower then")
    parser.add_argument("--keep", action="store_true", help="keep the databases and logs, in the temporary folder")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service")
    asked = parser.parse_args(arguments)
    if any("=" not in pair for pair in asked.set):
        parser.error("--set needs NAME=VALUE")
    return asked


def _targets(text: str) -> list[str]:
    names = [name.strip().upper() for name in text.split(",")]
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    return names


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


async def _run(bench: Workbench, wanted: frozenset[str]) -> tuple[list[Figure], list[str]]:
    figures: list[Figure] = []
    failures: list[str] = []
    until = time.monotonic() + WHOLE
    for targets, measure in MEASUREMENTS:
        if not targets & wanted:
            continue
        name = ", ".join(sorted(targets))
        print(f"  measuring {name} …", file=sys.stderr, flush=True)
        try:
            async with asyncio.timeout(min(EACH, max(1.0, until - time.monotonic()))):
                figures += await measure(bench)
        except (CannotMeasure, OSError, RuntimeError) as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")
    return figures, failures


def _write(path: Path, head: dict[str, Any], figures: list[Figure]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
    path.write_text(json.dumps({**head, "figures": lines}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
