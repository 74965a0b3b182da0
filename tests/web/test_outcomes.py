"""What the sender is told: dialing, waiting, scheduled or duplicate; a held lead hears the same as a waiting one."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.clock import to_iso
from app.ports import CallRequest, Placed
from tests.clocks import START
from tests.web.conftest import Start
from tests.web.problem import assert_problem
from tests.web.service import DIRECTORY, FakeTelephony, Service, eventually

HOUR = 3_600_000


def lead(number: int, **fields: Any) -> dict[str, Any]:
    return {"site": "main", "phone": f"05423456{number:02}", **fields}


async def send(client: httpx.AsyncClient, number: int, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/leads", json=lead(number, **fields))
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_dialing_while_agents_are_free_and_waiting_afterwards(
    service: Service, client: httpx.AsyncClient
) -> None:
    """Two agents: the first two leads are dialled at once, one request each; the third waits its turn."""
    answers = [await send(client, number) for number in range(3)]
    assert [answer["outcome"] for answer in answers] == ["dialing", "dialing", "waiting"]
    assert [answer["expected_call_at"] for answer in answers] == [None, None, None]
    await eventually(lambda: len(service.telephony.calls) == 2, "two requests to the provider")
    assert [call.lead_phone for call in service.telephony.calls] == ["+972542345600", "+972542345601"]
    assert {call.extension for call in service.telephony.calls} == {"SIPdana1", "SIPyossi2"}
    assert [call.lead_id for call in service.telephony.calls] == [answer["lead_id"] for answer in answers[:2]]


async def test_waiting_when_nobody_has_the_skill(service: Service, client: httpx.AsyncClient) -> None:
    assert (await send(client, 1, site="nobody"))["outcome"] == "waiting"
    assert service.telephony.calls == []


async def test_a_slow_provider_does_not_hold_up_the_answer(start: Start) -> None:
    """The answer says `dialing` before the provider has said anything at all."""
    import asyncio

    class Silent(FakeTelephony):
        released = asyncio.Event()

        async def place(self, call: CallRequest) -> Placed:
            self.calls.append(call)
            await self.released.wait()
            return Placed("late")

    telephony = Silent()
    async with start(telephony=telephony) as service, service.client() as client:
        assert (await send(client, 1))["outcome"] == "dialing"
        await eventually(lambda: len(telephony.calls) == 1, "the request left")
        telephony.released.set()


async def test_scheduled_when_closed_with_the_next_opening(service: Service, client: httpx.AsyncClient) -> None:
    """Outside of the site's hours: stored for the next opening, said in UTC and, in words, in local time."""
    answer = await send(client, 1, site="night")
    assert answer["outcome"] == "scheduled"
    assert answer["expected_call_at"] == "2026-01-05T20:00:00.000Z"
    assert answer["message"] == "Thank you! We will call you at 22:00."
    assert service.telephony.calls == []


@pytest.mark.parametrize(
    ("call_at", "expected"),
    [
        ("2026-01-05T15:30+02:00", "2026-01-05T13:30:00.000Z"),
        ("2026-01-05T13:30:00Z", "2026-01-05T13:30:00.000Z"),
        ("2026-01-05T13:30:00.250+00:00", "2026-01-05T13:30:00.250Z"),
        ("2026-01-05T09:59:30Z", "2026-01-05T10:00:00.000Z"),  # half a minute ago means now
        ("2026-01-05T23:00+02:00", "2026-01-06T07:00:00.000Z"),  # closed then: the opening after it
        ("2026-01-09T12:00+02:00", "2026-01-11T07:00:00.000Z"),  # Friday: Sunday morning
        (" 2026-01-05T13:30:00Z ", "2026-01-05T13:30:00.000Z"),
    ],
)
async def test_call_at_is_a_callback_within_the_hours(client: httpx.AsyncClient, call_at: str, expected: str) -> None:
    answer = await send(client, 1, call_at=call_at)
    assert answer["outcome"] == "scheduled"
    assert answer["expected_call_at"] == expected
    view = (await client.get(answer["status_url"])).json()
    if expected == to_iso(START):  # now: somebody is rung for it in this very moment
        assert view["state"] in ("waiting", "dialing")
    else:
        assert (view["state"], view["expected_call_at"]) == ("waiting", expected)


async def test_call_at_reaches_to_sixty_days(client: httpx.AsyncClient) -> None:
    edge = START + 60 * 24 * HOUR
    response = await client.post("/v1/leads", json=lead(1, site="hebrew", call_at=to_iso(edge + 1)))
    assert_problem(response, 422, "invalid")
    assert (await send(client, 1, site="hebrew", call_at=to_iso(edge)))["expected_call_at"] == to_iso(edge)


async def test_a_live_lead_with_the_same_phone_is_joined(service: Service, client: httpx.AsyncClient) -> None:
    """Any spelling of the phone, the same lead_id, one call; the token that a duplicate gets looks, and no more."""
    first = await send(client, 0, site="nobody", name="Noa")
    again = [
        await send(client, 0, site="nobody", phone=spelling)
        for spelling in ("+972 54-234-5600", "00972542345600", "(054) 234 5600", "٠٥٤٢٣٤٥٦٠٠")
    ]
    assert {answer["lead_id"] for answer in again} == {first["lead_id"]}
    assert {answer["outcome"] for answer in again} == {"duplicate"}
    assert len(await service.rows("SELECT id FROM leads")) == 1
    assert again[0]["status_url"] != first["status_url"]
    assert (await client.get(again[0]["status_url"])).json() == (await client.get(first["status_url"])).json()
    assert_problem(await client.delete(again[0]["status_url"]), 404, "not_found")
    assert (await client.get(first["status_url"])).json()["state"] == "waiting"
    assert (await client.delete(first["status_url"])).json()["state"] == "cancelled"
    assert (await send(client, 0, site="nobody"))["lead_id"] != first["lead_id"], "a cancelled lead is not joined"


