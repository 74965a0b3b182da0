"""When a call ends, two records are pushed, and pushed again until somebody takes them."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import fromstring

import pytest

from app.sandbox import Behaviour
from app.sandbox.cdr import price

from .conftest import Caller
from .receiver import Receiver, receiving


@pytest.fixture
async def receiver(caller: Caller) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, url=receiver.url, delay=0, pause=1)
        caller.sandbox.set_behaviour("*", Behaviour(agent="answer", agent_after=4, lead="answer", talk=11))
        yield receiver


def _records(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in receiver.taken]


async def _push(caller: Caller, tries: int = 2) -> None:
    """Run calls to their end, and the clock on until that many tries were made."""
    for _ in range(1000):
        caller.clock.advance(1)
        try:
            await caller.sandbox.wait_for_cdr(tries, timeout=0.01)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"no {tries} pushes")


async def test_a_conversation_makes_two_records_that_name_the_call(caller: Caller, receiver: Receiver) -> None:
    answer = await caller.call(record="true")
    await _push(caller)
    leg1, leg2 = _records(receiver)
    assert (leg1["type"], leg1["status"], leg1["ivruniqueid"]) == ("Click2Call leg1", "ANSWER", answer["CALLID"])
    assert (leg1["targetextension"], leg1["dialtime"]) == ("SIPdana1", 4)
    assert (leg2["type"], leg2["status"], leg2["duration"]) == ("Click2Call leg2", "ANSWER", 11)
    assert (leg2["callerextension"], leg2["target"]) == ("SIPdana1", "972501234567")
    assert leg2["leg1DialStatusName"] == "ANSWER"
    assert leg2["ivruniqueid"] != answer["CALLID"]
    assert leg2["OriginalIvrUniqueID"] == answer["CALLID"]
    assert leg2["record"].endswith(".mp3")
    assert leg1["record"] == ""
    assert leg1["CustomData"] == leg2["CustomData"] == {"var_lead": "0192f3"}


async def test_time_is_the_wall_clock_of_israel(caller: Caller, receiver: Receiver) -> None:
    await caller.call()
    call_id = caller.sandbox.calls[0].call_id
    await _push(caller)
    shown = datetime.fromtimestamp(_records(receiver)[0]["time"], UTC)
    assert shown.strftime("%Y%m%d%H%M%S") == call_id[:14]
    assert _records(receiver)[0]["time"] - caller.sandbox.calls[0].started_at in {7200, 10800}


async def test_an_agent_who_does_not_answer_leaves_leg_2_not_called(caller: Caller, receiver: Receiver) -> None:
    caller.sandbox.set_behaviour("*", Behaviour(agent="no_answer", agent_after=3))
    await caller.call(record="true")
    await _push(caller)
    leg1, leg2 = _records(receiver)
    assert (leg1["status"], leg1["duration"], leg1["dialtime"]) == ("NOANSWER", 0, 3)
    assert (leg2["status"], leg2["leg1DialStatusName"], leg2["record"]) == ("NOTCALLED", "NOANSWER", "")


async def test_records_can_come_twice_backwards_and_under_one_id(caller: Caller, receiver: Receiver) -> None:
    caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, duplicate=True, reverse=True, same_id=True)
    answer = await caller.call()
    await _push(caller, tries=4)
    assert [one["type"][-4:] for one in _records(receiver)] == ["leg2", "leg2", "leg1", "leg1"]
    assert {one["ivruniqueid"] for one in _records(receiver)} == {answer["CALLID"]}
    assert all("OriginalIvrUniqueID" not in one for one in _records(receiver))


@pytest.mark.parametrize(("wanted", "types"), [("none", []), ("leg1", ["leg1"]), ("leg2", ["leg2"])])
async def test_a_script_can_swallow_records(caller: Caller, receiver: Receiver, wanted: Any, types: list[str]) -> None:
    caller.sandbox.set_behaviour("SIPdana1", Behaviour(cdr=wanted))
    await caller.call()
    caller.clock.advance(60)
    await caller.call(phone="SIPnoa02")
    await _push(caller, tries=len(types) + 2)
    swallowed = [one for one in _records(receiver) if one["extenUser"] == "SIPdana1"]
    assert [one["type"][-4:] for one in swallowed] == types


@pytest.mark.parametrize("encoding", ["array", "string", "nested", "form", "xml"])
async def test_records_come_in_every_encoding_of_the_vendor(caller: Caller, receiver: Receiver, encoding: Any) -> None:
    caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, encoding=encoding)
    answer = await caller.call()
    await _push(caller)
    content_type, body = receiver.taken[0]
    match encoding:
        case "array":
            (record,) = json.loads(body)
            assert record["CustomData"] == {"var_lead": "0192f3"}
        case "string":
            text = json.loads(body)
            assert isinstance(text, str)
            record = json.loads(text)
            assert record["CustomData"] == {"var_lead": "0192f3"}
        case "nested":
            record = json.loads(body)
            assert record["CustomData"] == '{"var_lead": "0192f3"}'
        case "form":
            assert content_type == "application/x-www-form-urlencoded"
            record = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            assert json.loads(record["CustomData"]) == {"var_lead": "0192f3"}
        case _:
            assert content_type.startswith("text/xml")
            members = fromstring(body).iter("member")  # noqa: S314 - our own
            record = {str(one.findtext("name")): str(one.findtext("value/string")) for one in members}
    assert record["ivruniqueid"] == answer["CALLID"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("custom_data", {"CustomData": {"var_lead": "0192f3"}}),
        ("CUSTOM_DATA", {"CUSTOM_DATA": {"var_lead": "0192f3"}}),
        ("top", {"var_lead": "0192f3"}),
        ("none", {}),
    ],
)
async def test_variables_come_back_where_they_were_told_to(
    caller: Caller, receiver: Receiver, where: Any, found: dict[str, object]
) -> None:
    caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, variables=where)
    await caller.call()
    await _push(caller)
    for record in _records(receiver):
        assert {name: value for name, value in record.items() if "custom" in name.lower() or "var" in name} == found


async def test_leg_2_may_have_an_id_of_its_own_and_name_no_other(caller: Caller, receiver: Receiver) -> None:
    caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, original_id=False)
    answer = await caller.call()
    await _push(caller)
    leg1, leg2 = _records(receiver)
    assert leg1["ivruniqueid"] == answer["CALLID"] != leg2["ivruniqueid"]
    assert len(leg2["ivruniqueid"]) == 32
    assert "OriginalIvrUniqueID" not in leg2


async def test_with_the_lead_first_leg_1_is_the_leads(caller: Caller, receiver: Receiver) -> None:
    caller.sandbox.set_behaviour("*", Behaviour(agent="answer", agent_after=4, lead="answer", lead_after=7, talk=61))
    await caller.call(phone="0501234567", target="SIPdana1", record="true")
    await _push(caller)
    leg1, leg2 = _records(receiver)
    assert (leg1["type"], leg1["target"], leg1["targetextension"]) == ("Click2Call leg1", "972501234567", "")
    assert (leg1["dialtime"], leg1["duration"], leg1["price"]) == (7, 65, 24)
    assert (leg2["type"], leg2["target"], leg2["targetextension"]) == ("Click2Call leg2", "SIPdana1", "SIPdana1")
    assert (leg2["dialtime"], leg2["duration"], leg2["price"], leg2["leg1DialStatusName"]) == (4, 61, 0, "ANSWER")
    assert leg2["record"].endswith(".mp3")
    assert {(one["extenUser"], one["callerPhone"]) for one in (leg1, leg2)} == {("SIPdana1", "0501234567")}
    assert leg2["time"] - leg1["time"] == 7


@pytest.mark.parametrize(
    ("kind", "ivr_record", "types"),
    [
        ("ivr", "none", ["Click2Call leg1", "Click2Call leg2"]),
        ("ivr", "added", ["Click2Call leg1", "Click2Call leg2", "Click 2 IVR"]),
        ("ivr_incoming", "instead", ["Click2Call leg1", "Click 2 IVR Incoming"]),
        ("queue", "instead", ["Click2Call leg1", "Click 2 Queue Incoming"]),
    ],
)
async def test_a_call_to_an_ivr_may_have_a_record_of_its_own_kind(
    caller: Caller, receiver: Receiver, kind: Any, ivr_record: Any, types: list[str]
) -> None:
    caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, ivr_record=ivr_record)
    caller.sandbox.set_behaviour("0722776772", Behaviour(ivr=kind))
    await caller.call(phone="0501234567", target="0722776772")
    await _push(caller, tries=len(types))
    records = _records(receiver)
    assert [one["type"] for one in records] == types
    assert {one["extenUser"] for one in records} == {""}
    assert records[-1]["target"] == "972722776772"


@pytest.mark.parametrize(
    ("number", "seconds", "agorot"),
    [
        ("SIPdana1", 600, 0),
        ("0501234567", 0, 0),
        ("972501234567", 1, 12),
        ("035123456", 61, 10),
        ("14155550100", 60, 45),
    ],
)
def test_a_leg_costs_by_the_minute_begun(number: str, seconds: int, agorot: int) -> None:
    assert price(number, seconds) == agorot


async def test_a_push_that_is_not_taken_is_tried_three_times_with_growing_pauses(
    caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [500, 201, 404]
    caller.sandbox.set_behaviour("*", Behaviour(agent="busy"))
    await caller.call()
    await _push(caller, tries=4)
    log = [(one.type[-4:], one.attempt, one.status) for one in caller.sandbox.cdr.log]
    assert log == [("leg1", 1, 500), ("leg1", 2, 201), ("leg1", 3, 404), ("leg2", 1, 200)]
    first, second, third = (one.at for one in list(caller.sandbox.cdr.log)[:3])
    assert second - first >= 1
    assert third - second >= 2


async def test_a_receiver_that_is_not_there_is_noted(caller: Caller, receiver: Receiver) -> None:
    caller.sandbox.cdr.options = replace(caller.sandbox.cdr.options, url="http://127.0.0.1:9/nobody", attempts=1)
    await caller.call()
    await _push(caller)
    shown = (await caller.http.get("/sandbox/cdr")).json()["pushed"]
    assert [one["status"] for one in shown] == [None, None]
    assert shown[0]["error"].startswith("ConnectError")
    assert receiver.taken == []


async def test_impossible_options_are_refused(caller: Caller) -> None:
    for wrong in ({"encoding": "yaml"}, {"attempts": 0}, {"delay": -1}, {"variables": "x"}, {"ivr_record": "x"}):
        assert (await caller.http.put("/sandbox/cdr", json=wrong)).status_code == 422
