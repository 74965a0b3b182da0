"""Language, format, variables, the do-not-call flag, and how a request may be written (vendor page, call table)."""

from __future__ import annotations

import pytest

from .hands import Hands
from .provider import Face
from .receiver import Receiver
from .rows import row

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@pytest.mark.parametrize(
    "language",
    [
        row("language: he", "he"),
        row("language: en", "en"),
        row("language: ru", "ru"),
        row("language: etc", "ar", id="ar"),
        row("language: etc", "fr", id="fr"),
    ],
)
@METHODS
def test_prompts_may_be_asked_for_in_a_language(calling: Face, hands: Hands, method: str, language: str) -> None:
    """Page, row language: acceptable format is [he/en/ru/etc]."""
    assert calling(method=method, language=language).code == 0
    (request,) = hands.requests()
    assert request["params"]["language"] == language


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        row("format: XML", "XML", "xml"),
        row("format: json", "json", "json"),
        row("format: absent", None, "xml"),
        row("format: any case", "JSON", "json", guess="1.2", id="JSON"),
        row("format: any case", "Json", "json", guess="1.2", id="Json"),
        row("format: any case", "xml", "xml", guess="1.2", id="xml"),
    ],
)
@METHODS
def test_a_call_is_confirmed_in_the_format_asked_for(
    calling: Face, hands: Hands, method: str, wanted: str | None, kind: str
) -> None:
    """Page, row format: XML, json; the default is XML."""
    answer = calling(method=method, format=wanted)
    assert (answer.kind, answer.code, len(answer.call_id)) == (kind, 0, 32)
    assert hands.call()["call_id"] == answer.call_id


def variables(n: int) -> dict[str, object]:
    return {f"var_{number}": f"value {number} & more" for number in range(n)}


@pytest.mark.parametrize("n", [row("var_*: 1", 1), row("var_*: 10", 10)])
@METHODS
def test_variables_go_with_the_call(calling: Face, hands: Hands, method: str, n: int) -> None:
    """Page, row var_*: any custom parameter with the prefix; the limit is 10."""
    assert calling(variables(n), method=method).code == 0
    assert hands.call()["variables"] == variables(n)


@pytest.mark.row("var_*: 11")
@pytest.mark.guess("7")
@METHODS
def test_an_eleventh_variable_is_refused(calling: Face, hands: Hands, method: str) -> None:
    """Page, row var_*: the limit is 10 parameters; what happens to more is not said."""
    assert calling(variables(11), method=method).code == 1
    assert hands.nobody_rang()


@pytest.mark.row("var_*: in the record")
def test_variables_come_back_in_the_record(calling: Face, hands: Hands, receiver: Receiver) -> None:
    """Page, row var_*: used in CDR to CRM API. Under which key is guessed from notes (facts 2.5): CustomData."""
    assert calling({"var_attempt": "0192f3"}).code == 0
    hands.do("SIPdana1", "decline")
    for record in receiver.records().values():
        assert record["CustomData"] == {"var_attempt": "0192f3"}


@pytest.mark.row("var_*: in active calls")
def test_variables_are_shown_while_the_call_lasts(calling: Face, active_calls: Face) -> None:
    """Page, row var_*: used in notification programs; `customdata` of the call (facts 2.5)."""
    assert calling({"var_attempt": "0192f3"}).code == 0
    (extension,) = active_calls(extension="SIPdana1").rows("EXTENSIONS")
    assert extension["calls"][0]["customdata"] == {"var_attempt": "0192f3"}


@pytest.mark.parametrize(
    ("name", "value"),
    [row(f"{name}: {value}", name, value) for name in ("ignoredncstatus", "ignorednostatus") for value in "123"],
)
@METHODS
def test_the_do_not_call_check_may_be_passed_over(
    calling: Face, hands: Hands, method: str, name: str, value: str
) -> None:
    """Page, row ignorednostatus: 1 phone, 2 target, 3 both. The scan's spelling and the likelier one (facts 6)."""
    assert calling({name: value}, method=method).code == 0
    assert hands.rings("SIPdana1")


@pytest.mark.row("ignoredncstatus: else")
@pytest.mark.guess("7")
@pytest.mark.parametrize("value", ["0", "4", "true"])
def test_another_value_of_the_flag_is_refused(calling: Face, hands: Hands, value: str) -> None:
    """Page: the values you can pass are 1, 2 and 3; what happens to others is not said."""
    assert calling(ignoredncstatus=value).code == 1
    assert hands.nobody_rang()


@pytest.mark.row("request: numbers in JSON")
@pytest.mark.guess("1.5")
def test_numbers_and_booleans_of_json_are_read_as_their_text(calling: Face, hands: Hands) -> None:
    """The vendor's guides mix numbers into a body whose other values are texts."""
    assert calling(phonemaxdialtime=25, record=True, target=972501112233).code == 0
    call = hands.call()
    assert (hands.leg("SIPdana1")["max_dial_time"], call["record"]) == (25, True)
    assert hands.leg("972501112233")["state"] == "waiting"


@pytest.mark.row("request: parameter in other case")
@pytest.mark.guess("1.2")
@METHODS
def test_names_are_read_in_any_case(calling: Face, hands: Hands, method: str) -> None:
    """Page, terminate table: Phone; the other table: phone."""
    assert (
        calling({"phone": None, "Phone": "SIPdana1", "target": None, "TARGET": "0501234567"}, method=method).code == 0
    )
    assert hands.rings("SIPdana1")


@pytest.mark.row("request: form")
@pytest.mark.guess("1.1")
def test_a_form_places_a_call_like_json(calling: Face, hands: Hands) -> None:
    """Older editions of the page say POST; an old client sends a form."""
    assert calling(encoding="form").code == 0
    assert hands.rings("SIPdana1")


@pytest.mark.row("request: unreadable")
@pytest.mark.guess("7")
@pytest.mark.parametrize("body", ["", "{", "[]", '{"phone": ["SIPdana1"]}', "\x00"])
def test_a_body_that_is_none_is_refused(calling: Face, hands: Hands, body: str) -> None:
    """Page, request types: POST-JSON; what happens to a broken one is not said. No format is read: XML."""
    answer = calling(body=body)
    assert (answer.kind, answer.code, answer.call_id) == ("xml", 1, "")
    assert hands.nobody_rang()
