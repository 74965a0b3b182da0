"""The switches from outside: who may turn them, what they answer, and what every door says while they are off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.messages import sentence
from tests.web.conftest import Start
from tests.web.pages import BROWSER, assert_page
from tests.web.problem import assert_problem, assert_retry_after, field_errors
from tests.web.service import DIRECTORY, GOOD, OTHER, Service, copy_of, eventually, started
from tests.web.test_forms import TYPED
from tests.web.test_storage_dead import DeadEngine

TOKEN = "admin-token-for-tests"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PATH = "/v1/admin/switches"
LEAD = {"site": "main", "phone": "0542345678", "name": "Noa"}
UNTURNED = {"on": True, "since": None, "who": None, "why": None}
AT = "2026-01-05T10:00:00.000Z"


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start(admin_token=TOKEN) as one:
        yield one


async def turn(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    response = await client.post(PATH, json=wanted, headers=BEARER)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


# ------------------------------------------------------------------------------------------------ who may, and how


async def test_both_are_on_until_somebody_turns_one(client: httpx.AsyncClient) -> None:
    response = await client.get(PATH, headers=BEARER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"taking": UNTURNED, "dialling": UNTURNED}


async def test_a_turn_is_answered_with_both_as_they_stand(client: httpx.AsyncClient) -> None:
    off = {"on": False, "since": AT, "who": "admin", "why": "המוקד עמוס"}
    assert await turn(client, taking=False, why="המוקד עמוס") == {"taking": off, "dialling": UNTURNED}
    both = await turn(client, taking=True, dialling=False)
    assert both == {"taking": off | {"on": True, "why": None}, "dialling": off | {"why": None}}
    assert (await client.get(PATH, headers=BEARER)).json() == both


async def test_without_a_token_set_there_is_no_such_address(start: Start) -> None:
    """Whatever is sent along; it is not told that there could be one."""
    async with start() as service, service.client() as client:
        for headers in ({}, BEARER, {"authorization": "Bearer "}):
            assert_problem(await client.get(PATH, headers=headers), 404, "not_found", TOKEN)
            assert_problem(await client.post(PATH, json={"taking": False}, headers=headers), 404, "not_found", TOKEN)
        assert service.desk.switches.taking


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x"]
)
async def test_only_the_whole_token_opens(service: Service, client: httpx.AsyncClient, given: str | None) -> None:
    """Before anything of the body is read: what is wrong with that is nobody else's business."""
    headers = {} if given is None else {"authorization": given}
    for response in (
        await client.get(PATH, headers=headers),
        await client.post(PATH, json={"taking": False}, headers=headers),
        await client.post(PATH, content=b"\xff", headers=headers),
    ):
        assert_problem(response, 401, "unauthorized", "admin-token")
        assert response.headers["www-authenticate"] == "Bearer"
    assert service.desk.switches.taking


async def test_a_token_of_strange_bytes_is_a_wrong_one(client: httpx.AsyncClient) -> None:
    response = await client.get(PATH, headers={b"authorization": "Bearer \xff".encode("latin-1")})
    assert_problem(response, 401, "unauthorized")


async def test_who_tries_tokens_is_slowed_down_and_who_has_the_right_one_is_not(start: Start) -> None:
    toml = DIRECTORY.replace("100000/minute", "3/hour")
    async with start(toml=toml, admin_token=TOKEN) as service, service.client() as client:
        for _ in range(5):
            assert (await client.get(PATH, headers=BEARER)).status_code == 200
        for guess in range(3):
            tried = await client.get(PATH, headers={"authorization": f"Bearer guess-{guess}"})
            assert_problem(tried, 401, "unauthorized")
        response = await client.get(PATH, headers={"authorization": "Bearer guess-3"})
        assert_problem(response, 429, "rate_limited")
        assert_retry_after(response)
        assert (await client.get(PATH, headers=BEARER)).status_code == 200


