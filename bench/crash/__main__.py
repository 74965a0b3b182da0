"""`python -m bench.crash`: a campaign of faults against real processes; the table, JSON in bench/results/, a verdict.

Ends with 1 when a promise was broken, with 2 when the campaign could not have shown it, with 0 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop

from app.faults import POINTS
from bench import machine
from bench.child import ROOT
from bench.crash import campaign, table
from bench.crash.plan import LONG, SHORT, EngineName, Size
from tests.servers import postgres_binaries, redis_binary

ENGINES: Final[dict[str, tuple[EngineName, ...]]] = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql",),
    "both": ("sqlite", "postgresql"),
}
FILES: Final = 8192  # open files


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    asked = _arguments(arguments)
    size = _size(asked)
    engines = ENGINES[asked.engine]
    if "postgresql" in engines:
        try:
            postgres_binaries(), redis_binary()
        except RuntimeError as missing:
            raise SystemExit(f"{missing} (or --engine sqlite)") from None
    seen = machine.describe()
    seen["cores"] = str(len(machine.CORES))
    _allow_files()
    folder = Path(tempfile.mkdtemp(prefix="leadring-crash-"))
    print("\n".join(f"{name:12} {value}" for name, value in seen.items()))
    print(f"{'seed':12} {asked.seed}   (--seed {asked.seed} repeats the plan)", flush=True)
    kept = asked.keep
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(campaign.run(size, engines, asked.seed, folder))
        kept = kept or bool(result.violations)
    except KeyboardInterrupt:
        return 130
    except BaseException:
        kept = True
        raise
    finally:
        if kept:
            print(f"\ndatabases and logs are kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n" + table.text(result))
    path = asked.json or ROOT / "bench" / "results" / f"crash-{seen['date'].replace(':', '')[:17]}.json"
    table.write(path, result, seen)
    print(f"\n{path}")
    if result.violations:
        return 1
    return 2 if result.proves_nothing else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31), help="repeats a plan")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="both")
    parser.add_argument("--short", action="store_true", help="a few minutes, for every change")
    parser.add_argument("--leads", type=int, metavar="N", help="leads, over all engines together")
    parser.add_argument("--deaths", type=int, metavar="N", help="deaths at each named point, together")
    parser.add_argument("--stops", type=int, metavar="N", help="times a process stands still past a lease, together")
    parser.add_argument("--restarts", type=int, metavar="N", help="restarts of PostgreSQL")
    parser.add_argument("--at", action="append", choices=POINTS, metavar="POINT", help="only at this point; repeatable")
    parser.add_argument("--worlds", type=int, metavar="N", help="databases of each engine at a time")
    parser.add_argument("--minutes", type=float, metavar="M", help="after so long no more faults, whatever is left")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the JSON goes")
    parser.add_argument("--keep", action="store_true", help="keep databases and logs, as after a broken promise")
    return parser.parse_args(arguments)


def _size(asked: argparse.Namespace) -> Size:
    size = SHORT if asked.short else LONG
    given = {
        "leads": asked.leads,
        "deaths": asked.deaths,
        "stops": asked.stops,
        "database_restarts": asked.restarts,
        "worlds": asked.worlds,
        "minutes": asked.minutes,
        "points": tuple(asked.at) if asked.at else None,
    }
    return replace(size, **{name: value for name, value in given.items() if value is not None})


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


if __name__ == "__main__":
    sys.exit(main())
