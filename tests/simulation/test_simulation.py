"""The whole service, several replicas of it, in worlds that go wrong in every way a seed can think of.

What holds in each of them: tests/simulation/witness.py. A seed that fails is printed with what is needed to see it
again. `python -m tests.simulation --seeds 50000` is the long run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.campaign import how_to_replay, outcomes, summary_of
from tests.simulation.world import Outcome

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = 150
REPLAYED = 11
# What must have come about among so many worlds, or they are too tame to prove anything.
HAS_TO_HAPPEN = (
    "dispatcher: placed dialing",
    "dispatcher: unknown dialing",
    "dispatcher: not_sent waiting",
    "dispatcher: refused waiting",
    "dispatcher: refused held",
    "dispatcher: agent_offline waiting",
    "sweeper: unknown dialing",
    "sweeper: lapsed waiting",
    "sweeper: unreported exhausted",
    "presence: confirmed dialing",
    "presence: call_left dialing",
    "call log: absent held",
    "call log: connected connected",
    "call log: agent_no_answer waiting",
    "call log: exhausted exhausted",
    "intake: scheduled waiting",
    "guard: held held",
    "operator: released waiting",
    "lead: cancelled cancelled",
    "widget: joined ",
    "a visitor is asked to wait",
    "a visitor is refused: Unavailable",
    "a push failed",
    "a replica is gone",
    "a replica stands still",
    "a replica is asked to end",
    "the database is away",
    "the clock is put right",
    "two poll",
)


def test_in_every_world_the_promises_are_kept() -> None:
    found = summary_of(range(SEEDS))
    assert not found.failures, "\n".join(how_to_replay(seed, failure) for seed, failure in found.failures)
    assert found.worlds == SEEDS
    tame = [what for what in HAS_TO_HAPPEN if not found.happened[what]]
    assert not tame, "the worlds have become too tame: choose other chances in temper.py"
    assert len(found.schedules) == SEEDS, "no two worlds went the same way"
    assert found.leads > 2 * SEEDS
    assert found.requests > 4 * SEEDS


@pytest.fixture(scope="module")
def played() -> Outcome:
    (outcome,) = outcomes([REPLAYED], tell=True)
    return outcome


def test_a_seed_tells_the_same_story_again(played: Outcome) -> None:
    (again,) = outcomes([REPLAYED], tell=True)
    assert again.story == played.story


def test_a_seed_tells_the_same_story_in_another_process(played: Outcome) -> None:
    """Whatever the order of sets there, and whatever was simulated before."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(REPLAYED), "--story"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.splitlines()[:-1] == list(played.story)


def test_what_happens_before_does_not_change_a_world(played: Outcome) -> None:
    *_, after = outcomes([3, REPLAYED])
    assert (after.schedule, after.history) == (played.schedule, played.history)
