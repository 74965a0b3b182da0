"""Leg 1 may be the lead's and leg 2 the agent's, or an IVR: whose a phone is follows from what it is."""

import pytest

from app.sandbox import Behaviour, Sandbox, create_sandbox
from app.sandbox.calls import Side

from .conftest import Caller

LEAD, AGENT = "0501234567", "SIPdana1"
LEAD_FIRST = {"phone": LEAD, "target": AGENT}


async def _on_line(caller: Caller) -> dict[str, object]:
    listed = (await caller.http.get("/comet/API/GetExtensionsCalls", params={"code": "sandbox"})).json()["EXTENSIONS"]
    (one,) = listed
    assert one["username"] == AGENT
    (call,) = one["calls"]
    assert isinstance(call, dict)
    return call


async def test_the_agent_rings_only_after_the_lead_has_answered(caller: Caller) -> None:
    await caller.call(**LEAD_FIRST)
    call, engine = caller.sandbox.calls[0], caller.sandbox.engine
    assert (call.first, call.lead.state, call.agent.state) == ("lead", "ringing", "waiting")
    engine.answer(LEAD)
    assert (call.lead.state, call.agent.state) == ("talking", "ringing")
    engine.answer(AGENT)
    caller.clock.advance(30)
    engine.hang_up(AGENT)
    assert (call.lead.status, call.agent.status, call.ended_by) == ("ANSWER", "ANSWER", "agent")


async def test_active_calls_show_the_agent_as_leg_2(caller: Caller) -> None:
    answer = await caller.call(**LEAD_FIRST)
    caller.sandbox.engine.answer(LEAD)
    ringing = await _on_line(caller)
    caller.sandbox.engine.answer(AGENT)
    talking = await _on_line(caller)
    assert [(one["callstatus"], one["answered"]) for one in (ringing, talking)] == [("Ringing", 0), ("Talking", 1)]
    assert (talking["callerphone"], talking["ivrid"]) == (LEAD, answer["CALLID"])
    assert talking["customdata"] == {"var_lead": "0192f3"}


async def test_dial_times_and_automatic_answer_belong_to_the_leg(caller: Caller) -> None:
    await caller.call(**LEAD_FIRST, phonemaxdialtime="10", targetmaxdialtime="25", targetautoanswer="true")
    call = caller.sandbox.calls[0]
    assert (call.max_dial_time(call.lead), call.max_dial_time(call.agent)) == (10, 25)
    caller.sandbox.engine.answer(LEAD)
    caller.clock.advance(0)
    assert call.agent.state == "talking"


@pytest.mark.parametrize(
    ("script", "statuses"),
    [
        (Behaviour(lead="busy"), ("BUSY", "NOTCALLED")),
        (Behaviour(lead="unreachable"), ("CONGESTION", "NOTCALLED")),
        (Behaviour(lead="no_answer", lead_after=1), ("NOANSWER", "NOTCALLED")),
        (Behaviour(lead="decline"), ("BUSY", "NOTCALLED")),
        (Behaviour(lead="answer", agent="no_answer", agent_after=1), ("ANSWER", "NOANSWER")),
        (Behaviour(lead="answer", agent="offline"), ("ANSWER", "CHANUNAVAIL")),
        (Behaviour(lead="answer", agent="decline"), ("ANSWER", "BUSY")),
        (Behaviour(lead="answer", agent="answer", talk=1), ("ANSWER", "ANSWER")),
        (Behaviour(lead="voicemail", agent="answer", talk=1), ("VOICEMAIL", "ANSWER")),
    ],
    ids=str,
)
async def test_scripts_follow_the_person(caller: Caller, script: Behaviour, statuses: tuple[str, str]) -> None:
    caller.sandbox.set_behaviour("*", script)
    await caller.call(**LEAD_FIRST)
    caller.clock.advance(5)
    call = caller.sandbox.calls[0]
    assert (call.lead.status, call.agent.status) == statuses


async def test_terminate_ends_the_call_of_an_extension_on_leg_2(caller: Caller) -> None:
    started = await caller.call(**LEAD_FIRST)
    caller.sandbox.engine.answer(LEAD)
    ended = await caller.call(action="terminate", phone=AGENT, target=None, var_lead=None)
    assert (ended["ERRORCODE"], ended["CALLID"]) == (0, started["CALLID"])
    assert caller.sandbox.calls[0].ended_by == "terminate"


async def test_the_device_check_looks_at_the_leg_it_names(caller: Caller) -> None:
    caller.sandbox.phones.use(AGENT, "agent").online = False
    unchecked = await caller.call(**LEAD_FIRST, checkphonedevicestate="true")
    checked = await caller.call(**LEAD_FIRST, checktargetdevicestate="true")
    assert (unchecked["ERRORCODE"], checked["ERRORCODE"]) == (0, 3)


async def test_a_mobile_that_is_switched_off_is_not_noticed_by_a_device_check(caller: Caller) -> None:
    caller.sandbox.phones.use(LEAD, "lead").online = False
    assert (await caller.call(checktargetdevicestate="true"))["ERRORCODE"] == 0


def _sides(sandbox: Sandbox) -> list[Side]:
    pairs = (("0501234567", "SIPdana1"), ("SIPdana1", "0501234567"), ("0501234567", "0722776772"), ("SIPa", "SIPb"))
    return [sandbox.first_of(phone, target) for phone, target in pairs]


def test_of_two_numbers_the_first_is_the_agents_unless_the_second_is_known_to_be() -> None:
    unknown: Sandbox = create_sandbox().state.sandbox
    configured: Sandbox = create_sandbox(extensions=["SIPdana1", "0722776772"]).state.sandbox
    scripted: Sandbox = create_sandbox().state.sandbox
    scripted.set_behaviour("972722776772", Behaviour(ivr="queue"))
    assert _sides(unknown) == ["lead", "agent", "agent", "agent"]
    assert _sides(configured) == _sides(scripted) == ["lead", "agent", "lead", "agent"]


async def test_an_ivr_picks_up_by_itself_and_nobody_is_its_agent(caller: Caller) -> None:
    caller.sandbox.set_behaviour("0722776772", Behaviour(ivr="ivr", talk=20))
    caller.sandbox.set_behaviour("*", Behaviour(lead="answer", lead_after=2))
    await caller.call(phone=LEAD, target="0722776772")
    caller.clock.advance(30)
    call = caller.sandbox.calls[0]
    assert (call.first, call.lead.status, call.agent.status) == ("lead", "ANSWER", "ANSWER")
    assert (await caller.http.get("/Comet/api/GetExtensions", params={"code": "sandbox"})).json()["EXTENSIONS"] == []


async def test_a_mobile_that_stands_for_an_agent_is_no_extension_of_the_account(caller: Caller) -> None:
    await caller.call(phone="0521112233")
    listed = (await caller.http.get("/comet/API/GetExtensionsCalls", params={"code": "sandbox"})).json()
    assert listed["EXTENSIONS"] == []


async def test_a_configured_account_knows_its_targets_too() -> None:
    sandbox: Sandbox = create_sandbox(extensions=["SIPdana1"]).state.sandbox
    assert sandbox.phones.knows("SIPdana1")
    assert not sandbox.phones.knows("SIPdana2")