async def test_no_other_page_may_turn_them(client: httpx.AsyncClient) -> None:
    """A preflight is not answered as a site's, so no browser sends the token from another origin."""
    headers = {
        "origin": GOOD,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    response = await client.options(PATH, headers=headers)
    assert response.status_code == 405
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"body": "missing"}),
        ({"why": "canary"}, {"body": "missing"}),
        ({"taking": "off"}, {"taking": "not_boolean"}),
        ({"taking": 0, "dialling": None}, {"taking": "not_boolean", "dialling": "not_boolean"}),
        ({"taking": False, "why": 5}, {"why": "not_text"}),
        ({"taking": False, "canary": True}, {"body": "unknown_field"}),
        ({"taking": False, "dialing": True}, {"body": "unknown_field"}),
    ],
)
async def test_what_is_not_understood_turns_nothing(
    service: Service, client: httpx.AsyncClient, body: dict[str, Any], errors: dict[str, str]
) -> None:
    response = await client.post(PATH, json=body, headers=BEARER)
    assert field_errors(assert_problem(response, 422, "invalid", "canary")) == errors
    assert (await client.get(PATH, headers=BEARER)).json() == {"taking": UNTURNED, "dialling": UNTURNED}


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"[", "application/json", 400, "malformed"),
        (b"[true]", "application/json", 400, "malformed"),
        (b"{}", "application/xml", 415, "unsupported_media_type"),
        (b" " * 17_000, "application/json", 413, "too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_as_everywhere(
    client: httpx.AsyncClient, content: bytes, kind: str, status: int, code: str
) -> None:
    response = await client.post(PATH, content=content, headers=BEARER | {"content-type": kind})
    assert_problem(response, status, code)


async def test_a_reason_is_bounded_and_made_safe_to_read(client: httpx.AsyncClient) -> None:
    found = await turn(client, taking=False, why="a\u202eb\x00\n" + "c" * 500)
    assert found["taking"]["why"] == "ab " + "c" * 197
    assert (await turn(client, taking=False, why="  "))["taking"]["why"] is None


async def test_without_a_database_nothing_is_turned(service: Service, client: httpx.AsyncClient) -> None:
    store: Any = service.desk.store
    store.engine = DeadEngine(store.engine)
    for response in (
        await client.post(PATH, json={"taking": False}, headers=BEARER),
        await client.get(PATH, headers=BEARER),
    ):
        body = assert_problem(response, 503, "storage_unavailable", "canary", "postgresql")
        assert "switches" in body["detail"]
    assert service.desk.switches.taking


# ---------------------------------------------------------------------------------------------- taking is off


async def test_no_lead_is_taken_and_the_visitor_hears_why(service: Service, client: httpx.AsyncClient) -> None:
    await turn(client, taking=False)
    response = await client.post("/v1/leads", json=LEAD, headers={"origin": GOOD})
    body = assert_problem(response, 503, "not_taking", LEAD["phone"])
    assert assert_retry_after(response) == 60
    assert response.headers["access-control-allow-origin"] == GOOD
    assert body["detail"] == sentence("not_taking", "en")
    assert await service.rows("SELECT id FROM leads") == []
    await turn(client, taking=True)
    assert (await client.post("/v1/leads", json=LEAD)).status_code == 202


@pytest.mark.parametrize(
    ("site", "told", "spoken"),
    [("main", "", "en"), ("hebrew", "", "he"), ("main", "he-IL", "he"), ("hebrew", "fr", "fr"), ("hebrew", "de", "en")],
)
async def test_it_is_said_in_the_visitors_language(
    client: httpx.AsyncClient, site: str, told: str, spoken: str
) -> None:
    """The form's language, else the site's; English where we have no words."""
    await turn(client, taking=False)
    response = await client.post("/v1/leads", json=LEAD | {"site": site, "language": told})
    assert assert_problem(response, 503, "not_taking")["detail"] == sentence("not_taking", spoken)
    assert sentence("not_taking", "he") != sentence("not_taking", "en")


