"""What a visitor from abroad is told: the next moment at which both are awake, the office and the visitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.directory import parse_directory
from app.domain.answers import NotSent
from tests.clocks import START, ManualClock
from tests.web.conftest import Start
from tests.web.service import DEADLINE, FakeTelephony, Service, eventually

# It is Monday noon in Jerusalem (tests.clocks.START): 10:00 in London, 05:00 in New York.
DIRECTORY = """
[policy]
countries = ["IL", "US", "GB", "CA"]
dialing_window = "decent"
dialing_zones = { US = "America/New_York" }
[guards]
cooldown = { mode = "off" }
[hours.decent]
mon-sun = ["09:00-21:00"]
[hours.office]
sun-thu = ["09:00-18:00"]
[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
hours = "office"
language = "en"
[[agents]]
id = "dana"
extension = "SIPdana1"
"""
LONDON, NEW_YORK, TORONTO, HAIFA = "+44 20 7946 0958", "+1 212 555 0123", "+1 416 555 0123", "04-812-3456"
NINE_IN_NEW_YORK = "2026-01-05T14:00:00.000Z"


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start(toml=DIRECTORY) as one:
        yield one


async def send(client: httpx.AsyncClient, phone: str, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/leads", json={"phone": phone, **fields})
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def kept(service: Service, answer: dict[str, Any]) -> tuple[str, str | None]:
    """State and reason of the stored lead."""
    (row,) = await service.rows(f"SELECT state, reason FROM leads WHERE id = '{answer['lead_id']}'")  # noqa: S608
    return row["state"], row["reason"]


async def test_a_lead_whose_own_morning_is_still_to_come_is_called_in_it(
    service: Service, client: httpx.AsyncClient
) -> None:
    answer = await send(client, NEW_YORK)
    assert (answer["outcome"], answer["expected_call_at"]) == ("scheduled", NINE_IN_NEW_YORK)
    assert await kept(service, answer) == ("waiting", "closed")
    assert (await client.get(answer["status_url"])).json()["expected_call_at"] == NINE_IN_NEW_YORK
    assert service.telephony.calls == []


@pytest.mark.parametrize("phone", [LONDON, HAIFA])
async def test_a_lead_within_its_own_hours_is_dialled_at_once(
    service: Service, client: httpx.AsyncClient, phone: str
) -> None:
    assert (await send(client, phone))["outcome"] == "dialing"
    await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")


async def test_without_a_window_only_the_sites_hours_count(start: Start) -> None:
    toml = DIRECTORY.replace('dialing_window = "decent"\n', "")
    async with start(toml=toml) as service, service.client() as client:
        assert (await send(client, NEW_YORK))["outcome"] == "dialing"


@pytest.mark.parametrize(
    ("call_at", "expected"),
    [
        ("2026-01-05T15:30+02:00", NINE_IN_NEW_YORK),
        ("2026-01-05T17:00+02:00", "2026-01-05T15:00:00.000Z"),
        ("2026-01-05T18:00+02:00", "2026-01-06T14:00:00.000Z"),  # the office has closed: the next common moment
    ],
)
async def test_a_callback_is_within_both_hours_and_so_is_one_that_was_moved(
    service: Service, client: httpx.AsyncClient, call_at: str, expected: str
) -> None:
    answer = await send(client, NEW_YORK, call_at=call_at)
    assert answer["expected_call_at"] == expected
    assert await kept(service, answer) == ("waiting", "scheduled")
    moved = await client.patch(answer["status_url"], json={"call_at": "2026-01-07T10:00:00+02:00"})
    assert moved.json()["expected_call_at"] == "2026-01-07T14:00:00.000Z"


async def test_a_number_whose_hours_never_meet_the_offices_is_held_for_a_person(
    service: Service, client: httpx.AsyncClient
) -> None:
    """Canada is read in all of its zones at once; the sender hears what every held lead's sender hears."""
    answer = await send(client, TORONTO)
    assert (answer["outcome"], answer["expected_call_at"]) == ("waiting", None)
    assert await kept(service, answer) == ("held", "dialing_window")
    assert service.telephony.calls == []


async def test_a_guard_that_holds_the_lead_says_why_first(start: Start) -> None:
    async with start(toml=DIRECTORY.replace(', "CA"]', "]")) as service, service.client() as client:
        assert await kept(service, await send(client, TORONTO)) == ("held", "country")


async def test_a_reload_puts_another_window_in_force(service: Service, client: httpx.AsyncClient) -> None:
    service.desk.rules.replace(parse_directory(DIRECTORY.replace("09:00-21:00", "04:00-21:00")))
    assert (await send(client, NEW_YORK))["outcome"] == "dialing"


async def test_a_request_that_could_not_leave_before_the_window_closed_leaves_in_the_next_one(start: Start) -> None:
    """One second before nine in the evening in Haifa; the site itself never closes."""
    clock = ManualClock(START + 9 * 3_600_000 - 1000)
    telephony = FakeTelephony(lambda call: NotSent("no route"))
    toml = DIRECTORY.replace('hours = "office"\n', "")
    async with start(toml=toml, clock=clock, telephony=telephony) as service, service.client() as client:
        answer = await send(client, HAIFA)
        assert answer["outcome"] == "dialing"
        assert await service.desk.dispatcher.drain(DEADLINE) == 0
        assert len(telephony.calls) == 1
        assert await kept(service, answer) == ("waiting", "closed")
        view = (await client.get(answer["status_url"])).json()
        assert view["expected_call_at"] == "2026-01-06T07:00:00.000Z"
