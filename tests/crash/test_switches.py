"""The switches with real processes: turned in one place, seen by all within two seconds, and still so after a death."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from tests.crash.books import Books, PostgresBooks
from tests.crash.service_process import ROOT, ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.server_process import wait_until
from tests.story import PATIENCE

SEEN = 2.0  # seconds until every process knows, promised
TOKEN = "admin-token-of-the-story"
FORM = {"name": "Noa", "phone": "054-234-5678"}
ANOTHER = {"name": "Dan", "phone": "054-234-5679"}


@contextmanager
def replicas(sandbox: RunningSandbox, books: Books, redis_url: str, count: int) -> Iterator[list[ServiceProcess]]:
    """So many of them on one database."""
    settings = {"ADMIN_TOKEN": TOKEN, "RATE_LIMIT_URL": redis_url}
    with ExitStack() as stack:
        started = [
            stack.enter_context(ServiceProcess(sandbox.click2call_url, books=books, settings=settings))
            for _ in range(count)
        ]
        yield started
        assert not any("Traceback" in one.log for one in started)


def turn(replica: ServiceProcess, **wanted: Any) -> None:
    answer = httpx.post(
        f"{replica.url}/v1/admin/switches",
        json=wanted,
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=PATIENCE,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def command(books: Books, *words: str) -> Any:
    """`leadring switch …` in a process of its own, beside the service; what it printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "app", "switch", *words, "--json"],
        cwd=ROOT / "tests",  # where there is no leadring.toml
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LEADRING_DATABASE_URL": books.url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def knows(replica: ServiceProcess, switch: str, on: bool) -> bool:
    """What this process believes, without asking anybody."""
    return replica.metric(f'leadring_switch{{switch="{switch}"}}') == on


def seen_by(replica: ServiceProcess, switch: str, on: bool) -> None:
    wait_until(lambda: knows(replica, switch, on), SEEN, f"{switch} is seen to be {'on' if on else 'off'}")


def outcome_of(replica: ServiceProcess, form: dict[str, str]) -> str:
    answer = replica.post(form)
    assert answer is not None
    return str(answer.json().get("outcome") or answer.json()["code"])


def test_what_is_turned_at_one_replica_is_seen_by_the_other_and_outlives_both(
    sandbox: RunningSandbox, postgres_books: PostgresBooks, redis_url: str
) -> None:
    with replicas(sandbox, postgres_books, redis_url, 2) as (one, other):
        turn(one, dialling=False, why="the provider is away")
        seen_by(other, "dialling", False)
        assert outcome_of(other, FORM) == "waiting"
        turn(other, taking=False)
        seen_by(one, "taking", False)
        assert outcome_of(one, ANOTHER) == "not_taking"

        for replica in (one, other):
            replica.kill()
            replica.restart()
        assert outcome_of(one, ANOTHER) == outcome_of(other, ANOTHER) == "not_taking"
        assert knows(one, "dialling", False)
        assert knows(other, "dialling", False)
        assert sandbox.requests() == []

        turn(other, dialling=True)
        sandbox.wait_for_requests(1, SEEN)
        seen_by(one, "dialling", True)
        assert len(sandbox.requests()) == 1


def test_without_a_notification_each_replica_finds_out_by_itself(
    sandbox: RunningSandbox, postgres_books: PostgresBooks, redis_url: str
) -> None:
    """Notifications get lost with a session; what counts is what is written."""
    with replicas(sandbox, postgres_books, redis_url, 2) as (one, other):
        turn(one, taking=False)
        seen_by(other, "taking", False)
        postgres_books.change("UPDATE meta SET value = replace(value, 'false', 'true') WHERE name = 'switch.taking'")
        seen_by(other, "taking", True)
        seen_by(one, "taking", True)


def test_the_command_turns_a_running_service(sandbox: RunningSandbox, books: Books, redis_url: str) -> None:
    """On either database, with nothing but its address: no directory file, no token."""
    with replicas(sandbox, books, redis_url, 1) as (service,):
        off = command(books, "dialling", "off", "--why", "שקט")
        seen_by(service, "dialling", False)
        assert (off["taking"]["on"], off["dialling"]["on"]) == (True, False)
        assert (off["dialling"]["who"], off["dialling"]["why"]) == ("operator", "שקט")
        assert command(books) == off
        assert outcome_of(service, FORM) == "waiting"
        assert sandbox.requests() == []
        command(books, "taking", "off")
        seen_by(service, "taking", False)
        assert outcome_of(service, ANOTHER) == "not_taking"
        command(books, "dialling", "on")
        sandbox.wait_for_requests(1, SEEN)
        command(books, "taking", "on")
        seen_by(service, "taking", True)
        assert outcome_of(service, ANOTHER) == "dialing"
        assert service.log.count('"switch.turned"') == 4
