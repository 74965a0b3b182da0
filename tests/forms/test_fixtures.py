"""What builders really post, in Hebrew and in English, and what is read of it."""

from __future__ import annotations

import pytest

from app.directory_types import PRESETS
from app.domain.phone import read_phone
from app.forms.payload import MAX_BYTES, decode
from app.forms.recognising import recognise
from tests.forms.payloads import FIXTURES, body, fixture, read

NOT_TO_BE_TOLD = {"wpforms", "zapier", "make", "generic"}  # whatever their users type: nothing gives them away


def test_every_preset_has_a_payload_in_hebrew_and_one_in_english() -> None:
    there = {(name.rsplit("-", 1)[1], fixture(name)["preset"]) for name in FIXTURES}
    assert there == {(language, preset) for language in ("he", "en") for preset in PRESETS}


@pytest.mark.parametrize("name", FIXTURES)
def test_phone_name_and_the_rest_are_read(name: str) -> None:
    told = fixture(name)
    expect = told["expect"]
    found = read(told)
    assert dict(found.fields) == {"phone": expect["phone"], "name": expect["name"], **expect["fields"]}
    assert list(found.extra.items()) == list(expect["extra"].items())
    assert found.delivery_id == expect["delivery_id"]
    assert found.submitted_at == expect["submitted_at"]
    assert found.low_confidence is expect["low_confidence"]
    assert not found.is_test
    assert set(found.found_as) == set(found.fields)
    assert read_phone(found.fields["phone"], "IL").e164 == "+972542345678"


@pytest.mark.parametrize("name", FIXTURES)
def test_who_does_not_say_what_builder_it_is_loses_nothing(name: str) -> None:
    """With `preset = "generic"` phone and name are the same: the shape tells where the answers stand."""
    told = fixture(name)
    found = read(told, "generic")
    assert (found.fields["phone"], found.fields["name"]) == (told["expect"]["phone"], told["expect"]["name"])


@pytest.mark.parametrize("name", FIXTURES)
def test_a_builder_is_recognised_by_what_it_adds(name: str) -> None:
    told = fixture(name)
    payload = decode(told["content_type"], body(told))
    if told["preset"] not in NOT_TO_BE_TOLD and name not in ("cf7-he", "zoho-he"):
        assert recognise(payload) == told["preset"]
    else:
        assert recognise(payload) in (told["preset"], "generic", "cf7")


@pytest.mark.parametrize("name", FIXTURES)
def test_a_payload_is_read_the_same_every_time(name: str) -> None:
    assert read(fixture(name)) == read(fixture(name))
    assert len(body(fixture(name))) < MAX_BYTES


def test_the_secret_of_google_ads_is_shown_nowhere() -> None:
    found = read(fixture("google_ads-en"))
    assert "the-google-key" not in repr(found)


def test_what_a_person_wrote_stands_before_what_wordpress_adds() -> None:
    found = read(fixture("elementor-he"))
    assert next(iter(found.extra)) == "תקציב"
    assert list(found.extra)[-1] == "form_name"
