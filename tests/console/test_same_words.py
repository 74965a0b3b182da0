"""The console's page and `leadring map` say the same of every payload, word for word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine

from app.clock import to_datetime
from tests.clocks import START
from tests.console.told_page import read_page
from tests.console.visiting import ADMIN_TOKEN, OURS, assert_console, hand_in, shown, sign_in
from tests.forms.payloads import FIXTURES, body, fixture
from tests.test_cli import Run, folder, run
from tests.web.conftest import Start
from tests.web.service import DIRECTORY

__all__ = ["folder", "run"]

LEADGENS = [{"changes": [{"field": "leadgen", "value": {"leadgen_id": number}}]} for number in ("444", "445")]
# What happens to one more of each kind of payload: the fixtures all become leads, or are too old to be rung.
OTHERS: dict[str, Any] = {
    "guessed": {"a": "054-2345678"},
    "abroad": {"phone": "+14155552671"},
    "premium": {"phone": "1-900-123-456"},
    "freephone": {"phone": "1-800-123-456"},
    "test": {"phone": "054-2345678", "is_test": True},
    "robot": {"phone": "054-2345678", "_gotcha": "x"},
    "robot and abroad": {"phone": "+14155552671", "_gotcha": "x"},
    "callback": {"phone": "054-2345678", "call_at": "2026-01-06T12:00:00+02:00"},
    "without": {"field_7": "call me", "שם": "דנה"},
    "impossible": {"phone": "12"},
    "extension": {"phone": "03-5123456 ext 12", "country code": "+972"},
    "meta": {"object": "page", "entry": LEADGENS[:1]},
    "two of meta": {"object": "page", "entry": LEADGENS},
    "list": [{"phone": "054-2345678", "name": "Dana"}],
    "empty": {},
    "hostile": {"<b>phone</b>": "054-2345678", "name": "<script>\u202e\x1b[31m", "x": "y" * 5000, "[": "]"},
    "a name to map": {"f\u202e1\"\\": "054-2345678", "f2": "Dana Levi", "f3": "d@example.com"},
}  # fmt: skip


def sources() -> tuple[str, dict[str, tuple[bytes, str, str]]]:
    """One source for each fixture, and by the fixture's name its body, content type and source."""
    lines, found = [], {}
    for number, name in enumerate(FIXTURES):
        told = fixture(name)
        given = told["source"].get("map", {})
        table = ", ".join(f"{field} = {json.dumps(names, ensure_ascii=False)}" for field, names in given.items())
        lines.append(
            f'[sources.s{number}]\npreset = "{told["preset"]}"\nsite = "main"\ntoken = "{"0123456789abcdef"}"\n'
            f"map = {{ {table} }}\n"
        )
        found[name] = body(told), told["content_type"], f"s{number}"
    return DIRECTORY + "\n".join(lines), found


async def test_of_every_fixture_the_page_says_what_the_command_says(start: Start, run: Run, folder: Path) -> None:
    toml, fixtures = sources()
    (folder / "leadring.toml").write_text(toml, encoding="utf-8")
    async with start(toml=toml, admin_token=ADMIN_TOKEN) as service, service.client() as client:
        client.headers.update(OURS)
        await sign_in(client)
        for name, (content, content_type, source) in fixtures.items():
            answer = await hand_in(client, content, content_type=content_type, **{"as": f"source:{source}"})
            assert_console(answer)
            (folder / "captured").write_bytes(content)
            with time_machine.travel(to_datetime(START), tick=False):
                said = run("map", "captured", "--source", source, "--content-type", content_type)
            assert read_page(answer.text).lines == said.out.splitlines(), name
            assert said.code == 0
            expect = fixture(name)["expect"]
            assert f"  phone: {expect['phone']}" in said.out.splitlines()
            assert "reads as +972542345678" in shown(answer)


@pytest.mark.parametrize("preset", ["", "generic", "wix", "meta"])
async def test_of_every_other_fate_as_well(start: Start, run: Run, folder: Path, preset: str) -> None:
    (folder / "leadring.toml").write_text(DIRECTORY, encoding="utf-8")
    async with start(admin_token=ADMIN_TOKEN) as service, service.client() as client:
        client.headers.update(OURS)
        await sign_in(client)
        for name, payload in OTHERS.items():
            content = json.dumps(payload, ensure_ascii=False).encode()
            answer = await hand_in(client, content, **{"as": preset})
            assert_console(answer)
            (folder / "captured").write_bytes(content)
            with time_machine.travel(to_datetime(START), tick=False):
                said = run("map", "captured", *(("--preset", preset) if preset else ()))
            page = read_page(answer.text)
            assert page.lines == said.out.splitlines(), name
            assert said.err == (f"leadring: {page.advice}\n" if page.advice else ""), name
            assert said.code == (2 if page.advice else 0)


async def test_what_cannot_be_read_is_said_in_the_same_words(start: Start, run: Run, folder: Path) -> None:
    (folder / "leadring.toml").write_text(DIRECTORY, encoding="utf-8")
    async with start(admin_token=ADMIN_TOKEN) as service, service.client() as client:
        client.headers.update(OURS)
        await sign_in(client)
        for content, kind in ((b'{"a":', "application/json"), (b"\xff\xfe", "text/plain"), (b"x=1", "image/png")):
            answer = await hand_in(client, content, content_type=kind)
            assert_console(answer)
            (folder / "captured").write_bytes(content)
            said = run("map", "captured", "--content-type", kind)
            page = read_page(answer.text)
            assert said.code == 2
            assert page.advice in said.err
            assert [
                "the builder would hear",
                f"422 unreadable: {page.advice.split(': ', 1)[1].rsplit(' (', 1)[0]}",
            ] in (page.tables["facts"])
