"""What `leadring agents` shows a person, and the ends of a pause that it takes; on the policy's clock."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from app.clock import from_datetime, to_datetime
from app.directory import Directory, parse_directory
from app.domain.open_calls import OpenCall
from app.domain.stories import AgentState
from app.moments import read_end
from app.operations_agents import rows, table

NOON = 1767607200000  # Monday 2026-01-05, 12:00 in Jerusalem
MINUTE = 60_000
JERUSALEM = ZoneInfo("Asia/Jerusalem")
TOML = """
[[sites]]
key = "main"
origins = ["https://x.example"]
[[sites]]
key = "service"
origins = ["https://x.example"]
ivr = "0722776772"
lines = 4
[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
"""
FREE = AgentState("dana", True, "available", None, False, None, None, 0)
CALL = OpenCall(
    id="attempt-1",
    lead_id="01a2090b-ed14-777e-bfe9-3a66e5e05ab9",
    agent_id="dana",
    site="main",
    phone="+972542345678",
    state="placed",
    extension="SIPdana1",
    first_leg="agent",
    call_id="c-1",
    holds_agent=True,
    received_at=NOON,
    sending_at=NOON,
    placed_at=NOON,
    unknown_at=None,
    seen_at=None,
    agent_ringing_at=None,
    agent_answered_at=None,
    line_looks=0,
)


@pytest.fixture(scope="module")
def directory() -> Directory:
    return parse_directory(TOML)


def known(directory: Directory, dana: AgentState = FREE, **lines: str) -> dict[str, AgentState]:
    """Dana is as given; the lines to the IVR are free, but for those named `line_1` and so on."""
    states = {agent: replace(FREE, id=agent) for agent in directory.agents}
    for line, state in lines.items():
        name = line.replace("line_", "service/ivr/")
        states[name] = replace(states[name], state=state)
    return {**states, "dana": dana}


def row(directory: Directory, dana: AgentState, *calls: OpenCall) -> str:
    return list(table(directory, known(directory, dana), calls, NOON))[1]


@pytest.mark.parametrize(
    ("dana", "shown"),
    [
        (FREE, "dana                 available  Dana Levi"),
        (replace(FREE, paused=True), "paused     Dana Levi            until resumed"),
        (
            replace(FREE, paused=True, paused_until=NOON + 30 * MINUTE, pause_reason="dentist"),
            "until 12:30:00 (dentist)",
        ),
        (replace(FREE, paused=True, paused_until=NOON + 1440 * MINUTE), "until 2026-01-06 12:00"),
        (replace(FREE, state="offline", until=NOON + MINUTE), "offline    Dana Levi            until 12:01:00"),
        (replace(FREE, state="blocked", until=NOON + 15 * MINUTE), "until 12:15:00"),
        (replace(FREE, presence="away", presence_until=NOON + MINUTE), "away       Dana Levi"),
    ],
)
def test_until_when_somebody_is_not_rung_is_said_on_the_policys_clock(
    directory: Directory, dana: AgentState, shown: str
) -> None:
    assert row(directory, dana).endswith(shown)


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (CALL, "lead 01a2090b-ed14"),
        (replace(CALL, seen_at=NOON), "lead 01a2090b-ed14, ringing"),
        (replace(CALL, seen_at=NOON, agent_answered_at=NOON), "lead 01a2090b-ed14, answered"),
        (replace(CALL, state="unknown"), "lead 01a2090b-ed14, nobody knows yet whether it rings"),
        (replace(CALL, holds_agent=False), "Dana Levi"),
    ],
)
def test_who_is_on_a_call_is_shown_with_the_lead_and_whether_it_rings(
    directory: Directory, call: OpenCall, shown: str
) -> None:
    assert row(directory, replace(FREE, state="on_call"), call).endswith(shown)


def test_the_lines_to_an_ivr_are_one_row(directory: Directory) -> None:
    shown = list(table(directory, known(directory, line_2="on_call"), [], NOON))
    assert shown[0].endswith("(times in Asia/Jerusalem)")
    assert [line.split() for line in shown[2:]] == [["service", "IVR", "1", "of", "4", "busy"]]
    assert len(rows(directory, known(directory), NOON)) == 5


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("18:00", "2026-01-05T18:00+02:00"),
        ("9:30", "2026-01-06T09:30+02:00"),
        ("12:00", "2026-01-06T12:00+02:00"),
        ("2h", "2026-01-05T14:00+02:00"),
        (" 1h30m ", "2026-01-05T13:30+02:00"),
        ("2026-02-01T09:00+02:00", "2026-02-01T09:00+02:00"),
    ],
)
def test_a_pause_may_end_at_a_time_of_day_after_a_while_or_at_a_date(text: str, end: str) -> None:
    """A time of day that is over is tomorrow's."""
    assert read_end(text, NOON, JERUSALEM) == from_datetime(to_datetime(NOON).fromisoformat(end))
