"""A number that nothing calls a number: when it is guessed, and when it is not."""

from __future__ import annotations

import pytest

from app.forms.numbers import is_identity_number
from tests.forms.payloads import mapped


@pytest.mark.parametrize("value", ["054-2345678", "0542345678", "+972 54 234 5678", "03-5123456", "\u200f0542345678"])
def test_the_only_value_that_reads_as_a_number_is_the_phone_and_it_is_said_to_be_a_guess(value: str) -> None:
    found = mapped({"field_1": "Dana", "field_2": value, "field_3": "10"})
    assert found.fields["phone"] == value.strip()
    assert found.low_confidence
    assert "the only value that reads as a number" in found.found_as["phone"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("field_2", "032345670"),  # an identity number that is a line in Jerusalem, too
        ("field_2", "542345678"),  # nine digits, as identity numbers have
        ("field_2", "054-1234567"),  # possible, not valid
        ("field_2", "1-700-123-456"),
        ("field_2", "2026-11-23"),
        ("field_2", "02/03/2026"),
        ("field_2", "1795418100"),
        ("field_2", "call 054-2345678"),
        ("תעודת זהות", "0542345678"),
        ("ת.ז.", "0542345678"),
        ("order number", "0542345678"),
        ("Fax", "03-5123456"),
        ("form_id", "0542345678"),
        ("מיקוד", "0542345678"),
    ],
)
def test_what_may_be_something_else_is_not_guessed(name: str, value: str) -> None:
    found = mapped({"field_1": "Dana", name: value})
    assert "phone" not in found.fields
    assert value in found.extra.values()


def test_two_numbers_are_no_guess_but_one_that_is_there_twice_is() -> None:
    assert "phone" not in mapped({"a": "054-2345678", "b": "03-5123456"}).fields
    assert mapped({"a": "054-2345678", "b": "0542345678"}).fields["phone"] == "054-2345678"


def test_a_name_goes_before_a_guess() -> None:
    found = mapped({"a": "054-2345678", "phone": "03-5123456"})
    assert found.fields["phone"] == "03-5123456"
    assert not found.low_confidence


def test_the_check_of_identity_numbers() -> None:
    """By hand: 1·1+2·2+3·1+4·2+5·1+(6·2→3)+7·1+(8·2→7)+2·1 = 40."""
    assert is_identity_number("123456782")
    assert not is_identity_number("123456783")
    assert is_identity_number("032345670")
    assert not is_identity_number("12345678")
    assert not is_identity_number("١٢٣٤٥٦٧٨٢")
