"""Two legs, one after the other, and every way they can end. Time is moved by hand."""

import pytest

from app.sandbox import Behaviour
from app.sandbox.calls import Call
from app.sandbox.engine import CannotError

from .conftest import Caller


def _states(call: Call) -> tuple[str, str]:
    return call.agent.state, call.lead.state


def _statuses(call: Call) -> tuple[str, str]:
    return call.agent.status, call.lead.status


async def test_the_lead_rings_only_after_the_agent_has_answered(caller: Caller) -> None:
    await caller.call()
    call, engine = caller.sandbox.calls[0], caller.sandbox.engine
    assert _states(call) == ("ringing", "waiting")
    with pytest.raises(CannotError):
        engine.answer("0501234567")
    caller.clock.advance(4)
    engine.answer("SIPdana1")
    assert _states(call) == ("talking", "ringing")
    caller.clock.advance(5)
    engine.answer("972501234567")
    assert _states(call) == ("talking", "talking")
    caller.clock.advance(61)
    engine.hang_up("0501234567")
    assert _statuses(call) == ("ANSWER", "ANSWER")
    assert call.ended_by == "lead"
    assert (call.agent.ring_seconds, call.lead.ring_seconds, call.lead.talk_seconds) == (4, 5, 61)


async def test_the_agent_rings_for_phonemaxdialtime_and_the_lead_is_never_called(caller: Caller) -> None:
    await caller.call(phonemaxdialtime="20")
    call = caller.sandbox.calls[0]
    caller.clock.advance(19.9)
    assert call.live
    caller.clock.advance(0.2)
    assert _statuses(call) == ("NOANSWER", "NOTCALLED")


async def test_dial_time_is_a_minute_when_nobody_says(caller: Caller) -> None:
    await caller.call()
    caller.sandbox.engine.ignore("SIPdana1")
    caller.clock.advance(59)
    assert caller.sandbox.calls[0].live
    caller.clock.advance(1)
    assert not caller.sandbox.calls[0].live


async def test_the_lead_rings_for_targetmaxdialtime(caller: Caller) -> None:
    await caller.call(targetmaxdialtime="30")
    caller.sandbox.engine.answer("SIPdana1")
    caller.clock.advance(30)
    assert _statuses(caller.sandbox.calls[0]) == ("ANSWER", "NOANSWER")


async def test_maxduration_ends_a_conversation(caller: Caller) -> None:
    caller.sandbox.set_behaviour("*", Behaviour(agent="answer", lead="answer"))
    await caller.call(maxduration="120")
    caller.clock.advance(119)
    assert _states(caller.sandbox.calls[0]) == ("talking", "talking")
    caller.clock.advance(1)
    assert caller.sandbox.calls[0].ended_by == "maxduration"


@pytest.mark.parametrize(
    ("script", "statuses"),
    [
        (Behaviour(agent="decline", agent_after=2), ("CANCEL", "NOTCALLED")),
        (Behaviour(agent="busy"), ("BUSY", "NOTCALLED")),
        (Behaviour(agent="offline"), ("CHANUNAVAIL", "NOTCALLED")),
        (Behaviour(agent="no_answer", agent_after=3), ("NOANSWER", "NOTCALLED")),
        (Behaviour(agent="answer", lead="busy"), ("ANSWER", "BUSY")),
        (Behaviour(agent="answer", lead="unreachable"), ("ANSWER", "CONGESTION")),
        (Behaviour(agent="answer", lead="decline", lead_after=1), ("ANSWER", "BUSY")),
        (Behaviour(agent="answer", lead="no_answer", lead_after=1), ("ANSWER", "NOANSWER")),
        (Behaviour(agent="answer", lead="answer", talk=1), ("ANSWER", "ANSWER")),
        (Behaviour(agent="answer", lead="voicemail", talk=1), ("ANSWER", "VOICEMAIL")),
    ],
    ids=str,
)
async def test_a_script_decides_how_both_legs_end(caller: Caller, script: Behaviour, statuses: tuple[str, str]) -> None:
    caller.sandbox.set_behaviour("*", script)
    assert (await caller.call())["ERRORCODE"] == 0
    caller.clock.advance(5)
    assert _statuses(caller.sandbox.calls[0]) == statuses


async def test_hanging_up_while_the_lead_rings_is_a_cancel(caller: Caller) -> None:
    await caller.call()
    caller.sandbox.engine.answer("SIPdana1")
    caller.sandbox.engine.hang_up("SIPdana1")
    assert _statuses(caller.sandbox.calls[0]) == ("ANSWER", "CANCEL")


async def test_a_second_call_to_a_busy_extension_is_accepted_and_its_first_leg_is_busy(caller: Caller) -> None:
    await caller.call()
    second = await caller.call(target="0529999999")
    assert second["ERRORCODE"] == 0
    assert _statuses(caller.sandbox.calls[1]) == ("BUSY", "NOTCALLED")
    assert caller.sandbox.calls[0].live


async def test_a_lead_who_is_on_the_phone_is_busy(caller: Caller) -> None:
    caller.sandbox.set_behaviour("*", Behaviour(agent="answer"))
    await caller.call()
    caller.clock.advance(1)
    await caller.call(phone="SIPnoa02")
    caller.clock.advance(1)
    assert _statuses(caller.sandbox.calls[1]) == ("ANSWER", "BUSY")


async def test_automatic_answer_picks_up_at_once(caller: Caller) -> None:
    await caller.call(phoneautoanswer="true", target="SIPother", targetautoanswer="1")
    caller.clock.advance(0)
    assert _states(caller.sandbox.calls[0]) == ("talking", "talking")


async def test_an_ended_call_frees_both_phones_and_its_timers_are_gone(caller: Caller) -> None:
    await caller.call()
    caller.sandbox.engine.decline("SIPdana1")
    await caller.call()
    caller.clock.advance(59)
    assert [call.live for call in caller.sandbox.calls] == [False, True]
    assert caller.sandbox.calls[0].agent.cause == "Call Rejected"
