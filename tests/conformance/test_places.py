"""phone and target: who is rung, in which order, written how (vendor page, call table)."""

from __future__ import annotations

import pytest

from .hands import Hands
from .provider import Face
from .rows import row

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@METHODS
@pytest.mark.row("phone: rings first", "action: call", "code: right", "request: GET", "request: POST-JSON")
def test_phone_rings_first(calling: Face, hands: Hands, method: str) -> None:
    """Page, row phone: first destination to dial."""
    assert calling(method=method).code == 0
    assert hands.rings("SIPdana1")
    assert hands.leg("0501234567")["state"] == "waiting"


@METHODS
@pytest.mark.row("target: rings second")
def test_target_rings_when_phone_was_answered(calling: Face, hands: Hands, method: str) -> None:
    """Page, how it works: leg 2 follows an answer to the leg 1 call."""
    assert calling(method=method).code == 0
    hands.answer("SIPdana1")
    assert hands.rings("0501234567")


@pytest.mark.parametrize(
    "phone",
    [
        row("phone: E.164", "972501112233"),
        row("phone: E.164", "12125550123", id="foreign"),
        row("phone: Israeli", "0501112233"),
        row("phone: Israeli", "031112233", id="landline"),
        row("phone: extension", "KGpK4iWq"),
        row("phone: SIPTRUNK", "SIPTRUNK"),
    ],
)
@METHODS
def test_phone_is_rung_as_written(calling: Face, hands: Hands, method: str, phone: str) -> None:
    """Page, row phone: E.164 without plus, Israeli 0…, an extension in its own letters, SIPTRUNK."""
    answer = calling(method=method, phone=phone)
    assert answer.code == 0, str(answer)
    assert hands.rings(phone)


@METHODS
@pytest.mark.row("phone: logincode")
def test_a_login_code_stands_for_whoever_is_logged_in(calling: Face, hands: Hands, method: str) -> None:
    """Page, row phone: phone=logincode phonelogincode=[login code]."""
    answer = calling(method=method, phone="logincode", phonelogincode="4711")
    assert answer.code == 0, str(answer)
    assert hands.rings("4711")


@pytest.mark.row("phone: logincode alone")
@pytest.mark.guess("7")
def test_logincode_without_a_login_code_is_refused(calling: Face, hands: Hands) -> None:
    """Page, row phone, names both together; what one alone does is not said."""
    assert calling(phone="logincode").code == 1
    assert hands.nobody_rang()


@pytest.mark.parametrize(
    "target",
    [
        row("target: E.164", "972521112233"),
        row("target: E.164", "442071234567", id="foreign"),
        row("target: Israeli", "0521112233"),
        row("target: extension", "SIPnoa02"),
    ],
)
@METHODS
def test_target_is_rung_as_written(calling: Face, hands: Hands, method: str, target: str) -> None:
    """Page, row target: E.164 without plus, Israeli 0…, an extension."""
    assert calling(method=method, target=target).code == 0
    hands.answer("SIPdana1")
    assert hands.rings(target)


@pytest.mark.row("phone: Israeli", "target: extension")
@pytest.mark.guess("1.4")
def test_the_lead_may_be_rung_first_and_an_extension_second(calling: Face, hands: Hands) -> None:
    """Page: both places take a number or an extension; that this is the callback form is an inference."""
    assert calling(phone="0501234567", target="SIPdana1").code == 0
    hands.answer("0501234567")
    assert hands.rings("SIPdana1")


@pytest.mark.parametrize("name", [row("phone: missing", "phone"), row("target: missing", "target")])
@pytest.mark.parametrize("value", [None, "", "  "], ids=["absent", "empty", "blank"])
@METHODS
def test_a_call_that_lacks_a_place_rings_nobody(
    calling: Face, hands: Hands, method: str, name: str, value: str | None
) -> None:
    """Page: both are mandatory; code 1, and the sentence names the one that is missing, as in the sample."""
    answer = calling({name: value}, method=method)
    assert (answer.code, answer.message, answer.call_id) == (1, f"{name.capitalize()} is missing", "")
    assert hands.nobody_rang()


@pytest.mark.parametrize(
    "name", [row("phone: with plus", "phone", guess="7"), row("target: with plus", "target", guess="7")]
)
def test_a_plus_sign_is_refused(calling: Face, hands: Hands, name: str) -> None:
    """Page: without the plus sign; what happens to one is not said."""
    assert calling({name: "+972501234567"}).code == 1
    assert hands.nobody_rang()


@pytest.mark.parametrize("name", [row("code: missing", "code"), row("action: missing", "action")])
@METHODS
def test_a_complete_call_without_code_or_action_rings_nobody(
    calling: Face, hands: Hands, method: str, name: str
) -> None:
    """Page: both are mandatory; code 1."""
    answer = calling({name: None}, method=method, signed=name != "code")
    assert (answer.code, answer.message) == (1, f"{name.capitalize()} is missing")
    assert hands.nobody_rang()


@pytest.mark.row("code: wrong")
@pytest.mark.guess("7")
@METHODS
def test_a_wrong_code_rings_nobody(calling: Face, hands: Hands, method: str) -> None:
    """Page, row code: caller identity token; the answer to a wrong one is not documented."""
    assert calling(method=method, code="wrong").code == 1
    assert hands.nobody_rang()


@pytest.mark.row("action: unknown")
@pytest.mark.guess("7")
def test_an_unknown_action_rings_nobody(calling: Face, hands: Hands) -> None:
    """Page: call, or terminate; anything else is not described."""
    assert calling(action="ring").code == 1
    assert hands.nobody_rang()
