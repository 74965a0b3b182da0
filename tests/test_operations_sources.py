"""`leadring sources`: what came and what became of it, without a value; and a better `map`, which makes each a lead."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import time_machine

from app.clock import SystemClock, to_datetime
from app.settings import load_settings
from tests.clocks import ManualClock
from tests.test_cli import NO_HOLES, Run, folder, run
from tests.web.service import started

__all__ = ["folder", "run"]

TOKEN = "canary-token-of-the-shop"
NUMBER = "542345678"
SOURCE = f"""
[sources.shop]
preset = "generic"
token = "{TOKEN}"
"""
# A field that no vocabulary knows, with words around the number: only a `map` finds it.
WORDS = [
    {"where to ring": f"0{NUMBER} evenings", "plan": "gold"},
    {"where to ring": "0542345679 mornings", "plan": "gold"},
]
BETTER = SOURCE + 'map = { phone = "where to ring" }\n'


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """The command sets up the log of its process, which here is the tests'."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def write(folder: Path, sources: str) -> None:
    (folder / "leadring.toml").write_text(NO_HOLES + sources, encoding="utf-8")


async def deliver(folder: Path, *bodies: Any, sources: str = SOURCE) -> list[int]:
    """What a running service answers to these bodies; it has stopped afterwards."""
    clock = ManualClock(SystemClock().now())
    url = f"sqlite:///{folder}/leadring.db"
    async with started(url, toml=NO_HOLES + sources, clock=clock) as service, service.client() as client:
        answers = [await client.post(f"/v1/hooks/shop/{TOKEN}", json=body) for body in bodies]
        return [answer.status_code for answer in answers]


@pytest.fixture
def shop(run: Run, folder: Path) -> Path:
    """A folder whose database has two deliveries without a number that was found, and a lead."""
    write(folder, SOURCE)
    assert run("migrate").code == 0
    lead = {"phone": "0542345670", "name": "canary-name"}
    assert asyncio.run(deliver(folder, *WORDS, lead)) == [422, 422, 200]
    return folder


def leads(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("leads", "--json").out)
    return found