async def test_who_may_not_send_hears_that_and_not_how_things_stand(client: httpx.AsyncClient) -> None:
    await turn(client, taking=False)
    evil = await client.post("/v1/leads", json=LEAD, headers={"origin": "https://evil.example"})
    assert_problem(evil, 403, "origin_not_allowed")
    assert_problem(await client.post("/v1/leads", json=LEAD | {"site": "canary"}), 404, "unknown_site", "canary")


async def test_a_form_comes_back_with_what_was_typed_and_the_telephone(client: httpx.AsyncClient) -> None:
    """In Hebrew, where the site has a telephone: the visitor can still reach somebody."""
    await turn(client, taking=False)
    response = await client.post("/f/hebrew", data=TYPED, headers=BROWSER | {"origin": OTHER})
    page = assert_page(response, 503)
    assert assert_retry_after(response) == 60
    assert page.one("html")["lang"] == "he"
    assert sentence("not_taking", "he") in page.text
    assert {"name": "Noa", "phone": "0542345678", "rooms": "3"}.items() <= dict(page.sends).items()
    assert ("a", {"href": "tel:035123456", "dir": "ltr"}) in page.tags
    again = dict(page.sends)["submission_id"]
    await turn(client, taking=True)
    sent = await client.post("/f/hebrew", data=TYPED | {"submission_id": again}, headers=BROWSER | {"origin": OTHER})
    assert sent.status_code == 303


async def test_a_site_without_a_telephone_shows_none(client: httpx.AsyncClient) -> None:
    await turn(client, taking=False)
    page = assert_page(await client.post("/f/main", data=TYPED, headers=BROWSER), 503)
    assert not [attributes for tag, attributes in page.tags if attributes.get("href", "").startswith("tel:")]


async def test_a_script_that_posts_the_form_gets_the_problem(client: httpx.AsyncClient) -> None:
    await turn(client, taking=False)
    response = await client.post("/f/main", data=TYPED, headers={"accept": "application/json"})
    assert_problem(response, 503, "not_taking", TYPED["phone"])


async def test_what_was_stored_before_still_has_its_answer(service: Service, client: httpx.AsyncClient) -> None:
    """A repeat is the stored answer, byte for byte; only the same content under the same id is a repeat."""
    body = LEAD | {"submission_id": "one"}
    first = await client.post("/v1/leads", json=body)
    await turn(client, taking=False)
    again = await client.post("/v1/leads", json=body)
    assert (again.status_code, again.content) == (202, first.content)
    assert_problem(await client.post("/v1/leads", json=body | {"name": "Dan"}), 422, "idempotency_mismatch")
    assert_problem(await client.post("/v1/leads", json=body | {"submission_id": "two"}), 503, "not_taking")
    assert len(await service.rows("SELECT id FROM leads")) == 1
    # One whose answer got lost with its process is told that it waits.
    engine: Any = service.desk.store.engine  # type: ignore[attr-defined]
    await engine.write(lambda conn: conn.exec_driver_sql("UPDATE submissions SET answer = NULL"))
    assert_problem(await client.post("/v1/leads", json=body), 409, "in_flight")
    service.clock.advance(16)
    lost = await client.post("/v1/leads", json=body)
    assert (lost.status_code, lost.json()["outcome"]) == (202, "waiting")


async def test_who_is_in_already_may_look_move_and_cancel(client: httpx.AsyncClient) -> None:
    told = (await client.post("/v1/leads", json=LEAD | {"site": "nobody"})).json()
    await turn(client, taking=False)
    assert (await client.get(told["status_url"])).json()["state"] == "waiting"
    assert (await client.patch(told["status_url"], json={"call_at": "2026-01-05T12:00:00Z"})).status_code == 200
    assert (await client.delete(told["status_url"])).json()["state"] == "cancelled"


