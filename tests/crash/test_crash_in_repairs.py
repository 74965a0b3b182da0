"""The service dies while it records, repairs, commits and starts; the next one neither forgets nor repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app import faults
from tests.crash.books import Books, agents, lead_states
from tests.crash.lives import attempts_become, dies, lives_until, only_lead, states, time_is_up
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import PATIENCE, eventually

NOA = {"name": "Noa", "phone": "054-234-5678", "submission_id": "click-1"}


@pytest.fixture
def service(sandbox: RunningSandbox, books: Books) -> Iterator[ServiceProcess]:
    """Not started yet; records come by hand, so that nobody sends one again unasked."""
    service = ServiceProcess(sandbox.click2call_url, books=books)
    try:
        yield service
        assert "Traceback" not in service.log
    finally:
        service.stop()


def _reports(service: ServiceProcess, books: Books, attempt: str | None = None) -> int | None:
    """The provider reports a conversation; the status of the answer, None when there was none."""
    try:
        return httpx.post(service.cdr_url, content=_record(books, attempt), timeout=PATIENCE).status_code
    except httpx.TransportError:
        return None


def _record(books: Books, attempt: str | None = None) -> str:
    row = books.rows("SELECT id, call_id FROM attempts ORDER BY id DESC LIMIT 1")[0]
    told = {
        "ivruniqueid": row["call_id"] if attempt is None else "another-call",
        "type": "Click2Call leg2",
        "status": "ANSWER",
        "duration": 42,
        "leg1DialStatusName": "ANSWER",
        "CustomData": {"var_attempt": attempt or row["id"]},
    }
    return json.dumps(told)


def _leads_become(books: Books, *expected: str) -> None:
    eventually(lambda: list(lead_states(books).values()) == list(expected), lambda: str(lead_states(books)))


def test_an_answer_that_was_written_and_not_sent_is_heard_by_the_one_who_asks_again(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """Or, where not even the answer had reached the disk, that the lead is there."""
    lives_until(service, sandbox, "intake.before_answer")
    assert service.post(NOA) is None
    dies(service)
    lives_until(service, sandbox, None)
    books.change("UPDATE submissions SET created_at = created_at - 15001")
    again = service.post(NOA)
    assert again is not None
    assert (again.status_code, again.json()["lead_id"]) == (202, only_lead(books))
    assert len(lead_states(books)) == 1


def test_a_record_counts_once_whether_the_process_died_before_or_after_it_was_kept(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    lives_until(service, sandbox, "dispatch.after_record")
    service.post(NOA)
    dies(service)
    assert states(books) == ["placed"]

    lives_until(service, sandbox, "report.before_keep")
    assert _reports(service, books) is None
    dies(service)
    assert (states(books), books.rows("SELECT * FROM cdrs")) == (["placed"], [])

    lives_until(service, sandbox, "report.after_keep")
    assert _reports(service, books) is None, "no answer, so the provider sends it again"
    dies(service)
    assert list(lead_states(books).values()) == ["connected"]

    lives_until(service, sandbox, None)
    assert _reports(service, books) == 200
    assert len(books.rows("SELECT * FROM cdrs")) == 1
    connected = books.rows("SELECT * FROM events WHERE event = 'connected'")
    assert len(connected) == 1
    assert len(sandbox.requests()) == 1


def test_a_record_that_waits_for_its_attempt_waits_on_when_the_process_dies_over_it(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    lives_until(service, sandbox, None)
    service.post(NOA)
    attempts_become(books, "placed")
    stranger = "0192f0c0-0000-7000-8000-000000000000"
    assert _reports(service, books, stranger) == 200
    service.kill()

    service.fault = "report.before_apply"
    with pytest.raises(RuntimeError, match="did not start"):
        service.restart()
    assert [row["state"] for row in books.rows("SELECT state FROM cdrs")] == ["kept"]
    books.change(f"UPDATE cdrs SET body = '{_record(books)}'")  # noqa: S608 - as if its attempt had come

    lives_until(service, sandbox, None)
    _leads_become(books, "connected")
    assert [row["state"] for row in books.rows("SELECT state FROM cdrs")] == ["applied"]


def test_what_a_sweep_had_settled_stays_settled_and_what_it_had_not_is_settled_by_the_next(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    lives_until(service, sandbox, "dispatch.after_reserve")
    service.post(NOA)
    dies(service)

    service.fault = "sweep.before_settle"
    service.restart()
    time_is_up(books, 20)
    dies(service)
    assert states(books) == ["reserved"]

    # Free again, a lead is given out at once, perhaps before this process dies: not while nobody takes calls.
    books.change("UPDATE agents SET paused = 1")
    service.fault = "sweep.after_settle"
    service.restart()
    dies(service)
    assert states(books) == ["lapsed"]

    books.change("UPDATE agents SET paused = 0")
    lives_until(service, sandbox, None)
    attempts_become(books, "lapsed", "placed")
    assert len(sandbox.requests()) == 1


def test_a_start_that_dies_over_what_it_found_leaves_it_to_the_next(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    lives_until(service, sandbox, "dispatch.after_intent")
    service.post(NOA)
    dies(service)
    service.fault = "start.after_recover"
    for _ in range(2):
        with pytest.raises(RuntimeError, match="did not start"):
            service.restart()
    assert states(books) == ["sending"]

    lives_until(service, sandbox, None)
    time_is_up(books, 20)
    attempts_become(books, "unknown")
    assert agents(books) == {"dana": "on_call", "yossi": "available"}
    assert sandbox.requests() == []


def test_dying_at_a_commit_loses_no_lead_that_was_promised_and_calls_nobody_twice(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """One visitor who insists, and processes that die at one commit or another on the way."""
    lives_until(service, sandbox, None)
    service.kill()
    heard = None
    for fault in ("store.before_commit@7", "store.after_commit@9"):
        service.fault = fault
        try:
            service.restart()
        except RuntimeError:
            continue  # it was one of the commits of its start
        heard = service.post(NOA) or heard
        dies(service)
    lives_until(service, sandbox, None)
    books.change("UPDATE submissions SET created_at = created_at - 15001")
    heard = service.post(NOA) or heard
    assert heard is not None
    assert (heard.status_code, heard.json()["lead_id"]) == (202, only_lead(books))
    time_is_up(books, 20)
    eventually(lambda: not {"reserved", "sending"} & set(states(books)), lambda: str(states(books)))
    assert len(sandbox.requests()) <= 1


def test_every_crash_point_has_its_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_crash_*.py"))
    assert [point for point in faults.POINTS if f'"{point}' not in text] == []
