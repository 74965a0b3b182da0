"""Slots as a form sees them, and where a callback that was asked for is booked: never refused, never lost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from app.clock import to_iso
from app.domain.slots import MOST_OFFERED
from tests.clocks import START
from tests.web.conftest import Start
from tests.web.problem import assert_problem
from tests.web.service import DIRECTORY

# Monday noon in Jerusalem. One call a slot: two agents, each for half an hour at a time.
TOML = DIRECTORY.replace("[policy]", '[policy]\nslot = "30m"\ncall_takes = "30m"')
NIGHT_SHIFT = TOML.replace('extension = "SIPyossi2"', 'extension = "SIPyossi2"\nhours = "night"')
MINUTE = 60_000


def at(minutes: int) -> str:
    """So many minutes after noon, as the API writes it."""
    return to_iso(START + minutes * MINUTE) or ""


async def slots(client: httpx.AsyncClient, site: str = "main") -> list[str]:
    response = await client.get(f"/v1/sites/{site}")
    assert response.status_code == 200
    found: list[str] = response.json()["slots"]
    return found


async def ask(client: httpx.AsyncClient, number: int, call_at: str, site: str = "main") -> dict[str, Any]:
    body = {"site": site, "phone": f"05423456{number:02}", "call_at": call_at}
    response = await client.post("/v1/leads", json=body)
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_site_offers_its_slots_open_or_closed(client: httpx.AsyncClient) -> None:
    """Moments in UTC, in order, bounded; the earliest a slot from now. The answer may be kept for 15 seconds."""
    response = await client.get("/v1/sites/main")
    found = response.json()["slots"]
    assert (found[0], found[1]) == ("2026-01-05T10:30:00.000Z", "2026-01-05T11:00:00.000Z")
    assert found == sorted(set(found))
    assert 30 < len(found) <= MOST_OFFERED
    assert response.headers["cache-control"] == "public, max-age=15"
    night = (await client.get("/v1/sites/night")).json()
    assert (night["open"], night["slots"][0]) == (False, "2026-01-05T20:00:00.000Z")


async def test_a_site_that_nobody_can_serve_offers_nothing(client: httpx.AsyncClient) -> None:
    assert await slots(client, "nobody") == []


async def test_a_full_slot_is_offered_no_more_and_who_asks_for_it_is_told_the_next_one(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        wanted = at(60)
        answers = [await ask(client, number, wanted) for number in range(5)]
        assert [answer["outcome"] for answer in answers] == ["scheduled"] * 5
        assert [answer["expected_call_at"] for answer in answers] == [at(60), at(60), at(90), at(90), at(120)]
        assert "13:30" in answers[2]["message"]
        assert (await client.get(answers[2]["status_url"])).json()["expected_call_at"] == at(90)
        rows = await service.rows("SELECT due_at, expires_at, deadline_at FROM leads ORDER BY id")
        assert all(row["expires_at"] == row["due_at"] + 60 * MINUTE for row in rows)
        assert all(row["deadline_at"] == row["due_at"] + 40_000 for row in rows)
        found = await slots(client)
        assert [at(minutes) in found for minutes in (30, 60, 90, 120)] == [True, False, False, True]


async def test_a_time_between_two_slots_is_kept_to_the_minute_while_there_is_room(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        answers = [await ask(client, number, at(67)) for number in range(3)]
        assert [answer["expected_call_at"] for answer in answers] == [at(67), at(67), at(90)]


async def test_a_time_outside_of_the_hours_goes_to_the_next_opening_and_then_to_a_slot_with_room(
    start: Start,
) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        answers = [await ask(client, number, "2026-01-05T23:00+02:00") for number in range(3)]
        assert [answer["expected_call_at"] for answer in answers] == [
            "2026-01-06T07:00:00.000Z",
            "2026-01-06T07:00:00.000Z",
            "2026-01-06T07:30:00.000Z",
        ]


async def test_leads_that_wait_for_the_opening_take_room_as_callbacks_do(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        service.clock.advance(8 * 3600)  # eight in the evening
        for number in range(3):
            await client.post("/v1/leads", json={"site": "main", "phone": f"05423456{number:02}"})
        found = await slots(client)
        assert found[0] == "2026-01-06T07:30:00.000Z"
        assert (await ask(client, 9, "2026-01-06T07:00:00Z"))["expected_call_at"] == "2026-01-06T07:30:00.000Z"


async def test_sites_with_the_same_agents_share_their_slots(start: Start) -> None:
    """`main` and `hebrew` are served by both agents, `night` too; a callback for one takes an agent from all."""
    async with start(toml=TOML) as service, service.client() as client:
        await ask(client, 1, at(60), "hebrew")
        await ask(client, 2, at(60), "main")
        assert at(60) not in await slots(client, "main")
        assert (await ask(client, 3, at(60), "hebrew"))["expected_call_at"] == at(90)


async def test_a_call_that_is_wanted_now_stays_now_however_full_it_is(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        for number in range(4):
            await ask(client, number, at(1))
        answer = await ask(client, 9, at(0))
        assert (answer["outcome"], answer["expected_call_at"]) == ("scheduled", at(0))


async def test_without_room_in_any_slot_the_time_is_kept_as_asked(start: Start) -> None:
    """Nobody may take the calls of `nobody`: a promise with a queue, and not a refusal."""
    async with start(toml=TOML) as service, service.client() as client:
        assert (await ask(client, 1, at(61), "nobody"))["expected_call_at"] == at(61)


async def test_what_waits_today_does_not_fill_the_slots_of_next_week(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        for number in range(9):
            await ask(client, number, at(60))
        wanted = "2026-01-14T10:00:00.000Z"
        answers = [await ask(client, 10 + number, wanted) for number in range(3)]
        assert [answer["expected_call_at"] for answer in answers] == [wanted, wanted, "2026-01-14T10:30:00.000Z"]


async def test_many_who_ask_at_once_are_all_booked_near_one_another(start: Start) -> None:
    """Counting reserves nothing, so a slot may be overbooked by those who come in the same moment; nobody is lost."""
    async with start(toml=TOML) as service, service.client() as client:
        answers = await asyncio.gather(*(ask(client, number, at(60)) for number in range(12)))
        assert {answer["outcome"] for answer in answers} == {"scheduled"}
        assert min(str(answer["expected_call_at"]) for answer in answers) == at(60)
        (row,) = await service.rows("SELECT count(*) AS many FROM leads WHERE reason = 'scheduled'")
        assert row["many"] == 12
        later = await ask(client, 20, at(60))
        assert later["expected_call_at"] > at(60)


async def test_a_repeated_submission_hears_the_same_time_again(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        await ask(client, 1, at(60))
        await ask(client, 2, at(60))
        form = {"site": "main", "phone": "0542345603", "call_at": at(60), "submission_id": "s-1"}
        first = (await client.post("/v1/leads", json=form)).json()
        assert first["expected_call_at"] == at(90)
        assert (await client.post("/v1/leads", json=form)).json() == first


async def test_an_agent_of_the_night_takes_nobody_by_day(start: Start) -> None:
    async with start(toml=NIGHT_SHIFT) as service, service.client() as client:
        answers = [await ask(client, number, at(60)) for number in range(2)]
        assert [answer["expected_call_at"] for answer in answers] == [at(60), at(90)]


# ------------------------------------------------------------------------------------------------- moving


async def test_a_lead_that_waits_for_an_agent_can_be_moved_to_a_time(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        waiting = (await client.post("/v1/leads", json={"site": "nobody", "phone": "0542345678"})).json()
        assert waiting["outcome"] == "waiting"
        response = await client.patch(waiting["status_url"], json={"call_at": at(65)})
        assert response.status_code == 200
        view = response.json()
        assert (view["state"], view["expected_call_at"], view["position"]) == ("waiting", at(65), None)
        assert [line["event"] for line in view["timeline"]] == ["received", "scheduled"]
        (row,) = await service.rows("SELECT reason FROM leads")
        assert row == {"reason": "scheduled"}


async def test_a_move_finds_room_as_a_new_callback_does_and_does_not_stand_in_its_own_way(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        first, _, late = [await ask(client, number, at(minutes)) for number, minutes in ((1, 60), (2, 60), (3, 120))]
        moved = await client.patch(first["status_url"], json={"call_at": at(70)})
        assert moved.json()["expected_call_at"] == at(70), "its own place is free for it"
        moved = await client.patch(late["status_url"], json={"call_at": at(60)})
        assert moved.json()["expected_call_at"] == at(90), "the two places are taken"
        moved = await client.patch(first["status_url"], json={"call_at": at(240)})
        assert moved.json()["expected_call_at"] == at(240)
        moved = await client.patch(late["status_url"], json={"call_at": at(60)})
        assert moved.json()["expected_call_at"] == at(60), "one of them has become free"


async def test_what_rings_is_neither_moved_nor_cancelled_and_what_is_cancelled_frees_its_place(start: Start) -> None:
    async with start(toml=TOML) as service, service.client() as client:
        ringing = (await client.post("/v1/leads", json={"site": "main", "phone": "0542345678"})).json()
        assert ringing["outcome"] == "dialing"
        assert_problem(await client.patch(ringing["status_url"], json={"call_at": at(60)}), 409, "conflict")
        assert_problem(await client.delete(ringing["status_url"]), 409, "conflict")
        booked = [await ask(client, number, at(60)) for number in range(2)]
        assert (await client.delete(booked[0]["status_url"])).json()["state"] == "cancelled"
        assert (await ask(client, 9, at(60)))["expected_call_at"] == at(60)


async def test_the_thank_you_page_follows_a_move_and_a_cancel(start: Start) -> None:
    """The page without a script tells the time by the clock on the wall, and says when nobody will call."""
    async with start(toml=TOML) as service, service.client() as client:
        answer = await ask(client, 1, at(60))
        token = answer["status_url"].split("token=")[1]
        page = f"/f/main/thanks?lead={answer['lead_id']}&token={token}&lang=en"
        assert "We will call you at 13:00." in (await client.get(page)).text
        await client.patch(answer["status_url"], json={"call_at": at(90)})
        assert "We will call you at 13:30." in (await client.get(page)).text
        await client.delete(answer["status_url"])
        assert "Cancelled" in (await client.get(page)).text
