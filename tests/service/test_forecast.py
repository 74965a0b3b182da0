"""A forecast goes by the rules of intake and says what comes of them in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from app.directory import Directory, Source, parse_directory
from app.domain.deliveries import VERDICTS
from app.errors import NotTaking, Unreadable
from app.service.forecast import forecast, of_preset
from app.service.forecast_words import Told, short, told_of
from app.service.heard import heard
from tests.clocks import START
from tests.web.hooking import SOURCES, TOKEN
from tests.web.service import DIRECTORY

PHONE = "054-2345678"
MINUTE = 60_000
MORE = f"""
[sources.night]
site = "night"
token = "{TOKEN}"
[sources.leads]
preset = "meta"
site = "main"
token = "{TOKEN}"
"""
BASE = DIRECTORY + SOURCES + MORE
LEADGEN = {"object": "page", "entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": "444"}}]}]}


def directory(guards: str = "", policy: str = "") -> Directory:
    return parse_directory(
        BASE.replace("[guards]\n", f"[guards]\n{guards}\n").replace("[policy]\n", f"[policy]\n{policy}\n")
    )


def told(payload: object, source: str = "shop", rules: Directory | None = None, **how: Any) -> Told:
    found = rules or directory()
    return told_of(forecast(payload, found.sources[source], found, START, **how))


def fate(one: Told) -> tuple[str, str]:
    facts = dict(one.facts)
    return facts["it would become"], facts["the builder would hear"]


ACCEPTED = '200 {"outcome": "accepted"}'
NO_NUMBER = "422 unreadable: No telephone number was found in it."


@pytest.mark.parametrize(
    ("payload", "source", "guards", "become", "hear", "not_rung"),
    [
        ({"phone": PHONE}, "shop", "", "a lead that is rung as soon as somebody is free", ACCEPTED, ()),
        (
            {"phone": PHONE}, "night", "",
            "a lead that is rung from 2026-01-05 22:00 on (Asia/Jerusalem): its site is closed", ACCEPTED, (),
        ),
        (
            {"phone": PHONE, "when": "2026-01-06T15:30:00+02:00"}, "shop", "",
            "a lead that is rung from 2026-01-06 15:30 on (Asia/Jerusalem): it asks for a time", ACCEPTED, (),
        ),
        (
            {"phone": "+14155552671"}, "shop", "", "a lead that is held for a person, by the guard country", ACCEPTED,
            ("the guard country would hold it: a number of US; we ring IL",),
        ),
        (
            {"phone": "+14155552671"}, "shop", 'country = "observe"', "a lead that is rung as soon as somebody is free",
            ACCEPTED, (),
        ),
        (
            {"phone": "1-900-123456"}, "shop", "", "no lead: the guard premium refuses its number", ACCEPTED,
            ("the guard premium would refuse it: a number of the kind premium",),
        ),
        (
            {"x": PHONE}, "night", "", "a lead that is held for a person, by the guard low_confidence", ACCEPTED,
            ("the phone is only guessed: the guard low_confidence would hold it",),
        ),
        (
            {"phone": PHONE, "_gotcha": "x"}, "shop", "", "a lead that is held for a person, by the guard honeypot",
            ACCEPTED, ("the trap for robots is filled: the guard honeypot would hold it",),
        ),
        (
            {"phone": PHONE, "_gotcha": "x"}, "shop", 'honeypot = "refuse"', "spam: a lead that nobody is asked about",
            ACCEPTED, ("the trap for robots is filled: the guard honeypot would refuse it",),
        ),
        (
            {"phone": PHONE, "is_test": True}, "shop", "", "no lead: it is a test", '200 {"outcome": "test"}',
            ("the builder says that it is a test: no lead is made of it",),
        ),
        (
            {"phone": "12"}, "shop", "", "no lead (phone not_callable); it is kept, and may be read again", NO_NUMBER,
            ("no number to call: short, emergency and internal numbers are not called",),
        ),
        (
            {"plan": "gold"}, "shop", "", "no lead (phone missing); it is kept, and may be read again", NO_NUMBER,
            ("no number to call: a phone number is needed",),
        ),
        (
            LEADGEN, "leads", "",
            "what Meta answers: it only names a lead, and the service asks for the answers and reads those", ACCEPTED,
            ("no number to call: a phone number is needed",),
        ),
        (
            {"object": "page", "entry": []}, "leads", "",
            "nothing: Meta tells of something that is no lead, is thanked, and it is not kept",
            '200 {"outcome": "ignored"}', ("no number to call: a phone number is needed",),
        ),
        (
            {"field_data": [{"name": "phone_number", "values": [PHONE]}]}, "leads", "",
            "a lead that is rung as soon as somebody is free", ACCEPTED, (),
        ),
        (
            LEADGEN, "shop", "", "no lead (phone missing); it is kept, and may be read again", NO_NUMBER,
            ("no number to call: a phone number is needed",),
        ),
    ],
    ids=[
        *("lead", "closed", "callback", "country", "observed", "premium", "guess", "trap", "spam", "test", "number"),
        *("nothing", "leadgen", "no leadgen", "fetched", "leadgen of another builder"),
    ],
)  # fmt: skip
def test_it_says_what_it_would_become_what_keeps_it_and_what_its_builder_hears(
    payload: object, source: str, guards: str, become: str, hear: str, not_rung: tuple[str, ...]
) -> None:
    found = told(payload, source, directory(guards))
    assert fate(found) == (become, hear)
    assert found.not_rung == not_rung
    assert ("cannot be known here" in dict(found.facts)) == become.startswith(("a lead", "spam"))


def test_what_came_long_ago_is_as_old_as_it_is() -> None:
    assert told({"phone": PHONE}, received_at=START - 15 * MINUTE).not_rung == ()
    late = told({"phone": PHONE}, received_at=START - 16 * MINUTE)
    assert late.not_rung == ("it was sent more than 15m ago: the guard stale would hold it",)
    assert fate(late)[0] == "a lead that is held for a person, by the guard stale"


def test_while_no_leads_are_taken_it_says_so() -> None:
    become, hear = fate(told({"phone": PHONE}, taking=False))
    assert become.startswith("no lead now: no leads are taken, by an operator's decision")
    assert hear == f"503 not_taking: {NotTaking()}"
    assert fate(told({"phone": PHONE, "is_test": True}, taking=False))[0] == "no lead: it is a test"


def test_hours_that_never_meet_hold_it() -> None:
    window = '[hours.dawn]\nsun-thu = ["05:00-06:00"]\n[hours.office]'
    rules = parse_directory(
        BASE.replace("[policy]\n", '[policy]\ndialing_window = "dawn"\n').replace("[hours.office]", window)
    )
    found = told({"phone": PHONE}, "night", rules)
    assert fate(found)[0] == "a lead that is held for a person, by the guard dialing_window"
    assert found.not_rung == (
        "the guard dialing_window would hold it: the hours of its number and of its site never meet",
    )


def test_without_a_file_nothing_is_known_of_where_may_be_rung() -> None:
    abroad = told_of(forecast({"phone": "+14155552671"}, of_preset(None), None, START))
    assert (abroad.headline, abroad.not_rung) == ("read as generic", ())
    premium = told_of(forecast({"phone": "1-900-123456"}, of_preset("wix"), None, START))
    assert (premium.headline, len(premium.not_rung)) == ("read as wix", 1)


def test_what_is_missing_is_proposed_beside_the_map_that_is_there() -> None:
    found = told({"where to ring": PHONE, "who": "Dana Levi"})
    assert found.to_write == (
        '[sources.shop.map]\nphone = "where to ring"\nname = "who"\nemail = "email"\ncall_at = "when"\n'
    )
    assert found.instead == "with this in the place of its map, phone and name would be found for certain"
    assert told({"phone": PHONE, "name": "Dana"}).to_write == ""
    assert told({"x": PHONE}, "night").to_write == '[sources.night.map]\nphone = "x"\n'


def test_a_root_of_the_source_goes_before_that_of_its_preset() -> None:
    rules = parse_directory(BASE + f'[sources.own]\nsite = "main"\npreset = "wix"\nroot = "mine"\ntoken = "{TOKEN}"\n')
    payload = {"mine": {"phone": PHONE}, "data": {"phone": "054-2345679"}}
    found = told(payload, "own", rules)
    assert dict(found.facts)["its answers stand"] == "below mine"
    assert (found.fields[0].value, found.fields[0].where) == (PHONE, "mine.phone")
    assert dict(told({"data": {"field:a": PHONE}}, "own", rules).facts)["its answers stand"] == "in the whole of it"


def test_every_verdict_of_a_delivery_is_heard_in_some_way() -> None:
    for verdict in (*VERDICTS, "ignored"):
        try:
            assert heard(verdict, "why") in ("accepted", "duplicate", "test", "ignored")
        except (Unreadable, NotTaking):
            assert verdict in ("no_phone", "unreadable", "not_taking")


def test_what_is_shown_is_one_line_of_at_most_200_characters_without_controls() -> None:
    assert short("a\n b\x1b[31m\u202ec") == "a b[31mc"
    assert short("x" * 200) == "x" * 200
    assert short("x" * 201) == "x" * 199 + "…"
    assert len(short("\u05d0\u0301" * 5000)) <= 200


def test_a_source_is_the_files_when_it_has_a_token() -> None:
    source = Source(key="x", preset="generic", site="", tokens=())
    assert told_of(forecast({}, source, None, START)).headline == "read as generic"
