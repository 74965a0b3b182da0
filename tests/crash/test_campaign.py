"""A very small crash campaign, on both engines: the rig works, and what it sees is what was promised.

`make crash` is the same, larger. That its checker catches what it should is in test_checker.py.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from app.faults import POINTS
from bench.child import ROOT
from bench.crash import campaign, table
from bench.crash.campaign import Result
from bench.crash.checker import RULES
from bench.crash.plan import KILL, PAUSE, SHORT, TERM, Deck, Size, make

SMALL = Size(leads=20, deaths=1, stops=2, database_restarts=1, minutes=0.3, worlds=1)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What came of one, with a seed of its own."""
    with asyncio.Runner() as runner:
        return runner.run(campaign.run(SMALL, ["sqlite", "postgresql"], 20261, tmp_path_factory.mktemp("crash")))


def test_processes_die_and_nothing_that_was_promised_is_broken(result: Result) -> None:
    assert result.violations == []
    for plan in result.plans:
        assert plan.deaths.done.total() > 0, "they died, as far as the time reached"
        histories = [history for engine, history in result.histories if engine == plan.engine]
        assert sum(bool(one.leads) for history in histories for one in history.submissions) > 0
        assert sum(call.rung for history in histories for call in history.requests) > 0
        assert all(history.settled_after is not None for history in histories)


def test_what_came_of_it_is_a_table_and_a_file(result: Result, tmp_path: Path) -> None:
    """With the seed that repeats it, every point by name, and every rule's verdict."""
    text = table.text(result)
    table.write(tmp_path / "crash.json", result, {"date": "today"})
    written = json.loads((tmp_path / "crash.json").read_text())
    assert "seed 20261" in text
    for point in POINTS:
        assert f"killed at {point}" in text
    for rule, found in written["verdicts"].items():
        assert rule in text
        assert found == {"sqlite": 0, "postgresql": 0}
    assert written["machine"] == {"date": "today"}
    assert written["seed"] == 20261


def test_every_point_and_every_verdict_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    for point in POINTS:
        assert f"| `{point}` |" in text
    for rule in RULES:
        assert f"| {rule.name} |" in text


def test_a_plan_asks_for_everything_that_was_asked_for_and_a_seed_repeats_it() -> None:
    both = make(SHORT, ["sqlite", "postgresql"], 7)
    for point in POINTS:
        assert sum(plan.deaths.asked[point] for plan in both) >= SHORT.deaths
    assert sum(plan.stops.asked.total() for plan in both) >= SHORT.stops
    assert sum(plan.leads for plan in both) >= SHORT.leads
    (alone,) = make(SHORT, ["sqlite"], 7)
    assert set(alone.deaths.asked) == {*POINTS, KILL, TERM}
    assert alone.deaths.asked["dispatch.after_intent"] == SHORT.deaths
    assert alone.stops.asked[PAUSE] > 0
    again, other = (make(SHORT, ["sqlite"], seed)[0].deaths for seed in (7, 8))
    assert _drawn(alone.deaths) == _drawn(again) != _drawn(other)


def _drawn(deck: Deck) -> list[str]:
    return [fate.where for fate in iter(deck.draw, None)]


def test_every_kind_of_fate_is_drawn_before_any_comes_again() -> None:
    rng = random.Random(1)  # noqa: S311 - no secret
    drawn = _drawn(Deck(Counter({"intake.before_accept": 2, KILL: 3, TERM: 1}), rng))
    assert [len(set(part)) for part in (drawn[:3], drawn[3:5], drawn[5:])] == [3, 2, 1]


def test_a_fate_that_was_missed_comes_again_and_earlier_in_a_life() -> None:
    rng = random.Random(1)  # noqa: S311 - no secret
    deck = Deck(Counter({"store.after_commit": 1}), rng)
    for _ in range(7):
        fate = deck.draw()
        assert fate is not None
        assert deck.draw() is None, "it is nobody else's meanwhile"
        deck.put_back(fate)
    assert deck.progress == 0
    fate = deck.draw()
    assert fate is not None
    assert fate.passage(rng) == 1
    deck.done[fate.where] += 1
    assert deck.progress == 1


def test_a_campaign_that_could_not_have_shown_anything_says_so(result: Result) -> None:
    """Nobody died, nobody was promised anything: clean, and worthless."""
    idle = Result(
        seed=1,
        size=SMALL,
        plans=make(SMALL, ["sqlite"], 1),
        histories=[],
        done={"sqlite": Counter()},
        surprises=Counter(),
        seconds=1.0,
        starts=0,
        slowest_turn=0.0,
        cpu_seconds=result.cpu_seconds,
    )
    assert "sqlite: nobody died at dispatch.after_intent" in idle.proves_nothing
    assert "sqlite: no lead was acknowledged" in idle.proves_nothing
    assert idle.missing
