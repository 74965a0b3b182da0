"""A lead's own view: opened by its token alone, live, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.clock import to_iso
from app.service import lead_view
from tests.clocks import START
from tests.web.exchange import Exchange
from tests.web.problem import assert_problem
from tests.web.service import CDR_TOKEN, GOOD, Service, eventually

MEMBERS = [
    "lead_id",
    "state",
    "outcome",
    "agent_name",
    "caller_id",
    "expected_call_at",
    "position",
    "timeline",
]


async def submit(client: httpx.AsyncClient, number: int = 0, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/leads", json={"site": "main", "phone": f"05423456{number:02}", **fields})
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


def events_url(answer: dict[str, Any]) -> str:
    path, _, query = str(answer["status_url"]).partition("?")
    return f"{path}/events?{query}"


async def report(client: httpx.AsyncClient, service: Service, status: str = "ANSWER", leg: int = 2) -> None:
    """The provider's record of the first call (keys as in facts 2.2)."""
    await eventually(lambda: bool(service.telephony.calls), "a request to the provider")
    call = service.telephony.calls[0]
    record = {
        "type": f"Click2Call leg{leg}",
        "status": status,
        "duration": 42,
        "ivruniqueid": f"call-{call.attempt_id}",
        "CustomData": {"var_lead": call.lead_id, "var_attempt": call.attempt_id},
    }
    response = await client.post(f"/v1/voicenter/cdr/{CDR_TOKEN}", json=record)
    assert response.status_code == 200


async def test_the_view_of_a_call_under_way(service: Service, client: httpx.AsyncClient) -> None:
    """State, the agent's first name and the number that will ring; times with Z; nothing that is only ours."""
    answer = await submit(client, name="Noa")
    response = await client.get(answer["status_url"])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    view = response.json()
    assert list(view) == MEMBERS
    assert view["lead_id"] == answer["lead_id"]
    assert view["state"] == "dialing"
    assert view["agent_name"] in ("Dana", "Yossi")
    assert view["caller_id"] == "035123456"
    assert view["timeline"][0] == {"at": to_iso(START), "event": "received"}
    for secret in ("SIPdana1", "SIPyossi2", "Levi", "Cohen", "0542345600", "972542345600", "Noa"):
        assert secret not in response.text


async def test_the_view_of_a_lead_in_line(service: Service, client: httpx.AsyncClient) -> None:
    answers = []
    for number in range(3):
        answers.append(await submit(client, number, site="nobody"))
        service.clock.advance(1)
    views = [(await client.get(answer["status_url"])).json() for answer in answers]
    assert [view["position"] for view in views] == [1, 2, 3]
    assert {view["state"] for view in views} == {"waiting"}
    assert {view["agent_name"] for view in views} == {None}


async def test_only_the_right_token_opens_a_lead(client: httpx.AsyncClient) -> None:
    """No token, a wrong one, another lead's: the same 404 as for a lead that does not exist."""
    mine, other = await submit(client, 1), await submit(client, 2)
    token = parse_qs(urlsplit(other["status_url"]).query)["token"][0]
    path = f"/v1/leads/{mine['lead_id']}"
    bodies = set()
    for query in ("", "?token=", "?token=x", f"?token={token}", "?token=%00", "?token=%ed%a0%80", "?x=1"):
        for method, url in (("GET", path), ("DELETE", path), ("GET", path + "/events")):
            body = assert_problem(await client.request(method, url + query), 404, "not_found", token, mine["lead_id"])
            bodies.add((body["title"], body["detail"]))
    nearly = other["lead_id"][:-1] + ("1" if other["lead_id"][-1] == "0" else "0")
    for unknown in ("0192", nearly, "%00", "x" * 500, "..%2f..", "'; DROP TABLE leads; --"):
        body = assert_problem(await client.get(f"/v1/leads/{unknown}?token={token}"), 404, "not_found", token)
        bodies.add((body["title"], body["detail"]))
    assert len({detail for _, detail in bodies}) <= 2, "unknown and forbidden look the same"
    assert_problem(await client.get(path + "?token=" + "t" * 65), 422, "invalid", "ttt")


async def test_cancel_before_it_rings_and_not_after(service: Service, client: httpx.AsyncClient) -> None:
    waiting = await submit(client, 1, site="nobody")
    response = await client.delete(waiting["status_url"], headers={"origin": GOOD})
    assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    assert response.headers["access-control-allow-origin"] == GOOD
    assert response.json()["timeline"][-1]["event"] == "cancelled"
    assert (await client.delete(waiting["status_url"])).json()["state"] == "cancelled", "twice is no mistake"
    ringing = await submit(client, 2)
    assert_problem(await client.delete(ringing["status_url"]), 409, "conflict")
    assert (await client.get(ringing["status_url"])).json()["state"] == "dialing"
    await report(client, service)
    await eventually_final(client, ringing)
    assert_problem(await client.delete(ringing["status_url"]), 409, "conflict")


async def eventually_final(client: httpx.AsyncClient, answer: dict[str, Any]) -> dict[str, Any]:
    exchange = Exchange(service_app(client), "GET", events_url(answer))
    await exchange.until(b"event: end")
    await exchange.done()
    return (await client.get(answer["status_url"])).json()  # type: ignore[no-any-return]


def service_app(client: httpx.AsyncClient) -> Any:
    transport: Any = client._transport
    return transport.app


async def test_a_callback_and_a_held_lead_may_be_cancelled(client: httpx.AsyncClient) -> None:
    for fields in ({"call_at": "2026-01-05T15:00:00Z"}, {"phone": "+44 20 7946 0958"}):
        answer = await submit(client, 3, **fields)
        assert (await client.delete(answer["status_url"])).json()["state"] == "cancelled"


