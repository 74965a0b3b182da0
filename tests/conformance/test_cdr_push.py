"""The records of a call as a CRM receives them (facts 2.1 to 2.7)."""

from __future__ import annotations

import calendar
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from .hands import Hands
from .provider import Face
from .receiver import Receiver, fields_of_form, fields_of_xml_rpc
from .rows import row

LEG1, LEG2 = "Click2Call leg1", "Click2Call leg2"
KEYS = {"caller", "target", "time", "duration", "ivruniqueid", "type", "status", "callerextension", "targetextension",
        "did", "queueid", "queuename", "record", "price", "dialtime", "representative_name",
        "representative_code"}  # fmt: skip


def connected(calling: Face, hands: Hands, **changes: object) -> str:
    """A call in which both picked up and the agent hung up; its CALLID."""
    call_id = calling(changes).call_id
    hands.answer("SIPdana1", "0501234567")
    hands.do("SIPdana1", "hangup")
    return call_id


@pytest.mark.row("CDR: two records", "CDR: status connected", "CDR: keys")
def test_a_conversation_makes_two_records_with_talk_time(calling: Face, hands: Hands, receiver: Receiver) -> None:
    """Facts 2.4: two per click2call; 2.2: the base set of keys; 2.3: ANSWER."""
    connected(calling, hands)
    records = receiver.records()
    assert set(records) == {LEG1, LEG2}
    for record in records.values():
        assert set(record) >= KEYS
        assert record["status"] == "ANSWER"
        assert record["duration"] >= 1


@pytest.mark.row("CDR: agent silent")
def test_an_agent_who_does_not_answer(calling: Face, hands: Hands, receiver: Receiver) -> None:
    """Facts 2.3: NOANSWER; a leg that was never dialled is NOTCALLED or NOTDIALED."""
    assert calling(phonemaxdialtime="1").code == 0
    records = receiver.records()
    assert records[LEG1]["status"] == "NOANSWER"
    assert records[LEG2]["status"] in {"NOTCALLED", "NOTDIALED"}
    assert records[LEG2]["duration"] == 0


@pytest.mark.parametrize(
    ("deed", "status"), [row("CDR: lead silent", None, "NOANSWER"), row("CDR: lead busy", "decline", "BUSY")]
)
def test_a_lead_who_does_not_answer(
    calling: Face, hands: Hands, receiver: Receiver, deed: str | None, status: str
) -> None:
    """Facts 2.3: NOANSWER, BUSY on leg 2, while leg 1 is ANSWER."""
    assert calling(targetmaxdialtime="1").code == 0
    hands.answer("SIPdana1")
    if deed:
        hands.do("0501234567", deed)
    records = receiver.records()
    assert (records[LEG1]["status"], records[LEG2]["status"]) == ("ANSWER", status)
    assert records[LEG2]["duration"] == 0


@pytest.mark.row("CDR: call id")
@pytest.mark.parametrize("same_id", [True, False])
def test_each_record_leads_back_to_the_call_id(calling: Face, hands: Hands, receiver: Receiver, same_id: bool) -> None:
    """Facts 2.4: the vendor says one id; in the field a leg had another: then OriginalIvrUniqueID has it."""
    hands.push_cdr_to(receiver.url, same_id=same_id)
    call_id = connected(calling, hands)
    for record in receiver.records().values():
        assert call_id in {record["ivruniqueid"], record.get("OriginalIvrUniqueID")}


@pytest.mark.row("CDR: time")
def test_time_is_israels_wall_clock(calling: Face, hands: Hands, receiver: Receiver) -> None:
    """Facts 2.6: the local wall clock written as epoch, two or three hours ahead of the true one."""
    connected(calling, hands)
    started = datetime.fromtimestamp(hands.call()["started_at"], ZoneInfo("Asia/Jerusalem"))
    for record in receiver.records().values():
        assert 0 <= record["time"] - calendar.timegm(started.timetuple()) <= 5


@pytest.mark.row("CDR: recording", "record: true", "record: false")
@pytest.mark.parametrize("record", ["true", "false"])
def test_a_recorded_conversation_has_a_link_on_leg_2(
    calling: Face, hands: Hands, receiver: Receiver, record: str
) -> None:
    """Facts 2.2 and 2.3: `record` is a link; leg 2 has the recording."""
    connected(calling, hands, record=record)
    records = receiver.records()
    assert records[LEG1]["record"] == ""
    assert records[LEG2]["record"].startswith("https://") is (record == "true")


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        row("CDR encoding: json", "json", "application/json"),
        row("CDR encoding: array", "array", "application/json"),
        row("CDR encoding: form", "form", "application/x-www-form-urlencoded"),
        row("CDR encoding: xml", "xml", "text/xml"),
    ],
)
def test_a_record_says_the_same_in_every_encoding(
    calling: Face, hands: Hands, receiver: Receiver, encoding: str, content_type: str
) -> None:
    """Facts 2.1: POST-JSON, XML-RPC or form; facts 2.2: a one-element array was seen."""
    hands.push_cdr_to(receiver.url, encoding=encoding)
    call_id = connected(calling, hands)
    sent_as, body = receiver.wait_for(2)[0]
    assert sent_as.startswith(content_type)
    match encoding:
        case "form":
            found = fields_of_form(body)
        case "xml":
            found = fields_of_xml_rpc(body)
        case "array":
            (found,) = json.loads(body)
        case _:
            found = json.loads(body)
    assert (found["type"], found["ivruniqueid"], found["status"]) == (LEG1, call_id, "ANSWER")
    assert int(found["duration"]) >= 1


@pytest.mark.row("CDR: repeated until 200")
def test_a_record_is_sent_again_until_it_is_taken(calling: Face, hands: Hands, receiver: Receiver) -> None:
    """Facts 2.7: 200 is the acknowledgement; the number of attempts is an account's setting."""
    receiver.statuses += [500, 503]
    connected(calling, hands)
    bodies = [json.loads(body) for _, body in receiver.wait_for(4)]
    assert [body["type"] for body in bodies] == [LEG1, LEG1, LEG1, LEG2]
