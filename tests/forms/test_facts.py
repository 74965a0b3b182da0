"""What is said of a submission itself: its id, when it was sent, whether it is a test."""

from __future__ import annotations

import pytest

from app.forms.facts import read_time
from app.forms.presets import Unit
from tests.forms.payloads import mapped

AT = 1795418100000  # 2026-11-23, a quarter past seven in the morning, UTC


@pytest.mark.parametrize(
    ("text", "unit", "moment"),
    [
        ("2026-11-23T07:15:00Z", "iso", AT),
        ("2026-11-23T09:15:00+02:00", "iso", AT),
        ("2026-11-23T09:15:00+0200", "iso", AT),
        ("2026-11-23 07:15 UTC", "iso", AT),
        ("2026-11-23T07:15:00.1234567Z", "iso", AT + 123),
        ("2026-11-23 07:15:00", "utc", AT),
        (AT, "ms", AT),
        (f" {AT} ", "ms", AT),
        ("2026-11-23T07:15:00", "iso", None),
        ("2026-02-30T07:15:00Z", "iso", None),
        ("2026-11-23T07:15:00+99:99", "iso", None),
        ("23/11/2026 07:15", "iso", None),
        ("1999-11-23T07:15:00Z", "iso", None),
        ("9999-12-31T23:59:59Z", "iso", None),
        (AT // 1000, "ms", None),
        ("9" * 30, "ms", None),
        (None, "iso", None),
        ({}, "iso", None),
        (True, "ms", None),
    ],
)
def test_a_time_is_read_only_when_there_is_no_doubt(text: object, unit: Unit, moment: int | None) -> None:
    assert read_time(text, unit) == moment


def test_a_contact_of_hubspot_is_no_id_without_a_time() -> None:
    """Who sends a second form months later asks to be called again."""
    assert mapped({"vid": 5, "properties": {}}, "hubspot").delivery_id is None
    payload = {"vid": 5, "properties": {"recent_conversion_date": {"value": str(AT)}}}
    assert mapped(payload, "hubspot").delivery_id == f"5:{AT}"
    assert mapped(payload, "hubspot").submitted_at == AT


def test_a_value_that_happens_to_be_the_id_is_kept() -> None:
    found = mapped({"id": "77", "form_id": "1", "date_created": "2026-11-23 07:15:00", "5": "77"}, "gravity")
    assert found.delivery_id == "77"
    assert found.extra["5"] == "77"


def test_the_id_of_a_form_or_a_campaign_is_no_id_of_a_submission() -> None:
    """It would make one lead of all."""
    payload = {"phone": "054-2345678", "form_id": "1", "id": "9", "lead_id": "3", "campaign_id": "4"}
    assert mapped(payload).delivery_id is None


@pytest.mark.parametrize(
    ("preset", "payload", "test"),
    [
        ("google_ads", {"is_test": True, "user_column_data": []}, True),
        ("google_ads", {"is_test": "true"}, True),
        ("google_ads", {"is_test": False}, False),
        ("generic", {"is_test": "1"}, True),
        ("generic", {"is_test": "no"}, False),
        ("typeform", {"form_response": {"token": "a3a12ec67a1365927098a606107fac15", "answers": [{}]}}, True),
        ("typeform", {"form_response": {"token": "another"}}, False),
        ("generic", {"message": "this is a test"}, False),
    ],
)
def test_a_test_is_one_when_the_builder_says_so(preset: str, payload: dict[str, object], test: bool) -> None:
    assert mapped(payload, preset).is_test is test
