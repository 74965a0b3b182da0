"""Webhooks that are late, cut off or guessed: nothing is rung blind, nothing is lost, nothing becomes two."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.domain.deliveries import NewDelivery
from app.forms.mapped import Mapped
from app.service import webhook_reading
from app.service.explain import look_up
from app.service.redelivery import replay
from app.service.sealing import Seal
from app.service.tokens import Tokens
from tests.clocks import START
from tests.web.conftest import Start
from tests.web.hooking import ACCEPTED, BODY, E164, HOOKED, PHONE, counted, send
from tests.web.problem import assert_problem
from tests.web.service import Service, eventually, started
from tests.web.test_storage_dead import DeadEngine

MINUTE = 60_000
SECRET = "the-secret-of-these-tests-0123456789"
MAPPED = Mapped({"phone": PHONE}, {}, {"phone": 'alias "phone"'}, False, None, None, is_test=False)
Reads = Callable[..., None]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """`reads(submitted_at=…)`: what the mapping finds in every body from now on."""
    return lambda **found: monkeypatch.setattr(webhook_reading, "map_payload", lambda *_: replace(MAPPED, **found))


async def lead_of(service: Service) -> dict[str, Any]:
    (lead,) = await service.rows("SELECT * FROM leads")
    return lead


async def explained(service: Service) -> str:
    found = await look_up(service.desk.store, service.desk.rules, (await lead_of(service))["id"])
    assert found is not None
    return "\n".join([found.summary, *(line.text for line in found.history), *(one.text for one in found.guards)])


# ------------------------------------------------------------------------------------------------ late and guessed


@pytest.mark.parametrize(("minutes", "state"), [(0, "dialing"), (15, "dialing"), (16, "held"), (3 * 24 * 60, "held")])
async def test_what_was_sent_long_ago_is_held_and_released_by_a_person(
    start: Start, reads: Reads, minutes: int, state: str
) -> None:
    reads(submitted_at=START - minutes * MINUTE)
    async with start(toml=HOOKED) as service, service.client() as client:
        assert (await send(client)).json() == ACCEPTED
        if state == "dialing":
            await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")
            return
        lead = await lead_of(service)
        assert (lead["state"], lead["reason"]) == ("held", "stale")
        words = await explained(service)
        assert "sent too long ago to be rung unasked" in words
        assert "15 minutes are let through" in words
        assert service.telephony.calls == []
        term = service.desk.rules.term(service.clock.now())
        assert await service.desk.store.release(lead["id"], "operator", term) == "waiting"
        service.desk.dispatcher.wake()
        await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")


async def test_a_moment_to_come_is_somebodys_wrong_clock(start: Start, reads: Reads) -> None:
    reads(submitted_at=START + 60 * MINUTE)
    async with start(toml=HOOKED) as service, service.client() as client:
        await send(client)
        assert (await lead_of(service))["state"] != "held"


async def test_a_delivery_that_comes_again_is_as_old_as_its_first_coming(start: Start) -> None:
    """It was turned away in the morning; in the evening nobody is waiting at the telephone any more."""
    async with start(toml=HOOKED) as service, service.client() as client:
        await service.desk.switches.turn({"taking": False}, "admin", None)
        assert (await send(client)).status_code == 503
        service.clock.advance(30 * 60)
        await service.desk.switches.turn({"taking": True}, "admin", None)
        assert (await send(client)).json() == ACCEPTED
        assert (await lead_of(service))["reason"] == "stale"


@pytest.mark.parametrize(
    ("mode", "state", "said"),
    [
        (None, "held", "nothing but its look says that its number is one"),
        ("hold", "held", "its number was guessed: the only value that reads as a number"),
        ("observe", "waiting", "the guard low_confidence would have spoken"),
        ("off", "waiting", ""),
    ],
)
async def test_a_guessed_number_goes_by_its_guard(
    start: Start, reads: Reads, mode: str | None, state: str, said: str
) -> None:
    reads(low_confidence=True, found_as={"phone": "the only value that reads as a number"})
    toml = HOOKED.replace("[guards]", f'[guards]\nlow_confidence = "{mode}"') if mode else HOOKED
    async with start(toml=toml.replace('site = "main"', 'site = "nobody"')) as service, service.client() as client:
        assert (await send(client)).json() == ACCEPTED
        lead = await lead_of(service)
        assert lead["state"] == state
        assert said in await explained(service)
        hits = service.desk.metrics.registry.get_sample_value(
            "leadring_guard_hits_total", {"guard": "low_confidence", "mode": mode or "hold"}
        )
        assert hits == (None if mode == "off" else 1)


async def test_a_test_is_kept_and_makes_no_lead(start: Start, reads: Reads) -> None:
    reads(is_test=True)
    async with start(toml=HOOKED) as service, service.client() as client:
        assert (await send(client)).json() == {"outcome": "test"}
        assert (await send(client)).json() == {"outcome": "duplicate"}
        assert await service.rows("SELECT * FROM leads") == []
        (kept,) = await service.rows("SELECT * FROM deliveries")
        assert (kept["verdict"], kept["lead_id"]) == ("test", None)
        assert kept["body"]
        metrics = service.desk.metrics.render().decode()
        assert 'leadring_deliveries_total{source="generic",verdict="test"} 1.0' in metrics


@pytest.mark.parametrize("body", [BODY, BODY | {"name": "Another Name"}])
async def test_the_builders_own_id_is_the_same_delivery_whatever_is_in_it(
    start: Start, reads: Reads, body: dict[str, str]
) -> None:
    """Also two days later, and after its lead is over: a redelivery is never a second lead."""
    reads(delivery_id="entry-1")
    async with start(toml=HOOKED.replace('site = "main"', 'site = "nobody"')) as service, service.client() as client:
        await send(client)
        await service.desk.store.cancel((await lead_of(service))["id"], "lead")
        service.clock.advance(2 * 86400)
        answer = await send(client, body)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "duplicate"})
        assert (await lead_of(service))["state"] == "cancelled"
        reads(delivery_id="entry-2")
        assert (await send(client, body)).json() == ACCEPTED


async def test_the_same_id_of_two_sources_is_two_deliveries(start: Start, reads: Reads) -> None:
    reads(delivery_id="1")
    async with start(toml=HOOKED) as service, service.client() as client:
        assert (await send(client)).json() == ACCEPTED
        assert (await send(client, None, "unkept")).status_code == 200
        assert len(await service.rows("SELECT * FROM deliveries")) == 2


# ------------------------------------------------------------------------------------------------------ a filled trap


@pytest.mark.parametrize(
    ("mode", "state", "reason", "result"),
    [
        (None, "held", "honeypot", "held"),
        ("hold", "held", "honeypot", "held"),
        ("refuse", "spam", "honeypot", "spam"),
        ("observe", "waiting", "no_agent", "accepted"),
        ("off", "waiting", "no_agent", "accepted"),
    ],
)
@pytest.mark.parametrize("door", ["/v1/leads", "/f/nobody", "hook"])
async def test_a_filled_trap_looks_like_success_at_every_door(
    start: Start, reads: Reads, door: str, mode: str | None, state: str, reason: str, result: str
) -> None:
    reads(fields={"phone": PHONE, "_gotcha": "buy pills"})
    toml = HOOKED.replace("[guards]", f'[guards]\nhoneypot = "{mode}"') if mode else HOOKED
    async with start(toml=toml.replace('site = "main"', 'site = "nobody"')) as service, service.client() as client:
        if door == "hook":
            assert (await send(client)).json() == ACCEPTED
        else:
            answer = await client.post(door, json={"site": "nobody", "phone": PHONE, "_gotcha": "buy pills"})
            assert (answer.status_code, answer.json()["outcome"]) == (202, "waiting")
            seen = (await client.get(answer.json()["status_url"])).json()
            assert seen["state"] == "waiting"
        lead = await lead_of(service)
        assert (lead["state"], lead["reason"]) == (state, reason)
        source = {"/v1/leads": "api", "/f/nobody": "form", "hook": "generic"}[door]
        labels = {"site": "nobody", "source": source, "result": result}
        assert service.desk.metrics.registry.get_sample_value("leadring_leads_received_total", labels) == 1
        words = await explained(service)
        assert ("honeypot" in words) is (mode != "off")
        assert "buy pills" not in words


async def test_who_filled_the_trap_and_then_asks_properly_is_called_as_asked_then(start: Start) -> None:
    """By the hours of that site; and its history tells what counts now, and what a guard saw."""
    toml = HOOKED.replace("[guards]", '[guards]\ncountry = "observe"')
    british = "+44 20 7946 0958"
    async with start(toml=toml) as service, service.client() as client:
        trapped = {"site": "nobody", "phone": british, "_gotcha": "x", "utm_source": "robots", "consent": "true"}
        await client.post("/v1/leads", json=trapped)
        assert (await lead_of(service))["state"] == "held"
        seen = {"guard": "country", "mode": "observe"}
        hits = service.desk.metrics.registry.get_sample_value
        assert hits("leadring_guard_hits_total", seen) == 1
        answer = await client.post("/v1/leads", json={"site": "night", "phone": british, "source": "widget"})
        assert answer.json()["outcome"] == "duplicate"
        lead = await lead_of(service)
        assert (lead["site"], lead["source"], lead["state"], lead["reason"]) == ("night", "widget", "waiting", "closed")
        assert (lead["consent"], lead["attribution"]) == ("", "{}")
        assert hits("leadring_guard_hits_total", seen) == 2
        words = await explained(service)
        assert "what was sent through widget counts now: site (night, it was nobody), source, attribution, con" in words
        assert words.count("the guard country would have spoken") == 4  # in the history, and among the guards


async def test_spam_is_over_and_can_still_be_released(start: Start) -> None:
    """It stands in nobody's way: the number may ask again meanwhile, and its spam does not count as a call."""
    toml = HOOKED.replace("[guards]", '[guards]\nhoneypot = "refuse"').replace(
        'cooldown = { mode = "off" }', 'cooldown = { mode = "hold", per_phone = ["1/day"] }'
    )
    async with start(toml=toml) as service, service.client() as client:
        await client.post("/v1/leads", json={"site": "main", "phone": PHONE, "_gotcha": "x"})
        spam = await lead_of(service)
        assert spam["ended_at"] == service.clock.now()
        assert "taken for spam by the guard honeypot" in await explained(service)
        assert service.telephony.calls == []
        term = service.desk.rules.term(service.clock.now())
        assert await service.desk.store.release(spam["id"], "operator", term) == "waiting"
        service.desk.dispatcher.wake()
        await eventually(lambda: len(service.telephony.calls) == 1, "it is dialled")


