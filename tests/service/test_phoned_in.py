"""Who phoned in, and talked: told by records that leave no doubt, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from app.directory import Directory, parse_directory
from app.ports import CallRecord
from app.service.hub import Hub
from app.service.phoned_in import PhonedIn, caller, talked
from app.service.rules import Rules
from app.service.tokens import Tokens
from tests.store.leads_for_tests import a_record

TOML = """
[[sites]]
key = "main"
origins = ["https://x.example"]
[[agents]]
id = "dana"
extension = "SIPdana1"
"""
TOKENS = Tokens("secret")


def a_call_in(**fields: Any) -> CallRecord:
    said = {"incoming": True, "type": "Incoming Call", "status": "ANSWER", "talk_seconds": 42}
    return a_record(**(said | {"phone": "0541234567", "extension": "SIPdana1"} | fields))


class Book:
    """A store that ends every lead it is asked to, and remembers who asked for it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None, int]] = []

    async def phoned_in(self, body: str, record: CallRecord, phone_key: str, agent: str | None, talk: int) -> str:
        self.asked.append((body, phone_key, agent, talk))
        return "lead-1"


async def heard(*records: CallRecord, directory: Directory | None = None) -> tuple[Book, Hub]:
    book, hub = Book(), Hub()
    store: Any = book
    rules = Rules(directory or parse_directory(TOML))
    watch = hub.watch("lead-1")
    await PhonedIn(store, rules, hub, TOKENS).heard("body", records)
    assert watch.changed.is_set() == bool(book.asked), "whoever looks at that lead is told"
    return book, hub


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 42),
        ({"agent_reached": True}, 42),
        ({"agent_reached": False}, 0),
        ({"incoming": False}, 0),
        ({"talk_seconds": 0}, 0),
        ({"talk_seconds": None}, 0),
        *(({"status": status}, 0) for status in ("", "NOANSWER", "ABANDONE", "VOICEMAIL", "VOEND", "TIMEOUT", "??")),
    ],
)
def test_they_talked_when_the_record_leaves_no_doubt(fields: dict[str, Any], seconds: int) -> None:
    assert talked(a_call_in(**fields)) == seconds


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("0541234567", "IL", "+972541234567"),
        ("972541234567", "IL", "+972541234567"),
        ("+972-54-1234567", "IL", "+972541234567"),
        ("447911123456", "IL", "+447911123456"),
        ("14155552671", "IL", "+14155552671"),
        ("972541234567", "US", "+972541234567"),
        ("4155552671", "US", "+14155552671"),
        ("1234", "IL", None),
        (None, "IL", None),
        ("+" * 5, "IL", None),
    ],
)
def test_the_number_is_read_as_a_form_s_with_or_without_its_plus(
    written: str | None, country: str, number: str | None
) -> None:
    assert caller(a_call_in(phone=written), country) == number


async def test_each_call_is_looked_up_by_its_number_with_who_took_it() -> None:
    book, _ = await heard(a_call_in(), a_call_in(phone="972541234568", extension="SIPelse", talk_seconds=7))
    assert book.asked == [
        ("body", TOKENS.phone_key("+972541234567"), "dana", 42),
        ("body", TOKENS.phone_key("+972541234568"), None, 7),
    ]


async def test_a_call_without_a_number_or_a_talk_is_looked_up_by_nobody() -> None:
    book, _ = await heard(a_call_in(phone=None), a_call_in(talk_seconds=0), a_record(status="ANSWER", talk_seconds=9))
    assert book.asked == []


async def test_it_can_be_switched_off() -> None:
    off = parse_directory("[policy]\ncancel_when_phoned_in = false\n" + TOML)
    book, _ = await heard(a_call_in(), directory=off)
    assert book.asked == []
