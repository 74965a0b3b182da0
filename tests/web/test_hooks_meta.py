"""Meta only tells of a lead: it is thanked at once, asked afterwards, and asked again until somebody has to know."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.directory import parse_directory
from app.main import Options, create_app
from app.meta.graph import Graph
from app.ports_deliveries import Found, NotFound
from app.service import unfinished
from tests.clocks import ManualClock
from tests.web.graph_server import ACCESS, FakeGraph, lead, serving_graph
from tests.web.hooking import TOKEN, address, counted
from tests.web.problem import assert_problem
from tests.web.service import DIRECTORY, FakeTelephony, Service, copy_of, eventually, lifespan, settings_for

META = (
    DIRECTORY
    + f"""
[sources.ads]
preset = "meta"
site = "main"
token = "{TOKEN}"
signing_secret = "app-secret"
access_token = "{ACCESS}"
"""
)


def word(*ids: str) -> bytes:
    changes = [{"field": "leadgen", "value": {"leadgen_id": one, "page_id": "1", "created_time": 1}} for one in ids]
    return json.dumps({"object": "page", "entry": [{"id": "1", "changes": changes}]}).encode()


async def tell(client: httpx.AsyncClient, body: bytes, secret: str = "app-secret") -> httpx.Response:  # noqa: S107
    signature = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    headers = {"content-type": "application/json", "x-hub-signature-256": signature}
    return await client.post(address("ads"), content=body, headers=headers)


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with serving_graph() as one:
        yield one


@asynccontextmanager
async def serving(
    url: str, graph: FakeGraph, toml: str = META, clock: ManualClock | None = None
) -> AsyncIterator[Service]:
    telephony, clock = FakeTelephony(), clock or ManualClock()
    options = Options(telephony=telephony, clock=clock, migrate=False, lead_lookup=Graph(graph.url, deadline=2.0))
    app = create_app(settings_for(url, secret_key=None), parse_directory(toml), options)
    async with lifespan(app):
        yield Service(app, telephony, clock)


@pytest.fixture
async def service(sqlite_template: Path, tmp_path: Path, graph: FakeGraph) -> AsyncIterator[Service]:
    async with serving(copy_of(sqlite_template, tmp_path), graph) as one:
        yield one


async def stored(service: Service) -> list[dict[str, Any]]:
    return await service.rows("SELECT * FROM deliveries ORDER BY id")


async def test_the_lead_is_asked_for_after_the_answer_and_rings(
    service: Service, client: httpx.AsyncClient, graph: FakeGraph
) -> None:
    graph.answers["444"] = (200, lead("444"))
    graph.go_on.clear()
    answer = await tell(client, word("444"))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "accepted"})
    assert [row["verdict"] for row in await stored(service)] == ["to_fetch"]
    graph.go_on.set()
    await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")
    (one,) = await service.rows("SELECT * FROM leads")
    assert (one["phone"], one["name"], one["source"], one["site"]) == ("+972542345678", "Noa Levi", "meta", "main")
    assert json.loads(one["attribution"])["form_source"] == "ads"
    ((path, authorization),) = graph.asked
    assert authorization == f"Bearer {ACCESS}"
    assert ACCESS not in path
    assert path.startswith("/v23.0/444?fields=")


async def test_told_twice_is_asked_once(service: Service, client: httpx.AsyncClient, graph: FakeGraph) -> None:
    graph.answers["444"] = (200, lead("444"))
    await tell(client, word("444"))
    assert (await tell(client, word("444"))).json() == {"outcome": "duplicate"}
    await eventually(lambda: counted(service, "lead", "meta") == 1, "it is a lead")
    assert (await tell(client, word("444"))).json() == {"outcome": "duplicate"}
    assert len(await service.rows("SELECT * FROM leads")) == 1


async def test_several_leads_in_one_word_are_several_deliveries(
    service: Service, client: httpx.AsyncClient, graph: FakeGraph
) -> None:
    for number in range(3):
        graph.answers[str(number)] = (200, lead(str(number), f"+97254234567{number}"))
    assert (await tell(client, word("0", "1", "2"))).json() == {"outcome": "accepted"}
    await eventually(lambda: counted(service, "lead", "meta") == 3, "three leads")


async def test_as_many_leads_as_a_body_holds_are_kept_in_one_transaction_and_asked_for(
    service: Service, client: httpx.AsyncClient, graph: FakeGraph
) -> None:
    """More than a look takes: the looks follow one another, without a pause between them."""
    ids = [str(number) for number in range(1000, 1300)]
    graph.answers |= {one: (200, lead(one)) for one in ids}
    graph.go_on.clear()
    engine: Any = service.desk.store.engine  # type: ignore[attr-defined]
    before = engine.commits
    assert (await tell(client, word(*ids))).json() == {"outcome": "accepted"}
    # One for the words; one more for the look that they wake, if it was as quick as the answer.
    assert engine.commits - before <= 2
    assert len(await stored(service)) == len(ids)
    assert (await tell(client, word(*reversed(ids)))).json() == {"outcome": "duplicate"}
    graph.go_on.set()
    await eventually(
        lambda: counted(service, "lead", "meta") + counted(service, "duplicate", "meta") == len(ids), "all"
    )
    assert len({path for path, _ in graph.asked}) == len(graph.asked) == len(ids)


async def test_what_cannot_be_had_is_asked_for_again_ever_more_rarely(
    service: Service, client: httpx.AsyncClient, graph: FakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While it is asked for, a delivery is due when its lease ends: told apart here from the pause of the same length.
    monkeypatch.setattr(unfinished, "LEASE", unfinished.LEASE + 1)
    graph.answers["444"] = (500, {"error": {"code": 2}})
    await tell(client, word("444"))
    await eventually(lambda: len(graph.asked) == 1, "asked")
    for asked, pause in enumerate((2, 5, 15, 30), 1):
        await _waits(service, pause)
        service.clock.advance(pause - 1)
        assert len(graph.asked) == asked
        service.clock.advance(1)
        await eventually(lambda asked=asked: len(graph.asked) == asked + 1, "asked again")  # type: ignore[misc]
    graph.answers["444"] = (200, lead("444"))
    await _waits(service, 60)
    service.clock.advance(60)
    await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")


async def _waits(service: Service, pause: int) -> None:
    async with asyncio.timeout(10):
        while (await stored(service))[0]["look_at"] != service.clock.now() + pause * 1000:  # noqa: ASYNC110 - a row has no event to wait for
            await asyncio.sleep(0.005)


async def test_what_could_not_be_had_in_time_is_shown_with_its_reason(
    service: Service, client: httpx.AsyncClient, graph: FakeGraph
) -> None:
    graph.answers["444"] = (400, {"error": {"code": 190, "message": "expired, and it names +972542345678"}})
    await tell(client, word("444"))
    await eventually(lambda: len(graph.asked) == 1, "asked")
    await _waits(service, 2)
    service.clock.advance(15 * 60)
    await eventually(lambda: counted(service, "not_fetched", "meta") == 1, "it is given up")
    (row,) = await stored(service)
    assert (row["verdict"], row["why"], row["look_at"]) == ("not_fetched", "Meta answered HTTP 400, error 190", None)
    assert row["body"]


async def test_it_survives_a_crash_between_the_word_and_the_question(
    sqlite_template: Path, tmp_path: Path, graph: FakeGraph
) -> None:
    url, clock = copy_of(sqlite_template, tmp_path), ManualClock()
    graph.answers["444"] = (200, lead("444"))
    graph.go_on.clear()
    async with serving(url, graph, clock=clock) as first, first.client() as client:
        await tell(client, word("444"))
    # It was stopped in the middle of the question: nothing came of it.
    graph.go_on.set()
    clock.advance(61)
    async with serving(url, graph, clock=clock) as second:
        await eventually(lambda: len(second.telephony.calls) == 1, "it is dialled")
        assert [row["verdict"] for row in await stored(second)] == ["lead"]


async def test_without_keeping_bodies_the_lead_comes_all_the_same_and_nothing_stays(
    sqlite_template: Path, tmp_path: Path, graph: FakeGraph
) -> None:
    graph.answers["444"] = (200, lead("444"))
    async with (
        serving(copy_of(sqlite_template, tmp_path), graph, META + "keep_raw = 0\n") as service,
        service.client() as client,
    ):
        await tell(client, word("444"))
        await eventually(lambda: counted(service, "lead", "meta") == 1, "it is a lead")
        service.clock.advance(1)
        await service.desk.store.forget_deliveries({"ads": 0})
        assert [row["body"] for row in await stored(service)] == [None]


async def test_what_is_no_lead_is_thanked_for_and_what_is_no_json_is_not(
    service: Service, client: httpx.AsyncClient
) -> None:
    other = b'{"object": "page", "entry": [{"changes": [{"field": "feed", "value": {}}]}]}'
    assert (await tell(client, other)).json() == {"outcome": "ignored"}
    assert_problem(await tell(client, b"{nonsense"), 422, "unreadable")
    assert_problem(await tell(client, word("444"), "another-secret"), 401, "unauthorized")
    assert await stored(service) == []


async def test_the_handshake_echoes_the_challenge_to_who_knows_the_token(client: httpx.AsyncClient) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1158201444"}
    answer = await client.get(address("ads"), params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "another-token-0000"}, {"hub.challenge": "<script>"}, {"hub.mode": "publish"}):
        assert_problem(await client.get(address("ads"), params=query | wrong), 401, "unauthorized", "script")
    assert (await client.get(address("ads"))).text == "ready\n"


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        (200, lead("444"), None),
        (200, {"id": "444"}, "Meta answered HTTP 200 without the answers"),
        (200, b"<html>", "Meta answered HTTP 200 without JSON"),
        (200, b"[" * 60_000, "Meta answered HTTP 200 without JSON"),
        (200, b" " * 70_000, "Meta's answer is too long"),
        (400, {"error": {"code": 190}}, "Meta answered HTTP 400, error 190"),
        (400, {"error": "no"}, "Meta answered HTTP 400"),
        (302, lead("444"), "Meta answered HTTP 302"),
        (500, b"", "Meta answered HTTP 500 without JSON"),
    ],
)
async def test_every_answer_is_a_lead_or_a_reason(graph: FakeGraph, status: int, answer: Any, why: str | None) -> None:
    """Redirects are not followed: the token would go along."""
    graph.answers["444"] = (status, answer)
    if status == 302:
        graph.headers["location"] = f"{graph.url}/444"
    client = Graph(graph.url)
    try:
        found = await client.look_up("444", ACCESS)
    finally:
        await client.close()
    if why is None:
        assert isinstance(found, Found)
        assert json.loads(found.body) == answer
    else:
        assert found == NotFound(why)
    assert len(graph.asked) == 1


async def test_a_graph_that_is_silent_away_or_asked_nonsense_is_a_reason(
    graph: FakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # proxies of the environment are nobody's
    graph.go_on.clear()
    silent, away = Graph(graph.url, deadline=0.2), Graph("http://127.0.0.1:9/v23.0")
    try:
        assert await silent.look_up("444", ACCESS) == NotFound("Meta did not answer in time")
        assert await away.look_up("444", ACCESS) == NotFound("Meta could not be asked (ConnectError)")
        assert await silent.look_up("444", "new\nline") == NotFound("Meta could not be asked (LocalProtocolError)")
        for wrong in ("", "../me", "4 4", "٤٤٤", "4" * 40):
            assert await silent.look_up(wrong, ACCESS) == NotFound("this is no id of Meta's")
        assert len(graph.asked) == 1
    finally:
        await silent.close()
        await away.close()