async def test_the_stream_tells_the_story_and_ends(service: Service, client: httpx.AsyncClient) -> None:
    """`status` now and after every change, the same body as the view, in order; then `end`, and the stream is over."""
    answer = await submit(client)
    exchange = Exchange(service.app, "GET", events_url(answer), headers={"origin": GOOD})
    await exchange.until(b"event: status")
    assert exchange.status == 200
    assert exchange.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in exchange.headers["cache-control"] or "no-cache" in exchange.headers["cache-control"]
    assert exchange.headers["access-control-allow-origin"] == GOOD
    await report(client, service)
    await exchange.until(b"event: end")
    await exchange.done()
    names = [name for name, _ in exchange.events]
    assert names[-1] == "end"
    assert set(names[:-1]) == {"status"}
    views = [json.loads(data) for name, data in exchange.events if name == "status"]
    assert all(list(view) == MEMBERS for view in views)
    assert (views[0]["state"], views[-1]["state"]) == ("dialing", "connected")
    for earlier, later in itertools.pairwise(views):
        assert earlier != later
        assert later["timeline"][: len(earlier["timeline"])] == earlier["timeline"], "history only grows"
    assert views[-1] == (await client.get(answer["status_url"])).json()
    assert len(service.desk.hub) == 0


async def test_the_stream_of_a_lead_that_is_over_is_one_event_and_the_end(
    service: Service, client: httpx.AsyncClient
) -> None:
    answer = await submit(client, site="nobody")
    await client.delete(answer["status_url"])
    exchange = Exchange(service.app, "GET", events_url(answer))
    await exchange.done()
    assert [name for name, _ in exchange.events] == ["status", "end"]


async def test_the_stream_hears_of_a_cancel_at_once(service: Service, client: httpx.AsyncClient) -> None:
    answer = await submit(client, site="nobody")
    exchange = Exchange(service.app, "GET", events_url(answer))
    await exchange.until(b"waiting")
    await client.delete(answer["status_url"])
    await exchange.until(b"event: end")
    await exchange.done()


async def test_a_stream_that_was_not_told_finds_out_all_the_same(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another replica tells may be lost with it, or while nobody listens."""
    monkeypatch.setattr(lead_view, "RELOOK", 0.05)
    answer = await submit(client, site="nobody")
    exchange = Exchange(service.app, "GET", events_url(answer))
    await exchange.until(b"waiting")
    assert await service.desk.store.cancel(answer["lead_id"], "admin") == "cancelled"
    await exchange.until(b"event: end")
    await exchange.done()
    assert "cancelled" in exchange.events[-2][1]


async def test_a_visitor_who_leaves_leaves_no_watcher(service: Service, client: httpx.AsyncClient) -> None:
    answer = await submit(client, site="nobody")
    exchange = Exchange(service.app, "GET", events_url(answer))
    await exchange.until(b"event: status")
    assert len(service.desk.hub) == 1
    exchange.disconnect()
    await exchange.done()
    await eventually(lambda: len(service.desk.hub) == 0, "the watcher is gone")


async def test_a_thousand_watchers_hear_it_and_leave_nothing(service: Service, client: httpx.AsyncClient) -> None:
    """A thousand open streams, half of which just go away: the rest hear the end, and no watcher or task stays."""
    answer = await submit(client, site="nobody")
    tasks_before = len(asyncio.all_tasks())
    streams = [Exchange(service.app, "GET", events_url(answer)) for _ in range(1000)]
    await asyncio.gather(*(stream.until(b"event: status") for stream in streams))
    assert len(service.desk.hub) == 1000
    for stream in streams[::2]:
        stream.disconnect()
    await asyncio.gather(*(stream.done() for stream in streams[::2]))
    await eventually(lambda: len(service.desk.hub) == 500, "half of the watchers are gone")
    await client.delete(answer["status_url"])
    await asyncio.gather(*(stream.until(b"event: end") for stream in streams[1::2]))
    await asyncio.gather(*(stream.done() for stream in streams[1::2]))
    assert len(service.desk.hub) == 0
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks_before, "no task stays")


async def test_streams_end_when_the_service_stops(service: Service, client: httpx.AsyncClient) -> None:
    answer = await submit(client, site="nobody")
    exchange = Exchange(service.app, "GET", events_url(answer))
    await exchange.until(b"event: status")
    service.desk.begin_shutdown()
    await exchange.done()
    assert [name for name, _ in exchange.events] == ["status"], "it is not the end of the story"
    assert len(service.desk.hub) == 0


async def test_what_a_form_may_know_of_a_site(service: Service, client: httpx.AsyncClient) -> None:
    """Open or closed with the next opening; never the hours, agents or skills behind it."""
    response = await client.get("/v1/sites/main", headers={"origin": GOOD})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == GOOD
    is_open = response.json()
    assert set(is_open) == {
        "open",
        "opens_at",
        "usually_within_seconds",
        "slots",
        "language",
        "consent_text",
        "message",
        "taking",
        "busy",
    }
    assert (is_open["open"], is_open["opens_at"], is_open["language"]) == (True, None, "en")
    closed = (await client.get("/v1/sites/night")).json()
    assert (closed["open"], closed["opens_at"]) == (False, "2026-01-05T20:00:00.000Z")
    assert "22:00" in closed["message"]
    service.clock.advance(10 * 3600)
    assert (await client.get("/v1/sites/night")).json()["open"] is True
    for unknown in ("canary", "MAIN", "%00", "x" * 300):
        response = await client.get(f"/v1/sites/{unknown}")
        assert response.status_code == 404
        assert response.json()["code"] in ("unknown_site", "not_found")
        assert "canary" not in response.text
