"""What the provider's account of the line says of agents and of calls, and what it does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from app.directory import Agent
from app.domain.line import ExtensionNow, LineCall
from app.domain.open_calls import OpenCall
from app.domain.presence import PHASES, Verdict, everybody_left, has_left, is_listed, merged, verdicts
from app.domain.states import PRESENCES
from tests.clocks import START

DANA: Final = Agent(id="dana", name="Dana", extension="SIPdana")
YOSSI: Final = Agent(id="yossi", name="Yossi", extension="SIPyossi")
LINE: Final = Agent(id="queue/ivr/1", name="Queue", extension="SIPqueue", line_of="queue")
SOMETHING: Final = LineCall(call_id="x", attempt_id=None, phone="972500000000", status="talking")
OPEN: Final = OpenCall(
    id="attempt", lead_id="lead", agent_id="dana", site="main", phone="+972541234567", state="placed",
    extension="SIPdana", first_leg="agent", call_id="c1", holds_agent=True, received_at=START, sending_at=START,
    placed_at=START, unknown_at=None, seen_at=None, agent_ringing_at=None, agent_answered_at=None, line_looks=0,
)  # fmt: skip


def a_call(**fields: Any) -> OpenCall:
    return replace(OPEN, **fields)


def line(**fields: Any) -> LineCall:
    silent: dict[str, Any] = dict.fromkeys(LineCall.__slots__)
    return LineCall(**(silent | fields))


# ------------------------------------------------------------------------------------------------ agents


@pytest.mark.parametrize(
    ("now", "logged_out", "verdict"),
    [
        (ExtensionNow("SIPdana", "in"), "free", "free"),
        (ExtensionNow("SIPdana", "in"), "away", "free"),
        (ExtensionNow("SIPdana", None), "away", "free"),
        (ExtensionNow("SIPdana", "out"), "free", "free"),
        (ExtensionNow("SIPdana", "out"), "away", "away"),
        (ExtensionNow("SIPdana", "break"), "free", "away"),
        (ExtensionNow("SIPdana", "break"), "away", "away"),
        (ExtensionNow("SIPdana", "in", (SOMETHING,)), "free", "busy"),
        (ExtensionNow("SIPdana", "out", (SOMETHING,)), "away", "busy"),
        (ExtensionNow("SIPdana", "break", (line(),)), "free", "busy"),
    ],
)
def test_a_call_makes_busy_a_break_away_and_logged_out_what_the_policy_says(
    now: ExtensionNow, logged_out: Any, verdict: str
) -> None:
    """Facts 3.2: status 2 is also what an extension shows at which nobody ever logs in."""
    assert verdicts([DANA], [now], logged_out) == {"dana": verdict}
    assert verdict == "free" or verdict in PRESENCES


def test_of_an_extension_that_is_not_told_of_nothing_is_said() -> None:
    told = [ExtensionNow("SIPsomebody", "out"), ExtensionNow("SIPyossi", "in")]
    assert verdicts([DANA, YOSSI], told, "away") == {"yossi": "free"}
    assert verdicts([DANA, YOSSI], [], "away") == {}


def test_a_line_to_an_ivr_is_nobody_and_takes_more_than_one_call() -> None:
    assert verdicts([LINE], [ExtensionNow("SIPqueue", "out", (SOMETHING,))], "away") == {}


@pytest.mark.parametrize(
    ("extension", "listed"), [("SIPdana", True), ("0541234567", False), ("SIPTRUNK", False), ("logincode", False)]
)
def test_a_telephone_number_and_the_provider_s_two_words_are_no_extension_to_be_listed(
    extension: str, listed: bool
) -> None:
    assert is_listed(replace(DANA, extension=extension)) is listed
    assert not is_listed(LINE)


@pytest.mark.parametrize(
    ("before", "after", "doubtful"),
    [
        ({}, {"a": "away", "b": "away"}, True),
        ({"a": "free", "b": "away"}, {"a": "away", "b": "away"}, True),
        ({"a": "busy", "b": "busy"}, {"a": "away", "b": "away"}, True),
        ({"a": "away", "b": "away"}, {"a": "away", "b": "away"}, False),
        ({"a": "free", "b": "free"}, {"a": "away", "b": "free"}, False),
        ({"a": "free", "b": "free"}, {"a": "away", "b": "busy"}, False),
        ({"a": "free"}, {"a": "away"}, False),
        ({}, {}, False),
    ],
)
def test_everybody_s_leaving_at_once_is_doubtful_and_one_s_leaving_is_not(
    before: dict[str, Verdict], after: dict[str, Verdict], doubtful: bool
) -> None:
    assert everybody_left(before, after) is doubtful


# ------------------------------------------------------------------------------------------------- calls


IDLE: Final = ExtensionNow("SIPdana", "in")
HIDE: Final = 60_000


@pytest.mark.parametrize(
    ("call", "told", "passed", "left"),
    [
        (a_call(seen_at=START), [IDLE], 0, True),
        (a_call(), [IDLE], HIDE, False),
        (a_call(), [IDLE], HIDE + 1, True),
        (a_call(seen_at=START), [], HIDE + 1, False),
        (a_call(seen_at=START), [ExtensionNow("SIPyossi", "in")], HIDE + 1, False),
        (a_call(seen_at=START), [ExtensionNow("SIPdana", "in", (SOMETHING,))], HIDE + 1, False),
        (a_call(placed_at=None), [IDLE], HIDE + 1, False),
    ],
    ids=[
        "seen before",
        "may be hidden",
        "hidden too long",
        "nobody listed",
        "not listed",
        "another call",
        "not placed",
    ],
)
def test_a_call_has_left_only_where_its_extension_is_listed_and_idle(
    call: OpenCall, told: list[ExtensionNow], passed: int, left: bool
) -> None:
    assert has_left(call, told, START + passed, may_hide=HIDE, changed_at=START + 1) is left


def test_a_call_that_was_never_seen_has_not_left_an_account_that_did_not_change() -> None:
    for changed_at, left in ((START - 1, False), (START, False), (START + 1, True)):
        assert has_left(a_call(), [IDLE], START + HIDE + 1, may_hide=HIDE, changed_at=changed_at) is left
    assert has_left(a_call(seen_at=START), [IDLE], START + 1, may_hide=HIDE, changed_at=0)


def test_an_extension_that_is_listed_twice_has_the_calls_of_both() -> None:
    twice = [ExtensionNow("SIPdana", None, (SOMETHING,)), IDLE, ExtensionNow("SIPyossi", "in")]
    assert merged(twice) == [ExtensionNow("SIPdana", "in", (SOMETHING,)), ExtensionNow("SIPyossi", "in")]
    assert merged([IDLE, ExtensionNow("SIPdana", "out", (SOMETHING,))])[0].calls == (SOMETHING,)


def test_dialing_on_the_agent_s_extension_means_the_lead_s_phone_rings_only_where_the_agent_was_rung_first() -> None:
    """Facts 3.2 name the words; what a click-to-call leg looks like there is not documented."""
    assert PHASES["agent"] == {"ringing": "agent_ringing", "dialing": "lead_ringing", "talking": "talking"}
    assert PHASES["lead"].get("dialing") is None
    assert PHASES["lead"]["ringing"] == "agent_ringing"
