"""POST /v1/hooks/{source}/{token}: whoever sends what, it is on disk when the 200 comes, and rings once."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.directory import parse_directory
from tests.web.conftest import Start
from tests.web.hooking import ACCEPTED, BODY, E164, HOOKED, OLD_TOKEN, PHONE, TOKEN, address, counted, send
from tests.web.problem import assert_problem, assert_retry_after
from tests.web.service import Service, eventually, started

STORED = "SELECT * FROM deliveries ORDER BY received_at, id"


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start(toml=HOOKED) as one:
        yield one


async def leads_of(service: Service) -> list[dict[str, Any]]:
    return await service.rows("SELECT * FROM leads ORDER BY received_at, id")


# ---------------------------------------------------------------------------------------------- a lead comes in


async def test_a_delivery_is_a_lead_of_the_sources_site_and_rings_once(
    service: Service, client: httpx.AsyncClient
) -> None:
    answer = await send(client)
    assert (answer.status_code, answer.json()) == (200, ACCEPTED)
    assert answer.headers["cache-control"] == "no-store"
    (lead,) = await leads_of(service)
    assert (lead["site"], lead["source"], lead["phone"], lead["name"]) == ("main", "generic", E164, "Noa Levi")
    assert json.loads(lead["attribution"]) == {"form_source": "shop"}
    assert json.loads(lead["extra"])["plan"] == "gold"
    (kept,) = await service.rows(STORED)
    assert (kept["verdict"], kept["lead_id"], kept["look_at"]) == ("lead", lead["id"], None)
    await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")
    metrics = service.desk.metrics.render().decode()
    assert 'leadring_leads_received_total{result="accepted",site="main",source="generic"} 1.0' in metrics
    assert counted(service, "lead") == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps(BODY).encode()),
        ("application/x-www-form-urlencoded", urlencode(BODY).encode()),
        ("text/plain", json.dumps(BODY).encode()),
        ("", json.dumps(BODY).encode()),
        (
            "multipart/form-data; boundary=x",
            f'--x\r\nContent-Disposition: form-data; name="phone"\r\n\r\n{PHONE}\r\n--x--\r\n'.encode(),
        ),
    ],
)
async def test_whatever_content_type_a_builder_has(
    service: Service, client: httpx.AsyncClient, kind: str, body: bytes
) -> None:
    answer = await client.post(address(), content=body, headers={"content-type": kind} if kind else {})
    assert (answer.status_code, answer.json()) == (200, ACCEPTED)
    assert [lead["phone"] for lead in await leads_of(service)] == [E164]


async def test_a_server_that_says_an_origin_is_not_a_browser_to_be_turned_away(client: httpx.AsyncClient) -> None:
    answer = await send(client, headers={"origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_the_answer_does_not_wait_for_an_agent(service: Service, client: httpx.AsyncClient) -> None:
    """Wix gives up after 1.25 seconds; a round of the dispatcher that hangs is nothing to it."""

    async def never() -> set[str]:
        await asyncio.Event().wait()
        return set()

    service.desk.dispatcher.claimed_now = never  # type: ignore[method-assign]
    async with asyncio.timeout(0.4):
        assert (await send(client)).json() == ACCEPTED


async def test_a_callback_is_booked_and_words_that_are_no_moment_lose_no_lead(
    service: Service, client: httpx.AsyncClient
) -> None:
    assert (await send(client, BODY | {"when": "2026-01-06T10:00:00+02:00"})).json() == ACCEPTED
    assert (await send(client, BODY | {"phone": "0542345679", "when": "tomorrow morning"})).json() == ACCEPTED
    first, second = await leads_of(service)
    assert (first["state"], first["reason"]) == ("waiting", "scheduled")
    assert json.loads(second["extra"])["call at"] == "tomorrow morning"
    assert second["reason"] != "scheduled"


async def test_what_a_form_calls_by_a_name_of_ours_is_kept_beside_it(
    service: Service, client: httpx.AsyncClient
) -> None:
    await send(client, BODY | {"site": "hebrew", "submission_id": "x" * 99, "source": "api"})
    (lead,) = await leads_of(service)
    assert (lead["site"], lead["source"]) == ("main", "generic")


# ------------------------------------------------------------------------------------------------- who may send


@pytest.mark.parametrize(
    ("source", "token"),
    [
        ("shop", "wrong-token-of-the-shop"),
        ("shop", TOKEN[:-1]),
        ("shop", "-" * 32),
        ("nowhere", TOKEN),
        ("nowhere", "x"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_wrong_token_and_a_wrong_name_look_the_same(
    service: Service, client: httpx.AsyncClient, source: str, token: str, method: str
) -> None:
    answer = await client.request(method, address(source, token), content=json.dumps(BODY).encode())
    body = assert_problem(answer, 401, "unauthorized", token)
    assert body["detail"] == "This address takes nothing."
    assert await service.rows(STORED) == []


@pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN])
async def test_both_tokens_open_while_one_replaces_the_other(client: httpx.AsyncClient, token: str) -> None:
    assert (await send(client, token=token)).status_code == 200


async def test_a_wrong_token_is_not_read_any_further(service: Service) -> None:
    """The body of a stranger is never taken off the wire."""
    read = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        yield b"{}"

    async with service.client() as client:
        answer = await client.post(address(token="wrong-token-of-the-shop"), content=body())
    assert (answer.status_code, read) == (401, False)


def typeform(secret: str, body: bytes) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, "sha256")
    return {"typeform-signature": "sha256=" + base64.b64encode(digest).decode()}


@pytest.mark.parametrize("secret", ["new-secret", "old-secret"])
async def test_a_signed_delivery_is_taken_with_either_secret(client: httpx.AsyncClient, secret: str) -> None:
    body = json.dumps(BODY).encode()
    assert (await send(client, body, "quiz", headers=typeform(secret, body))).json() == ACCEPTED


async def test_an_unsigned_or_tampered_delivery_is_nobodys(service: Service, client: httpx.AsyncClient) -> None:
    body = json.dumps(BODY).encode()
    for headers in ({}, typeform("wrong-secret", body), typeform("new-secret", body + b" ")):
        assert_problem(await send(client, body, "quiz", headers=headers), 401, "unauthorized", PHONE)
    assert await service.rows(STORED) == []


async def test_hubspots_signature_is_over_the_public_address(start: Start) -> None:
    """Behind a proxy the request's own address is another one."""
    toml = HOOKED.replace('preset = "typeform"', 'preset = "hubspot"')
    async with start(toml=toml, public_url="https://leads.example.com") as service, service.client() as client:
        body, now = json.dumps(BODY).encode(), str(service.clock.now())
        for base, status in (("https://leads.example.com", 200), ("http://leadring.test", 401)):
            content = b"".join((b"POST", f"{base}{address('quiz')}".encode(), body, now.encode()))
            signature = base64.b64encode(hmac.digest(b"new-secret", content, "sha256")).decode()
            headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": now}
            assert (await send(client, body, "quiz", headers=headers)).status_code == status


