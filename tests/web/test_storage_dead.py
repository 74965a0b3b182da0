"""Without a database nothing is promised: 503 with Retry-After on every door, and never a 202."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.errors import StorageUnavailable
from tests.web.conftest import Start
from tests.web.exchange import Exchange
from tests.web.hooking import HOOKED, TOKEN
from tests.web.problem import assert_problem
from tests.web.service import CDR_TOKEN, GOOD, Service

LEAD = {"site": "main", "phone": "0542345678"}


class DeadEngine:
    """An engine whose database is gone: everything that would touch it fails."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def _fail(self, *_: Any, **__: Any) -> Any:
        raise StorageUnavailable("connection to postgresql://user:canary-password@db refused")

    write = read = write_one = read_one = write_behind = ping = _fail


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start(toml=HOOKED) as one:
        yield one


@pytest.fixture
async def answer(service: Service, client: httpx.AsyncClient) -> dict[str, Any]:
    """A lead that was stored while the database was there."""
    found: dict[str, Any] = (await client.post("/v1/leads", json=LEAD | {"site": "nobody"})).json()
    store: Any = service.desk.store
    store.engine = DeadEngine(store.engine)
    return found


async def test_every_door_asks_to_come_again(client: httpx.AsyncClient, answer: dict[str, Any]) -> None:
    """Submit, form by script, view, cancel, stream, CDR: 503 `storage_unavailable`, nothing of the cause in it."""
    path, _, query = answer["status_url"].partition("?")
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/leads", {"json": LEAD | {"phone": "0542345679"}}),
        ("POST", "/f/main", {"json": LEAD}),
        ("GET", answer["status_url"], {}),
        ("DELETE", answer["status_url"], {}),
        ("GET", f"{path}/events?{query}", {}),
        ("POST", f"/v1/voicenter/cdr/{CDR_TOKEN}", {"json": {"ivruniqueid": "1"}}),
        ("POST", f"/v1/hooks/shop/{TOKEN}", {"json": LEAD}),
    ]
    for method, url, content in requests:
        response = await client.request(method, url, headers={"origin": GOOD}, **content)
        assert_problem(response, 503, "storage_unavailable", "canary", "postgresql", "054234567")
        if "cdr" not in url and "hooks" not in url:
            assert response.headers["access-control-allow-origin"] == GOOD


async def test_alive_but_not_ready(client: httpx.AsyncClient, answer: dict[str, Any]) -> None:
    assert (await client.get("/livez")).status_code == 200
    for path in ("/readyz", "/healthz"):
        response = await client.get(path)
        assert response.status_code == 503
        assert response.headers["cache-control"] == "no-store"
        assert response.json()["status"] == "fail"
        assert response.json()["checks"]["database"]["status"] == "fail"
        assert "canary" not in response.text
    metrics = await client.get("/metrics")
    assert metrics.status_code == 200
    assert "canary" not in metrics.text
    for path in ("/v1/sites/main", "/widget/v1.js", "/demo", "/openapi.json", "/f/main/thanks"):
        assert (await client.get(path)).status_code == 200


async def test_mistakes_are_told_before_the_database_is_asked(
    client: httpx.AsyncClient, answer: dict[str, Any]
) -> None:
    assert_problem(await client.post("/v1/leads", json=LEAD | {"phone": "1"}), 422, "invalid")


async def test_an_open_stream_ends_without_a_false_end(service: Service, client: httpx.AsyncClient) -> None:
    """The database goes while a visitor watches: the stream just ends; the browser comes back by itself."""
    found = (await client.post("/v1/leads", json=LEAD | {"site": "nobody"})).json()
    path, _, query = found["status_url"].partition("?")
    exchange = Exchange(service.app, "GET", f"{path}/events?{query}")
    await exchange.until(b"event: status")
    store: Any = service.desk.store
    store.engine = DeadEngine(store.engine)
    service.desk.hub.changed([found["lead_id"]])
    await exchange.done()
    assert b"event: end" not in exchange.body
    assert len(service.desk.hub) == 0
