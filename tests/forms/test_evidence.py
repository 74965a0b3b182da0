"""How surely a field is known follows from what says so, and a whole is no surer than its parts."""

from __future__ import annotations

import pytest

from app.forms.evidence import SURELY, weaker
from tests.forms.payloads import FIXTURES, fixture, mapped, read

PHONE = "054-2345678"
PREFIXED = 'alias "phone" after alias "area code"'


@pytest.mark.parametrize(
    ("payload", "paths", "by", "surely"),
    [
        ({"phone": PHONE}, ("phone",), 'alias "phone"', "sure"),
        ({"data": {"טלפון נייד": PHONE}}, ("data.טלפון נייד",), 'alias "טלפון נייד"', "sure"),
        ({"work phone": PHONE}, ("work phone",), 'alias "work phone"', "likely"),
        ({"What is your phone number?": PHONE}, ("What is your phone number?",), 'alias "phone number"', "likely"),
        ({"x": {"type": "tel", "value": PHONE}}, ("x",), 'of type "tel"', "sure"),
        ({"x": {"type": "tel", "title": "fax", "value": PHONE}}, ("x",), 'of type "tel"', "likely"),
        ({"phone of the boss": PHONE}, ("phone of the boss",), "a word in its name", "likely"),
        ({"x": PHONE}, ("x",), "the only value that reads as a number", "a guess"),
        ({"q": {"area": "054", "phone": "2345678"}}, ("q",), None, None),
        ({"area code": "054", "phone": "2345678"}, ("phone", "area code"), PREFIXED, "sure"),
    ],
    ids=["name", "deep", "weak name", "question", "type", "fax", "word", "guess", "parts", "prefix"],
)  # fmt: skip
def test_of_a_phone_is_told_where_it_stands_what_says_so_and_how_surely(
    payload: object, paths: tuple[str, ...], by: str | None, surely: str | None
) -> None:
    found = mapped(payload).evidence["phone"]
    assert found.paths == paths
    assert by is None or (found.by, found.surely) == (by, surely)
    assert found.surely in SURELY


def test_what_the_operator_wrote_is_certain() -> None:
    found = mapped({"x": PHONE, "a": "Dana", "last name": "Levi"}, phone=("x",), first_name=("a",))
    assert (found.evidence["phone"].by, found.evidence["phone"].surely) == ('override "x"', "certain")
    name = found.evidence["name"]
    assert (name.paths, name.surely) == (("a", "last name"), "sure"), "half of it was found by its name"
    both = mapped({"first name": "Dana", "last name": "Levi"}, name=("first name", "last name")).evidence["name"]
    assert (both.paths, both.surely) == (("first name", "last name"), "certain")


def test_a_name_of_two_halves_is_no_surer_than_either() -> None:
    found = mapped({"first name": "Dana", "nom": "Levi", "phone": PHONE}).evidence["name"]
    assert (found.by, found.surely) == ('alias "first name" and alias "nom"', "likely")
    assert weaker("certain", "a guess", "sure") == "a guess"
    assert weaker("sure", "certain") == "sure"


def test_a_consent_that_is_its_own_label_stands_where_its_box_does() -> None:
    found = mapped({"I agree to be called": "on", "phone": PHONE}).evidence
    assert (found["consent_text"].paths, found["consent_text"].by) == (("I agree to be called",), "its label")


@pytest.mark.parametrize("name", FIXTURES)
def test_every_field_of_every_builder_has_evidence_that_names_a_place(name: str) -> None:
    found = read(fixture(name))
    assert set(found.evidence) == set(found.fields) == set(found.found_as)
    for field, evidence in found.evidence.items():
        assert evidence.paths, field
        assert evidence.by, field
        assert (evidence.surely == "a guess") == (field == "phone" and found.low_confidence)
        assert (evidence.surely == "certain") == evidence.by.startswith("override"), field
