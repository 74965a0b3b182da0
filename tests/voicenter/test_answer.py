"""Which answer means a call, which means provably none, and which means neither."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ports import Answer, Placed, Refused, Unknown
from app.voicenter.answer import MAX_BYTES, read_answer

ID = "20240601abc123def456"


def xml(*members: tuple[str, str]) -> str:
    written = "".join(f"<member>\n <name>{name}</name>\n <value>{value}</value></member>" for name, value in members)
    return (
        f"\n<methodResponse><params><param><value><struct>{written}</struct></value></param></params></methodResponse>"
    )


ACCEPTED = [
    f'{{"ERRORCODE": 0, "ERRORMESSAGE": "OK", "CALLID": "{ID}"}}',
    f'{{"ERRORCODE": "0", "CALLID": "{ID}"}}',
    f'{{"ERRORCODE": 0.0, "CALLID": "{ID}"}}',
    f'{{"ERRORCODE": "0.0", "CALLID": " {ID} "}}',
    f'{{"errorcode": 0, "CallId": "{ID}"}}',
    f'\ufeff  \r\n{{"ERRORCODE": 0, "CALLID": "{ID}"}}\r\n',
    f'[{{"ERRORCODE": 0, "CALLID": "{ID}"}}]',
    json.dumps(json.dumps({"ERRORCODE": 0, "CALLID": ID})),
    xml(("ERRORCODE", "<string>0</string>"), ("CALLID", f"<string>{ID}</string>")),
    xml(("ERRORCODE", "<int>0</int>"), ("ERRORMESSAGE", "OK"), ("CALLID", ID)),
    xml(("errorcode", "\n <i4>0</i4>\n"), ("CallID", f"\n <string>\n{ID}</string>")),
    f'<?xml version="1.0" encoding="utf-8"?>{xml(("ERRORCODE", "0"), ("CALLID", ID))}',
    xml(("ERRORCODE", "0"), ("CALLID", ID)).replace("member", "Member").replace("struct", "STRUCT"),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_code_zero_with_a_call_id_is_a_placed_call_however_it_is_written(body: str) -> None:
    assert read_answer(200, body.encode()) == Placed(ID)


def test_utf_16_with_its_mark_is_read_too() -> None:
    assert read_answer(200, ACCEPTED[0].encode("utf-16")) == Placed(ID)


@pytest.mark.parametrize(
    ("body", "code", "rule", "message"),
    [
        ('{"ERRORCODE": 1, "ERRORMESSAGE": "Phone is missing", "CALLID": ""}', 1, "request_wrong", "Phone is missing"),
        ('{"ERRORCODE": "2", "CALLID": null}', 2, "once_more", "Application error"),
        ('{"ERRORCODE": 3.0, "ERRORMESSAGE": "offline"}', 3, "agent_offline", "offline"),
        (xml(("ERRORCODE", "<string>4</string>"), ("CALLID", "<string></string>")), 4, "agent_blocked", "Extension"),
        (xml(("ERRORCODE", "<int>3</int>"), ("CALLID", "")), 3, "agent_offline", "offline"),
        ('{"ERRORCODE": 77}', 77, "configuration", "does not list"),
        ('{"ERRORCODE": -1}', -1, "configuration", "does not list"),
    ],
)
def test_a_code_and_no_call_id_is_a_refusal_with_its_rule(body: str, code: int, rule: str, message: str) -> None:
    answer = read_answer(200, body.encode())
    assert isinstance(answer, Refused)
    assert (answer.code, answer.rule) == (code, rule)
    assert message in answer.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 429, 301])
def test_a_readable_refusal_counts_whatever_the_status_below_500(status: int) -> None:
    answer = read_answer(status, b'{"ERRORCODE": 3, "ERRORMESSAGE": "x", "CALLID": ""}')
    assert answer == Refused(3, "x", "agent_offline")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 413, 429])
@pytest.mark.parametrize("body", [b"", b"<html><h1>No</h1></html>", b"no", b'{"error": "no"}'])
def test_a_shut_door_is_held_for_a_person(status: int, body: bytes) -> None:
    answer = read_answer(status, body)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.rule) == (None, "configuration")
    assert str(status) in answer.message


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 409, 423, 425])
@pytest.mark.parametrize("body", [b"", b"oops", b'{"ERRORCODE": 3, "CALLID": ""}'])
def test_a_status_that_may_come_after_the_request_passed_proves_nothing(status: int, body: bytes) -> None:
    assert isinstance(read_answer(status, body), Unknown)


DOUBTFUL = [
    "",
    "   ",
    "OK",
    "<html><body>OK</body></html>",
    "<methodResponse>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>" + xml(("ERRORCODE", "3"), ("CALLID", "")),
    "<!DOCTYPE x>" + xml(("ERRORCODE", "3")),
    xml(("ERRORCODE", "<string></string>"), ("CALLID", "")),
    xml(("ERRORCODE", "3"), ("ERRORCODE", "0")),
    xml(("CALLID", ID)),
    "{",
    "[]",
    "[[]]",
    "null",
    "0",
    '"0"',
    "{}",
    '{"ERRORCODE": 0}',
    '{"ERRORCODE": 0, "CALLID": ""}',
    '{"ERRORCODE": 0, "CALLID": "   "}',
    '{"ERRORCODE": 0, "CALLID": null}',
    '{"ERRORCODE": 0, "CALLID": true}',
    '{"ERRORCODE": 0, "CALLID": {"a": 1}}',
    '{"ERRORCODE": 0, "CALLID": "\\ud800"}',
    '{"ERRORCODE": 0, "CALLID": "a\\u0000b"}',
    '{"ERRORCODE": 0, "CALLID": "' + "x" * 200 + '"}',
    f'{{"CALLID": "{ID}"}}',
    f'{{"ERRORCODE": 3, "CALLID": "{ID}"}}',
    '{"ERRORCODE": 3, "CALLID": {}}',
    '{"ERRORCODE": null, "CALLID": ""}',
    '{"ERRORCODE": "", "CALLID": ""}',
    '{"ERRORCODE": "three"}',
    '{"ERRORCODE": true}',
    '{"ERRORCODE": 3.5}',
    '{"ERRORCODE": NaN}',
    '{"ERRORCODE": 1e400}',
    '{"ERRORCODE": "٣"}',
    '{"ERRORCODE": 99999999999999999999}',
    '{"ERRORCODE": ' + "9" * 5000 + "}",
    '{"ERRORCODE": 3, "errorcode": 0}',
    '{"ERRORCODE": 3, "ERRORCODE": 0}',
    '[{"ERRORCODE": 3}, {"ERRORCODE": 3}]',
    "[" * 20_000,
    "<a>" * 20_000 + "</a>" * 100,
    "<value>" * 3_000 + "</value>" * 3_000,
]


@pytest.mark.parametrize("body", DOUBTFUL, ids=range(len(DOUBTFUL)))
def test_an_answer_that_proves_nothing_is_unknown(body: str) -> None:
    assert isinstance(read_answer(200, body.encode("utf-8", "surrogatepass")), Unknown)


def test_a_shut_door_that_names_a_call_is_unknown() -> None:
    assert isinstance(read_answer(403, f'{{"CALLID": "{ID}"}}'.encode()), Unknown)


def test_half_an_answer_is_unknown_even_when_it_can_be_read() -> None:
    assert isinstance(read_answer(200, ACCEPTED[0].encode(), truncated=True), Unknown)
    assert isinstance(read_answer(200, ACCEPTED[0].encode() + b" " * MAX_BYTES), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        b'{"ERRORCODE": 1, "ERRORMESSAGE": "code my-secret for 0501234567 or +972 50-123-4567 is wrong"}',
        b"<p>my-secret: call <b>0501234567</b> (972)501234567</p>",
        b"MY-SECRET 050.123.4567",
    ],
)
def test_no_secret_and_no_phone_comes_through_in_words(body: bytes) -> None:
    for status in (200, 403, 500):
        said = repr(read_answer(status, body, hide=("my-secret",)))
        assert "my-secret" not in said.lower()
        assert not any(part in said for part in ("0501234567", "1234567", "123-4567", "123.4567"))
        assert "***" in said


def test_an_error_page_is_told_in_one_short_line() -> None:
    answer = read_answer(403, b"<html>\n<h1>IP not\r\n authorised</h1>" + b"<p>blah</p>" * 500)
    assert isinstance(answer, Refused)
    assert answer.message.startswith("HTTP 403: IP not authorised blah")
    assert len(answer.message) <= 120


def classes(answer: Answer) -> int:
    return sum(isinstance(answer, kind) for kind in (Placed, Refused, Unknown))


@settings(max_examples=300)
@given(
    st.integers(100, 599),
    st.binary(max_size=300).filter(lambda body: b"CALLID" not in body.upper())
    | st.text(max_size=100).map(lambda text: text.encode("utf-16")),
)
def test_any_bytes_have_exactly_one_class(status: int, body: bytes) -> None:
    answer = read_answer(status, body)
    assert classes(answer) == 1
    assert not isinstance(answer, Placed)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
codes = scalars | st.sampled_from([0, 1, 2, 3, 4, "0", "3", 0.0])
ids = scalars | st.text(string.hexdigits, max_size=40)


@settings(max_examples=300)
@given(status=st.sampled_from([200, 302, 400, 403, 500, 408, 418]), code=codes, call_id=ids, message=scalars)
def test_a_call_is_never_called_refused_when_the_answer_names_one(
    status: int, code: object, call_id: object, message: object
) -> None:
    fields = {"ERRORCODE": code, "CALLID": call_id, "ERRORMESSAGE": message}
    answer = read_answer(status, json.dumps(fields).encode())
    assert classes(answer) == 1
    if call_id is not None and str(call_id).strip():
        assert not isinstance(answer, Refused)
    if isinstance(answer, Placed):
        assert answer.call_id == str(call_id).strip()
