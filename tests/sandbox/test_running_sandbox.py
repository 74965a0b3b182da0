"""The sandbox other tests lean on starts fast, stops clean, and tells what happened."""

import threading
import time

import httpx
import pytest

from tests.sandbox_server import RunningSandbox

from .conftest import CALL


def test_it_starts_within_a_second_and_stops_although_requests_hang() -> None:
    started = time.monotonic()
    sandbox = RunningSandbox().start()
    assert time.monotonic() - started < 1
    sandbox.set_behaviour("*", answer="hang")
    gone: list[type[Exception]] = []

    def hang() -> None:
        try:
            httpx.post(sandbox.click2call_url, json=CALL, timeout=20, trust_env=False)
        except httpx.HTTPError as error:
            gone.append(type(error))

    def watch() -> None:
        with httpx.Client(timeout=20, trust_env=False) as client:
            assert '"agents"' in client.get(f"{sandbox.url}/sandbox/events").text
            gone.append(httpx.StreamClosed)

    threads = [threading.Thread(target=hang), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    sandbox.wait_for_requests(1)
    stopping = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - stopping < 2
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert httpx.RemoteProtocolError in gone


def test_phones_are_picked_up_and_put_down_from_another_thread(running: RunningSandbox) -> None:
    with httpx.Client(trust_env=False) as client:
        assert client.post(running.click2call_url, json=CALL).json()["ERRORCODE"] == 0
    running.phone("SIPdana1").answer()
    running.phone("972501234567").answer()
    running.phone("0501234567").hangup()
    (call,) = running.wait_for_calls_ended(1)
    assert (call["ended_by"], call["lead"]["status"]) == ("lead", "ANSWER")
    running.clear()
    assert (running.calls(), running.requests()) == ([], [])


def test_scripts_make_a_whole_call_in_a_moment(running: RunningSandbox) -> None:
    running.set_behaviour("*", agent="answer", agent_after=0.02, lead="answer", lead_after=0.02, talk=0.02)
    with httpx.Client(trust_env=False) as client:
        client.post(running.click2call_url, json=CALL)
    (call,) = running.wait_for_calls_ended(1, timeout=2)
    assert call["lead"]["status"] == "ANSWER"


def test_waiting_has_an_end(running: RunningSandbox) -> None:
    with pytest.raises(TimeoutError):
        running.wait_for_requests(1, timeout=0.02)


def test_many_sandboxes_share_nothing(running: RunningSandbox) -> None:
    with RunningSandbox(code="other") as other, httpx.Client(trust_env=False) as client:
        assert client.post(other.click2call_url, json=CALL).json()["ERRORMESSAGE"] == "Authorization failed"
        assert client.post(running.click2call_url, json=CALL).json()["ERRORCODE"] == 0
        assert (other.calls(), len(running.calls())) == ([], 1)
