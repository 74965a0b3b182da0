"""A CDR is read however it was wrapped, and nothing that is pushed can make the reader fall over."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ports import CallRecord
from app.voicenter.cdr import decode_body, read_call_records

# Composed from documented keys (facts 2.2): no raw Click2Call CDR is public.
LEG2: dict[str, Any] = {
    "caller": "0722776772",
    "target": "972501234567",
    "time": 1595960350,
    "duration": 11,
    "ivruniqueid": "2020072818abcdef",
    "type": "Click2Call leg2",
    "status": "ANSWER",
    "callerextension": "KGpK4iWq",
    "targetextension": "",
    "did": "",
    "queueid": 0,
    "record": "https://cpanel.voicenter.co.il/CallsHistory/PlayRecord/1.mp3",
    "price": 3,
    "dialtime": 2,
    "CustomData": {"var_lead": "lead-1", "var_attempt": "attempt-1"},
}
READ = CallRecord(
    call_id="2020072818abcdef",
    original_call_id=None,
    leg=2,
    type="Click2Call leg2",
    status="ANSWER",
    talk_seconds=11,
    ring_seconds=2,
    agent_leg_status=None,
    extension="KGpK4iWq",
    phone="972501234567",
    attempt_id="attempt-1",
    lead_id="lead-1",
    recording="https://cpanel.voicenter.co.il/CallsHistory/PlayRecord/1.mp3",
    price="3",
    raw_time=1595960350,
)


def one(fields: dict[str, Any]) -> CallRecord:
    (record,) = read_call_records(json.dumps(fields))
    return record


def as_xml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "<struct>"
            + "".join(f"<member><name>{k}</name><value>{as_xml(v)}</value></member>" for k, v in value.items())
            + "</struct>"
        )
    if isinstance(value, list):
        return "<array><data>" + "".join(f"<value>{as_xml(item)}</value>" for item in value) + "</data></array>"
    return f"<int>{value}</int>" if isinstance(value, int) else f"<string>{value}</string>"


def call_of(*parameters: Any) -> str:
    written = "".join(f"<param><value>{as_xml(each)}</value></param>" for each in parameters)
    return f'<?xml version="1.0"?>\n<methodCall><methodName>cdr</methodName><params>{written}</params></methodCall>'


FLAT = {**LEG2, "CustomData": json.dumps(LEG2["CustomData"])}
BODIES = {
    "object": json.dumps(LEG2),
    "byte order mark": "\ufeff\n " + json.dumps(LEG2),
    "array of one": json.dumps([LEG2]),
    "string": json.dumps(json.dumps(LEG2)),
    "array of a string": json.dumps([json.dumps(LEG2)]),
    "form": urlencode(FLAT),
    "form with custom data by name": urlencode(
        {**{k: v for k, v in LEG2.items() if k != "CustomData"}, "CustomData[var_lead]": "lead-1"}
        | {"CustomData[var_attempt]": "attempt-1"}
    ),
    "form whose only value is json": urlencode({"data": json.dumps(LEG2)}),
    "form whose only value is an array": urlencode({"data": json.dumps([LEG2])}),
    "form whose only name is json": urlencode({json.dumps(LEG2): ""}),
    "json with a form's last sign": json.dumps(LEG2) + "=",
    "xml-rpc": call_of(LEG2),
    "xml-rpc with custom data as text": call_of(FLAT),
    "xml-rpc array": call_of([LEG2]),
    "upper case": json.dumps({name.upper(): value for name, value in LEG2.items()}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_same_record_is_read_out_of_every_wrapping(body: str) -> None:
    assert read_call_records(body) == [READ]


@pytest.mark.parametrize("body", [json.dumps([LEG2, LEG2]), call_of(LEG2, LEG2), call_of([LEG2, LEG2])])
def test_several_records_in_one_push_are_all_read(body: str) -> None:
    assert read_call_records(body) == [READ, READ]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "  \n",
        "\ufeff",
        "ping",
        "null",
        "[]",
        "{}",
        "7",
        '"x"',
        '{"test": 1}',
        '{"status": "ok"}',
        "a=b&c=d",
        "<html></html>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]>" + call_of(LEG2).partition("\n")[2],
        "{" + '"a":{' * 50_000,
        "[" * 100_000,
        "<a>" * 50_000,
        "<value>" * 5_000 + "</value>" * 5_000,
        "&" * 50_000,
        "\x00\x00",
        "\ud800",
        "<\ud800>",
    ],
    ids=range(22),
)
def test_what_says_nothing_of_a_call_is_no_record(body: str) -> None:
    assert read_call_records(body) == []


@pytest.mark.parametrize(
    ("kind", "leg"),
    [
        ("Click2Call leg1", 1),
        ("Click2Call leg2", 2),
        ("CLICK2CALL LEG 1", 1),
        ("click2call_leg2", 2),
        (" Click2Call  Leg-2 ", 2),
        (9, 1),
        ("10", 2),
        (10.0, 2),
        ("Incoming Call", None),
        ("ProductiveCall Leg1", None),
        ("Attended CDR leg2", None),
        (1, None),
        ("", None),
    ],
)
def test_the_leg_is_in_the_type_by_name_or_number(kind: object, leg: int | None) -> None:
    assert one({**LEG2, "type": kind}).leg == leg


def test_the_call_logs_own_names_for_type_and_status_are_understood() -> None:
    record = one({"CallID": "a1", "CdrType": 9, "DialStatus": "NoAnswer", "Duration": "0"})
    assert (record.call_id, record.leg, record.status, record.talk_seconds) == ("a1", 1, "NOANSWER", 0)


CUSTOM = [
    {"CustomData": {"var_lead": "L", "var_attempt": "A"}},
    {"CustomData": {"lead": "L", "attempt": "A"}},
    {"CUSTOM_DATA": {"VAR_LEAD": "L", "Var_Attempt": "A"}},
    {"customdata": {"AiExists": 0, "var_lead": "L", "var_attempt": "A"}},
    {"CustomData": '{"var_lead": "L", "var_attempt": "A"}'},
    {"CustomData": "var_lead=L&var_attempt=A"},
    {"CustomData": [{"var_lead": "L"}, {"var_attempt": "A"}]},
    {"CustomData.var_lead": "L", "custom_data[attempt]": "A"},
    {"var_lead": "L", "var_attempt": "A"},
    {"VAR_Lead": "L", "attempt": "A"},
    {"lead": "L", "attempt": "A"},
    {"var_lead": "L", "CustomData": {"attempt": "A"}},
    {"CustomData": None, "custom_data": "", "var_lead": "L", "var_attempt": "A"},
    {"lead": "somebody else's", "CustomData": {"var_lead": "L", "var_attempt": "A"}},
    {"attempt": "3", "var_lead": "L", "var_attempt": "A"},
]


@pytest.mark.parametrize("fields", CUSTOM, ids=range(len(CUSTOM)))
def test_our_variables_are_found_wherever_they_come_back(fields: dict[str, Any]) -> None:
    record = one({"ivruniqueid": "x", **fields})
    assert (record.lead_id, record.attempt_id) == ("L", "A")


def test_a_variable_sent_as_a_number_comes_back_as_text() -> None:
    assert one({"CustomData": {"var_lead": 42, "var_attempt": 7.0}}).lead_id == "42"


def test_the_newer_times_win_over_the_older_ones() -> None:
    record = one({**LEG2, "actualCallDuration": "7", "actualCallDialtime": 4})
    assert (record.talk_seconds, record.ring_seconds) == (7, 4)


@pytest.mark.parametrize("seconds", ["", None, "soon", True, [], 1e300, "9" * 30, 10**12])
def test_a_time_that_is_none_is_left_out(seconds: object) -> None:
    record = one({**LEG2, "duration": seconds})
    assert record.talk_seconds is None
    assert record.call_id == READ.call_id


def test_on_leg_one_caller_and_target_are_reversed() -> None:
    record = one(
        {
            "ivruniqueid": "x",
            "type": "Click2Call leg1",
            "caller": "0501234567",
            "target": "KGpK4iWq",
            "callerextension": "",
            "targetextension": "KGpK4iWq",
        }
    )
    assert (record.extension, record.phone) == ("KGpK4iWq", "0501234567")


def test_what_the_provider_says_of_agent_and_client_in_so_many_words_wins() -> None:
    record = one({**LEG2, "extenUser": "SIPdana1", "callerPhone": "0509999999", "leg1DialStatusName": "NoAnswer"})
    assert (record.extension, record.phone, record.agent_leg_status) == ("SIPdana1", "0509999999", "NOANSWER")


@pytest.mark.parametrize("record", ["javascript:alert(1)", "file:///etc/passwd", "", "x https://a/b", 5])
def test_a_recording_is_a_web_address_or_nothing(record: object) -> None:
    assert one({**LEG2, "record": record}).recording is None


def test_what_no_database_can_store_does_not_come_through() -> None:
    record = one({**LEG2, "status": "a\x00b\ud800c\u202ed\n", "ivruniqueid": "\ud800x\x00"})
    assert (record.status, record.call_id) == ("A B C D", "x")


def test_an_unknown_status_is_kept_in_upper_case() -> None:
    assert one({**LEG2, "status": "SswPreauth"}).status == "SSWPREAUTH"


def test_the_id_of_the_other_call_is_kept_apart() -> None:
    record = one({"OriginalIvrUniqueID": "o1", "IVR_UNIQUE_ID": "i1"})
    assert (record.call_id, record.original_call_id) == ("i1", "o1")


@pytest.mark.parametrize(
    "kind",
    [
        *("Click 2 IVR", "Click 2 IVR Incoming", "Click 2 Queue Incoming", "click2ivr", "CLICK_2_QUEUE-INCOMING"),
        *(17, "18", 19.0),
    ],
)
def test_a_record_of_an_ivr_or_queue_is_told_apart_and_is_no_leg(kind: object) -> None:
    record = one({**LEG2, "type": kind})
    assert record.ivr
    assert record.leg is None


@pytest.mark.parametrize("kind", ["Click2Call leg2", 9, "Queue", "Incoming Call", 8, "", 170])
def test_any_other_record_is_not_of_an_ivr(kind: object) -> None:
    assert not one({**LEG2, "type": kind}).ivr


def test_of_the_call_logs_two_names_for_the_type_the_one_that_is_understood_counts() -> None:
    assert one({**LEG2, "type": "Click to call, agent", "CdrType": 9}).leg == 1
    assert one({**LEG2, "type": "\u05d0", "CdrType": 19}).ivr


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2024-06-10T09:04:58Z", 1718010298000),
        ("2024-06-10T09:04:58.250Z", 1718010298250),
        ("2024-06-10T09:04:58z", 1718010298000),
        ("2024-06-10 09:04:58+00:00", 1718010298000),
        ("2024-06-10T12:04:58+03:00", 1718010298000),
        ("2024-06-10T09:04:58", None),  # nobody says whose wall clock that is
        ("10/06/2024 09:04:58Z", None),
        ("2024-13-10T09:04:58Z", None),
        ("1960-06-10T09:04:58Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1718010298, None),
        ("", None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_a_beginning_is_believed_only_when_it_says_its_distance_from_utc(date: object, moment: int | None) -> None:
    assert one({**LEG2, "Date": date}).started_at == moment


def test_the_israeli_wall_clock_of_a_push_is_never_taken_for_a_beginning() -> None:
    record = one(LEG2)
    assert (record.raw_time, record.started_at) == (1595960350, None)


def test_with_the_lead_rung_first_agent_and_lead_are_still_told_apart_by_what_they_are() -> None:
    sides = {"ivruniqueid": "x", "caller": "0722776772", "callerextension": "", "target": "SIPdana1"}
    second = one({**sides, "type": "Click2Call leg2", "targetextension": "SIPdana1"})
    assert (second.extension, second.phone) == ("SIPdana1", "0722776772")
    reversed_sides = {"caller": "SIPdana1", "callerextension": "SIPdana1", "target": "0501234567"}
    first = one({"ivruniqueid": "x", **reversed_sides, "type": "Click2Call leg1"})
    assert (first.extension, first.phone) == ("SIPdana1", "0501234567")


def test_the_call_logs_link_to_the_other_call_is_among_the_custom_data() -> None:
    record = one({"CallID": "i1", "CustomData": {"OriginalIvrUniqueID": "o1"}})
    assert (record.call_id, record.original_call_id) == ("i1", "o1")


HEBREW = '{"ivruniqueid": "x", "status": "ענה"}'


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (HEBREW.encode(), "application/json"),
        (HEBREW.encode(), "text/html; charset=windows-1255"),
        (HEBREW.encode("utf-8-sig"), ""),
        (HEBREW.encode("cp1255"), 'application/json; charset="Windows-1255"'),
        (HEBREW.encode("iso8859_8"), "text/plain;charset=iso-8859-8-i"),
        (HEBREW.encode("utf-16"), "application/octet-stream"),
        (HEBREW.encode("utf-16-le"), "application/json; charset=utf-16le"),
    ],
)
def test_a_body_is_decoded_by_what_it_is_then_by_what_it_says(raw: bytes, content_type: str) -> None:
    assert decode_body(raw, content_type) == HEBREW


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "base64", "zlib", "no-such", "x" * 1000, ""])
def test_a_strange_charset_is_not_believed(charset: str) -> None:
    assert decode_body(b"a+AGE-\\x41\xff", f"text/plain; charset={charset}") == "a+AGE-\\x41\ufffd"


def storable(record: CallRecord) -> None:
    for name in CallRecord.__slots__:
        value = getattr(record, name)
        if isinstance(value, str):
            assert value.isprintable(), name
            value.encode("utf-8")
        elif isinstance(value, int):
            assert 0 <= value <= 2**53


@settings(max_examples=300)
@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_are_decoded_to_something_storable_and_read(raw: bytes, content_type: str) -> None:
    text = decode_body(raw, content_type)
    assert "\x00" not in text
    text.encode("utf-8")
    for record in read_call_records(text):
        storable(record)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    *sorted(LEG2),
    *("CUSTOM_DATA", "OriginalIvrUniqueID", "extenUser", "callerPhone", "var_lead", "attempt"),
    *("actualCallDuration", "leg1DialStatusName", "CdrType", "CustomData[lead]"),
    *("CallID", "Date", "DialStatus", "RingTime", "RecordURL", "CallerNumber", "TargetNumber"),
]


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES | st.sampled_from(list(LEG2.values()))) | VALUES)
def test_any_json_is_read_to_storable_records(value: object) -> None:
    for text in (
        json.dumps(value),
        json.dumps([value]),
        json.dumps(json.dumps(value)),
        json.dumps({"CustomData": value}),
    ):
        for record in read_call_records(text):
            storable(record)


# ---------------------------------------------------------------------------------- somebody who phoned in

# Composed from documented keys (facts 2.2): no raw record of an incoming call is public.
CALL_IN: dict[str, Any] = {
    "caller": "0501234567",
    "target": "972722776772",
    "time": 1595960350,
    "duration": 40,
    "dialtime": 6,
    "ivruniqueid": "2020072818fedcba",
    "type": "Incoming Call",
    "status": "ANSWER",
    "targetextension": "SIPdana1",
    "did": "0722776772",
}


@pytest.mark.parametrize("kind", ["Incoming Call", "incoming_call", "INCOMING CALL", "Queue", 1, "8", 8.0])
def test_a_record_of_somebody_who_phoned_in_is_known_by_its_type(kind: object) -> None:
    record = one({**CALL_IN, "type": kind})
    assert record.incoming
    assert (record.leg, record.ivr) == (None, False)
    assert (record.extension, record.phone, record.talk_seconds) == ("SIPdana1", "0501234567", 40)


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"type": kind}
            for kind in ("", "CC", "Extension Outgoing", "VoiceMail", "XferCDR", "FaxCdr", "Auto forward")
        ),
        *({"type": kind} for kind in ("Click2Call leg1", "Click2Call leg2", "Click 2 IVR Incoming", 2, 11, 18, 19, 23)),
        {"type": "Click 2 Queue Incoming"},
        {"type": "Incoming Call", "CdrType": 10},
        {"type": "Incoming Call", "CdrType": 99},
        {"type": "Something new", "CdrType": 1},
        {"direction": "outgoing"},
        {"direction": "Internal"},
        {"direction": "something new"},
        {"CustomData": {"var_lead": "L"}},
        {"CustomData": {"var_attempt": "A"}},
        {"attempt": "A"},
    ],
    ids=str,
)
def test_whatever_may_be_a_call_of_ours_is_nobody_who_phoned_in(fields: dict[str, Any]) -> None:
    assert not one({**CALL_IN, **fields}).incoming


@pytest.mark.parametrize("direction", ["incoming", "Incoming", " INCOMING ", "", None])
def test_the_direction_agrees_or_is_not_there(direction: object) -> None:
    assert one({**CALL_IN, "direction": direction}).incoming


def test_who_phoned_in_is_the_caller_and_never_the_number_that_was_rung() -> None:
    assert one({**CALL_IN, "callerPhone": "972509999999"}).phone == "972509999999"
    assert one({**CALL_IN, "caller": "anonymous"}).phone is None
    assert one({**CALL_IN, "caller": "", "callernumber": "0507777777"}).phone == "0507777777"


@pytest.mark.parametrize(
    ("fields", "reached"),
    [({}, None), ({"extenUser": ""}, False), ({"EXTENUSER": None}, False), ({"extenUser": "S"}, True)],
)
def test_a_record_says_whether_an_agent_was_reached_or_does_not(fields: dict[str, Any], reached: bool | None) -> None:
    assert one({**CALL_IN, **fields}).agent_reached is reached
    assert one({**LEG2, "extenUser": ""}).agent_reached is None, "of a leg of ours the status tells"


@pytest.mark.parametrize(
    ("fields", "talk"),
    [
        ({"seconds_waiting_in_queue": 25}, 15),
        ({"seconds_waiting_in_queue": "40"}, 0),
        ({"seconds_waiting_in_queue": 60}, 0),
        ({"seconds_waiting_in_queue": 0}, 40),
        ({"seconds_waiting_in_queue": 25, "actualCallDuration": 33}, 33),
        ({"seconds_waiting_in_queue": 25, "duration": ""}, None),
    ],
)
def test_waiting_in_a_queue_is_no_talk(fields: dict[str, Any], talk: int | None) -> None:
    assert one({**CALL_IN, "type": "Queue", **fields}).talk_seconds == talk
    assert one({**LEG2, "seconds_waiting_in_queue": 25}).talk_seconds == 11, "said of other calls only"
