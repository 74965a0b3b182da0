"""What goes out on the wire, name by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import First
from app.ports import CallRequest
from app.voicenter.parameter_values import OPTIONS, SWITCHES, ParameterError
from app.voicenter.parameters import MAX_VARIABLES, call_parameters, hang_up_parameters

CALL = CallRequest("lead-1", "attempt-1", "KGpK4iWq", "+972501234567")


def sent(call: CallRequest) -> dict[str, str]:
    return call_parameters(call, "the-code", "json")


def test_the_least_a_call_says() -> None:
    assert sent(CALL) == {
        "code": "the-code",
        "action": "call",
        "phone": "KGpK4iWq",
        "target": "0501234567",
        "format": "json",
        "checkphonedevicestate": "true",
        "record": "false",
        "var_lead": "lead-1",
        "var_attempt": "attempt-1",
    }


def test_times_are_sent_as_text_under_the_providers_names() -> None:
    parameters = sent(replace(CALL, ring_agent=20, ring_lead=30, max_duration=7200, record=True))
    assert parameters["phonemaxdialtime"] == "20"
    assert parameters["targetmaxdialtime"] == "30"
    assert parameters["maxduration"] == "7200"
    assert parameters["record"] == "true"


@pytest.mark.parametrize("extension", ["SIPdana1", "KGpK4iWq", "sipDANA", "SIPTRUNK", "0521234567"])
def test_an_extension_is_sent_letter_for_letter(extension: str) -> None:
    assert sent(replace(CALL, extension=extension))["phone"] == extension


def test_an_agents_phone_number_loses_its_plus_sign() -> None:
    assert sent(replace(CALL, extension="+972521234567"))["phone"] == "0521234567"


def test_a_foreign_lead_is_rung_in_e164_without_the_plus_sign() -> None:
    assert sent(replace(CALL, lead_phone="+14155550123"))["target"] == "14155550123"


def test_a_floating_agent_is_reached_by_login_code() -> None:
    parameters = sent(replace(CALL, extension="logincode", login_code="1234"))
    assert (parameters["phone"], parameters["phonelogincode"]) == ("logincode", "1234")


def test_an_ordinary_agent_sends_no_login_code() -> None:
    assert "phonelogincode" not in sent(CALL)


def test_the_format_is_always_asked_for_because_the_vendors_default_is_xml() -> None:
    assert call_parameters(CALL, "c", "xml")["format"] == "XML"


def test_options_go_by_their_own_names_and_switches_are_lower_case() -> None:
    options = {"targetcallerid": "031234567", "PhoneAutoAnswer": "True", "checkphonedevicestate": "FALSE"}
    parameters = sent(replace(CALL, options=options))
    assert parameters["targetcallerid"] == "031234567"
    assert parameters["phoneautoanswer"] == "true"
    assert parameters["checkphonedevicestate"] == "false"


@pytest.mark.parametrize(
    "name", ["code", "action", "phone", "target", "TARGET", "format", "record", "var_lead", "VAR_Attempt"]
)
def test_an_option_cannot_change_who_is_rung_or_by_whom(name: str) -> None:
    plain, tampered = sent(CALL), sent(replace(CALL, options={name: "999"}))
    assert plain == tampered


def test_a_sites_variables_get_their_prefix_once() -> None:
    parameters = sent(replace(CALL, variables={"campaign": "spring", "var_page": "home"}))
    assert parameters["var_campaign"] == "spring"
    assert parameters["var_page"] == "home"


def test_a_sites_variable_cannot_replace_ours() -> None:
    parameters = sent(replace(CALL, variables={"Lead": "x", "var_attempt": "y"}))
    assert (parameters["var_lead"], parameters["var_attempt"]) == ("lead-1", "attempt-1")
    assert len([name for name in parameters if name.lower().startswith("var_")]) == 2


def test_of_too_many_variables_the_later_ones_stay_behind() -> None:
    parameters = sent(replace(CALL, variables={f"v{number}": "x" for number in range(20)}, options={"var_z": "z"}))
    names = [name for name in parameters if name.startswith("var_")]
    assert names == ["var_lead", "var_attempt", *(f"var_v{number}" for number in range(8))]


def refused(call: CallRequest) -> str:
    with pytest.raises(ParameterError) as caught:
        sent(call)
    return str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "wire"),
    [
        ("phoneautoanswer", "true", "true"),
        ("phoneautoanswer", "1", "true"),
        ("PhoneAutoAnswer", " True ", "true"),
        ("phoneautoanswer", "false", None),
        ("phoneautoanswer", "0", None),
        ("targetautoanswer", "1", "true"),
        ("targetautoanswer", "false", None),
        ("checkphonedevicestate", "1", "true"),
        ("checkphonedevicestate", "0", "false"),
        ("checkphonedevicestate", "", "true"),
        ("checktargetdevicestate", "true", "true"),
        ("checktargetdevicestate", "false", None),
        ("phonecallerid", "0722776772", "0722776772"),
        ("targetcallerid", "+972722776772", "972722776772"),
        ("targetcallerid", "", None),
        ("phonecallername", "\u05d3\u05e0\u05d4 Levi", "\u05d3\u05e0\u05d4 Levi"),
        ("targetcallername", "x" * 64, "x" * 64),
        ("phonemaxdialtime", "020", "20"),
        ("targetmaxdialtime", "60", "60"),
        ("maxduration", "7200", "7200"),
        ("language", "he", "he"),
        ("language", "en", "en"),
        ("language", "RU", "ru"),
        ("language", "", None),
        ("ignoredncstatus", "1", "1"),
        ("ignoredncstatus", "2", "2"),
        ("ignoredncstatus", "3", "3"),
        ("ignoredncstatus", "", None),
    ],
)
def test_each_value_of_the_vendors_page_goes_out_and_what_is_off_stays_behind(
    option: str, value: str, wire: str | None
) -> None:
    assert sent(replace(CALL, options={option: value})).get(option.lower()) == wire


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((name, value) for name in sorted(SWITCHES) for value in ("yes", "2", "truefalse", "\u0661")),
        *(
            (name, value)
            for name in ("phonecallerid", "targetcallerid")
            for value in ("03-51234", "x", "1" * 25, "1\n2")
        ),
        *((name, value) for name in ("phonecallername", "targetcallername") for value in ("a\nb", "\x00", "x" * 65)),
        *(
            (name, value)
            for name in ("phonemaxdialtime", "targetmaxdialtime", "maxduration")
            for value in ("0", "000", "-5", "1.5", "20s", "soon", "9999999", "\u0662\u0660")
        ),
        *(("language", value) for value in ("hebrew", "h", "12", "\u05e2\u05d1")),
        *(("ignoredncstatus", value) for value in ("0", "4", "true", "12")),
        ("ignorednostatus", "1"),  # the page's scanning error (facts 6)
        ("nosuchoption", "1"),
        ("", "1"),
    ],
)
def test_a_value_that_is_not_on_the_page_is_never_sent_and_never_repeated(option: str, value: str) -> None:
    said = refused(replace(CALL, options={option: value}))
    assert option in said
    if len(value) > 4:
        assert value not in said


@pytest.mark.parametrize("field", ["ring_agent", "ring_lead", "max_duration"])
@pytest.mark.parametrize("value", [0, -1, True, 1.5, 10**7])
def test_a_time_is_whole_seconds_above_0(field: str, value: object) -> None:
    assert "whole seconds above 0" in refused(replace(CALL, **{field: value}))  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize("extension", ["", " ", "SIP dana", "SIP\u05d0", "+0123", "a" * 65, "a&b", "+"])
def test_what_is_neither_extension_nor_number_is_not_rung(extension: str) -> None:
    assert "extension" in refused(replace(CALL, extension=extension))


@pytest.mark.parametrize("phone", ["", "0501234567", "+972", "nonsense", "+97250123456789012"])
def test_a_lead_whose_phone_is_not_e164_is_not_rung(phone: str) -> None:
    assert "E.164" in refused(replace(CALL, lead_phone=phone))


def test_logincode_needs_its_login_code() -> None:
    assert "phonelogincode" in refused(replace(CALL, extension="logincode"))
    assert "phonelogincode" in refused(replace(CALL, extension="logincode", login_code="12 34"))


def test_a_call_without_account_code_is_not_sent() -> None:
    with pytest.raises(ParameterError, match="account code"):
        call_parameters(CALL, "", "json")


@pytest.mark.parametrize("name", ["a b", "var_", "", "caf\u00e9", "x" * 70, "a=b"])
def test_a_variable_needs_a_name(name: str) -> None:
    assert "variable" in refused(replace(CALL, variables={name: "x"}))


@pytest.mark.parametrize("value", [7, None, ["a"], {"a": "b"}])
def test_values_are_flat_text(value: object) -> None:
    assert "text" in refused(replace(CALL, variables={"a": value}))  # type: ignore[dict-item] # wrong on purpose
    assert "text" in refused(replace(CALL, options={"language": value}))  # type: ignore[dict-item] # wrong on purpose


def test_a_visitors_words_in_a_variable_never_stop_a_call() -> None:
    words = 'line\nbreak \x00 \ud800 "&=%\u05d0'
    assert sent(replace(CALL, variables={"message": words}))["var_message"] == words.replace("\ud800", "?")


@pytest.mark.parametrize(
    ("language", "wire"),
    [
        ("he", "he"),
        ("he-IL", "he"),
        ("HE_il", "he"),
        ("iw", "he"),
        ("iw-IL", "he"),
        ("en-US,en;q=0.9", "en"),
        (" ru ", "ru"),
        ("ar", "ar"),
        ("", None),
        ("hebrew", None),
        ("heb", None),
        ("*", None),
        ("\u05e2\u05d1\u05e8\u05d9\u05ea", None),
    ],
)
def test_the_leads_language_is_two_small_letters_or_left_out(language: str, wire: str | None) -> None:
    assert sent(replace(CALL, language=language)).get("language") == wire


def test_an_option_language_wins_over_the_leads() -> None:
    assert sent(replace(CALL, language="he", options={"language": "ru"}))["language"] == "ru"
    assert sent(replace(CALL, language="he", options={"language": ""}))["language"] == "he"


# ------------------------------------------------------------------------------------------ the lead first

FIRST = replace(CALL, first="lead")


def test_with_the_lead_first_phone_is_the_lead_and_target_the_agent() -> None:
    assert sent(FIRST) == {
        "code": "the-code",
        "action": "call",
        "phone": "0501234567",
        "target": "KGpK4iWq",
        "format": "json",
        "checktargetdevicestate": "true",
        "record": "false",
        "var_lead": "lead-1",
        "var_attempt": "attempt-1",
    }


def test_times_and_options_follow_the_person() -> None:
    options = {
        "phonecallerid": "11",
        "phonecallername": "agent sees",
        "phoneautoanswer": "true",
        "targetcallerid": "22",
        "targetcallername": "lead sees",
        "targetautoanswer": "1",
        "ignoredncstatus": "2",
        "language": "he",
    }
    call = replace(FIRST, options=options, ring_agent=20, ring_lead=30, max_duration=99, record=True)
    parameters = sent(call)
    assert parameters == {
        **sent(FIRST),
        "targetcallerid": "11",
        "targetcallername": "agent sees",
        "targetautoanswer": "true",
        "phonecallerid": "22",
        "phonecallername": "lead sees",
        "phoneautoanswer": "true",
        "ignoredncstatus": "1",
        "language": "he",
        "targetmaxdialtime": "20",
        "phonemaxdialtime": "30",
        "maxduration": "99",
        "record": "true",
    }


@pytest.mark.parametrize(("agent_first", "lead_first"), [("1", "2"), ("2", "1"), ("3", "3")])
def test_the_do_not_call_override_follows_the_person(agent_first: str, lead_first: str) -> None:
    options = {"ignoredncstatus": agent_first}
    assert sent(replace(CALL, options=options))["ignoredncstatus"] == agent_first
    assert sent(replace(FIRST, options=options))["ignoredncstatus"] == lead_first


@pytest.mark.parametrize("extension", ["+972521234567", "0722776772", "972722776772"])
def test_no_device_state_is_asked_of_an_ordinary_number_rung_second(extension: str) -> None:
    parameters = sent(replace(FIRST, extension=extension, options={"checkphonedevicestate": "true"}))
    assert not any("devicestate" in name for name in parameters)
    assert parameters["target"] == extension.replace("+972", "0")


@pytest.mark.parametrize("extension", ["KGpK4iWq", "1001", "SIPdana1"])
def test_the_device_state_of_an_extension_rung_second_is_asked_unless_it_is_switched_off(extension: str) -> None:
    call = replace(FIRST, extension=extension)
    assert sent(call)["checktargetdevicestate"] == "true"
    off = sent(replace(call, options={"checkphonedevicestate": "false"}))
    assert not any("devicestate" in name for name in off)


def test_no_device_state_is_ever_asked_of_the_lead_who_is_rung_first() -> None:
    assert "checkphonedevicestate" not in sent(replace(FIRST, options={"checktargetdevicestate": "true"}))


def test_with_the_agent_first_the_device_state_is_always_said() -> None:
    for extension in ("KGpK4iWq", "+972521234567", "0722776772", "SIPTRUNK"):
        assert sent(replace(CALL, extension=extension))["checkphonedevicestate"] == "true"


@pytest.mark.parametrize("extension", ["SIPTRUNK", "siptrunk", "logincode"])
def test_the_providers_words_cannot_be_rung_second(extension: str) -> None:
    assert "rung second" in refused(replace(FIRST, extension=extension))
    assert "rung second" in refused(replace(FIRST, login_code="1234"))


# --------------------------------------------------------------------------------------------- hanging up


def test_hanging_up_names_the_extension_and_nothing_else() -> None:
    assert hang_up_parameters("KGpK4iWq", "the-code", "json") == {
        "code": "the-code",
        "action": "terminate",
        "phone": "KGpK4iWq",
        "format": "json",
    }


def test_bare_digits_may_be_an_extensions_name() -> None:
    assert hang_up_parameters("1001", "c", "xml") == {
        "code": "c",
        "action": "terminate",
        "phone": "1001",
        "format": "XML",
    }


@pytest.mark.parametrize("extension", ["+972521234567", "SIPTRUNK", "logincode", "", "a b"])
def test_only_an_extension_can_be_hung_up(extension: str) -> None:
    with pytest.raises(ParameterError):
        hang_up_parameters(extension, "the-code", "json")


# --------------------------------------------------------------------------------------------- all of them

TEXT = st.text(st.characters(), max_size=12)  # lone surrogates too
NAMES = st.sampled_from([*OPTIONS, *(name.upper() for name in OPTIONS), "code", "phone", "var_z"])
VALUES = st.sampled_from(["true", "false", "1", "2", "3", "0", "20", "he", "", " he-IL ", "0722776772", "Dana"])
ON_THE_PAGE = {
    "record": "true|false",
    "phonecallerid": r"\d+",
    "targetcallerid": r"\d+",
    "phonemaxdialtime": r"[1-9]\d*",
    "targetmaxdialtime": r"[1-9]\d*",
    "maxduration": r"[1-9]\d*",
    "phoneautoanswer": "true",
    "targetautoanswer": "true",
    "checkphonedevicestate": "true|false",
    "checktargetdevicestate": "true|false",
    "language": "[a-z]{2}",
    "ignoredncstatus": "[123]",
}


@given(
    variables=st.dictionaries(TEXT | st.sampled_from(["a", "b", "var_c"]), TEXT, max_size=15),
    options=st.dictionaries(NAMES | TEXT, VALUES | TEXT, max_size=8) | st.dictionaries(NAMES, VALUES, max_size=8),
    first=st.sampled_from(["agent", "lead"]),
    language=st.none() | TEXT,
)
def test_whatever_is_configured_the_call_stays_the_call_or_is_not_sent(
    variables: Mapping[str, str], options: Mapping[str, str], first: First, language: str | None
) -> None:
    call = replace(CALL, variables=variables, options=options, first=first, language=language)
    try:
        parameters = sent(call)
    except ParameterError:
        return
    assert len([name for name in parameters if name.lower().startswith("var_")]) <= MAX_VARIABLES
    assert parameters["code"] == "the-code"
    assert parameters["target" if first == "agent" else "phone"] == "0501234567"
    assert parameters["phone" if first == "agent" else "target"] == "KGpK4iWq"
    assert parameters["var_lead"] == "lead-1"
    for name, value in parameters.items():
        assert (name + value).encode("utf-8").decode("utf-8") == name + value
        assert value or name.startswith("var_")
        assert re.fullmatch(ON_THE_PAGE.get(name, ".*"), value, re.DOTALL)


@given(TEXT, TEXT, TEXT)
def test_what_cannot_be_sent_is_a_parameter_error_and_no_other(extension: str, name: str, value: str) -> None:
    with suppress(ParameterError):
        sent(replace(CALL, extension=extension, options={name: value}, language=value))
