"""action=terminate: hang up whatever is active on an extension (vendor page, terminate table; facts 1.3)."""

from __future__ import annotations

import pytest

from .hands import Hands
from .provider import Face
from .rows import row

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])
HANG_UP: dict[str, object] = {"action": "terminate", "phone": "SIPdana1", "target": None}


@pytest.mark.parametrize(
    "picked_up",
    [
        row("terminate phone: ringing", ()),
        row("terminate phone: dialing", ("SIPdana1",)),
        row("terminate phone: talking", ("SIPdana1", "0501234567")),
    ],
)
@METHODS
@pytest.mark.row("terminate action: terminate")
def test_terminate_ends_the_call_of_the_extension(
    calling: Face, hands: Hands, method: str, picked_up: tuple[str, ...]
) -> None:
    """Page: allows the agent to end an active call; phone is the extension to hang up, no call id is asked for."""
    assert calling(method=method).code == 0
    hands.answer(*picked_up)
    answer = calling(HANG_UP, method=method)
    assert (answer.code, answer.message) == (0, "OK")
    assert hands.ended()["ended_by"] == "terminate"


@METHODS
@pytest.mark.row("terminate phone: talking")
def test_terminate_leaves_other_calls_alone(calling: Face, hands: Hands, method: str) -> None:
    """Page: phone, and nothing else, names what is ended."""
    assert calling(method=method).code == 0
    assert calling(method=method, phone="SIPnoa02", target="0521112233").code == 0
    assert calling(HANG_UP, method=method).code == 0
    assert [call["live"] for call in hands.calls()] == [False, True]


@pytest.mark.row("terminate phone: idle")
@pytest.mark.guess("1.3")
def test_terminate_of_an_idle_extension_is_no_error(calling: Face, hands: Hands) -> None:
    """What is answered when there is nothing to end is not documented."""
    assert calling(HANG_UP).code == 0
    assert hands.nobody_rang()


@pytest.mark.row("terminate phone: missing")
@METHODS
def test_terminate_without_an_extension_ends_nothing(calling: Face, hands: Hands, method: str) -> None:
    """Page: Phone is mandatory; code 1."""
    assert calling(method=method).code == 0
    answer = calling({**HANG_UP, "phone": None}, method=method)
    assert (answer.code, answer.message) == (1, "Phone is missing")
    assert hands.call()["live"]


@pytest.mark.row("terminate code: missing")
@METHODS
def test_terminate_without_code_ends_nothing(calling: Face, hands: Hands, method: str) -> None:
    """Page: code is mandatory; code 1."""
    assert calling(method=method).code == 0
    assert calling(HANG_UP, method=method, signed=False).code == 1
    assert hands.call()["live"]


@pytest.mark.row("terminate code: wrong")
@pytest.mark.guess("7")
def test_terminate_with_a_wrong_code_ends_nothing(calling: Face, hands: Hands) -> None:
    """Page: caller identity; the answer to a wrong one is not documented."""
    assert calling().code == 0
    assert calling(HANG_UP, code="wrong").code == 1
    assert hands.call()["live"]


@pytest.mark.row("terminate action: large letters")
@pytest.mark.guess("1.2")
def test_terminate_may_be_written_in_large_letters(calling: Face, hands: Hands) -> None:
    """Page: action=terminate; whether letters count is not said."""
    assert calling().code == 0
    assert calling({**HANG_UP, "action": "TERMINATE"}).code == 0
    assert not hands.call()["live"]


@pytest.mark.parametrize("wanted", [None, "XML", "json"], ids=["absent", "XML", "json"])
@pytest.mark.row("terminate action: terminate", "format: absent", "format: XML", "format: json")
def test_terminate_answers_in_the_format_asked_for(calling: Face, wanted: str | None) -> None:
    """Page: one response for all requests. A client that forgets the format gets XML (facts 1.8)."""
    assert calling(HANG_UP, format=wanted).kind == ("json" if wanted == "json" else "xml")
