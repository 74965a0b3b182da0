"""What goes out on the wire, name by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import CallRequest
from app.voicenter.parameters import MAX_VARIABLES, call_parameters

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
    assert call_parameters(CALL, "c", "xml")["format"] == "xml"


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


TEXT = st.text(st.characters(), max_size=12)  # lone surrogates too


@given(
    variables=st.dictionaries(TEXT, TEXT, max_size=15),
    options=st.dictionaries(TEXT, TEXT, max_size=8),
)
def test_whatever_is_configured_the_call_stays_the_call(
    variables: Mapping[str, str], options: Mapping[str, str]
) -> None:
    parameters = sent(replace(CALL, variables=variables, options=options))
    assert len([name for name in parameters if name.lower().startswith("var_")]) <= MAX_VARIABLES
    assert parameters["code"] == "the-code"
    assert parameters["target"] == "0501234567"
    assert parameters["var_lead"] == "lead-1"
    for name, value in parameters.items():
        assert (name + value).encode("utf-8").decode("utf-8") == name + value