def test_the_sources_are_listed_with_what_came_and_without_their_tokens(
    shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADRING_PUBLIC_URL", "https://leads.example.com")
    done = run("sources", "list")
    assert done.code == 0
    header, first, address = done.out.splitlines()
    assert "(times in Asia/Jerusalem)" in header
    assert re.fullmatch(r"shop +generic +main +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +lead 1, no_phone 2", first), first
    assert address.strip() == "https://leads.example.com/v1/hooks/shop/cana…"
    (row,) = json.loads(run("sources", "list", "--json").out)
    assert (row["source"], row["verdicts"]) == ("shop", {"lead": 1, "no_phone": 2})
    assert TOKEN not in done.out + json.dumps(row)


def test_a_source_that_never_sent_says_so(run: Run, folder: Path) -> None:
    write(folder, SOURCE)
    run("migrate")
    assert "never" in run("sources", "list").out
    (row,) = json.loads(run("sources", "list", "--json").out)
    assert (row["last_delivery_at"], row["verdicts"]) == (None, {})


def test_deliveries_name_their_fields_and_none_of_their_values(shop: Path, run: Run) -> None:
    done = run("sources", "deliveries", "shop")
    assert done.code == 0
    assert len(done.out.splitlines()) == 4
    assert 'has: "where to ring", "plan"' in done.out
    assert "phone missing" in done.out
    rows = json.loads(run("sources", "deliveries", "shop", "--verdict", "no_phone", "--json").out)
    assert [row["verdict"] for row in rows] == ["no_phone", "no_phone"]
    assert all(row["body_kept"] for row in rows)
    for text in (done.out, json.dumps(rows)):
        for secret in (NUMBER, "canary", "gold", "evenings"):
            assert secret not in text
    assert json.loads(run("sources", "deliveries", "shop", "--since", "2030-01-01T00:00+00:00", "--json").out) == []
    assert len(json.loads(run("sources", "deliveries", "shop", "--since", "1h", "--json").out)) == 3


def test_a_body_is_printed_as_it_came(shop: Path, run: Run) -> None:
    rows = json.loads(run("sources", "deliveries", "shop", "--json").out)
    assert json.loads(run("sources", "body", rows[-1]["id"]).out) == WORDS[0]
    assert run("sources", "body", "no-such-delivery").code == 1


def test_a_better_map_makes_one_lead_of_each_and_never_two(shop: Path, run: Run) -> None:
    before = leads(run)
    write(shop, BETTER)
    dry = run("sources", "replay", "shop", "--dry-run")
    assert dry.code == 0
    assert dry.out.count("no_phone → lead") == 2
    assert "2 read again, 2 would become leads" in dry.out
    assert leads(run) == before
    done = run("sources", "replay", "shop", "--json")
    rows = json.loads(done.out)
    assert [(row["was"], row["is"]) for row in rows] == [("no_phone", "lead")] * 2
    for text in (dry.out, done.out):
        assert NUMBER not in text
    assert len(leads(run)) == 3
    assert run("sources", "replay", "shop").out == "0 read again, 0 became leads or joined one\n"
    assert len(leads(run)) == 3
    # A builder that sends it once more finds that it is known.
    assert asyncio.run(deliver(shop, WORDS[0], sources=BETTER)) == [200]
    assert len(leads(run)) == 3


def test_what_is_old_by_then_is_held(run: Run, folder: Path) -> None:
    write(folder, SOURCE)
    run("migrate")
    asyncio.run(deliver(folder, WORDS[0]))
    write(folder, BETTER + 'max_age = "1s"\n')
    with time_machine.travel(to_datetime(SystemClock().now() + 60_000), tick=True):
        dry = run("sources", "replay", "shop", "--dry-run")
        assert re.search(r"no_phone → lead  \S+  held: sent 1 minute ago; 1 second are let through", dry.out), dry.out
        run("sources", "replay", "shop")
    assert [(lead["state"], lead["reason"]) for lead in leads(run)] == [("held", "stale")]


def test_while_no_leads_are_taken_nothing_is_made(shop: Path, run: Run) -> None:
    write(shop, BETTER)
    run("switch", "taking", "off")
    assert run("sources", "replay", "shop").out.count("→ not_taking") == 2
    assert len(leads(run)) == 1
    run("switch", "taking", "on")
    assert run("sources", "replay", "shop").out.count("not_taking → lead") == 2


def test_another_secret_key_opens_nothing_and_says_so(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write(shop, BETTER)
    monkeypatch.setenv("LEADRING_SECRET_KEY", "another-secret-key-of-at-least-32-characters")
    assert load_settings(need_code=False).secret_key is not None
    assert "LEADRING_SECRET_KEY is another one" in run("sources", "replay", "shop").out
    assert len(leads(run)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deliveries", "shpo"), 'did you mean "shop"?'),
        (("replay", "nowhere"), "there are shop"),
        (("deliveries", "shop", "--verdict", "splendid"), "splendid is no verdict; there are kept"),
        (("replay", "shop", "--since", "lately"), "give date and time with an offset"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_done(shop: Path, run: Run, words: tuple[str, ...], said: str) -> None:
    done = run("sources", *words)
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_lead_that_meta_would_not_tell_is_asked_for_once_more_by_the_service(run: Run, folder: Path) -> None:
    write(folder, SOURCE)
    run("migrate")

    async def left() -> None:
        async with started(f"sqlite:///{folder}/leadring.db", toml=NO_HOLES + SOURCE) as service:
            house = service.desk.hooks._deliveries
            source = service.desk.rules.directory.sources["shop"]
            (kept,) = await house.keep_words(source, [("444", b'{"leadgen_id": "444"}')])
            await house.store.settle_delivery(kept.id, "not_fetched", "Meta answered HTTP 400, error 190")

    asyncio.run(left())
    assert "not_fetched → to_fetch    the service asks for it once more" in run("sources", "replay", "shop").out
    (row,) = json.loads(run("sources", "deliveries", "shop", "--json").out)
    assert row["verdict"] == "to_fetch"