HELD = DIRECTORY.replace('cooldown = { mode = "off" }', 'cooldown = { mode = "hold", per_phone = ["1/10 minutes"] }')


async def test_a_held_lead_looks_like_a_waiting_one(service: Service, client: httpx.AsyncClient) -> None:
    """Answer and view of a held lead give nothing away: same members, same outcome, same sentence."""
    held = await send(client, 0, site="nobody", phone="+44 20 7946 0958")
    waiting = await send(client, 1, site="nobody")
    (row,) = await service.rows("SELECT id, reason FROM leads WHERE state = 'held'")
    assert row == {"id": held["lead_id"], "reason": "country"}
    for name in ("outcome", "expected_call_at", "message"):
        assert held[name] == waiting[name]
    views = [(await client.get(answer["status_url"])).json() for answer in (held, waiting)]
    told = [{k: v for k, v in view.items() if k not in ("lead_id", "position")} for view in views]
    assert told[0] == told[1]
    assert "country" not in str(views[0])


async def test_a_held_lead_has_a_place_in_line_like_a_waiting_one(client: httpx.AsyncClient) -> None:
    """`position` tells held from waiting as surely as a word would."""
    waiting = await send(client, 1, site="nobody")
    held = await send(client, 0, site="nobody", phone="+44 20 7946 0958")
    positions = [(await client.get(answer["status_url"])).json()["position"] for answer in (waiting, held)]
    assert [type(position) for position in positions] == [int, int]


async def test_the_cooldown_holds_and_does_not_tell(start: Start) -> None:
    async with start(toml=HELD) as service, service.client() as client:
        first = await send(client, 0, site="nobody")
        assert (await client.delete(first["status_url"])).status_code == 200
        again = await send(client, 0, site="nobody")
        assert again["outcome"] == "waiting"
        assert again["lead_id"] != first["lead_id"]
        (row,) = await service.rows("SELECT reason FROM leads WHERE state = 'held'")
        assert row == {"reason": "cooldown"}


async def test_a_guard_that_refuses_answers_429_and_stores_nothing(start: Start) -> None:
    toml = HELD.replace('"hold", per_phone', '"refuse", per_phone')
    async with start(toml=toml) as service, service.client() as client:
        first = await send(client, 0, site="nobody")
        assert (await client.delete(first["status_url"])).status_code == 200
        response = await client.post("/v1/leads", json=lead(0, site="nobody"))
        assert_problem(response, 429, "rate_limited", "0542345600")
        assert 1 <= int(response.headers["retry-after"]) <= 600
        assert len(await service.rows("SELECT id FROM leads")) == 1


async def test_messages_come_in_the_leads_language(client: httpx.AsyncClient) -> None:
    """The lead's own language, else the site's, else English; in mistakes as well."""
    hebrew = re.compile("[א-ת]")
    for fields, is_hebrew in (
        ({"site": "hebrew"}, True),
        ({"site": "hebrew", "language": "en"}, False),
        ({"site": "main", "language": "he-IL"}, True),
        ({"site": "main", "language": "iw"}, True),
        ({"site": "main", "language": "xx"}, False),
        ({"site": "main", "language": "{0.__class__}"}, False),
    ):
        response = await client.post("/v1/leads", json={"phone": "0542345600", **fields})
        assert bool(hebrew.search(response.json()["message"])) is is_hebrew, fields
        body = assert_problem(await client.post("/v1/leads", json={"phone": "1", **fields}), 422, "invalid")
        assert bool(hebrew.search(body["detail"])) is is_hebrew, fields
        assert bool(hebrew.search(body["errors"][0]["message"])) is is_hebrew, fields


async def test_ids_are_not_counters_and_tokens_do_not_repeat(client: httpx.AsyncClient) -> None:
    answers = [await send(client, number, site="nobody") for number in range(20)]
    ids = {answer["lead_id"] for answer in answers}
    tokens = {parse_qs(urlsplit(answer["status_url"]).query)["token"][0] for answer in answers}
    assert len(ids) == len(tokens) == 20
    assert len({identity[-8:] for identity in ids}) == 20, "the last part is random"
    assert all(len(token) >= 22 for token in tokens), "128 bits at least"


async def test_who_filled_the_trap_and_asks_again_properly_is_rung_at_once(
    service: Service, client: httpx.AsyncClient
) -> None:
    """Nobody is rung for the first; the second joins it, and does not wait for the next look at what is due."""
    trapped = await send(client, 1, _gotcha="x")
    assert (trapped["outcome"], service.telephony.calls) == ("waiting", [])
    again = await send(client, 1, name="Noa")
    assert (again["outcome"], again["lead_id"]) == ("duplicate", trapped["lead_id"])
    await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")
    assert service.telephony.calls[0].lead_id == trapped["lead_id"]
