"""ERRORCODE, ERRORMESSAGE, CALLID: every code in both formats by both methods (vendor page, response)."""

from __future__ import annotations

import pytest

from .answers import outline
from .hands import Hands
from .provider import Face
from .rows import row

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])
FORMATS = pytest.mark.parametrize("wanted", ["json", "XML"])


def arranged(hands: Hands, code: int) -> dict[str, object]:
    """What to change about a good call so that this is the answer. 2 and 4 cannot be caused, only scripted."""
    if code == 3:
        hands.do("SIPdana1", "offline")
    if code in {2, 4}:
        hands.script("SIPdana1", answer="refuse", errorcode=code)
    changes: dict[int, dict[str, object]] = {1: {"target": None}, 3: {"checkphonedevicestate": "true"}}
    return changes.get(code, {})


@pytest.mark.parametrize("code", [row(f"ERRORCODE: {code}", code) for code in range(5)])
@METHODS
@FORMATS
def test_a_code_is_told_in_both_formats(calling: Face, hands: Hands, wanted: str, method: str, code: int) -> None:
    """Page, list of codes: 0 OK, 1 parameters, 2 application error, 3 offline, 4 blocked. Only 0 rings a phone."""
    changes = arranged(hands, code)
    answer = calling(changes, method=method, format=wanted)
    assert (answer.status, answer.kind, answer.code) == (200, wanted.lower(), code)
    assert hands.nobody_rang() is (code != 0)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        row("ERRORMESSAGE: OK", 0, "OK"),
        row("ERRORMESSAGE: failure", 1, "Target is missing", id="1"),
        row("ERRORMESSAGE: failure", 2, "Application error", id="2"),
        row("ERRORMESSAGE: failure", 3, "The representative's extension is offline", id="3"),
        row("ERRORMESSAGE: failure", 4, "Extension blocked for Click2Call calls", id="4"),
    ],
)
@FORMATS
def test_a_short_sentence_describes_the_issue(
    calling: Face, hands: Hands, wanted: str, code: int, sentence: str
) -> None:
    """Page, ERRORMESSAGE: a short sentence; the sentences of the list of codes, and the sample's form for code 1."""
    assert calling(arranged(hands, code), format=wanted).message == sentence


@pytest.mark.parametrize(
    ("name", "code"),
    [
        row("ERRORCODE: 2", "SIPERROR1", 2),
        row("ERRORCODE: 3", "SIPOFFLINE1", 3),
        row("ERRORCODE: 4", "SIPBLOCKED1", 4),
    ],
)
def test_a_code_can_be_had_by_the_name_of_an_extension(calling: Face, hands: Hands, name: str, code: int) -> None:
    """So that somebody without a control API can see each code of the page."""
    assert calling(phone=name).code == code
    assert hands.nobody_rang()


@pytest.mark.row("CALLID: success")
@METHODS
@FORMATS
def test_every_call_has_a_call_id_of_its_own(calling: Face, hands: Hands, wanted: str, method: str) -> None:
    """Page, CALLID: string of 32 characters, unique code of the call."""
    ids = [
        calling(method=method, format=wanted, phone=f"SIPagent{n}", target=f"050111220{n}").call_id for n in range(3)
    ]
    assert {len(one) for one in ids} == {32}
    assert len(set(ids)) == 3
    assert [call["call_id"] for call in hands.calls()] == ids


@pytest.mark.parametrize("code", [row("CALLID: failure", code, id=str(code)) for code in range(1, 5)])
@FORMATS
def test_a_failure_has_an_empty_call_id(calling: Face, hands: Hands, wanted: str, code: int) -> None:
    """Page, CALLID: in case of failure is empty; empty, not left out."""
    answer = calling(arranged(hands, code), format=wanted)
    assert answer.names == ["ERRORCODE", "ERRORMESSAGE", "CALLID"]
    assert answer.call_id == ""


@pytest.mark.row("XML: structure")
@METHODS
def test_success_in_xml_has_the_structure_of_the_sample(calling: Face, method: str) -> None:
    """Page, XML sample: methodResponse, params, param, value, struct; members in order, all values strings."""
    answer = calling(method=method, format="XML")
    values = (("ERRORCODE", "0"), ("ERRORMESSAGE", "OK"), ("CALLID", answer.call_id))
    members: object = [("member", [("name", name), ("value", [("string", value)])]) for name, value in values]
    for tag in ("struct", "value", "param", "params"):
        members = [(tag, members)]
    assert outline(answer.text) == ("methodResponse", members)


@pytest.mark.row("JSON: structure")
@METHODS
def test_success_in_json_is_one_object_with_a_number_and_two_texts(calling: Face, method: str) -> None:
    """Page, response fields: integer, string, string (facts 1.6)."""
    answer = calling(method=method)
    assert answer.members == (("ERRORCODE", 0), ("ERRORMESSAGE", "OK"), ("CALLID", answer.call_id))
    assert type(answer.member("ERRORCODE")) is int


@pytest.mark.row("phone: extension")
@pytest.mark.guess("1.7")
def test_a_busy_agent_has_no_code_of_his_own(calling: Face, hands: Hands) -> None:
    """Page: five codes, none for busy. The request is taken and leg 1 ends as BUSY."""
    assert calling().code == 0
    assert calling(target="0521112233").code == 0
    first, second = hands.calls()
    assert (first["live"], second["live"], second["agent"]["status"]) == (True, False, "BUSY")