async def test_those_turned_away_are_counted(client: httpx.AsyncClient) -> None:
    await turn(client, taking=False)
    await client.post("/v1/leads", json=LEAD | {"source": "widget"})
    line = 'leadring_leads_received_total{result="not_taking",site="main",source="widget"} 1.0'
    assert line in (await client.get("/metrics")).text


async def test_a_form_may_know_it_before_it_asks(client: httpx.AsyncClient) -> None:
    """`open` stays true to the hours; `message` is what to say now."""
    site = (await client.get("/v1/sites/main")).json()
    assert (site["open"], site["taking"], site["message"]) == (True, True, sentence("open", "en"))
    await turn(client, taking=False)
    for key, is_open, language in (("main", True, "en"), ("night", False, "en"), ("hebrew", True, "he")):
        site = (await client.get(f"/v1/sites/{key}")).json()
        assert (site["open"], site["taking"]) == (is_open, False)
        assert site["message"] == sentence("not_taking", language)


# -------------------------------------------------------------------------------------------- dialling is off


async def test_leads_are_taken_and_wait_until_it_is_on_again(service: Service, client: httpx.AsyncClient) -> None:
    await turn(client, dialling=False)
    answer = await client.post("/v1/leads", json=LEAD)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "waiting")
    assert not await service.desk.dispatcher.round()
    assert service.telephony.calls == []
    await turn(client, dialling=True)
    await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")
    assert service.telephony.calls[0].lead_id == answer.json()["lead_id"]


# ------------------------------------------------------------------------------------------------ for operations


async def test_ready_warns_with_a_sentence_and_names_nobody(client: httpx.AsyncClient) -> None:
    """/readyz is open to everybody: since when, but not who and why."""
    assert (await client.get("/readyz")).json()["checks"]["switches"] == {"status": "pass"}
    await turn(client, taking=False, why="canary")
    one = await client.get("/readyz")
    assert (one.status_code, one.json()["status"]) == (200, "warn")
    assert one.json()["checks"]["switches"] == {"status": "warn", "output": f"no leads are taken since {AT}"}
    await turn(client, dialling=False, why="canary")
    both = await client.get("/readyz")
    said = f"no leads are taken since {AT}; no calls are placed since {AT}"
    assert both.json()["checks"]["switches"]["output"] == said
    assert "canary" not in both.text
    await turn(client, taking=True, dialling=True)
    assert (await client.get("/readyz")).json()["status"] == "pass"


async def test_the_gauge_tells_each(client: httpx.AsyncClient) -> None:
    await turn(client, dialling=False)
    text = (await client.get("/metrics")).text
    assert 'leadring_switch{switch="taking"} 1.0' in text
    assert 'leadring_switch{switch="dialling"} 0.0' in text


async def test_a_restart_changes_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    """From the first request on, and before the first call, the new process knows."""
    url = copy_of(sqlite_template, tmp_path)

    @asynccontextmanager
    async def running() -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
        async with started(url, admin_token=TOKEN) as service, service.client() as client:
            yield service, client

    async with running() as (_, client):
        await turn(client, dialling=False)
        assert (await client.post("/v1/leads", json=LEAD)).status_code == 202
        before = await turn(client, taking=False)
    async with running() as (service, client):
        assert_problem(await client.post("/v1/leads", json=LEAD), 503, "not_taking")
        assert (await client.get(PATH, headers=BEARER)).json() == before
        await service.desk.dispatcher.round()
        assert service.telephony.calls == []
        await turn(client, dialling=True)
        await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")


async def test_the_document_says_that_a_token_is_needed(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    for method in ("get", "post"):
        assert paths[PATH][method]["security"] == [{"HTTPBearer": []}]


async def test_two_turns_at_once_are_both_heard(client: httpx.AsyncClient) -> None:
    await asyncio.gather(turn(client, taking=False), turn(client, dialling=False))
    found = (await client.get(PATH, headers=BEARER)).json()
    assert (found["taking"]["on"], found["dialling"]["on"]) == (False, False)
