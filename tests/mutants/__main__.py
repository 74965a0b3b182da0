"""python -m tests.mutants: does each of the listed harms turn its tests red?"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.catalogue import Mutation, NotThere, mutations
from tests.mutants.workshop import Tried, Workshop


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    arguments.add_argument("names", nargs="*", help="only mutations whose name contains one of these")
    arguments.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once (the cores)")
    given = arguments.parse_args()
    chosen = [one for one in mutations() if not given.names or any(name in one.name for name in given.names)]
    if not chosen:
        print("no mutation has such a name")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        workshops = [Workshop(Path(folder) / str(number)) for number in range(given.processes)]
        wrong = workshops[0].all_green(sorted({test for one in chosen for test in one.tests}))
        if wrong:
            print(f"{wrong}\nthe tests must be green before anything is harmed")
            return 2
        tried = []
        for one in _tried(chosen, workshops):
            tried.append(one)
            print(_line(one), flush=True)
    survived = [one for one in tried if one.verdict != "killed"]
    for one in survived:
        print(f"\n{one.name}: {one.verdict}\n{one.output}")
    print(f"\n{len(tried)} mutations, {len(tried) - len(survived)} killed, in {time.monotonic() - began:.0f} s")
    return 1 if survived else 0


def _tried(chosen: Sequence[Mutation], workshops: Sequence[Workshop]) -> Iterator[Tried]:
    """One after the other in every workshop; they come in the order of the list."""
    free: SimpleQueue[Workshop] = SimpleQueue()
    for workshop in workshops:
        free.put(workshop)

    def work(mutation: Mutation) -> Tried:
        workshop = free.get()
        try:
            return workshop.try_out(mutation)
        except NotThere as error:
            return Tried(mutation.name, "broken", 0.0, (), str(error))
        finally:
            free.put(workshop)

    with ThreadPoolExecutor(len(workshops)) as pool:
        yield from pool.map(work, chosen)


def _line(one: Tried) -> str:
    return f"{one.verdict:9} {one.seconds:5.0f} s  {one.name:60.60}  {'; '.join(one.by):.200}"


if __name__ == "__main__":
    sys.exit(main())
