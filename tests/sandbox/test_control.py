"""Phones and memory over HTTP."""

import asyncio

import pytest

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
