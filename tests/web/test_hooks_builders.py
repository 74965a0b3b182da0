"""What builders really post, through the door: their ids make one lead of two deliveries, their tests make none."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.web.conftest import Start
from tests.web.hooking import ACCEPTED, TOKEN, address
from tests.web.service import DIRECTORY

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ELEMENTOR = {
    "שם מלא": "נועה לוי",
    "טלפון": "054-234-5678",
    "Date": "January 5, 2026",
    "Time": "12:00 pm",
    "Page URL": "https://www.example.com/lp",
    "form_id": "9a1",
    "form_name": "LP",
}
GOOGLE = {
    "lead_id": "lead-1",
    "user_column_data": [
        {"column_id": "FULL_NAME", "string_value": "נועה לוי"},
        {"column_id": "PHONE_NUMBER", "string_value": "+972542345678"},
    ],
    "google_key": "key-in-the-body",
    "is_test": False,
}
GRAVITY = {"id": "17", "form_id": "3", "date_created": "2026-01-05 10:00:00", "1": "נועה לוי", "2": "054-234-5678"}
TALLY = {
    "eventId": "event-1",
    "eventType": "FORM_RESPONSE",
    "data": {
        "responseId": "r",
        "formName": "Contact us",
        "fields": [
            {"key": "q1", "label": "שם מלא", "type": "INPUT_TEXT", "value": "נועה לוי"},
            {"key": "q2", "label": "איך להשיג אותך", "type": "INPUT_PHONE_NUMBER", "value": "+972542345678"},
        ],
    },
}
Case = tuple[str, str, bytes, str]
CASES: dict[str, Case] = {
    "elementor": ("", FORM, urlencode(ELEMENTOR).encode(), ""),
    "google_ads": ('signing_secret = "key-in-the-body"', JSON, json.dumps(GOOGLE).encode(), "lead-1"),
    "gravity": ('map = { name = "1", phone = "2" }', JSON, json.dumps(GRAVITY).encode(), "17"),
    "tally": ("", JSON, json.dumps(TALLY).encode(), "event-1"),
}


def toml(preset: str, more: str) -> str:
    return f'{DIRECTORY}[sources.{preset}]\npreset = "{preset}"\nsite = "nobody"\ntoken = "{TOKEN}"\n{more}\n'


@pytest.mark.parametrize("preset", CASES)
async def test_a_builders_delivery_is_a_lead_and_its_repeat_is_not(start: Start, preset: str) -> None:
    more, kind, body, own_id = CASES[preset]
    async with start(toml=toml(preset, more)) as service, service.client() as client:

        async def deliver(content: bytes) -> Any:
            answer = await client.post(address(preset), content=content, headers={"content-type": kind})
            assert answer.status_code == 200, answer.text
            return answer.json()

        assert await deliver(body) == ACCEPTED
        assert await deliver(body) == {"outcome": "duplicate"}
        (lead,) = await service.rows("SELECT * FROM leads")
        assert (lead["phone"], lead["name"], lead["source"]) == ("+972542345678", "נועה לוי", preset)
        assert (lead["state"], lead["reason"]) == ("waiting", "no_agent")
        if own_id:
            # The same submission, delivered again with something else in it, after its lead is over.
            await service.desk.store.cancel(lead["id"], "lead")
            service.clock.advance(2 * 3600)
            assert await deliver(body.replace(b"+97254234", b"+97254999")) == {"outcome": "duplicate"}
            assert len(await service.rows("SELECT * FROM leads")) == 1


async def test_a_test_of_google_makes_no_lead(start: Start) -> None:
    more, kind, _, _ = CASES["google_ads"]
    body = json.dumps(GOOGLE | {"is_test": True}).encode()
    async with start(toml=toml("google_ads", more)) as service, service.client() as client:
        answer = await client.post(address("google_ads"), content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.json()) == (200, {"outcome": "test"})
        assert await service.rows("SELECT * FROM leads") == []
