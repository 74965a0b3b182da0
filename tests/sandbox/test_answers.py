"""Spoilt answers, over a real connection: what a client sees, and whether a phone rang."""

import threading
import time

import httpx
import pytest

from app.sandbox import Behaviour
from app.sandbox.answers import ConnectionCutError
from tests.sandbox_server import RunningSandbox

from .conftest import CALL, Caller


def _post(sandbox: RunningSandbox, seconds: float = 5) -> httpx.Response:
    with httpx.Client(timeout=seconds, trust_env=False) as client:
        return client.post(sandbox.click2call_url, json=CALL)


def _rang(sandbox: RunningSandbox) -> bool:
    (received,) = sandbox.wait_for_requests(1)
    assert bool(received["rang"]) == bool(sandbox.calls())
    return bool(received["rang"])


@pytest.mark.parametrize("rings", [True, False])
def test_a_cut_connection_says_nothing_whether_or_not_it_rings(running: RunningSandbox, rings: bool) -> None:
    running.set_behaviour("*", answer="cut", rings=rings)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        _post(running)
    assert _rang(running) is rings


def test_half_an_answer_is_cut_in_its_body(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="half")
    with pytest.raises(httpx.RemoteProtocolError, match=r"complete message body"):
        _post(running)
    assert _rang(running)


def test_a_hanging_request_rings_and_is_let_go_when_the_script_is_deleted(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="hang")
    with pytest.raises(httpx.ReadTimeout):
        _post(running, seconds=0.1)
    assert _rang(running)
    errors: list[Exception] = []

    def wait() -> None:
        try:
            _post(running)
        except httpx.HTTPError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    running.wait_for_requests(2)
    with httpx.Client(trust_env=False) as client:
        assert client.delete(f"{running.url}/sandbox/behaviour").status_code == 204
    waiting.join(5)
    assert [type(error) for error in errors] == [httpx.RemoteProtocolError]


def test_a_slow_answer_is_late_but_the_phone_rings_at_once(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="slow", seconds=0.2)
    started = time.monotonic()
    done: list[tuple[object, float]] = []

    def ask() -> None:
        done.append((_post(running).json()["ERRORCODE"], time.monotonic() - started))

    slow = threading.Thread(target=ask)
    slow.start()
    running.wait_for_ringing("SIPdana1")
    assert done == []
    slow.join(5)
    ((code, seconds),) = done
    assert code == 0
    assert seconds >= 0.2


def test_a_dripping_answer_never_lets_a_per_read_time_out_strike(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="drip", seconds=0.002)
    with (
        httpx.Client(timeout=0.5, trust_env=False) as client,
        client.stream("POST", running.click2call_url, json=CALL) as answer,
    ):
        pieces = list(answer.iter_raw(1))
    assert len(pieces) == len(b"".join(pieces)) > 80
    assert b'"ERRORCODE": 0' in b"".join(pieces)


def test_a_huge_answer_is_as_large_as_asked(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="huge", megabytes=2)
    assert len(_post(running).content) >= 2 * 1024 * 1024


def test_garbage_and_http_errors_are_what_was_asked_and_ring_nobody(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="garbage", body="\ufeff??", content_type="image/png", status=202, times=1)
    running.set_behaviour("SIPnoa02", answer="http_error", status=503, body="later")
    garbage = _post(running)
    assert (garbage.status_code, garbage.headers["content-type"]) == (202, "image/png")
    assert garbage.content == "\ufeff??".encode()
    assert not _rang(running)
    with httpx.Client(trust_env=False) as client:
        error = client.post(running.click2call_url, json={**CALL, "phone": "SIPnoa02"})
    assert (error.status_code, error.text) == (503, "later")


def test_a_refusal_carries_its_code_and_no_call_id(running: RunningSandbox) -> None:
    running.set_behaviour("*", answer="refuse", errorcode=77, message="Not today")
    assert _post(running).json() == {"ERRORCODE": 77, "ERRORMESSAGE": "Not today", "CALLID": ""}
    assert not _rang(running)


@pytest.mark.parametrize("key", ["SIPdana1", "0501234567", "*"])
@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 99, -1])
def test_any_code_can_be_had_for_an_extension_or_a_number(running: RunningSandbox, key: str, code: int) -> None:
    running.set_behaviour(key, answer="refuse", errorcode=code)
    assert _post(running).json()["ERRORCODE"] == code
    assert not _rang(running)


def test_a_refusal_can_ring_all_the_same(running: RunningSandbox) -> None:
    """Code 2 and a phone that rings: what makes dialling again after an application error dangerous."""
    running.set_behaviour("*", answer="refuse", errorcode=2, rings=True)
    answer = _post(running).json()
    assert (answer["ERRORCODE"], answer["CALLID"]) == (2, "")
    assert running.wait_for_ringing("SIPdana1")["agent"]["state"] == "ringing"


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_any_http_status_can_be_had_for_a_number(running: RunningSandbox, status: int) -> None:
    running.set_behaviour("972501234567", answer="http_error", status=status)
    assert _post(running).status_code == status
    assert not _rang(running)


def test_an_answer_may_lie_and_say_ok_without_a_ring(running: RunningSandbox) -> None:
    """ERRORCODE 0 with an empty CALLID: both careful integrations count it as a failure (facts 1.6)."""
    running.set_behaviour("*", rings=False)
    assert _post(running).json() == {"ERRORCODE": 0, "ERRORMESSAGE": "OK", "CALLID": ""}
    assert not _rang(running)


async def test_without_a_server_a_cut_is_an_exception(caller: Caller) -> None:
    caller.sandbox.set_behaviour("*", Behaviour(answer="cut"))
    with pytest.raises(ConnectionCutError):
        await caller.call()
    assert caller.sandbox.requests()[0].rang
