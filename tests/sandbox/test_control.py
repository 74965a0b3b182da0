"""Phones and memory over HTTP."""

import asyncio

import httpx
import pytest

from app.sandbox import create_sandbox
from tests.sandbox_server import RunningSandbox

from .conftest import Caller


async def test_phones_are_used_over_http(caller: Caller) -> None:
    await caller.call()
    for number, deed in (("SIPdana1", "answer"), ("0501234567", "ignore"), ("0501234567", "answer")):
        assert (await caller.http.post(f"/sandbox/phones/{number}/{deed}")).status_code == 200
    ended = await caller.http.post("/sandbox/phones/SIPdana1/hangup")
    assert ended.json()["call"]["ended_by"] == "agent"
    assert (await caller.http.get("/sandbox/calls")).json()[0]["lead"]["status"] == "ANSWER"


async def test_a_phone_that_does_not_ring_cannot_be_answered(caller: Caller) -> None:
    answer = await caller.http.post("/sandbox/phones/SIPdana1/answer")
    assert answer.status_code == 409
    assert "SIPdana1 is in no call" in answer.text


async def test_an_unknown_deed_is_refused(caller: Caller) -> None:
    assert (await caller.http.post("/sandbox/phones/SIPdana1/explode")).status_code == 422


async def test_waiting_for_requests_ends_with_the_request_or_with_the_deadline(caller: Caller) -> None:
    waiting = asyncio.ensure_future(caller.sandbox.wait_for_requests(1, timeout=5))
    await caller.call()
    assert [one.target for one in await waiting] == ["0501234567"]
    with pytest.raises(TimeoutError):
        await caller.sandbox.wait_for_requests(2, timeout=0.01)


async def test_requests_are_forgotten_when_asked(caller: Caller) -> None:
    await caller.call()
    assert (await caller.http.delete("/sandbox/requests")).status_code == 204
    assert (await caller.http.get("/sandbox/requests")).json() == []


async def test_a_reset_sandbox_is_as_new(caller: Caller) -> None:
    await caller.http.put("/sandbox/behaviour", json={"agent": "busy"})
    await caller.http.put("/sandbox/cdr", json={"delay": 9})
    await caller.http.post("/sandbox/phones/SIPdana1/offline")
    await caller.call()
    assert (await caller.http.post("/sandbox/reset")).status_code == 204
    sandbox = caller.sandbox
    assert (sandbox.calls, sandbox.requests(), sandbox.book.all()) == ([], [], {})
    assert sandbox.phones.is_online("SIPdana1")
    assert sandbox.cdr.options.delay == 0.5


async def test_nobody_waits_for_a_closed_sandbox(caller: Caller) -> None:
    await caller.sandbox.close()
    with pytest.raises(RuntimeError, match="closed"):
        await caller.sandbox.wait_for_requests(1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/sandbox/behaviour"),
        ("PUT", "/sandbox/cdr"),
        ("PUT", "/sandbox/call_log"),
        ("POST", "/sandbox/phones/SIPdana1/busy"),
        ("POST", "/sandbox/phones/SIPdana1/status"),
    ],
)
async def test_a_field_that_does_not_exist_is_refused_by_its_name(caller: Caller, method: str, path: str) -> None:
    given = {"status": 1} if path.endswith("status") else {}
    assert (await caller.http.request(method, path, json=given)).status_code < 300
    answer = await caller.http.request(method, path, json=given | {"agnet": "busy"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][-1] == "agnet"


@pytest.mark.parametrize("status", [0, 4, 99])
async def test_a_login_status_that_does_not_exist_is_refused(caller: Caller, status: int) -> None:
    answer = await caller.http.post("/sandbox/phones/SIPdana1/status", json={"status": status})
    assert answer.status_code == 422
    assert "status must be one of 1, 2, 3" in answer.text
    assert caller.sandbox.phones.find("SIPdana1") is None


@pytest.mark.parametrize(
    ("deed", "body"), [("busy", {}), ("status", {"status": 3}), ("online", None), ("offline", None), ("answer", None)]
)
def test_an_extension_that_the_account_does_not_have_is_not_invented(deed: str, body: dict[str, int] | None) -> None:
    with RunningSandbox(extensions=["SIPdana1"]) as sandbox, httpx.Client(trust_env=False) as client:
        answer = client.post(f"{sandbox.url}/sandbox/phones/SIPdnaa1/{deed}", json=body)
        assert (answer.status_code, answer.json()["detail"]) == (404, "SIPdnaa1 is not an extension of this account")
        assert sandbox.extensions == ["SIPdana1"]


def test_a_telephone_of_the_world_outside_can_be_switched_off_but_is_no_agents() -> None:
    with RunningSandbox(extensions=["SIPdana1"]) as sandbox, httpx.Client(trust_env=False) as client:
        phone = f"{sandbox.url}/sandbox/phones/0501234567"
        assert client.post(f"{phone}/busy").status_code == 404
        assert client.post(f"{phone}/offline").status_code == 200
        assert [one["number"] for one in client.get(f"{sandbox.url}/sandbox/phones?side=lead").json()] == ["0501234567"]


async def test_every_answer_ends_with_its_line(caller: Caller) -> None:
    for path in ("phones", "calls", "requests", "behaviour", "cdr", "call_log", "nothing", "requests?api=all"):
        answer = await caller.http.get(f"/sandbox/{path}")
        assert answer.text.endswith("\n"), path
        assert len(answer.content) == int(answer.headers["content-length"])
    assert (await caller.http.post("/sandbox/phones/SIPdana1/explode")).text.endswith("\n")


async def test_parameters_that_the_vendor_does_not_have_are_taken_and_marked(caller: Caller) -> None:
    assert (await caller.call(PhoneCallerID="0731112222", colour="red"))["ERRORCODE"] == 0
    shown = (await caller.http.get("/sandbox/requests")).json()
    assert shown[0]["unknown"] == ["colour"]


async def test_a_reset_keeps_the_address_of_the_records() -> None:
    sandbox = create_sandbox(cdr_url="http://127.0.0.1:9/cdr").state.sandbox
    sandbox.cdr.options = type(sandbox.cdr.options)(url="http://127.0.0.1:9/other", delay=9)
    sandbox.reset()
    assert (sandbox.cdr.options.url, sandbox.cdr.options.delay) == ("http://127.0.0.1:9/cdr", 0.5)
