"""Recording, caller ids, times, automatic answer, device checks (vendor page, call table)."""

from __future__ import annotations

import pytest

from .hands import Hands
from .provider import Face
from .receiver import Receiver
from .rows import row


@pytest.mark.parametrize(
    ("record", "recorded"),
    [row("record: true", "true", True), row("record: false", "false", False), row("record: absent", None, False)],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_is_recorded_when_asked(
    calling: Face, hands: Hands, method: str, record: str | None, recorded: bool
) -> None:
    """Page, row record: true / false; if not provided set to false."""
    assert calling(method=method, record=record).code == 0
    assert hands.call()["record"] is recorded


@pytest.mark.parametrize(
    ("name", "type_", "key"),
    [
        row("phonecallerid: given", "phonecallerid", "Click2Call leg1", "caller", guess="2.2"),
        row("targetcallerid: given", "targetcallerid", "Click2Call leg2", "caller", guess="2.2"),
    ],
)
def test_a_caller_id_is_shown_to_its_leg(
    calling: Face, hands: Hands, receiver: Receiver, name: str, type_: str, key: str
) -> None:
    """Page, rows of caller ids: not supported by all providers. The record names the number shown (facts 2.2)."""
    assert calling({name: "0722776772"}).code == 0
    hands.answer("SIPdana1", "0501234567")
    hands.do("SIPdana1", "hangup")
    records = receiver.records()
    assert [found for found in records if records[found][key] == "0722776772"] == [type_]


@pytest.mark.parametrize(
    "name", [row("phonecallername: given", "phonecallername"), row("targetcallername: given", "targetcallername")]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_caller_name_is_taken_in_any_script(calling: Face, hands: Hands, method: str, name: str) -> None:
    """Page, rows of caller names: not supported by all providers, so that only acceptance can be promised."""
    assert calling({name: "פנייה מהאתר & more"}, method=method).code == 0
    (request,) = hands.requests()
    assert request["params"][name] == "פנייה מהאתר & more"


@pytest.mark.parametrize(
    ("name", "number", "given", "longest"),
    [
        row("phonemaxdialtime: given", "phonemaxdialtime", "SIPdana1", "25", 25),
        row("phonemaxdialtime: absent", "phonemaxdialtime", "SIPdana1", None, 60),
        row("targetmaxdialtime: given", "targetmaxdialtime", "0501234567", "25", 25),
        row("targetmaxdialtime: absent", "targetmaxdialtime", "0501234567", None, 60),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_phone_rings_at_most_so_long(
    calling: Face, hands: Hands, method: str, name: str, number: str, given: str | None, longest: int
) -> None:
    """Page, rows of dial times: seconds; if not provided set to 60."""
    assert calling({name: given}, method=method).code == 0
    assert hands.leg(number)["max_dial_time"] == longest


@pytest.mark.parametrize(
    ("name", "picked_up", "silent"),
    [
        row("phonemaxdialtime: passes", "phonemaxdialtime", (), "SIPdana1"),
        row("targetmaxdialtime: passes", "targetmaxdialtime", ("SIPdana1",), "0501234567"),
    ],
)
def test_a_phone_that_nobody_picks_up_stops_ringing(
    calling: Face, hands: Hands, name: str, picked_up: tuple[str, ...], silent: str
) -> None:
    """Page: maximum dial time. The leg ends as NOANSWER, and the call with it (facts 2.3)."""
    assert calling({name: "1"}).code == 0
    hands.answer(*picked_up)
    hands.ended()
    leg = hands.leg(silent)
    assert leg["status"] == "NOANSWER"
    assert 0.9 <= leg["ended_at"] - leg["rang_at"] < 3


@pytest.mark.row("maxduration: passes")
def test_a_conversation_is_cut_at_its_maximum(calling: Face, hands: Hands) -> None:
    """Page, row maxduration: maximum call duration in seconds."""
    assert calling(maxduration="1").code == 0
    hands.answer("SIPdana1", "0501234567")
    call = hands.ended()
    assert call["ended_by"] == "maxduration"
    assert 0.9 <= call["ended_at"] - hands.leg("0501234567")["answered_at"] < 3


@pytest.mark.parametrize(
    "name",
    [
        row("phonemaxdialtime: else", "phonemaxdialtime", guess="7"),
        row("targetmaxdialtime: else", "targetmaxdialtime", guess="7"),
        row("maxduration: else", "maxduration", guess="7"),
    ],
)
@pytest.mark.parametrize("value", ["soon", "-1", "0", "1.5"])
def test_a_time_that_is_no_number_of_seconds_is_refused(calling: Face, hands: Hands, name: str, value: str) -> None:
    """Page: in seconds; what happens to other values is not said."""
    assert calling({name: value}).code == 1
    assert hands.nobody_rang()


@pytest.mark.row("record: else")
@pytest.mark.guess("7")
def test_a_record_that_is_neither_true_nor_false_is_refused(calling: Face, hands: Hands) -> None:
    """Page, row record: acceptable values true / false."""
    assert calling(record="maybe").code == 1
    assert hands.nobody_rang()


@pytest.mark.parametrize("value", [row("phoneautoanswer: true", "true"), row("phoneautoanswer: 1", "1")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_agents_phone_answers_by_itself(calling: Face, hands: Hands, method: str, value: str) -> None:
    """Page, row phoneautoanswer: true or 1."""
    assert calling(method=method, phoneautoanswer=value).code == 0
    hands.until(lambda: hands.leg("SIPdana1")["state"] == "talking", "phone answers by itself")
    assert hands.rings("0501234567")


@pytest.mark.parametrize("value", [row("targetautoanswer: true", "true"), row("targetautoanswer: 1", "1")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_targets_extension_answers_by_itself(calling: Face, hands: Hands, method: str, value: str) -> None:
    """Page, row targetautoanswer: true or 1; only for Voicenter extensions."""
    assert calling(method=method, target="SIPnoa02", targetautoanswer=value).code == 0
    hands.answer("SIPdana1")
    hands.until(lambda: hands.leg("SIPnoa02")["state"] == "talking", "target answers by itself")


@pytest.mark.row("phoneautoanswer: absent", "targetautoanswer: absent", "maxduration: absent")
def test_nobody_answers_or_hangs_up_by_himself(calling: Face, hands: Hands) -> None:
    """Page: automatic answer is false if not specified; a call lasts 7200 seconds.

    Seen against a second call on other phones that does answer by itself and is cut after one second.
    """
    assert calling().code == 0
    hands.answer("SIPdana1", "0501234567")
    assert calling(phone="SIPgal03", target="0521112233").code == 0
    swift = calling(
        phone="SIPnoa02", target="SIPtal04", phoneautoanswer="1", targetautoanswer="1", maxduration="1"
    ).call_id
    hands.until(
        lambda: any(one["call_id"] == swift and not one["live"] for one in hands.calls()), "the swift call ends"
    )
    talking, ringing, _ = hands.calls()
    assert (talking["live"], ringing["live"]) == (True, True)
    assert "talking" not in {ringing["agent"]["state"], ringing["lead"]["state"]}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        row("checkphonedevicestate: offline", "checkphonedevicestate", "SIPdana1"),
        row("checktargetdevicestate: offline", "checktargetdevicestate", "SIPnoa02"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_extension_that_is_offline_blocks_the_call(
    calling: Face, hands: Hands, method: str, name: str, number: str
) -> None:
    """Page: block call if extension offline; code 3. That the value is true is what integrations send (facts 1.2)."""
    hands.do("SIPnoa02", "online")
    hands.do(number, "offline")
    answer = calling({name: "true"}, method=method, target="SIPnoa02")
    assert (answer.code, answer.call_id) == (3, "")
    assert hands.nobody_rang()


@pytest.mark.parametrize(
    "name",
    [
        row("checkphonedevicestate: online", "checkphonedevicestate"),
        row("checktargetdevicestate: online", "checktargetdevicestate"),
    ],
)
def test_an_extension_that_is_online_does_not(calling: Face, hands: Hands, name: str) -> None:
    """Page: block call if extension offline, and only then."""
    assert calling({name: "true"}, target="SIPnoa02").code == 0
    assert hands.rings("SIPdana1")


@pytest.mark.parametrize(
    ("number", "picked_up"),
    [
        row("checkphonedevicestate: absent", "SIPdana1", (), guess="1.2"),
        row("checktargetdevicestate: absent", "SIPnoa02", ("SIPdana1",), guess="1.2"),
    ],
)
def test_unchecked_a_call_to_an_offline_extension_is_taken_and_fails(
    calling: Face, hands: Hands, number: str, picked_up: tuple[str, ...]
) -> None:
    """Page: the checks are optional; that they are off without the parameter is presumed."""
    hands.do("SIPnoa02", "online")
    hands.do(number, "offline")
    assert calling(target="SIPnoa02").code == 0
    hands.answer(*picked_up)
    hands.ended()
    assert hands.leg(number)["status"] in {"CHANUNAVAIL", "CONGESTION"}
    assert hands.leg(number)["rang_at"] is None
