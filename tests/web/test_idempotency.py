"""The same submission twice is one lead and one answer; another body under the same id is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.web.pages import BROWSER
from tests.web.problem import assert_problem, assert_retry_after
from tests.web.service import GOOD, Service, eventually, started

LEAD = {"site": "main", "phone": "0542345678", "name": "Noa"}
KEY = "0b8e4d1c-key"


async def post(client: httpx.AsyncClient, key: str = "", **fields: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await client.post("/v1/leads", json=LEAD | fields, headers=headers)


@pytest.mark.parametrize("how", ["field", "header"])
async def test_a_replay_is_the_stored_answer_byte_for_byte(database_url: str, how: str) -> None:
    """Also later, when the lead is in another state by then; nothing is stored or dialled again."""
    async with started(database_url) as service, service.client() as client:

        async def send() -> httpx.Response:
            return await (post(client, submission_id=KEY) if how == "field" else post(client, KEY))

        first = await send()
        assert (first.status_code, first.json()["outcome"]) == (202, "dialing")
        # The request must have left: after an hour between intent and request it would rightly not leave any more.
        await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")
        service.clock.advance(3600)
        again = await send()
        assert (again.status_code, again.content) == (202, first.content)
        assert len(await service.rows("SELECT id FROM leads")) == 1
        assert len(service.telephony.calls) == 1


async def test_field_and_header_are_the_same_key(client: httpx.AsyncClient) -> None:
    first = await post(client, submission_id=KEY)
    assert (await post(client, KEY)).content == first.content
    assert (await post(client, KEY, submission_id="another")).content == first.content, "the header wins"


async def test_content_decides_not_its_spelling(client: httpx.AsyncClient) -> None:
    """The same fields in another order, another content type, or with another waiting time are the same body."""
    first = await post(client, submission_id=KEY)
    form = {"submission_id": KEY, "elapsed_ms": "812", **dict(reversed(LEAD.items()))}
    assert (await client.post("/v1/leads", data=form)).content == first.content
    text = json.dumps(LEAD | {"submission_id": KEY})
    sent = await client.post("/v1/leads", content=text, headers={"content-type": "text/plain"})
    assert sent.content == first.content


@pytest.mark.parametrize("change", [{"phone": "0542345679"}, {"name": "Naomi"}, {"extra": "1"}, {"name": ""}])
async def test_another_body_under_the_same_id_is_a_mismatch(
    service: Service, client: httpx.AsyncClient, change: dict[str, str]
) -> None:
    await post(client, submission_id=KEY)
    response = await post(client, submission_id=KEY, **change)
    assert_problem(response, 422, "idempotency_mismatch", KEY, "0542345679", "Naomi")
    assert len(await service.rows("SELECT id FROM leads")) == 1


async def test_ids_belong_to_their_site(client: httpx.AsyncClient) -> None:
    first = await post(client, submission_id=KEY)
    other = await post(client, submission_id=KEY, site="nobody", phone="0542345679")
    assert other.json()["lead_id"] != first.json()["lead_id"]


async def test_a_refused_submission_leaves_its_id_free(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, submission_id=KEY, phone="1"), 422, "invalid")
    assert (await post(client, submission_id=KEY)).status_code == 202


async def test_a_callback_is_replayed_when_its_time_has_passed(service: Service, client: httpx.AsyncClient) -> None:
    """A repeat is a repeat: whether its fields would still be accepted today is not asked."""
    first = await post(client, submission_id=KEY, call_at="2026-01-05T10:30:00Z")
    assert first.status_code == 202
    service.clock.advance(7200)
    again = await post(client, submission_id=KEY, call_at="2026-01-05T10:30:00Z")
    assert (again.status_code, again.content) == (202, first.content)


async def test_a_duplicates_answer_is_replayed_too(client: httpx.AsyncClient) -> None:
    await post(client, submission_id="first")
    joined = await post(client, submission_id=KEY)
    assert joined.json()["outcome"] == "duplicate"
    assert (await post(client, submission_id=KEY)).content == joined.content


async def test_in_flight_is_409_until_the_answer_is_stored(service: Service) -> None:
    """The twin of a submission whose answer is not decided yet is asked to come again in a moment."""
    held, release = asyncio.Event(), asyncio.Event()
    store: Any = service.desk.store

    class Slow:
        """The store, with `remember_answer` held until it is released."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def remember_answer(self, site: str, key: str, answer: str) -> None:
            held.set()
            await release.wait()
            await store.remember_answer(site, key, answer)

    service.desk.intake._store = Slow()
    async with service.client() as client:
        first = asyncio.create_task(post(client, submission_id=KEY))
        await held.wait()
        twin = await post(client, submission_id=KEY)
        assert_problem(twin, 409, "in_flight", KEY, "0542345678")
        assert assert_retry_after(twin) == 1
        release.set()
        assert (await post(client, submission_id=KEY)).content == (await first).content
    assert len(service.telephony.calls) == 1


