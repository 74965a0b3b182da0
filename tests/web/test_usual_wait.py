"""What a form is told of the wait: measured, and hidden whenever it would not be kept."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import Connection, insert

from app.store.tables import attempts, leads
from tests.clocks import START
from tests.web.conftest import Start
from tests.web.service import Service
from tests.web.test_storage_dead import DeadEngine

TAUGHT = 25  # leads of yesterday
SECONDS = 12
DAY = 86_400_000


async def teach(service: Service, seconds: int = SECONDS) -> None:
    """Yesterday, all phones rang after so many seconds."""
    received = START - DAY
    lead = {
        "site": "main",
        "source": "widget",
        "phone": "+9725",
        "phone_kind": "mobile",
        "client_key": "c",
        "state": "connected",
        "received_at": received,
        "ended_at": received + 60_000,
        "deadline_at": received,
        "admitted": 1,
    }
    call = {
        "agent_id": "dana",
        "extension": "SIPdana1",
        "number": 1,
        "state": "ended",
        "outcome": "connected",
        "owner": "me",
        "holds_agent": 0,
        "reserved_at": received,
        "sending_at": received,
        "lead_ringing_at": received + seconds * 1000,
    }

    def write(conn: Connection) -> None:
        conn.execute(insert(leads), [{"id": f"l{i}", "phone_key": f"k{i}", **lead} for i in range(TAUGHT)])
        conn.execute(insert(attempts), [{"id": f"a{i}", "lead_id": f"l{i}", **call} for i in range(TAUGHT)])

    engine: Any = service.desk.store.engine  # type: ignore[attr-defined]
    await engine.write(write)


async def told(client: httpx.AsyncClient, site: str = "main") -> tuple[int | None, bool]:
    response = await client.get(f"/v1/sites/{site}")
    assert response.status_code == 200
    found = response.json()
    return found["usually_within_seconds"], found["busy"]


async def test_the_usual_wait_is_what_was_measured_rounded_up(service: Service, client: httpx.AsyncClient) -> None:
    await teach(service)
    assert await told(client) == (15, False)
    assert await told(client, "hebrew") == (None, False), "another site has leads of its own"
    assert await told(client, "night") == (None, False), "closed is not busy"
    assert await told(client, "nobody") == (None, True), "nobody can take its leads"


async def test_it_is_measured_once_a_minute(service: Service, client: httpx.AsyncClient) -> None:
    assert await told(client) == (None, False)
    await teach(service)
    service.clock.advance(59)
    assert await told(client) == (None, False)
    service.clock.advance(1)
    assert await told(client) == (15, False)


async def test_nothing_is_promised_past_the_deadline(start: Start) -> None:
    async with start() as service, service.client() as client:
        await teach(service, seconds=41)  # the deadline is 40 s
        assert await told(client) == (None, False)


async def test_while_nobody_is_free_the_form_is_told_that_instead(service: Service, client: httpx.AsyncClient) -> None:
    await teach(service)
    for agent in ("dana", "yossi"):
        await service.desk.store.pause(agent, None, "lunch")
    assert await told(client) == (None, True)
    await service.desk.store.resume("dana")
    service.clock.advance(2)
    assert await told(client) == (15, False)


async def test_while_no_calls_are_placed_nothing_is_promised(service: Service, client: httpx.AsyncClient) -> None:
    await teach(service)
    await service.desk.store.turn({"dialling": False}, "admin", None)
    await service.desk.switches.look()
    assert await told(client) == (None, True)


async def test_a_database_that_does_not_answer_hides_it_and_keeps_the_form(
    service: Service, client: httpx.AsyncClient
) -> None:
    await teach(service)
    store: Any = service.desk.store
    store.engine = DeadEngine(store.engine)
    assert await told(client) == (None, False)
