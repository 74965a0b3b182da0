"""`leadring replay`: what it prints, for which time, beside which files; its mistakes, and that it disturbs nobody."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from app.store import migrate
from app.store.file_lock import FileLock
from tests.replay.days import FRIDAY, a_call, a_day, a_lead, clock, generated, toml
from tests.replay.stored import write_file, write_postgres
from tests.servers import PostgresServer
from tests.test_cli import Run, folder, run

__all__ = ["folder", "run"]

AGENTS = ("dana", "yossi", "noa")
FILE = toml(AGENTS, guards='calls = "off"')
MORNINGS = toml(dict.fromkeys(AGENTS, "mornings"), guards='calls = "off"')


@pytest.fixture(autouse=True)
def friday_morning(folder: Path, sqlite_template: Path) -> Iterator[None]:
    """It is Friday, eight o'clock; yesterday is in the database, and leadring.toml is as it was."""
    (folder / "leadring.toml").write_text(FILE, encoding="utf-8")
    (folder / "new.toml").write_text(MORNINGS, encoding="utf-8")
    (folder / "leadring.db").write_bytes(sqlite_template.read_bytes())
    write_file(f"sqlite:///{folder}/leadring.db", generated(120, AGENTS))
    with time_machine.travel(clock(8, day=FRIDAY) / 1000, tick=False):
        yield


def test_yesterday_is_replayed_beside_the_record(run: Run) -> None:
    """Without another file there is nothing to compare with but what happened."""
    done = run("replay")
    assert (done.code, done.err) == (0, "")
    first, *_ = done.out.splitlines()
    assert first == "Thursday 2026-11-26 00:00–24:00 (Asia/Jerusalem): 119 leads came in"
    assert re.search(r"^ +record +leadring\.toml$", done.out, re.MULTILINE)
    assert "what differs" not in done.out


def test_a_changed_file_is_put_beside_the_one_in_force(run: Run) -> None:
    done = run("replay", "--config", "new.toml")
    assert done.code == 0
    assert re.search(r"^ +record +leadring\.toml +new\.toml$", done.out, re.MULTILINE)
    assert "main: Thursday 2026-11-26 13:00–18:00 has nobody" in done.out.split("what differs:")[1]


def test_or_beside_another_one(run: Run, folder: Path) -> None:
    (folder / "old.toml").write_text(MORNINGS, encoding="utf-8")
    done = run("replay", "--config", "leadring.toml", "--baseline", "old.toml")
    assert re.search(r"^ +record +old\.toml +leadring\.toml$", done.out, re.MULTILINE)
    assert "13:00–18:00 is no hole any more" in done.out
    alone = run("replay", "--baseline", "old.toml")
    assert alone.out == done.out, "what it is about is the file in force, unless another is named"


def test_a_file_beside_itself_differs_in_nothing(run: Run, folder: Path) -> None:
    (folder / "copy.toml").write_text(FILE, encoding="utf-8")
    for other in ("copy.toml", "leadring.toml"):
        done = run("replay", "--config", other)
        assert done.out.split("what differs:\n")[1].splitlines()[0] == "  nothing that matters"


def test_files_of_one_name_are_told_apart(run: Run, folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "leadring.toml").write_text(MORNINGS, encoding="utf-8")
    done = run("replay", "--config", "other/leadring.toml")
    assert re.search(r"^ +record +baseline +changed$", done.out, re.MULTILINE)
    assert "has nobody" in done.out


def test_a_script_reads_json(run: Run) -> None:
    found = json.loads(run("replay", "--config", "new.toml", "--json").out)
    assert set(found) == {
        "since",
        "until",
        "timezone",
        "seed",
        "leads",
        "lags_seconds",
        "record",
        "baseline",
        "replayed",
        "differences",
        "notes",
    }
    assert (found["since"], found["until"]) == ("2026-11-25T22:00:00.000Z", "2026-11-26T22:00:00.000Z")
    assert found["leads"]["came_in"] == 119
    assert [found[name]["name"] for name in ("record", "baseline", "replayed")] == [
        "record",
        "leadring.toml",
        "new.toml",
    ]
    for name in ("record", "baseline", "replayed"):
        assert sum(found[name]["results"].values()) == 119 + found["leads"]["again"]
        assert set(found[name]["fresh"]["to_request"]) == {"many", "p50", "p90", "p99"}
        assert {agent["id"] for agent in found[name]["agents"]} == set(AGENTS)
    assert found["replayed"]["sites"][0]["nobody"] == [["2026-11-26T11:00:00.000Z", "2026-11-26T16:00:00.000Z"]]
    assert found["record"]["longest_queue"] is None
    alone = json.loads(run("replay", "--json").out)
    assert (alone["baseline"], alone["differences"]) == (None, None)


