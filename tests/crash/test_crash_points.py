"""The service dies by SIGKILL at each named point, and the next one makes the best of it, on both engines.

Nothing that was promised is lost, and nobody is called whom the dead process may have called already.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import httpx
import pytest

from app import faults
from tests.crash.books import Books, Row, agents, attempts_of, lead_states
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import PATIENCE, eventually

FORM = {"name": "Noa", "phone": "054-234-5678", "submission_id": "click-1"}
NOA = "0542345678"


@pytest.fixture
def service(sandbox: RunningSandbox, books: Books) -> Iterator[ServiceProcess]:
    """Not started yet; the provider reports to it, whichever process is there."""
    service = ServiceProcess(sandbox.click2call_url, books=books)
    yield service
    service.stop()


def _dies(service: ServiceProcess, sandbox: RunningSandbox, point: str) -> httpx.Response | None:
    """A visitor sends the form, the service dies at `point`, and a new one starts; what the visitor heard."""
    service.fault = point
    service.start()
    sandbox.set_cdr(url=service.cdr_url)
    answer = service.post(FORM)
    assert service.ended() == -signal.SIGKILL
    service.fault = None
    service.restart()
    return answer


def _only_lead(books: Books) -> str:
    (lead_id,) = lead_states(books)
    return lead_id


def _attempt_becomes(books: Books, state: str) -> Row:
    """Waits until the first attempt is in that state."""
    lead_id = _only_lead(books)
    eventually(lambda: attempts_of(books, lead_id)[0]["state"] == state, lambda: str(attempts_of(books, lead_id)))
    return attempts_of(books, lead_id)[0]


def _lead_becomes(books: Books, state: str) -> None:
    eventually(lambda: list(lead_states(books).values()) == [state], lambda: str(lead_states(books)))


def _time_is_up(books: Books, seconds: int) -> None:
    """As if `seconds` had passed since everything that was written about attempts.

    A lease lasts as long as a provider may take, and no test can move the database's clock.
    """
    books.change(f"UPDATE attempts SET look_at = look_at - {seconds}000, sending_at = sending_at - {seconds}000")  # noqa: S608


def _all_is_accounted_for(service: ServiceProcess) -> None:
    assert service.metric("leadring_leads_unaccounted") == 0
    assert "Traceback" not in service.log


def _they_talk(sandbox: RunningSandbox) -> None:
    sandbox.phone("SIPdana1").answer()
    sandbox.phone(NOA).answer()
    sandbox.phone(NOA).hangup()


def test_before_the_lead_is_stored_nothing_was_promised_and_the_visitors_retry_is_new(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    assert _dies(service, sandbox, "intake.before_accept") is None
    assert lead_states(books) == {}

    retry = service.post(FORM)
    assert retry is not None
    assert (retry.status_code, retry.json()["outcome"]) == (202, "dialing")
    assert len(sandbox.wait_for_requests(1)) == 1
    _all_is_accounted_for(service)


def test_after_the_lead_is_stored_it_is_called_though_nobody_was_told_and_a_retry_finds_it(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    assert _dies(service, sandbox, "intake.after_accept") is None
    sandbox.wait_for_requests(1)
    _attempt_becomes(books, "placed")

    early = service.post(FORM)
    assert early is not None
    assert (early.status_code, early.json()["code"]) == (409, "in_flight"), "for all we know its twin is still at it"
    books.change("UPDATE submissions SET created_at = created_at - 15001")
    retry = service.post(FORM)
    assert retry is not None
    assert (retry.status_code, retry.json()["lead_id"]) == (202, _only_lead(books))
    assert len(sandbox.requests()) == 1
    _all_is_accounted_for(service)


def test_a_reservation_whose_process_died_sent_nothing_so_it_lapses_and_the_lead_is_called_once(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """On PostgreSQL its lease of 5 seconds runs out by itself: another replica might have held it."""
    _dies(service, sandbox, "dispatch.after_reserve")
    _attempt_becomes(books, "lapsed")
    eventually(lambda: len(attempts_of(books, _only_lead(books))) == 2, lambda: "a second attempt")
    _they_talk(sandbox)
    _lead_becomes(books, "connected")
    assert [one["state"] for one in attempts_of(books, _only_lead(books))] == ["lapsed", "ended"]
    assert len(sandbox.requests()) == 1
    _all_is_accounted_for(service)


def test_after_the_intent_nobody_can_tell_so_nobody_is_called_and_a_person_is_told(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    _dies(service, sandbox, "dispatch.after_intent")
    _time_is_up(books, 20)
    _attempt_becomes(books, "unknown")
    assert service.metric("leadring_attempts_unknown") == 1
    assert agents(books) == {"dana": "on_call", "yossi": "available"}

    _time_is_up(books, 300)
    eventually(lambda: agents(books)["dana"] == "available", lambda: str(agents(books)))
    assert list(lead_states(books).values()) == ["dialing"]
    _time_is_up(books, 1800)
    _attempt_becomes(books, "unresolved")
    _lead_becomes(books, "failed")
    assert sandbox.requests() == []
    _all_is_accounted_for(service)


def test_after_the_request_has_left_the_call_is_unknown_until_the_providers_record_tells(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    sandbox.set_behaviour("*", answer="hang")
    _dies(service, sandbox, "dispatch.request_sent")
    sandbox.wait_for_requests(1, PATIENCE)
    _time_is_up(books, 20)
    assert _attempt_becomes(books, "unknown")["call_id"] is None
    assert agents(books)["dana"] == "on_call"

    _they_talk(sandbox)
    _lead_becomes(books, "connected")
    eventually(lambda: agents(books)["dana"] == "available", lambda: str(agents(books)))
    assert len(sandbox.requests()) == 1
    _all_is_accounted_for(service)


def test_an_answer_that_was_not_written_down_is_told_by_the_record_even_before_the_lease_is_over(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    _dies(service, sandbox, "dispatch.before_record")
    assert _attempt_becomes(books, "sending" if books.url.startswith("postgresql") else "unknown")
    _they_talk(sandbox)
    _lead_becomes(books, "connected")
    assert _attempt_becomes(books, "ended")["outcome"] == "connected"
    eventually(lambda: agents(books)["dana"] == "available", lambda: str(agents(books)))
    assert len(sandbox.requests()) == 1
    _all_is_accounted_for(service)


def test_every_crash_point_is_named_in_this_file() -> None:
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert [point for point in faults.POINTS if f'"{point}"' not in text] == []
