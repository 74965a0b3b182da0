"""A lead explained from outside: who may ask, the shape of the answer, and what never is in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.ports import NotSent
from tests.web.conftest import Start
from tests.web.problem import assert_problem
from tests.web.service import FakeTelephony, Service, eventually
from tests.web.test_storage_dead import DeadEngine

TOKEN = "admin-token-for-tests"
BEARER = {"authorization": f"Bearer {TOKEN}"}
LEAD = {"site": "main", "phone": "054-234-5678", "name": "Noa 0542345678", "message": "call +972542345678"}


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start(admin_token=TOKEN) as one:
        yield one


async def send(client: httpx.AsyncClient, **fields: str) -> str:
    answer = await client.post("/v1/leads", json=LEAD | fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["lead_id"])


async def explained(client: httpx.AsyncClient, lead_id: str) -> dict[str, Any]:
    response = await client.get(f"/v1/admin/leads/{lead_id}/explain", headers=BEARER)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


async def test_a_lead_that_is_dialled_says_why_this_agent_and_why_not_the_other(
    service: Service, client: httpx.AsyncClient
) -> None:
    lead = await send(client)
    await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")
    found = await explained(client, lead)
    assert found["lead_id"] == lead
    assert (found["state"], found["reason"], found["waiting"], found["guards"]) == ("dialing", None, None, [])
    assert found["summary"] == f"lead {lead} (+972•••••678, main, through api): being dialled, with Dana Levi"
    (choice,) = found["choices"]
    assert choice["attempt"][0] == "Dana Levi's phone was to ring for 20 s; 40 s were left of the deadline"
    assert choice | {"attempt": []} == {
        "at": "2026-01-05T10:00:00.000Z",
        "number": 1,
        "agent": "dana",
        "by": "longest_idle",
        "why": "idle for longest (no call yet); 2 were free",
        "others": [
            {
                "reason": "behind",
                "agents": ["yossi"],
                "text": "Yossi Cohen (no call yet): the same, but later in leadring.toml",
            }
        ],
        "attempt": [],
    }
    assert found["history"][0] == {"at": "2026-01-05T10:00:00.000Z", "text": "came in through api"}


async def test_a_lead_that_waits_says_whose_turn_it_is_and_why_nobody_takes_it(
    service: Service, client: httpx.AsyncClient
) -> None:
    for agent in ("dana", "yossi"):
        await service.desk.store.pause(agent, None, "lunch")
    first, second = await send(client), await send(client, phone="0542345679")
    found = await explained(client, second)
    assert found["next"] == {"what": "dialled as soon as an agent is free", "at": None, "why": "first in line"}
    assert found["waiting"]["agents"] == [
        {
            "reason": "paused",
            "agents": ["dana", "yossi"],
            "text": "Dana Levi, Yossi Cohen: paused until resumed (lunch)",
        }
    ]
    service.clock.advance(1)
    third = await send(client, phone="0542345680")
    found = await explained(client, third)
    assert (found["next"]["why"], found["waiting"]["ahead"], found["waiting"]["rank"]) == ("2 before it", 2, "fresh")
    assert found["waiting"]["deadline_at"] == "2026-01-05T10:00:41.000Z"
    assert found["waiting"]["expires_at"] == "2026-01-05T11:00:01.000Z"
    assert first != second


async def test_a_lead_of_the_night_says_when_it_is_dialled_and_why_then(client: httpx.AsyncClient) -> None:
    found = await explained(client, await send(client, site="night"))
    assert found["next"] == {
        "what": "dialled at 22:00:00",
        "at": "2026-01-05T20:00:00.150Z",
        "why": "night is closed: before opening at 22:00",
    }


async def test_no_whole_number_is_in_the_answer(start: Start) -> None:
    """Neither the lead's, nor what others wrote: into the form, a pause, a switch, or an error."""
    telephony = FakeTelephony(lambda call: NotSent("no way to 0542345678"))
    async with start(admin_token=TOKEN, telephony=telephony) as service, service.client() as client:
        await service.desk.store.pause("yossi", None, "ask 054-234-5678")
        lead = await send(client)
        await eventually(lambda: len(telephony.calls) == 1, "it is dialled")
        await service.desk.switches.turn({"dialling": False}, "operator", "+972 54 234 5678 is stuck")
        service.clock.advance(60)
        text = json.dumps(await explained(client, lead), ensure_ascii=False)
        assert "no way to •••••" in text
        assert "ask •••••" in text
        assert "••••• is stuck" in text
        for spelling in ("2345678", "234-5678", "234 5678"):
            assert spelling not in text


@pytest.mark.parametrize("lead_id", ["no-such-lead", "01%2F02", "%00", "%F0%9F%92%A5", "x" * 2000])
async def test_an_unknown_lead_is_not_found(client: httpx.AsyncClient, lead_id: str) -> None:
    assert_problem(await client.get(f"/v1/admin/leads/{lead_id}/explain", headers=BEARER), 404, "not_found")


async def test_only_the_whole_id_will_do(client: httpx.AsyncClient) -> None:
    lead = await send(client)
    for part in (lead[:-1], lead[:8], lead.upper()):
        response = await client.get(f"/v1/admin/leads/{part}/explain", headers=BEARER)
        assert_problem(response, 404, "not_found")


async def test_nobody_without_the_token_is_told_anything(client: httpx.AsyncClient) -> None:
    lead = await send(client)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        for lead_id in (lead, "no-such-lead"):
            response = await client.get(f"/v1/admin/leads/{lead_id}/explain", headers=headers)
            assert_problem(response, 401, "unauthorized")


async def test_while_no_token_is_set_there_is_no_such_address(start: Start) -> None:
    async with start() as service, service.client() as client:
        response = await client.get(f"/v1/admin/leads/{await send(client)}/explain", headers=BEARER)
        assert_problem(response, 404, "not_found")


async def test_while_the_database_is_away_that_is_said(service: Service, client: httpx.AsyncClient) -> None:
    lead = await send(client)
    await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")
    store: Any = service.desk.store
    store.engine = DeadEngine(store.engine)
    response = await client.get(f"/v1/admin/leads/{lead}/explain", headers=BEARER)
    assert_problem(response, 503, "storage_unavailable")


def shaped(value: Any, schema: dict[str, Any], where: str = "") -> None:
    """The value has exactly the members that the document promises, of the promised types."""
    if "oneOf" in schema:
        schema = next(one for one in schema["oneOf"] if (one["type"] == "null") == (value is None))
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    named = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    assert type(value) in {named[kind] for kind in kinds}, where
    if isinstance(value, dict):
        assert set(value) == set(schema["required"]) == set(schema["properties"]), where
        for name, inner in value.items():
            shaped(inner, schema["properties"][name], f"{where}.{name}")
    if isinstance(value, list):
        for inner in value:
            shaped(inner, schema["items"], f"{where}[]")


async def test_the_answer_has_the_documented_shape(service: Service, client: httpx.AsyncClient) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"]["/v1/admin/leads/{lead_id}/explain"]["get"]
    assert operation["operationId"] == "admin_explain_lead"
    assert operation["security"] == [{"HTTPBearer": []}]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    ids = [await send(client, phone=f"054234567{last}") for last in "0123"]
    ids.append(await send(client, phone="+44 20 7946 0958"))
    await service.desk.store.cancel(ids[3], "lead")
    for lead_id in ids:
        shaped(await explained(client, lead_id), schema)