def test_the_same_seed_prints_the_same_and_another_one_does_not(run: Run) -> None:
    first, second = run("replay", "--json").out, run("replay", "--json").out
    assert first == second
    other = json.loads(run("replay", "--seed", "2", "--json").out)
    assert other["replayed"]["agents"] != json.loads(first)["replayed"]["agents"]


@pytest.mark.parametrize(
    ("words", "span"),
    [
        (("--day", "yesterday"), ("2026-11-25T22:00", "2026-11-26T22:00")),
        (("--day", "2026-11-26"), ("2026-11-25T22:00", "2026-11-26T22:00")),
        (("--since", "2026-11-26T12:00+02:00"), ("2026-11-26T10:00", "2026-11-27T06:00")),
        (
            ("--since", "2026-11-26T12:00+02:00", "--until", "2026-11-26T13:00+02:00"),
            ("2026-11-26T10:00", "2026-11-26T11:00"),
        ),
        (
            ("--since", "2026-11-26T12:00+02:00", "--until", "2027-01-01T00:00+02:00"),
            ("2026-11-26T10:00", "2026-11-27T06:00"),
        ),
    ],
    ids=["yesterday", "a date", "since", "since and until", "no later than now"],
)
def test_the_time_that_is_asked_for(run: Run, words: tuple[str, ...], span: tuple[str, str]) -> None:
    found = json.loads(run("replay", *words, "--json").out)
    assert (found["since"][:16], found["until"][:16]) == span


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-10-25", 25), ("2026-03-27", 23)], ids=["clocks set back", "clocks set forward"]
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_was(run: Run, folder: Path, day: str, hours: int) -> None:
    """From midnight to midnight; a lead of its last minute is one of it, and one of the next minute is not."""
    midnight = {"2026-10-25": "2026-10-24T21:00:00.000Z", "2026-03-27": "2026-03-26T22:00:00.000Z"}[day]
    late = round(time_of(f"{day}T23:59:30+0{2 if hours == 25 else 3}:00"))
    leads = [a_lead(8001, late), a_lead(8002, late + 60_000)]
    write_file(f"sqlite:///{folder}/leadring.db", a_day(*leads))
    found = json.loads(run("replay", "--day", day, "--json").out)
    assert found["since"] == midnight
    assert time_of(found["until"]) - time_of(found["since"]) == hours * 3_600_000
    assert found["leads"]["came_in"] == 1


