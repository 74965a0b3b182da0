"""Meta: the leads its webhook tells of, its handshake, and its answer when it is asked for a lead."""

from __future__ import annotations

from typing import Any

import pytest

from app.forms.meta import Leadgen, handshake, lead_payload, leadgens
from tests.forms.payloads import mapped

VALUE = {"leadgen_id": "444", "page_id": "1", "form_id": 2, "ad_id": "3", "created_time": 1795418100}


def webhook(*values: object) -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": "1", "changes": [{"field": "leadgen", "value": one} for one in values]}]}


def test_a_webhook_names_its_leads_each_once() -> None:
    lead = Leadgen("444", "1", "2", 1795418100000)
    assert leadgens(webhook(VALUE, VALUE)) == (lead,)
    assert leadgens(webhook({"leadgen_id": 5})) == (Leadgen("5", None, None, None),)
    ids = [str(number) for number in range(1300)]  # as many as 64 KiB hold
    assert [one.leadgen_id for one in leadgens(webhook(*({"leadgen_id": one} for one in ids)))] == ids


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"entry": 1},
        {"entry": [None, {"changes": [3, {"field": "feed"}]}]},
        webhook(None, {}, {"leadgen_id": "../x"}),
    ],
)
def test_other_bodies_name_none(payload: object) -> None:
    assert leadgens(payload) == ()


def test_the_webhook_itself_has_no_phone_but_the_id_of_its_lead() -> None:
    found = mapped(webhook(VALUE), "meta")
    assert "phone" not in found.fields
    assert found.delivery_id == "444"


HELLO = {"hub.mode": "subscribe", "hub.verify_token": "the-token-in-the-path", "hub.challenge": "1158201444"}


def test_the_handshake_is_answered_with_the_challenge() -> None:
    assert handshake(HELLO, ["another", "the-token-in-the-path"]) == "1158201444"


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.mode": "unsubscribe"},
        {"hub.verify_token": "guessed"},
        {"hub.verify_token": ""},
        {"hub.challenge": ""},
        {"hub.challenge": "<script>"},
        {"hub.challenge": "1" * 300},
    ],
)
def test_every_other_handshake_is_refused(changed: dict[str, str]) -> None:
    assert handshake(HELLO | changed, ["the-token-in-the-path", ""]) is None


def test_metas_answer_is_a_payload_and_its_mistakes_are_none() -> None:
    answer = {"id": "444", "field_data": [{"name": "phone_number", "values": ["+972542345678"]}]}
    payload = lead_payload(answer)
    assert mapped(payload, "meta").fields["phone"] == "+972542345678"
    assert mapped(payload, "meta").delivery_id == "444"
    mistakes: tuple[object, ...] = (None, [], {}, {"error": {"code": 190}}, {"field_data": "x"})
    for wrong in mistakes:
        assert lead_payload(wrong) is None


def test_the_made_up_leads_of_metas_tool_are_tests() -> None:
    field = [{"name": "phone_number", "values": ["<test lead: dummy data for phone_number>"]}]
    assert mapped({"id": "1", "field_data": field}, "meta").is_test
    assert mapped({"id": "1", "field_data": [{"name": "email", "values": ["test@fb.com"]}]}, "meta").is_test
