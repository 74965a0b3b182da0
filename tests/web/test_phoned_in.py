"""The provider's record of an incoming call, as it is pushed, and the lead who made that call."""

from __future__ import annotations

from typing import Any

import httpx

from tests.clocks import START
from tests.web.conftest import Start
from tests.web.exchange import Exchange
from tests.web.service import CDR_TOKEN, DIRECTORY, Service

CALL_IN: dict[str, Any] = {  # keys as in facts 2.2
    "type": "Incoming Call",
    "status": "ANSWER",
    "caller": "0542345678",
    "callerPhone": "972542345678",
    "target": "SIPdana1",
    "extenUser": "SIPdana1",
    "did": "0722776772",
    "direction": "incoming",
    "duration": 95,
    "dialtime": 4,
    "ivruniqueid": "20260105120500aaaa",
}
LEAD = {"site": "nobody", "phone": "054-234-5678"}


async def sends(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/leads", json=LEAD | fields)
    assert response.status_code == 202
    answer: dict[str, Any] = response.json()
    return answer


async def is_reported(client: httpx.AsyncClient, service: Service, after: float = 300, **fields: Any) -> None:
    """So many seconds later the record comes; by Israel's clock the call began three minutes before."""
    service.clock.advance(after)
    said = {"time": service.clock.now() // 1000 - 180 + 7200, **CALL_IN, **fields}
    response = await client.post(f"/v1/voicenter/cdr/{CDR_TOKEN}", json=said)
    assert (response.status_code, response.json()) == (200, {"err": 0, "errdesc": "OK"})


async def test_who_waits_and_phones_in_is_cancelled_and_sees_why(service: Service, client: httpx.AsyncClient) -> None:
    answer = await sends(client)
    await is_reported(client, service)
    view = (await client.get(answer["status_url"])).json()
    assert (view["state"], view["expected_call_at"], view["position"]) == ("cancelled", None, None)
    assert [line["event"] for line in view["timeline"]] == ["received", "phoned_in"]
    (row,) = await service.rows("SELECT reason, due_at FROM leads")
    assert row == {"reason": "phoned_in", "due_at": None}
    assert (await sends(client))["outcome"] == "waiting", "whoever asks again afterwards is a new lead"


async def test_a_callback_is_cancelled_too_and_its_place_is_free(service: Service, client: httpx.AsyncClient) -> None:
    await sends(client, site="main", call_at="2026-01-05T15:00:00Z")
    await is_reported(client, service)
    assert await service.rows("SELECT id FROM leads WHERE state = 'waiting'") == []


async def test_the_visitors_stream_ends_with_it(service: Service, client: httpx.AsyncClient) -> None:
    answer = await sends(client)
    path, _, query = answer["status_url"].partition("?")
    exchange = Exchange(service.app, "GET", f"{path}/events?{query}")
    await exchange.until(b"event: status")
    await is_reported(client, service)
    await exchange.until(b"event: end")
    await exchange.done()
    assert b"phoned_in" in exchange.body


async def test_the_thank_you_page_says_that_nobody_will_call(service: Service, client: httpx.AsyncClient) -> None:
    answer = await sends(client)
    token = answer["status_url"].split("token=")[1]
    await is_reported(client, service)
    page = await client.get(f"/f/nobody/thanks?lead={answer['lead_id']}&token={token}&lang=en")
    assert "Cancelled" in page.text


async def test_whatever_is_in_doubt_leaves_the_lead_waiting(service: Service, client: httpx.AsyncClient) -> None:
    """Nobody answered, a machine did, another number, no agent, a call of our own, one before the lead."""
    answer = await sends(client)
    before = START // 1000 - 60 + 7200
    for fields in (
        {"status": "NOANSWER", "duration": 0},
        {"status": "VOICEMAIL"},
        {"status": "ABANDONE", "type": "Queue"},
        {"type": "Queue", "seconds_waiting_in_queue": 95},
        {"callerPhone": "972542345679", "caller": "0542345679"},
        {"callerPhone": "", "caller": "anonymous"},
        {"extenUser": ""},
        {"direction": "outgoing"},
        {"type": "Extension Outgoing"},
        {"type": "Click2Call leg2"},
        {"CustomData": {"var_lead": "of another"}},
        {"time": before},
    ):
        await is_reported(client, service, after=10, **fields)
        view = (await client.get(answer["status_url"])).json()
        assert view["state"] == "waiting", fields
    await is_reported(client, service)
    assert (await client.get(answer["status_url"])).json()["state"] == "cancelled", "this one is in no doubt"


async def test_a_held_lead_looks_as_before_and_its_history_knows(start: Start) -> None:
    async with start() as service, service.client() as client:
        held = await sends(client, phone="+44 7911 123456")
        waits = await sends(client, phone="054-234-5679")
        await is_reported(client, service, callerPhone="447911123456")
        views = [(await client.get(answer["status_url"])).json() for answer in (held, waits)]
        assert [view["state"] for view in views] == ["waiting", "waiting"]
        assert [line["event"] for line in views[0]["timeline"]] == ["received"]
        rows = await service.rows("SELECT lead_id, event FROM events WHERE event LIKE 'phoned_in%'")
        assert rows == [{"lead_id": held["lead_id"], "event": "phoned_in_while_held"}]


async def test_switched_off_a_lead_is_called_whoever_phones_in(start: Start) -> None:
    toml = DIRECTORY.replace("[policy]", "[policy]\ncancel_when_phoned_in = false")
    async with start(toml=toml) as service, service.client() as client:
        answer = await sends(client)
        await is_reported(client, service)
        assert (await client.get(answer["status_url"])).json()["state"] == "waiting"


async def test_what_could_not_be_looked_up_is_looked_up_later(service: Service, client: httpx.AsyncClient) -> None:
    """The record was kept and applied, and then the process died: the loop over kept records ends the lead."""
    answer = await sends(client)
    outcomes: Any = service.desk.outcomes
    phoned_in, outcomes._phoned_in = outcomes._phoned_in, None
    await is_reported(client, service)
    assert (await client.get(answer["status_url"])).json()["state"] == "waiting"
    outcomes._phoned_in = phoned_in
    await outcomes.apply()
    assert (await client.get(answer["status_url"])).json()["state"] == "cancelled"
