"""python -m tests.simulation: one seed again, with its story, or a campaign of many."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation.campaign import MOST_FAILURES, Summary, campaign, how_to_replay, outcomes


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    arguments.add_argument("--seed", type=int, help="one world")
    arguments.add_argument("--story", action="store_true", help="with --seed: everything that happened in it")
    arguments.add_argument("--seeds", type=int, default=50_000, help="how many worlds (50000)")
    arguments.add_argument("--first", type=int, default=0, help="the first seed (0)")
    arguments.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once (the cores)")
    arguments.add_argument("--first-failure", action="store_true", help="end with the first world that fails")
    arguments.add_argument("--minutes", type=float, default=120.0, help="no world begins after that (120)")
    given = arguments.parse_args()
    return one(given.seed, story=given.story) if given.seed is not None else many(given)


def one(seed: int, *, story: bool) -> int:
    (outcome,) = outcomes([seed], tell=story)
    for line in outcome.story:
        print(line)
    if outcome.failure is not None:
        print(how_to_replay(seed, outcome.failure))
        return 1
    print(
        f"seed {seed}: {outcome.leads} leads, {outcome.requests} requests, {outcome.lasted:.0f} s of the world,"
        f" {outcome.steps} steps; schedule {outcome.schedule}, history {outcome.history}"
    )
    return 0


def many(given: argparse.Namespace) -> int:
    began, said = time.monotonic(), 0.0
    found = Summary()
    for found in campaign(
        given.first,
        given.seeds,
        processes=given.processes,
        seconds=given.minutes * 60,
        failures=1 if given.first_failure else MOST_FAILURES,
    ):
        took = time.monotonic() - began
        if took - said > 10.0:
            said = took
            print(
                f"{found.worlds} worlds, {found.worlds / took:.1f} a second, {len(found.failures)} failed", flush=True
            )
    took = time.monotonic() - began
    print(
        f"worlds {found.worlds}, failed {len(found.failures)}\n"
        f"different schedules {len(found.schedules)}, different histories {len(found.histories)}\n"
        f"leads {found.leads}, requests {found.requests}, hours of the world {found.lasted / 3600:.0f},"
        f" steps {found.steps}\n"
        f"seconds {took:.0f}, of processors {found.cpu:.0f}, worlds a second {found.worlds / max(took, 0.001):.1f}"
    )
    for what, times in sorted(found.happened.items(), key=lambda pair: -pair[1]):
        print(f"{times:10}  {what}")
    for seed, failure in found.failures[:MOST_FAILURES]:
        print(how_to_replay(seed, failure))
    return 1 if found.failures or found.worlds == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
