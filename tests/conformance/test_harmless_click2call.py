"""What Click2Call answers to requests that name no phone: nothing can ring, so a real account may be asked."""

from __future__ import annotations

import pytest

from .answers import Answer, outline
from .provider import Face
from .rows import row

pytestmark = pytest.mark.harmless


def sample(message: str) -> object:
    """The vendor page's XML sample with that sentence in it, tag by tag."""
    values = (("ERRORCODE", "1"), ("ERRORMESSAGE", message), ("CALLID", ""))
    inner: object = [("member", [("name", name), ("value", [("string", value)])]) for name, value in values]
    for tag in ("struct", "value", "param", "params"):
        inner = [(tag, inner)]
    return ("methodResponse", inner)


def is_refused(answer: Answer, kind: str) -> None:
    """Code 1, a sentence, and no call id, in the format asked for."""
    assert (answer.kind, answer.code) == (kind, 1), str(answer)
    assert answer.message
    assert answer.call_id == ""


@pytest.mark.row("phone: missing", "ERRORCODE: 1", "ERRORMESSAGE: failure", "CALLID: failure")
@pytest.mark.row("request: POST-JSON", "format: json", "JSON: structure")
def test_a_posted_call_without_phone_is_refused_with_code_1(click2call: Face) -> None:
    """Page: phone is mandatory; code 1; the three fields, in JSON a number and two texts (facts 1.6)."""
    answer = click2call()
    is_refused(answer, "json")
    assert answer.names == ["ERRORCODE", "ERRORMESSAGE", "CALLID"]
    assert type(answer.member("ERRORCODE")) is int
    assert isinstance(answer.member("ERRORMESSAGE"), str)


@pytest.mark.row("XML: structure", "format: absent", "phone: missing")
def test_without_format_the_answer_is_the_xml_of_the_sample(click2call: Face) -> None:
    """Page: the default is XML; the sample: order of members, every value a string, Phone is missing, no CALLID."""
    answer = click2call(format=None)
    is_refused(answer, "xml")
    is_sample = outline(answer.text) == sample(str(answer.member("ERRORMESSAGE")))
    assert is_sample, str(answer)
    assert answer.message == "Phone is missing"


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        row("format: XML", "XML", "xml"),
        row("format: any case", "JSON", "json", guess="1.2", id="JSON"),
        row("format: any case", "xml", "xml", guess="1.2", id="xml"),
    ],
)
def test_format_decides_how_the_answer_is_written(click2call: Face, wanted: str, kind: str) -> None:
    """Page, row format. JSON in large letters is what one integration sends."""
    is_refused(click2call(format=wanted), kind)


@pytest.mark.row("format: unknown")
@pytest.mark.guess("7")
def test_an_unknown_format_is_refused_in_xml(click2call: Face) -> None:
    """Page, row format: possible values; what happens to others is not said."""
    answer = click2call(format="yaml")
    is_refused(answer, "xml")
    assert "ormat" in answer.message


@pytest.mark.row("request: GET")
@pytest.mark.parametrize(("wanted", "kind"), [("json", "json"), (None, "xml")], ids=["json", "absent"])
def test_a_get_is_read_and_answered_alike(click2call: Face, wanted: str | None, kind: str) -> None:
    """Page, acceptable request types: GET. Without the code, which has no business in an address; still code 1."""
    is_refused(click2call(method="GET", signed=False, format=wanted), kind)


@pytest.mark.row("code: missing")
def test_a_call_without_code_is_refused(click2call: Face) -> None:
    """Page, row code: mandatory."""
    is_refused(click2call(signed=False), "json")


@pytest.mark.row("code: wrong")
@pytest.mark.guess("7")
def test_a_wrong_code_is_refused_like_a_wrong_parameter(click2call: Face) -> None:
    """Page, row code; the answer to a wrong one is not documented."""
    is_refused(click2call(code="0000000000000000"), "json")


@pytest.mark.parametrize("action", [row("action: missing", None), row("action: unknown", "ring")])
def test_an_action_that_is_none_is_refused(click2call: Face, action: str | None) -> None:
    """Page, row action: mandatory, call or terminate. No phone either: once, call was probably the default."""
    is_refused(click2call(action=action), "json")


@pytest.mark.row("terminate phone: missing")
def test_terminate_without_phone_is_refused(click2call: Face) -> None:
    """Page, terminate table: phone is mandatory."""
    is_refused(click2call(action="terminate"), "json")


@pytest.mark.row("request: form")
@pytest.mark.guess("1.1")
def test_a_form_is_read_like_json(click2call: Face) -> None:
    """Older editions of the page say POST, and an old client sends a form."""
    is_refused(click2call(encoding="form"), "json")


@pytest.mark.row("request: path in other case")
def test_the_path_is_found_in_any_case(click2call: Face) -> None:
    """Official pages write ForwardDialer and forwardDialer (facts 1.1)."""
    is_refused(click2call(url=click2call.url.replace("ForwardDialer", "forwardDialer")), "json")
