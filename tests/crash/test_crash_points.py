"""The service dies by SIGKILL at each named point, and the next one makes the best of it, on both engines.

Nothing that was promised is lost, and nobody is called whom the dead process may have called already.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.moves import UNRESOLVED_AFTER
from tests.crash.books import Books, agents, lead_states
from tests.crash.lives import attempts_become, dies, lives_until, only_lead, states, time_is_up
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import PATIENCE, eventually

NOA = {"name": "Noa", "phone": "054-234-5678", "submission_id": "click-1"}
GIL = {"name": "Gil", "phone": "054-234-5679", "submission_id": "click-2"}


@pytest.fixture
def service(sandbox: RunningSandbox, books: Books) -> Iterator[ServiceProcess]:
    """Not started yet. In the end no lead is stuck, and no process has met anything it did not expect."""
    service = ServiceProcess(sandbox.click2call_url, books=books)
    try:
        yield service
        if not service.is_running():
            return  # the test has failed on its way, and says so itself
        assert service.metric("leadring_leads_unaccounted") == 0
        assert "Traceback" not in service.log
    finally:
        service.stop()


def _they_talk(sandbox: RunningSandbox, extension: str, lead: str) -> None:
    sandbox.phone(extension).answer()
    sandbox.phone(lead).answer()
    sandbox.phone(lead).hangup()


def test_a_visitor_whose_answer_never_came_may_send_again_before_and_after_the_lead_is_stored(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """Not stored: nothing was promised, and the second try is a new lead. Stored: it is called without being
    asked for again, and another try finds it."""
    lives_until(service, sandbox, "intake.before_accept")
    assert service.post(NOA) is None
    dies(service)
    assert lead_states(books) == {}

    lives_until(service, sandbox, "intake.after_accept")
    assert service.post(NOA) is None
    dies(service)
    assert list(lead_states(books).values()) == ["waiting"]

    lives_until(service, sandbox, None)
    sandbox.wait_for_requests(1, PATIENCE)
    attempts_become(books, "placed")
    early = service.post(NOA)
    assert early is not None
    assert (early.status_code, early.json()["code"]) == (409, "in_flight"), "for all we know its twin is still at it"
    books.change("UPDATE submissions SET created_at = created_at - 15001")
    retry = service.post(NOA)
    assert retry is not None
    assert (retry.status_code, retry.json()["lead_id"]) == (202, only_lead(books))
    assert len(sandbox.requests()) == 1


def test_a_reservation_without_a_process_lapses_but_an_intent_without_one_is_never_repeated(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """Reserved: nothing was sent, so somebody dials (on PostgreSQL when the lease of 5 seconds is over, for another
    replica might have held it). Intended: nobody can tell, so nobody dials, and after half an hour a person is told.
    """
    lives_until(service, sandbox, "dispatch.after_reserve")
    service.post(NOA)
    dies(service)
    assert states(books) == ["reserved"]

    lives_until(service, sandbox, "dispatch.after_intent")
    dies(service)
    assert states(books) == ["lapsed", "sending"]
    alone = books.url.startswith("sqlite")  # whoever is alone need not wait for the lease of the dead
    assert ('"event": "recovered"' in service.log) is alone

    lives_until(service, sandbox, None)
    time_is_up(books, 20)
    attempts_become(books, "lapsed", "unknown")
    assert service.metric("leadring_attempts_unknown") == 1
    assert agents(books) == {"dana": "on_call", "yossi": "available"}
    time_is_up(books, 300)
    eventually(lambda: agents(books)["dana"] == "available", lambda: str(agents(books)))
    assert list(lead_states(books).values()) == ["dialing"]
    time_is_up(books, UNRESOLVED_AFTER)
    attempts_become(books, "lapsed", "unresolved")
    assert list(lead_states(books).values()) == ["failed"]
    assert sandbox.requests() == []


def test_a_request_that_left_is_never_repeated_and_the_providers_record_tells_what_came_of_it(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """Whether the process died before its answer or with it in hand, and whether its lease is over or not."""
    lives_until(service, sandbox, "dispatch.request_sent")
    sandbox.set_behaviour("*", answer="hang")
    service.post(NOA)
    dies(service)
    sandbox.wait_for_requests(1, PATIENCE)
    sandbox.clear_behaviour()

    lives_until(service, sandbox, "dispatch.before_record")
    time_is_up(books, 20)
    attempts_become(books, "unknown")
    assert agents(books) == {"dana": "on_call", "yossi": "available"}
    service.post(GIL)
    dies(service)
    assert states(books) == ["unknown", "sending"]

    lives_until(service, sandbox, None)
    _they_talk(sandbox, "SIPyossi2", "0542345679")
    attempts_become(books, "unknown", "ended")
    _they_talk(sandbox, "SIPdana1", "0542345678")
    attempts_become(books, "ended", "ended")
    assert list(lead_states(books).values()) == ["connected", "connected"]
    eventually(lambda: set(agents(books).values()) == {"available"}, lambda: str(agents(books)))
    assert [request["target"] for request in sandbox.requests()] == ["0542345678", "0542345679"]
