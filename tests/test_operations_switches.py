"""`leadring switch`: what a person and a script read, and that it works where everything else is broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.test_cli import Run, folder, run

__all__ = ["folder", "run"]

ON = {"on": True, "since": None, "who": None, "why": None}


def test_both_are_on_until_one_is_turned(run: Run) -> None:
    assert run("migrate").code == 0
    shown = run("switch")
    assert (shown.code, shown.out.splitlines()[1:]) == (0, ["taking     on", "dialling   on"])
    assert json.loads(run("switch", "--json").out) == {"taking": ON, "dialling": ON}


def test_a_turn_shows_both_since_when_by_whom_and_why(run: Run) -> None:
    run("migrate")
    done = run("switch", "dialling", "off", "--why", "Voicenter is down")
    assert done.code == 0
    header, taking, dialling = done.out.splitlines()
    assert "(times in Asia/Jerusalem)" in header
    assert taking == "taking     on"
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf"dialling   off     since {moment} by operator \(Voicenter is down\)", dialling), dialling
    on = json.loads(run("switch", "dialling", "on", "--json").out)
    assert on["taking"] == ON
    assert (on["dialling"]["on"], on["dialling"]["who"], on["dialling"]["why"]) == (True, "operator", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", on["dialling"]["since"])


@pytest.mark.parametrize(
    "words",
    [
        ("taking",),
        ("--why", "because"),
        ("taking", "--why", "because"),
        ("taking", "sideways"),
        ("ringing", "off"),
        ("taking", "off", "now"),
    ],
)
def test_half_a_turn_is_a_mistake_and_turns_nothing(run: Run, words: tuple[str, ...]) -> None:
    run("migrate")
    done = run("switch", *words)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert json.loads(run("switch", "--json").out) == {"taking": ON, "dialling": ON}


def test_a_reason_is_kept_as_safely_as_anything_typed(run: Run) -> None:
    run("migrate")
    found = json.loads(run("switch", "taking", "off", "--why", "a\u202eb " + "c" * 500, "--json").out)
    assert found["taking"]["why"] == "ab " + "c" * 197


def test_a_broken_directory_file_keeps_nobody_from_a_switch(run: Run, folder: Path) -> None:
    run("migrate")
    (folder / "leadring.toml").write_text("[[", encoding="utf-8")
    done = run("switch", "taking", "off")
    assert done.code == 0
    assert "(times in UTC)" in done.out


def test_without_a_database_it_says_what_makes_one(run: Run) -> None:
    done = run("switch", "taking", "off")
    assert done.code == 2
    assert "no database yet" in done.err
