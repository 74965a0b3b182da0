"""docs/replay.md shows what the command really prints, and names everything that it can say."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import time_machine
from typer.main import get_command

from app.cli import cli
from app.service.replay.figures import Figures
from app.service.replay.habits import Habits
from app.service.replay.ledger import RESULTS
from app.service.replay.run import replay
from app.service.replay.words import _RESULTS as WORDS
from tests.replay.days import FRIDAY, clock, directory, generated, toml
from tests.replay.stored import write_file
from tests.test_cli import Run, folder, run

__all__ = ["folder", "run"]

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
AGENTS = ("dana", "yossi", "noa", "amir")
DESK = """
[hours.desk]
sun-thu = ["09:00-12:30", "13:00-18:00"]
[hours.early]
sun-thu = ["09:00-12:30"]
"""
EXAMPLE = re.findall(r"```\n(Thursday .*?)```", PAGE, re.DOTALL)


@pytest.fixture(autouse=True)
def friday_morning(folder: Path, sqlite_template: Path) -> Iterator[None]:
    """The day of the page, and the two files: Noa goes home at half past twelve, the others have lunch then, and
    the cool-down is two hours."""
    off = 'calls = "off"\n'
    hours = dict.fromkeys(AGENTS, "desk") | {"noa": "early"}
    changed = off + 'cooldown = { mode = "hold", per_phone = ["1/2 hours"] }'
    (folder / "leadring.toml").write_text(toml(AGENTS, guards=off), encoding="utf-8")
    (folder / "new.toml").write_text(toml(hours, guards=changed, more=DESK), encoding="utf-8")
    (folder / "leadring.db").write_bytes(sqlite_template.read_bytes())
    write_file(f"sqlite:///{folder}/leadring.db", generated(260, AGENTS))
    with time_machine.travel(clock(8, day=FRIDAY) / 1000, tick=False):
        yield


def test_the_example_is_what_is_printed(run: Run) -> None:
    done = run("replay", "--config", "new.toml")
    assert done.code == 0
    assert [done.out] == EXAMPLE


def test_every_option_is_explained() -> None:
    command = get_command(cli).commands["replay"]  # type: ignore[attr-defined]
    for parameter in command.params:
        assert f"`{parameter.opts[0]}" in PAGE, parameter.opts[0]


def test_every_result_and_every_figure_of_the_json_is_named(run: Run) -> None:
    found = json.loads(run("replay", "--config", "new.toml", "--json").out)
    for name in (*found, *RESULTS, *(field.name for field in fields(Figures)), "deadline_share"):
        assert f"`{name}`" in PAGE, name


def test_every_result_has_words_of_its_own() -> None:
    assert set(WORDS) == set(RESULTS)
    assert len(set(WORDS.values())) == len(RESULTS)


def test_the_page_is_found_from_the_others() -> None:
    for page in ("README.md", "docs/operations.md", "docs/routing.md"):
        assert "replay.md" in (ROOT / page).read_text(encoding="utf-8"), page


def test_a_busy_day_is_replayed_in_seconds() -> None:
    """Of processor time, so that a busy machine does not count: measured, a tenth of this."""
    agents = tuple(f"agent{number}" for number in range(20))
    day = generated(2000, agents)
    habits, file = Habits(day, 1), directory(agents, guards='calls = "off"')
    began = time.process_time()
    ledger = replay(day, file, habits, deadline_then=40)
    assert len(ledger.calls) > 1500
    assert time.process_time() - began < 15