# ------------------------------------------------------------------------------------------------------------ cut off


async def test_without_a_database_nothing_is_half_stored(start: Start) -> None:
    async with start(toml=HOOKED) as service, service.client() as client:
        store: Any = service.desk.store
        alive = store.engine
        store.engine = DeadEngine(alive)
        answer = await send(client)
        assert_problem(answer, 503, "storage_unavailable", "canary", PHONE)
        assert "retry-after" in answer.headers
        store.engine = alive
        assert await service.rows("SELECT * FROM deliveries") == []
        assert (await send(client)).json() == ACCEPTED


class DiesAfterKeeping:
    """A database that goes away when the delivery is on disk, and before its lead is."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def write(self, fn: Any, *args: Any, **more: Any) -> Any:
        if fn.__module__ == "app.store.intake":
            return await DeadEngine(self._engine).write()
        return await self._engine.write(fn, *args, **more)


async def test_what_was_cut_off_after_it_was_kept_becomes_a_lead_by_itself(start: Start) -> None:
    async with start(toml=HOOKED) as service, service.client() as client:
        store: Any = service.desk.store
        alive = store.engine
        store.engine = DiesAfterKeeping(alive)
        assert_problem(await send(client), 503, "storage_unavailable")
        assert [row["verdict"] for row in await service.rows("SELECT * FROM deliveries")] == ["kept"]
        store.engine = alive
        service.clock.advance(16)
        await eventually(lambda: len(service.telephony.calls) == 1, "the repair finds it, and it is dialled")
        lead = await lead_of(service)
        assert lead["phone"] == E164
        # The sender was told to come again, and does.
        assert (await send(client)).json() == {"outcome": "duplicate"}
        assert len(service.telephony.calls) == 1


async def test_a_redelivery_finishes_what_was_cut_off_and_not_kept(start: Start) -> None:
    async with start(toml=HOOKED) as service, service.client() as client:
        store: Any = service.desk.store
        alive = store.engine
        store.engine = DiesAfterKeeping(alive)
        assert (await send(client, None, "unkept")).status_code == 503
        store.engine = alive
        assert (await send(client, None, "unkept")).json() == ACCEPTED
        assert (await lead_of(service))["phone"] == E164


class Overtaken:
    """Deliveries of which each is finished by somebody else first."""

    def __init__(self, house: Any) -> None:
        self._house = house

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house, name)

    async def finish(self, *of: Any) -> str:
        await self._house.finish(*of)
        verdict: str = await self._house.finish(*of)
        return verdict


async def test_a_replay_that_was_overtaken_tells_what_became_of_it(start: Start, reads: Reads) -> None:
    async with start(toml=HOOKED) as service, service.client() as client:
        assert (await send(client, {"name": "Noa Levi"})).status_code == 422
        reads()
        house: Any = Overtaken(service.desk.hooks._deliveries)
        ids = await house.store.replayable_deliveries("shop", 0)
        source = service.desk.rules.directory.sources["shop"]
        (one,) = [one async for one in replay(house, source, ids, dry_run=False)]
        assert (one.delivery.verdict, one.verdict) == ("no_phone", "lead")
        assert (await lead_of(service))["phone"] == E164
        assert (counted(service, "lead"), counted(service, "again")) == (1, 1)


async def test_two_replicas_that_hear_the_same_at_once_make_one_lead(postgres_store_url: str, redis_url: str) -> None:
    async with (
        started(postgres_store_url, toml=HOOKED, rate_limit_url=redis_url) as one,
        started(postgres_store_url, toml=HOOKED, rate_limit_url=redis_url) as two,
        one.client() as first,
        two.client() as second,
    ):
        answers = await asyncio.gather(*(send((first, second)[n % 2]) for n in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await one.rows("SELECT * FROM leads")) == 1
        assert [row["repeats"] for row in await one.rows("SELECT * FROM deliveries")] == [19]
        for verdict, many in (("lead", 1), ("again", 19)):
            assert counted(one, verdict) + counted(two, verdict) == many
        await eventually(lambda: len(one.telephony.calls) + len(two.telephony.calls) == 1, "it is dialled once")


async def test_what_one_replica_left_is_finished_by_another_once(postgres_store_url: str, redis_url: str) -> None:
    """Both look for it at once."""
    settings: dict[str, Any] = {"toml": HOOKED, "rate_limit_url": redis_url, "secret_key": None}
    async with started(postgres_store_url, **settings) as one, started(postgres_store_url, **settings) as two:
        secret = await one.desk.store.secret_key()
        body = json.dumps(BODY).encode()
        await one.desk.store.keep_delivery(  # type: ignore[attr-defined]
            NewDelivery(
                id="delivery-1",
                source="shop",
                key=Tokens(secret).delivery_key("shop", b"body " + body),
                own_id=False,
                content_type="application/json",
                body=Seal(secret).close(body),
                verdict="kept",
                look_at=one.clock.now(),
            )
        )
        await eventually(lambda: len(one.telephony.calls) + len(two.telephony.calls) == 1, "it is dialled")
        assert (await lead_of(two))["phone"] == E164


async def test_what_was_sealed_under_another_secret_is_shown_and_not_guessed(start: Start) -> None:
    async with start(toml=HOOKED) as service:
        await service.desk.store.keep_delivery(  # type: ignore[attr-defined]
            NewDelivery(
                id="delivery-1",
                source="shop",
                key="k",
                own_id=False,
                content_type="application/json",
                body=Seal("another secret").close(b"{}"),
                verdict="kept",
                look_at=service.clock.now(),
            )
        )
        service.clock.advance(1)
        failed = {"source": "generic", "verdict": "failed"}
        metric = service.desk.metrics.registry.get_sample_value
        await eventually(lambda: metric("leadring_deliveries_total", failed) == 1, "it is given up")
        rows = await service.rows("SELECT * FROM deliveries")
        assert rows[0]["verdict"] == "failed"


async def test_a_source_that_left_the_file_takes_nothing_more(start: Start, client: httpx.AsyncClient) -> None:
    async with start(toml=HOOKED) as service, service.client() as sender:
        service.desk.rules.replace(replace(service.desk.rules.directory, sources={}))
        assert_problem(await send(sender), 401, "unauthorized")
