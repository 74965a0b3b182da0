"""Health, metrics and documents: what monitors, balancers and scrapers depend on, name by name."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import __version__
from tests.web.conftest import Start
from tests.web.problem import assert_problem
from tests.web.service import CODE, Service

LEAD = {"site": "main", "phone": "0542345678", "name": "Canary Name"}
REQUEST = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
PERSON = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]
# Contract 5, word for word. A counter's family is named without `_total`.
FAMILIES: dict[str, tuple[str, set[str]]] = {
    "leadring_leads_received": ("counter", {"site", "source", "result"}),
    "leadring_deliveries": ("counter", {"source", "verdict"}),
    "leadring_lead_to_request_seconds": ("histogram", set()),
    "leadring_lead_to_agent_answer_seconds": ("histogram", {"site"}),
    "leadring_lead_to_connected_seconds": ("histogram", {"site"}),
    "leadring_attempts": ("counter", {"outcome"}),
    "leadring_provider_requests": ("counter", {"operation", "result"}),
    "leadring_provider_request_seconds": ("histogram", {"operation", "result"}),
    "leadring_provider_refusals": ("counter", {"code"}),
    "leadring_agents": ("gauge", {"state"}),
    "leadring_leads_waiting": ("gauge", {"reason"}),
    "leadring_oldest_waiting_seconds": ("gauge", {"reason"}),
    "leadring_deadlines_missed": ("counter", {"site"}),
    "leadring_leads_unaccounted": ("gauge", set()),
    "leadring_attempts_unknown": ("gauge", set()),
    "leadring_guard_hits": ("counter", {"guard", "mode"}),
    "leadring_open": ("gauge", {"site"}),
    "leadring_rate_limited": ("counter", set()),
    "leadring_breaker_open": ("gauge", set()),
    "leadring_switch": ("gauge", {"switch"}),
    "leadring_presence_timestamp_seconds": ("gauge", set()),
    "leadring_presence_doubts": ("counter", {"reason"}),
    "leadring_build_info": ("gauge", {"version"}),
    "leadring_config_loaded_timestamp_seconds": ("gauge", set()),
    "http_request_duration_seconds": ("histogram", {"method", "route", "status"}),
}


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
async def test_health_answers_in_one_shape(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert list(body) == ["status", "version", "checks"]
    assert body["status"] == "pass"
    assert body["version"] == __version__
    assert all(check["status"] == "pass" for check in body["checks"].values())


async def test_ready_names_what_it_looked_at_and_healthz_is_the_same(client: httpx.AsyncClient) -> None:
    ready, health = (await client.get("/readyz")).json(), (await client.get("/healthz")).json()
    assert ready == health
    assert {"database", "shutdown", "rate_limit"} <= set(ready["checks"])


async def test_draining_is_not_ready_but_alive(service: Service, client: httpx.AsyncClient) -> None:
    """Balancers take it out, leads that still come are stored and wait for the next process."""
    service.desk.begin_shutdown()
    for path in ("/readyz", "/healthz"):
        response = await client.get(path)
        assert (response.status_code, response.json()["status"]) == (503, "fail")
        assert response.json()["checks"]["shutdown"]["status"] == "fail"
    assert (await client.get("/livez")).status_code == 200
    answer = await client.post("/v1/leads", json=LEAD)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "waiting")
    assert service.telephony.calls == []


async def test_a_slow_database_is_not_ready_within_a_second_or_two(service: Service, client: httpx.AsyncClient) -> None:
    class Slow:
        """A store that never says whether it is ready."""

        async def ready(self) -> None:
            await asyncio.Event().wait()

    service.desk.store = Slow()  # type: ignore[assignment]
    async with asyncio.timeout(5):
        response = await client.get("/readyz")
    assert response.status_code == 503


async def test_a_full_disk_is_not_ready_although_reading_and_small_writes_go_on(
    service: Service, client: httpx.AsyncClient
) -> None:
    engine: Any = service.desk.store.engine  # type: ignore[attr-defined]

    def limit(conn: Any, pages: int) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    await engine.write(limit, 1)  # SQLite makes it the present size
    assert (await client.get("/readyz")).status_code == 200
    for number in range(500):
        lead = LEAD | {"phone": f"05423{number:05}", "message": "word " * 800}
        if (await client.post("/v1/leads", json=lead)).status_code != 202:
            break
    assert_problem(await client.post("/v1/leads", json=lead), 503, "storage_unavailable")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {
        "status": "fail",
        "output": "Nothing can be written to the database: its disk is full, or fails.",
    }
    await engine.write(limit, 1_000_000)
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.post("/v1/leads", json=lead)).status_code == 202


async def test_every_family_is_there_with_its_type_and_labels(service: Service, client: httpx.AsyncClient) -> None:
    """Contract 5: names and types always, labels as soon as there is something to count."""
    await client.post("/v1/leads", json=LEAD)
    await client.post("/v1/leads", json=LEAD | {"phone": "+44 20 7946 0958"})
    await client.post("/v1/leads", json=LEAD | {"phone": "1"})
    await client.post("/v1/leads", json={"site": "nobody", "phone": "0542345670"})
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert response.headers["cache-control"] == "no-store"
    found = families(response.text)
    for name, (kind, labels) in FAMILIES.items():
        assert name in found, name
        assert found[name].type == kind, name
        assert found[name].documentation
        for sample in found[name].samples:
            assert set(sample.labels) - {"le"} == labels, sample
    ours = {name for name in found if name.startswith(("leadring_", "http_")) and not name.endswith("_created")}
    assert ours == set(FAMILIES), "a family more or less than the contract names"
    received: Counter[str] = Counter()
    for sample in found["leadring_leads_received"].samples:
        if sample.name.endswith("_total"):
            received[sample.labels["result"]] += int(sample.value)
    assert received == {"accepted": 2, "held": 1, "invalid": 1}
    assert {s.labels["site"]: s.value for s in found["leadring_open"].samples}["night"] == 0
    assert found["leadring_leads_unaccounted"].samples[0].value == 0


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("leadring_lead_to_request_seconds", REQUEST),
        ("leadring_lead_to_connected_seconds", PERSON),
        ("leadring_lead_to_agent_answer_seconds", PERSON),
        ("http_request_duration_seconds", REQUEST),
    ],
)
async def test_buckets_are_those_that_dashboards_were_drawn_with(
    service: Service, client: httpx.AsyncClient, name: str, bounds: list[float]
) -> None:
    metrics = service.desk.metrics
    metrics.lead_to_connected.labels("main").observe(1)
    metrics.lead_to_agent_answer.labels("main").observe(1)
    await client.get("/livez")
    samples = families((await client.get("/metrics")).text)[name].samples
    edges = sorted({float(s.labels["le"]) for s in samples if s.name.endswith("_bucket")})
    assert edges[:-1] == bounds


async def test_no_label_holds_what_somebody_sent(service: Service, client: httpx.AsyncClient) -> None:
    """Phones, names, ids, tokens and raw paths are no labels; strange methods are one label together."""
    answer = (await client.post("/v1/leads", json=LEAD | {"source": "canary-source"})).json()
    await client.get(answer["status_url"])
    await client.get("/canary-path/0542345678")
    await client.get("/static/canary-file")
    await client.get("/v1/sites/canary-site")
    await client.post("/v1/leads", json=LEAD | {"site": "canary-site"})
    await client.post("/v1/voicenter/cdr/canary-token", content=b"{}")
    for method in ("CANARY", "BREW", "PROPFIND"):
        await client.request(method, "/livez")
    text = (await client.get("/metrics")).text
    for never in ("canary", "CANARY", "0542345678", "972542345678", answer["lead_id"], "Dana", "dana", CODE, "BREW"):
        assert never not in text, never
    assert 'method="other"' in text
    assert 'route="/v1/leads/{lead_id}"' in text
    assert not re.search(r'="[^"]*\d{7,}', "\n".join(line for line in text.splitlines() if "python_info" not in line))


async def test_metrics_ask_for_their_token(start: Start) -> None:
    async with start(metrics_token="metrics-token-for-tests") as service, service.client() as client:
        for given in (None, "", "Bearer", "Bearer ", "Bearer x", "Basic bWV0cmljcw==", "Bearer metrics-token-for-test"):
            response = await client.get("/metrics", headers={} if given is None else {"authorization": given})
            assert_problem(response, 401, "unauthorized", "metrics-token")
        response = await client.get("/metrics", headers={b"authorization": "Bearer \xff".encode("latin-1")})
        assert response.status_code == 401
        good = await client.get("/metrics", headers={"authorization": "Bearer metrics-token-for-tests"})
        assert good.status_code == 200


async def test_the_document_names_every_route(service: Service, client: httpx.AsyncClient) -> None:
    """/openapi.json is whole, and every API route that answers is in it with the errors it gives."""
    response = await client.get("/openapi.json")
    assert response.status_code == 200
    document = response.json()
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    contract = {
        ("POST", "/v1/leads"),
        ("GET", "/v1/leads/{lead_id}"),
        ("DELETE", "/v1/leads/{lead_id}"),
        ("GET", "/v1/leads/{lead_id}/events"),
        ("GET", "/v1/sites/{site}"),
        ("POST", "/f/{site}"),
        ("POST", "/v1/voicenter/cdr/{token}"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
    }
    assert contract <= documented
    operations = [item[method] for item in document["paths"].values() for method in item]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for operation in operations:
        assert operation.get("description") or operation.get("summary")
    submit = document["paths"]["/v1/leads"]["post"]
    assert set(submit["requestBody"]["content"]) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
    }
    assert {"202", "400", "403", "404", "409", "413", "415", "422", "429", "503"} <= set(submit["responses"])
    references = re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(references) <= set(document.get("components", {}).get("schemas", {}))


async def test_the_documentation_page_is_there(client: httpx.AsyncClient) -> None:
    response = await client.get("/docs")
    assert response.status_code == 200
    assert "/openapi.json" in response.text