async def test_google_ads_has_its_secret_in_the_body(start: Start) -> None:
    toml = HOOKED.replace('preset = "typeform"', 'preset = "google_ads"')
    async with start(toml=toml) as service, service.client() as client:
        assert (await send(client, BODY | {"google_key": "new-secret"}, "quiz")).status_code == 200
        assert (await send(client, BODY | {"google_key": "guess"}, "quiz")).status_code == 401
        assert (await send(client, BODY, "quiz")).status_code == 401


async def test_a_probe_hears_that_the_address_is_right(client: httpx.AsyncClient) -> None:
    answer = await client.get(address())
    assert (answer.status_code, answer.text) == (200, "ready\n")
    assert answer.headers["content-type"].startswith("text/plain")
    head = await client.head(address())
    assert (head.status_code, head.content) == (200, b"")
    assert (await client.get(address(), params={"hub.mode": "subscribe"})).status_code == 401


# ---------------------------------------------------------------------------------------------- the same again


async def test_the_same_body_again_is_thanked_for_and_makes_no_second_lead(
    service: Service, client: httpx.AsyncClient
) -> None:
    assert (await send(client)).json() == ACCEPTED
    for _ in range(2):
        answer = await send(client)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "duplicate"})
    assert len(await leads_of(service)) == 1
    (kept,) = await service.rows(STORED)
    assert (kept["verdict"], kept["repeats"]) == ("lead", 2)
    assert counted(service, "again") == 2


