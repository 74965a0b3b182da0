"""A webhook's body as intake is given it."""

from __future__ import annotations

import json

import pytest

from app.directory import Source
from app.service.webhook_reading import read_body, submission_of

SHOP = Source("shop", "generic", "main", ("0123456789abcdef",))
LANDED = "https://www.example.com/lp?utm_source=google&gclid=abc&q=1"


def fields(**sent: str) -> dict[str, object]:
    reading = read_body(SHOP, "application/json", json.dumps({"phone": "054-2345678", **sent}).encode(), "IL")
    assert reading.mapped is not None
    return dict(submission_of(SHOP, reading.mapped, "d", 0, 0, []).fields)


def test_the_campaign_in_the_address_of_the_page_is_taken_and_nothing_else_of_it() -> None:
    found = fields(page_url=LANDED)
    assert (found["utm_source"], found["gclid"], found["page_url"]) == ("google", "abc", LANDED)
    assert "q" not in found


def test_what_the_form_itself_says_of_the_campaign_counts_more() -> None:
    assert fields(page_url=LANDED, gclid="own")["gclid"] == "own"


@pytest.mark.parametrize("address", ["", "not an address", "https://[x/?gclid=1", "https://x/?" + "a=1&" * 200])
def test_an_address_that_is_none_or_is_all_parameters_says_nothing(address: str) -> None:
    assert "gclid" not in fields(page_url=address)