async def test_the_answer_of_a_process_that_died_is_found_again(service: Service, client: httpx.AsyncClient) -> None:
    """Stored, but never answered: after a while a repeat hears `waiting` and its lead's id."""
    first = await post(client, submission_id=KEY)
    engine: Any = service.desk.store.engine  # type: ignore[attr-defined]
    await engine.write(lambda conn: conn.exec_driver_sql("UPDATE submissions SET answer = NULL"))
    assert_problem(await post(client, submission_id=KEY), 409, "in_flight")
    service.clock.advance(16)
    again = await post(client, submission_id=KEY)
    assert (again.status_code, again.json()["outcome"]) == (202, "waiting")
    assert again.json()["status_url"] == first.json()["status_url"]


async def test_a_hundred_twins_at_once_are_one_lead_and_one_call(database_url: str) -> None:
    async with started(database_url) as service, service.client() as client:
        answers = await asyncio.gather(*(post(client, submission_id=KEY) for _ in range(100)))
        assert {answer.status_code for answer in answers} <= {202, 409}
        assert len({answer.content for answer in answers if answer.status_code == 202}) == 1
        assert len(await service.rows("SELECT id FROM leads")) == 1
        await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")


async def test_a_hundred_different_ids_with_one_phone_are_one_call(database_url: str) -> None:
    async with started(database_url) as service, service.client() as client:
        answers = await asyncio.gather(*(post(client, submission_id=f"id-{n}") for n in range(100)))
        outcomes = [answer.json()["outcome"] for answer in answers]
        assert outcomes.count("duplicate") == 99
        assert set(outcomes) <= {"dialing", "waiting", "duplicate"}, "a busy machine may answer before the round"
        assert len({answer.json()["lead_id"] for answer in answers}) == 1
        await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")


async def test_the_longest_id_fits_and_odd_ids_are_ids(client: httpx.AsyncClient) -> None:
    for number, key in enumerate(("k" * 64, " spaced ", "מזהה", 12345, "a/b?c")):
        fields: dict[str, Any] = {"phone": f"054234567{number}", "submission_id": key}
        first = await post(client, **fields)
        assert first.status_code == 202, key
        assert (await post(client, **fields)).content == first.content
    assert_problem(await post(client, "h" * 65), 422, "invalid", "hhhh")


async def test_the_origin_is_checked_before_the_replay(client: httpx.AsyncClient) -> None:
    """Knowing a submission's id and body does not open its answer to another website."""
    await post(client, submission_id=KEY)
    body = LEAD | {"submission_id": KEY}
    assert (await client.post("/v1/leads", json=body, headers={"origin": GOOD})).status_code == 202
    evil = await client.post("/v1/leads", json=body, headers={"origin": "https://evil.example"})
    assert_problem(evil, 403, "origin_not_allowed", "evil.example")


async def test_a_form_that_a_browser_posts_after_the_widget_is_the_same_submission(
    service: Service, client: httpx.AsyncClient
) -> None:
    """The widget's answer was lost and it left its form to the browser: the same fields at the other door, with lines
    that end as a form's do, are the same lead, and its own status page, not that of somebody who joined it."""
    fields = LEAD | {"submission_id": KEY, "source": "form", "message": "two\nlines", "utm_source": "ads"}
    first = (await client.post("/v1/leads", data=fields | {"elapsed_ms": "900"})).json()
    ended = fields | {"message": "two\r\nlines", "elapsed_ms": "900"}
    again = await client.post("/f/main", data=ended, headers=BROWSER | {"origin": GOOD})
    assert again.status_code == 303
    asked = parse_qs(urlsplit(again.headers["location"]).query)
    assert asked["lead"] == [first["lead_id"]]
    assert asked["token"] == parse_qs(urlsplit(first["status_url"]).query)["token"]
    (row,) = await service.rows("SELECT source, message, extra FROM leads")
    assert row == {"source": "form", "message": "two\nlines", "extra": "{}"}