async def test_many_at_once_are_one(database_url: str) -> None:
    async with started(database_url, toml=HOOKED) as service, service.client() as client:
        answers = await asyncio.gather(*(send(client) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await leads_of(service)) == 1
        assert [row["repeats"] for row in await service.rows(STORED)] == [19]
        assert (counted(service, "lead"), counted(service, "again")) == (1, 19)
        await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")


async def test_who_asks_again_with_the_same_words_after_an_hour_is_heard(
    service: Service, client: httpx.AsyncClient
) -> None:
    """Without an id of the builder's a body is known again for an hour: a form with nothing but a phone says the same
    each time somebody wants to be called."""
    body = BODY | {"when": "2026-01-06T10:00:00+02:00"}
    await send(client, body)
    assert await service.desk.store.cancel((await leads_of(service))[0]["id"], "lead") == "cancelled"
    service.clock.advance(3599)
    assert (await send(client, body)).json() == {"outcome": "duplicate"}
    service.clock.advance(2)
    assert (await send(client, body)).json() == ACCEPTED
    assert len(await leads_of(service)) == 2


async def test_another_form_of_somebody_whose_lead_is_live_joins_it(
    service: Service, client: httpx.AsyncClient
) -> None:
    await send(client, BODY | {"when": "2026-01-06T10:00:00+02:00"})
    assert (await send(client, BODY | {"plan": "silver"})).json() == {"outcome": "duplicate"}
    (lead,) = await leads_of(service)
    assert [(row["verdict"], row["lead_id"]) for row in await service.rows(STORED)] == [
        ("lead", lead["id"]),
        ("duplicate", lead["id"]),
    ]


async def test_two_sources_may_send_the_same_body(service: Service, client: httpx.AsyncClient) -> None:
    await send(client)
    await send(client, {**BODY}, "unkept")
    assert [row["source"] for row in await service.rows(STORED)] == ["shop", "unkept"]


# -------------------------------------------------------------------------------------------- what is no lead


@pytest.mark.parametrize("body", [{"name": "Noa"}, {"phone": "12"}, {"phone": ""}, [], "text", 7, None])
async def test_a_body_without_a_number_is_a_422_and_kept_for_a_better_map(
    service: Service, client: httpx.AsyncClient, body: Any
) -> None:
    assert_problem(await send(client, json.dumps(body).encode()), 422, "unreadable", "Noa")
    assert await leads_of(service) == []
    (kept,) = await service.rows(STORED)
    assert kept["verdict"] in ("no_phone", "unreadable")
    assert kept["body"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{nonsense"),
        ("application/json", b"\xff\xfe\x00"),
        ("application/x-www-form-urlencoded", b"nonsense"),
        ("multipart/form-data", b"nonsense"),
        ("image/png", b"\x89PNG"),
        ("application/json", b"[" * 5000),
    ],
)
async def test_what_cannot_be_read_is_a_422_and_kept(
    service: Service, client: httpx.AsyncClient, kind: str, body: bytes
) -> None:
    answer = await client.post(address(), content=body, headers={"content-type": kind})
    assert_problem(answer, 422, "unreadable", "nonsense")
    assert [(row["verdict"], row["lead_id"]) for row in await service.rows(STORED)] == [("unreadable", None)]
    assert counted(service, "unreadable") == 1


@pytest.mark.parametrize("body", [b"", b" \r\n"])
async def test_nothing_is_a_422_and_not_kept(service: Service, client: httpx.AsyncClient, body: bytes) -> None:
    assert_problem(await send(client, body), 422, "unreadable")
    assert await service.rows(STORED) == []


async def test_64_kib_are_taken_and_not_a_byte_more(service: Service, client: httpx.AsyncClient) -> None:
    body = json.dumps(BODY).encode()
    padded = body + b" " * (64 * 1024 - len(body))
    assert (await send(client, padded)).status_code == 200
    assert_problem(await send(client, padded + b" "), 413, "too_large", PHONE)
    assert len(await service.rows(STORED)) == 1


async def test_a_number_that_a_guard_refuses_is_kept_and_thanked_for(
    service: Service, client: httpx.AsyncClient
) -> None:
    """Another answer would have the builder send it again, for days."""
    assert (await send(client, BODY | {"phone": "1-900-123-456"})).json() == ACCEPTED
    (kept,) = await service.rows(STORED)
    assert (kept["verdict"], kept["why"]) == ("refused", "premium")
    assert await leads_of(service) == []


# ---------------------------------------------------------------------------------------------- trouble of ours


async def test_while_no_leads_are_taken_it_is_asked_to_come_again_and_becomes_a_lead_then(
    service: Service, client: httpx.AsyncClient
) -> None:
    await service.desk.switches.turn({"taking": False}, "admin", None)
    answer = await send(client)
    assert_problem(answer, 503, "not_taking", PHONE)
    assert assert_retry_after(answer) == 60
    assert await leads_of(service) == []
    assert [row["verdict"] for row in await service.rows(STORED)] == ["not_taking"]
    await service.desk.switches.turn({"taking": True}, "admin", None)
    assert (await send(client)).json() == ACCEPTED
    assert len(await leads_of(service)) == 1
    assert [row["verdict"] for row in await service.rows(STORED)] == ["lead"]


async def test_a_repeat_of_what_is_a_lead_already_is_thanked_for_while_no_leads_are_taken(
    service: Service, client: httpx.AsyncClient
) -> None:
    await send(client)
    await service.desk.switches.turn({"taking": False}, "admin", None)
    assert (await send(client)).json() == {"outcome": "duplicate"}


async def test_a_defect_of_ours_loses_nobody(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body is on disk, so it is thanked for; without one it is not."""
    from app.service import webhook_reading

    def broken(*_: Any) -> Any:
        raise KeyError(PHONE)

    monkeypatch.setattr(webhook_reading, "map_payload", broken)
    assert (await send(client)).json() == ACCEPTED
    (kept,) = await service.rows(STORED)
    assert (kept["verdict"], kept["why"]) == ("failed", "KeyError")
    async with service.client(raises=False) as unlucky:
        assert_problem(await send(unlucky, None, "unkept"), 500, "internal", PHONE)


# ------------------------------------------------------------------------------------------------ the rate limit


async def test_a_source_has_a_limit_of_its_own_whoever_asks_for_it(start: Start) -> None:
    """A builder sends for all visitors from one address; and two builders do not take each other's turn."""
    toml = HOOKED.replace('per_client = "100000/minute"', 'per_client = "2/hour"\nper_source = "4/hour"')
    async with start(toml=toml) as service, service.client() as client, service.client("203.0.113.77") as other:
        for number in range(4):
            sender = (client, other)[number % 2]
            assert (await send(sender, BODY | {"phone": f"05423456{number:02}"})).status_code == 200
        answer = await send(client)
        assert_problem(answer, 429, "rate_limited", PHONE)
        assert assert_retry_after(answer) <= 3600
        assert (await send(other)).status_code == 429
        assert (await send(other, None, "unkept")).status_code == 200
        # What the source used up is not its sender's.
        assert (await client.post("/v1/leads", json={"site": "nobody", "phone": "0542345611"})).status_code == 202


async def test_wrong_tokens_count_against_who_tries_them(start: Start) -> None:
    toml = HOOKED.replace('per_client = "100000/minute"', 'per_client = "3/hour"')
    async with start(toml=toml) as service, service.client() as client, service.client("203.0.113.77") as builder:
        statuses = [
            (await send(client, None, source, token=f"guess-number-{number:04}")).status_code
            for number, source in enumerate(["shop", "nowhere", "quiz", "shop", "nowhere"])
        ]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await send(builder)).status_code == 200
        assert (await send(builder, None, "quiz")).status_code == 401  # unsigned
        assert (await builder.post("/v1/leads", json={"site": "nobody", "phone": "0542345611"})).status_code == 202


async def test_sources_are_limited_together_across_processes_on_redis(postgres_store_url: str, redis_url: str) -> None:
    toml = HOOKED.replace("[limits]\n", '[limits]\nper_source = "10/hour"\n', 1)
    options: dict[str, Any] = {"toml": toml, "rate_limit_url": redis_url}
    async with (
        started(postgres_store_url, **options) as one,
        started(postgres_store_url, **options) as two,
        one.client() as first,
        two.client() as second,
    ):
        answers = await asyncio.gather(
            *(send((first, second)[n % 2], BODY | {"phone": f"05423456{n:02}"}) for n in range(20))
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 10


# ---------------------------------------------------------------------------------------------- what is kept, how


def everything(folder: Path) -> bytes:
    """Every byte of the database's files."""
    with sqlite3.connect(folder / "sealed.db") as copy:
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(file.read_bytes() for file in folder.glob("sealed.db*"))


async def test_the_body_is_kept_encrypted(sqlite_template: Path, tmp_path: Path) -> None:
    """Of a body that became no lead nothing stands in the file as it was, and of the address neither."""
    shutil.copyfile(sqlite_template, tmp_path / "sealed.db")
    marker, number = "marker-in-the-body", "0542345678"
    async with started(f"sqlite:///{tmp_path}/sealed.db", toml=HOOKED) as service, service.client() as client:
        await send(client, {"name": marker, "message": f"order {number} of two"})
        await send(client, b'{"name": "' + marker.encode() + b'", "broken')
        assert [row["verdict"] for row in await service.rows(STORED)] == ["no_phone", "unreadable"]
        content = everything(tmp_path)
    assert b"no_phone" in content
    for secret in (marker.encode(), number.encode(), base64.b64encode(marker.encode()), TOKEN.encode()):
        assert secret not in content


async def test_a_body_is_forgotten_in_time_and_the_delivery_is_still_known(
    service: Service, client: httpx.AsyncClient
) -> None:
    await send(client, {"name": "no number"})
    await send(client, None, "unkept")
    kept = {"shop": 7 * 86400, "unkept": 0}
    assert [bool(row["body"]) for row in await service.rows(STORED)] == [True, False]
    service.clock.advance(7 * 86400)
    await service.desk.store.forget_deliveries(kept)
    assert [bool(row["body"]) for row in await service.rows("SELECT body FROM deliveries WHERE source = 'shop'")] == [
        True
    ]
    service.clock.advance(1)
    await service.desk.store.forget_deliveries(kept)
    assert await service.rows(STORED) == []


async def test_without_keeping_bodies_a_repeat_is_known_all_the_same(
    service: Service, client: httpx.AsyncClient
) -> None:
    assert (await send(client, None, "unkept")).json() == ACCEPTED
    assert (await send(client, None, "unkept")).json() == {"outcome": "duplicate"}
    (kept,) = await service.rows(STORED)
    assert (kept["body"], kept["repeats"]) == (None, 1)


async def test_no_log_line_has_the_token_a_number_or_a_body(
    service: Service, client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await send(client, BODY | {"note": "canary-note"})
    await send(client, {"name": "canary-name"})
    await send(client, token="canary-token-000000")
    await send(client, b'{"canary-broken')
    out, err = capfd.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx"]  # the test's own client
    said = "\n".join([out, err, *ours])
    assert "delivery.settled" in said
    for secret in (TOKEN, "canary", PHONE, E164, "Noa"):
        assert secret not in said


# ------------------------------------------------------------------------------------------------ whatever comes


_KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "x/y",
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just(PHONE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_BODIES = st.binary(max_size=300) | _VALUES.map(lambda value: json.dumps(value).encode())


async def test_no_body_is_a_failure_of_ours_and_every_body_is_on_disk(start: Start) -> None:
    """Taken, or 422; and what is no white space is kept with a verdict, known already or new."""
    async with start(toml=HOOKED) as service, service.client() as client:
        loop = asyncio.get_running_loop()

        async def one(kind: str, body: bytes, source: str) -> None:
            headers = {"content-type": kind} if kind else {}
            answer = await client.post(address(source), content=body, headers=headers)
            assert answer.status_code in (200, 422), answer.text
            open_ones = await service.rows("SELECT id FROM deliveries WHERE look_at IS NOT NULL OR verdict = 'failed'")
            assert open_ones == []

        @settings(max_examples=150, derandomize=True, database=None, deadline=None)
        @given(kind=_KINDS, body=_BODIES, source=st.sampled_from(["shop", "unkept"]))
        def whatever(kind: str, body: bytes, source: str) -> None:
            asyncio.run_coroutine_threadsafe(one(kind, body, source), loop).result(30)

        await asyncio.to_thread(whatever)
        assert len(await service.rows(STORED)) > 50


async def test_a_reload_puts_new_tokens_limits_and_maps_in_force(start: Start) -> None:
    async with start(toml=HOOKED) as service, service.client() as client:
        changed = HOOKED.replace(OLD_TOKEN, "token-of-tomorrow-0002").replace(
            'per_client = "100000/minute"', 'per_client = "100000/minute"\nper_source = "2/hour"'
        )
        service.desk.load_directory = lambda: parse_directory(changed)
        await service.desk.reload()
        assert (await send(client, token=OLD_TOKEN)).status_code == 401
        assert (await send(client, token="token-of-tomorrow-0002")).status_code == 200
        assert (await send(client)).status_code == 200
        assert (await send(client)).status_code == 429