def time_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def test_a_time_without_leads_is_one_line_and_exit_1(run: Run) -> None:
    done = run("replay", "--day", "2026-11-20")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "leadring: no leads were received between 2026-11-20 00:00:00 and 2026-11-21 00:00:00 (Asia/Jerusalem)\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "2026-11-26T12:00+02:00", "--until", "2026-11-26T11:00+02:00"), "is not before --until"),
        (("--since", "2026-11-27T12:00+02:00"), "is not before now"),
        (("--since", "2026-11-26T12:00"), "with an offset"),
        (("--until", "2026-11-26T12:00+02:00"), "--until needs --since"),
        (("--day", "today", "--since", "2026-11-26T12:00+02:00"), "exclude each other"),
        (("--day", "tomorrow"), "give yesterday, today, or a date"),
        (("--day", "2026-11-28"), "has not come yet"),
        (("--config", "none.toml"), "none.toml: there is no such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run("replay", *words)
    assert done.code == 2
    (line,) = [line for line in done.err.splitlines() if line.startswith("  - ")]
    assert said in line
    assert "Traceback" not in done.err


def test_every_mistake_of_every_file_and_of_the_settings_is_told_at_once(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new.toml").write_text(FILE.replace("[policy]", '[policy]\nring_agent = "forever"\nroutting = "x"'))
    (folder / "old.toml").write_text("[[", encoding="utf-8")
    monkeypatch.setenv("LEADRING_VOICENTER_TIMOUT", "5")
    done = run("replay", "--config", "new.toml", "--baseline", "old.toml")
    assert done.code == 2
    assert done.out == ""
    for words in ("LEADRING_VOICENTER_TIMEOUT", "new.toml: policy: ring_agent", "routting", "old.toml: is not TOML"):
        assert words in done.err, words
    assert "4 mistakes" in done.err


def test_leads_of_a_lost_site_and_an_agent_who_is_gone_are_told(run: Run, folder: Path) -> None:
    fewer = toml(AGENTS[:2]).replace('key = "main"', 'key = "other"')
    (folder / "new.toml").write_text(fewer, encoding="utf-8")
    done = run("replay", "--config", "new.toml")
    assert done.code == 0
    assert "119 leads of site main, which the file does not have: not replayed" in done.out
    assert re.search(r"noa, who had \d+ calls that day, is not in the file", done.out)
    assert re.search(r"^of a site that the file has not +0 +0 +12\d$", done.out, re.MULTILINE)


def test_no_whole_number_is_printed(run: Run, folder: Path) -> None:
    strict = toml(AGENTS, guards='country = "hold"\ncooldown = { mode = "hold", per_phone = ["1/day"] }')
    (folder / "new.toml").write_text(strict, encoding="utf-8")
    for form in ((), ("--json",)):
        text = run("replay", "--config", "new.toml", *form).out
        assert "+972•••••" in text
        for lead in generated(120, AGENTS).all:
            assert lead.phone[4:] not in text


def test_it_needs_no_account_and_no_database_is_a_sentence(run: Run, folder: Path) -> None:
    (folder / "leadring.db").unlink()
    done = run("replay")
    assert done.code == 2
    assert "no database yet" in done.err
    assert not (folder / "leadring.db").exists()


def test_an_older_database_is_not_migrated(run: Run, folder: Path) -> None:
    path = folder / "leadring.db"
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '0001'")
    conn.close()
    done = run("replay")
    assert done.code == 2
    assert "run `leadring migrate`" in done.err


def test_too_many_leads_are_not_replayed_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.operations_replay.MOST_LEADS", 100)
    done = run("replay")
    assert done.code == 2
    assert "119 leads came in that time; replay at most 100 at once" in done.err


def test_a_service_that_holds_the_file_is_not_disturbed(run: Run, folder: Path) -> None:
    """Its lock stays its own, a write under way does not end or wait, and the file is not changed by a bit."""
    path = folder / "leadring.db"
    lock = FileLock(path)
    lock.acquire()
    writer = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE leads SET name = 'somebody'")
        wal = path.with_name("leadring.db-wal")
        before = [hashlib.sha256(file.read_bytes()).digest() for file in (path, wal)]
        done = run("replay", "--config", "new.toml")
        assert done.code == 0
        assert "119 leads came in" in done.out
        assert [hashlib.sha256(file.read_bytes()).digest() for file in (path, wal)] == before
        writer.execute("COMMIT")
        assert Path(f"{path}.lock").read_text().strip().isdecimal()
    finally:
        writer.close()
        lock.release()


def test_postgresql_is_read_likewise(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    migrate.upgrade(url)
    plain = json.loads(run("replay", "--config", "new.toml", "--json").out)
    write_postgres(url, generated(120, AGENTS))
    (folder / "leadring.db").unlink()
    monkeypatch.setenv("LEADRING_DATABASE_URL", url)
    assert json.loads(run("replay", "--config", "new.toml", "--json").out) == plain
    postgres_server.drop_database(url)


def test_sticky_and_the_cool_down_look_back_as_far_as_the_files_do(
    run: Run, folder: Path, sqlite_template: Path
) -> None:
    """The number talked with Yossi two weeks ago, and was called an hour before the time that is replayed."""
    two_weeks, number = clock(12) - 14 * 86_400_000, 9001
    earlier = a_lead(number, two_weeks, a_call("yossi", two_weeks))
    given_up: dict[str, Any] = {"state": "exhausted", "reason": "lead_busy", "due_at": None, "ended_at": clock(11, 1)}
    hour = a_lead(number, clock(11), a_call("dana", clock(11), "lead_busy"), **given_up)
    asked = a_lead(number, clock(12, 30), a_call("dana", clock(12, 30)))
    path = folder / "small.db"
    path.write_bytes(sqlite_template.read_bytes())
    write_file(f"sqlite:///{path}", a_day(earlier, hour, asked))
    words = ("--since", "2026-11-26T12:00+02:00", "--until", "2026-11-26T18:00+02:00", "--json")

    def replayed(policy: str, guards: str) -> dict[str, Any]:
        (folder / "new.toml").write_text(toml(AGENTS, policy=policy, guards=guards), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LEADRING_DATABASE_URL", f"sqlite:///{path}")
            done = run("replay", "--config", "new.toml", *words)
        assert done.code == 0, done.err
        found: dict[str, Any] = json.loads(done.out)["replayed"]
        return found

    off = 'cooldown = "off"'
    calls = {agent["id"]: agent["calls"] for agent in replayed('sticky = "30d"', off)["agents"]}
    assert calls["yossi"] == 1
    calls = {agent["id"]: agent["calls"] for agent in replayed('sticky = "1d"', off)["agents"]}
    assert calls["yossi"] == 0
    guards = replayed("", 'cooldown = { mode = "hold", per_phone = ["2/20 days"] }')["guards"]
    assert [(one["guard"], one["leads"]) for one in guards] == [("cooldown", 1)]
