"""A CDR in shapes that no source has shown is read all the same, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.voicenter.cdr import decode_body, read_call_records
from tests.voicenter.test_cdr import FLAT, LEG2, READ, call_of, one, storable

ATTEMPT = "0197d1e2-8a4b-7c3d-9e5f-0a1b2c3d4e5f"
LEAD = "0197d1e2-8a4b-7c3d-9e5f-ffeeddccbbaa"

# ------------------------------------------------------------------------------------------- talk and ring time


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("00:00:00", 0),
        ("00:00:11", 11),
        ("01:02:03", 3723),
        ("1:02:03", 3723),
        ("27:00:00", 97_200),
        (" 00:01:05 ", 65),
        ("00:01:05.900", 65),
        ("02:05", 125),
        ("0:07", 7),
        ("90:00", 5400),
        ("11.0", 11),
        (-1, 0),
        (-0.5, 0),
        (" -1 ", 0),
        ("-3.5", 0),
        ("-00:00:05", 0),
        ("", None),
        (":", None),
        ("00:60", None),
        ("00:61:00", None),
        ("1:2:3:4", None),
        ("12:", None),
        ("1:5", None),
        ("12:04 PM", None),
        ("2020-07-28 12:00:00", None),
        ("\u0661\u0662:\u0663\u0660", None),
        ("-", None),
        ("--1", None),
        ("9" * 30 + ":00", None),
        ("-" + "9" * 30, None),
    ],
)
def test_talk_and_ring_time_are_read_as_seconds_from_a_clock_too(written: object, seconds: int | None) -> None:
    record = one({**LEG2, "duration": written, "dialtime": written})
    assert (record.talk_seconds, record.ring_seconds) == (seconds, seconds)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "-1e300"])
def test_a_time_without_measure_is_left_out(number: str) -> None:
    (record,) = read_call_records(json.dumps({**LEG2, "duration": "@"}).replace('"@"', number))
    assert record.talk_seconds is None


def test_a_newer_time_that_cannot_be_read_gives_way_to_the_older_one() -> None:
    assert one({**LEG2, "actualCallDuration": "", "duration": "00:00:11"}).talk_seconds == 11


# ------------------------------------------------------------------------------------------------------- wraps


def multipart(
    fields: dict[str, Any], *, line: str = "\r\n", head: str = "", boundary: str = "----Form7x_'(),.Y"
) -> str:
    parts = (
        f'--{boundary}{line}Content-Disposition: form-data; name="{name}"{head}{line}{line}{value}{line}'
        for name, value in fields.items()
    )
    return "".join(parts) + f"--{boundary}--{line}"


AROUND = {
    "ERROR_NUMBER": 0,
    "ERROR_DESCRIPTION": "OK",
    "STATUS_CODE": 200,
    "TOTAL_HITS": 1,
    "status": "OK",
    "type": "x",
}
BODIES = {
    "under one key": json.dumps({"cdr": LEG2}),
    "a list under one key": json.dumps({"data": [LEG2]}),
    "text under one key": json.dumps({"data": json.dumps(LEG2)}),
    "a list as text under one key": json.dumps({"data": json.dumps([LEG2])}),
    "a list of texts under one key": json.dumps({"data": [json.dumps(LEG2)]}),
    "under two keys, one in another": json.dumps({"body": {"cdr": LEG2}}),
    "a list of wrapped ones": json.dumps([{"cdr": LEG2}]),
    "like the call log": json.dumps({**AROUND, "CDR_LIST": [LEG2]}),
    "like the call log in small letters": json.dumps({**AROUND, "Cdr_List": [LEG2]}),
    "one in place of the list": json.dumps({**AROUND, "CDR_LIST": LEG2}),
    "the list alone": json.dumps({"cdr_list": [LEG2]}),
    "the list under one key": json.dumps({"result": {**AROUND, "CDR_LIST": [LEG2]}}),
    "wrapped in a form": urlencode({"payload": json.dumps({"cdr": LEG2})}),
    "the list in a form": urlencode({"ok": "1", "CDR_LIST": json.dumps([LEG2])}),
    "wrapped in xml-rpc": call_of({"cdr": LEG2}),
    "multipart": multipart(FLAT),
    "multipart with bare line ends": multipart(FLAT, line="\n"),
    "multipart with types": multipart(FLAT, head="\r\nContent-Type: text/plain; charset=utf-8"),
    "multipart with a short boundary": multipart(FLAT, boundary="x"),
    "multipart with a preceding empty line": "\r\n" + multipart(FLAT),
    "multipart whose end was cut off": multipart(FLAT).rpartition("\r\n--")[0],
    "multipart with words after its end": multipart(FLAT) + '\r\nname="status"\r\n\r\nBUSY',
    "multipart whose only value is json": multipart({"cdr": json.dumps(LEG2)}),
    "multipart with a file": multipart({"file": json.dumps([LEG2])}, head='; filename="cdr.json"'),
    "multipart without quotes": multipart(FLAT).replace('name="ivruniqueid"', "name=ivruniqueid"),
    "multipart in other letters": multipart(FLAT).replace("Content-Disposition", "CONTENT-DISPOSITION"),
    "multipart with custom data by name": multipart(
        {**{k: v for k, v in LEG2.items() if k != "CustomData"}, "CustomData[var_lead]": "lead-1"}
        | {"CustomData[var_attempt]": "attempt-1"}
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_same_record_is_read_out_of_these_wrappings_too(body: str) -> None:
    assert read_call_records(body) == [READ]


def test_a_multipart_form_is_told_by_its_text_and_not_by_its_content_type() -> None:
    for content_type in ("application/json", "", "multipart/form-data; boundary=another"):
        assert read_call_records(decode_body(multipart(FLAT).encode(), content_type)) == [READ]


def test_a_value_of_a_multipart_form_may_have_lines_and_something_like_a_boundary() -> None:
    body = multipart(
        {"note": "one\r\n\r\ntwo\r\n--Form\r\n--FormX", "status": "BUSY", "ivruniqueid": "x"}, boundary="For"
    )
    (record,) = read_call_records(body)
    assert (record.call_id, record.status) == ("x", "BUSY")


@pytest.mark.parametrize("wrap", [{"cdr": [LEG2, LEG2]}, {"a": 1, "CDR_LIST": [LEG2, LEG2]}, [{"cdr": LEG2}, LEG2]])
def test_several_wrapped_records_are_all_read(wrap: object) -> None:
    assert read_call_records(json.dumps(wrap)) == [READ, READ]


def test_a_record_with_another_records_parts_in_it_stays_one_record() -> None:
    assert read_call_records(json.dumps({**LEG2, "related": {**LEG2, "ivruniqueid": "other"}})) == [READ]


@pytest.mark.parametrize(
    "body",
    [
        {"test": {"ping": True}},
        {"ping": {"type": "test", "status": "ok"}},
        {"data": {"status": "ok"}},
        {"data": {"callid": "test"}},
        {"data": [{"lead": "x"}, {"attempt": "y"}]},
        {"data": []},
        {"data": {}},
        {"data": None},
        {"data": "[]"},
        {"data": "status=ok&callid=x"},
        {"CustomData": {"callid": "theirs", "status": "new"}},
        {"CDR_LIST": []},
        {"CDR_LIST": [], "TOTAL_HITS": 0, "STATUS_CODE": 200},
        {"CDR_LIST": "none", "STATUS_CODE": 200},
        {"CDR_LIST": [{"type": "test", "status": "ok"}], "STATUS_CODE": 200},
        {"one": LEG2, "two": 2},
        {"a": {"b": {"c": {"d": LEG2}}}},
    ],
    ids=range(17),
)
def test_a_wrapping_of_what_does_not_say_which_call_and_what_of_it_is_no_record(body: object) -> None:
    assert read_call_records(json.dumps(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        "--",
        "--x",
        "--x\r\n",
        "--x\r\n--x--",
        "--x\r\n" * 20_000,
        "--" + "x" * 71 + '\r\nContent-Disposition: form-data; name="ivruniqueid"\r\n\r\n1\r\n',
        multipart({"ping": "1"}),
        multipart({"ivruniqueid": "1"}).replace("name=", "filename="),
        multipart({"ivruniqueid": "1"}).replace("\r\n\r\n", "\r\n"),
        "--x\r\n" + "; " * 100_000 + "\r\n\r\n1",
        "--x\r\n" + "\r\n--" * 50_000,
        "--" + " " * 100_000 + "\r\n",
    ],
    ids=range(12),
)
def test_what_only_begins_like_a_multipart_form_is_no_record(body: str) -> None:
    assert read_call_records(body) == []


def test_no_wrapping_multiplies_records_without_end() -> None:
    ten = {"CDR_LIST": [LEG2] * 10}
    assert len(read_call_records(json.dumps([ten] * 60))) == 100
    assert len(read_call_records(json.dumps({"cdr": [LEG2] * 150}))) == 100
    many = multipart({"ivruniqueid": "x", **{f"f{n}": n for n in range(5000)}, "status": "BUSY"})
    (record,) = read_call_records(many)
    assert (record.call_id, record.status) == ("x", "")


# --------------------------------------------------------------------------------------------------- variables

CUSTOM: list[dict[str, Any]] = [
    {"CustomData": [{"name": "var_lead", "value": "L"}, {"name": "var_attempt", "value": "A"}]},
    {"CustomData": [{"Key": "var_lead", "Value": "L"}, {"Key": "var_attempt", "Value": "A"}]},
    {"CustomData": [{"NAME": "Lead", "VALUE": "L"}, {"key": " VAR_ATTEMPT ", "value": "A", "type": "string"}]},
    {"CustomData": json.dumps([{"Key": "lead", "Value": "L"}, {"Key": "attempt", "Value": "A"}])},
    {"CustomData": [json.dumps({"Key": "lead", "Value": "L"}), {"Key": "attempt", "Value": "A"}]},
    {"CustomData": {"data": {"var_lead": "L", "var_attempt": "A"}}},
    {"CustomData": {"CustomData": {"var_lead": "L", "var_attempt": "A"}, "AiExists": 0}},
    {"CustomData": {"vars": [{"name": "var_lead", "value": "L"}, {"name": "var_attempt", "value": "A"}]}},
    {"CustomData": {"var_lead": "L", "more": {"VAR_ATTEMPT": "A"}}},
    {"CustomData": {"var_lead": "L", "var_attempt": "A", "old": {"var_lead": "l", "var_attempt": "a"}}},
    {"CustomData": {"lead": "L", "attempt": "A", "crm": {"lead": 5, "attempt": 3}}},
    {"customdata": {"name": "Dana", "value": 7, "var_lead": "L", "var_attempt": "A"}},
    {"CustomData": [{"name": ["x"], "value": "L"}, {"name": "lead"}, {"var_lead": "L", "var_attempt": "A"}]},
]


@pytest.mark.parametrize("fields", CUSTOM, ids=range(len(CUSTOM)))
def test_our_variables_are_found_in_lists_of_pairs_and_in_objects_within_the_object(fields: dict[str, Any]) -> None:
    record = one({"ivruniqueid": "x", **fields})
    assert (record.lead_id, record.attempt_id) == ("L", "A")


def test_our_variables_are_not_looked_for_any_deeper() -> None:
    assert one({"ivruniqueid": "x", "CustomData": {"a": {"b": {"var_attempt": "A"}}}}).attempt_id is None
    assert one({"ivruniqueid": "x", "other": {"var_attempt": "A"}}).attempt_id is None


def test_a_name_and_a_value_outside_the_custom_data_are_no_variable() -> None:
    assert one({"ivruniqueid": "x", "name": "var_attempt", "value": "A"}).attempt_id is None


@pytest.mark.parametrize("custom", ["object", "pairs"])
def test_our_ids_are_read_in_any_letter_case(custom: str) -> None:
    ours = {"var_attempt": ATTEMPT.upper(), "var_lead": f" {LEAD.title()} "}
    pairs = [{"Key": name.upper(), "Value": value} for name, value in ours.items()]
    record = one({"ivruniqueid": "ABC", "CustomData": ours if custom == "object" else pairs})
    assert (record.attempt_id, record.lead_id) == (ATTEMPT, LEAD)
    assert record.call_id == "ABC"


@pytest.mark.parametrize("other", ["Attempt-A", ATTEMPT.upper()[:-1], ATTEMPT.upper() + "0", ATTEMPT.upper() + " X"])
def test_what_is_no_uuid_keeps_its_letters(other: str) -> None:
    assert one({"ivruniqueid": "x", "var_attempt": other}).attempt_id == other


# ---------------------------------------------------------------------------------------------------- anything

SMALL = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "A", "00:00:01", "-1", '{"attempt": "B"}', "[", "\x00", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "Key", "value", "CDR_LIST", "cdr", "CustomData", "type"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(SMALL, SMALL)
def test_any_wrapping_of_anything_is_read_to_storable_records(custom: object, around: object) -> None:
    record = {**LEG2, "CustomData": custom, "duration": around}
    for value in (around, record, {"cdr": record}, {"CDR_LIST": [record, around]}, {"data": around}):
        for body in (json.dumps(value), multipart({"data": json.dumps(value)}), urlencode({"data": json.dumps(value)})):
            for found in read_call_records(body):
                storable(found)


@settings(max_examples=200)
@given(st.text(st.sampled_from('-x\r\n"; =name[ivruniqueid]\u0661\x00'), max_size=80))
def test_any_text_after_a_boundary_is_read_to_storable_records(rest: str) -> None:
    for record in read_call_records("--x\r\n" + rest):
        storable(record)
