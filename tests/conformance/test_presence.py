"""Active calls while a call lives, and the roster (facts 3.1, 3.2)."""

from __future__ import annotations

from typing import Any

import pytest

from .hands import Hands
from .provider import Face
from .rows import row

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])
CALL = {"callStarted", "callAnswered", "answered", "callername", "callerphone", "callstatus", "customdata",
        "direction", "ivrid", "recording", "did"}  # fmt: skip


def calls_of(active_calls: Face, extension: str, method: str = "POST") -> list[dict[str, Any]]:
    """The calls that Active Calls shows on that extension."""
    (found,) = active_calls(method=method, extension=extension).rows("EXTENSIONS")
    assert found["username"] == extension
    calls: list[dict[str, Any]] = found["calls"]
    return calls


@pytest.mark.row("active calls: row", "active calls: ivrid", "active calls: answer")
def test_a_live_call_has_all_the_keys_and_our_call_id(calling: Face, active_calls: Face) -> None:
    """Facts 3.2: the sample's keys; `ivrid` equal to the CALLID."""
    call_id = calling().call_id
    (call,) = calls_of(active_calls, "SIPdana1")
    assert set(call) >= CALL
    assert call["ivrid"] == call_id
    assert call["callerphone"] == "0501234567"


@pytest.mark.parametrize(
    ("picked_up", "statuses", "answered"),
    [
        row("active calls: phone rings", (), {"Ringing"}, 0),
        row("active calls: target rings", ("SIPdana1",), {"Dialing", "Ringing", "Talking"}, None, guess="3.2"),
        row("active calls: talking", ("SIPdana1", "0501234567"), {"Talking"}, 1),
    ],
)
@METHODS
def test_a_call_is_shown_as_it_goes_on(
    calling: Face,
    active_calls: Face,
    hands: Hands,
    method: str,
    picked_up: tuple[str, ...],
    statuses: set[str],
    answered: int | None,
) -> None:
    """Facts 3.2: callstatus Ringing, Dialing, Talking, Hold; answered 0 or 1."""
    assert calling().code == 0
    hands.answer(*picked_up)
    (call,) = calls_of(active_calls, "SIPdana1", method)
    assert call["callstatus"] in statuses
    assert answered is None or call["answered"] == answered
    assert bool(call["callAnswered"]) is bool(call["answered"])


@pytest.mark.row("active calls: on hold")
def test_a_call_on_hold_says_so_and_stays_answered(calling: Face, active_calls: Face, hands: Hands) -> None:
    """Facts 3.2: callstatus Hold."""
    assert calling().code == 0
    hands.answer("SIPdana1", "0501234567")
    hands.do("SIPdana1", "hold")
    (call,) = calls_of(active_calls, "SIPdana1")
    assert (call["callstatus"], call["answered"]) == ("Hold", 1)


@pytest.mark.row("active calls: idle", "active calls: over")
def test_an_extension_without_a_call_is_listed_as_idle(calling: Face, active_calls: Face, hands: Hands) -> None:
    """Facts 3.2: empty calls means idle."""
    hands.user_status("SIPnoa02", 1)
    assert calls_of(active_calls, "SIPnoa02") == []
    assert calling().code == 0
    assert calls_of(active_calls, "SIPnoa02") == []
    hands.do("SIPdana1", "decline")
    assert calls_of(active_calls, "SIPdana1") == []


@pytest.mark.row("active calls: extension", "active calls: GET")
@METHODS
def test_one_extension_can_be_asked_for_or_all(active_calls: Face, hands: Hands, method: str) -> None:
    """Facts 3.2: `extension` is one SIP code; absent = all; GET or POST-JSON."""
    hands.user_status("SIPdana1", 1)
    hands.user_status("SIPnoa02", 1)
    one = active_calls(method=method, extension="SIPnoa02").rows("EXTENSIONS")
    every = active_calls(method=method).rows("EXTENSIONS")
    assert [row["username"] for row in one] == ["SIPnoa02"]
    assert {row["username"] for row in every} == {"SIPdana1", "SIPnoa02"}


@pytest.mark.row("active calls: code wrong")
@METHODS
def test_a_wrong_code_sees_no_extension(active_calls: Face, hands: Hands, method: str) -> None:
    """Facts 3.2: empty EXTENSIONS, no error."""
    hands.user_status("SIPdana1", 1)
    answer = active_calls(method=method, code="wrong")
    assert (answer.member("ERR"), len(answer.rows("EXTENSIONS"))) == (0, 0)


@pytest.mark.parametrize(
    "status", [row(f"onlineUserStatus: {status}", status) for status in (1, 2, 3, 5, 7, 9, 11, 12, 13)]
)
def test_who_is_logged_in_is_shown(active_calls: Face, hands: Hands, status: int) -> None:
    """Facts 3.2: onlineUserStatus; onlineUserID 0 = nobody is logged in."""
    hands.user_status("SIPdana1", status)
    (one,) = active_calls(extension="SIPdana1").rows("EXTENSIONS")
    assert one["onlineUserStatus"] == status
    if status in {1, 2}:
        assert bool(one["onlineUserID"]) is (status == 1)


@pytest.mark.row("active calls: offline device")
def test_a_device_that_is_offline_does_not_show(active_calls: Face, hands: Hands) -> None:
    """Facts 3.2: there is no device-registered flag; only code 3 tells."""
    hands.user_status("SIPdana1", 1)
    before = active_calls(extension="SIPdana1").text
    hands.do("SIPdana1", "offline")
    assert active_calls(extension="SIPdana1").text == before


@pytest.mark.row("roster: GET", "roster: row")
@METHODS
def test_the_roster_does_not_change_with_calls(calling: Face, roster: Face, method: str) -> None:
    """Facts 3.1: SIP is the extension; a roster, no state; GET or POST-JSON."""
    assert calling().code == 0
    rows = roster(method=method).rows("EXTENSIONS")
    assert [one["SIP"] for one in rows] == ["SIPdana1"]
    assert not any("calls" in one for one in rows)


@pytest.mark.row("roster: code wrong")
@METHODS
def test_the_roster_of_a_wrong_code_is_empty_by_both_methods(calling: Face, roster: Face, method: str) -> None:
    """Facts 3.1: ERR 0 and an empty list."""
    assert calling().code == 0
    answer = roster(method=method, code="wrong")
    assert (answer.member("ERR"), len(answer.rows("EXTENSIONS"))) == (0, 0)
