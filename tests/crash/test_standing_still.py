"""A replica stands still longer than its lease (SIGSTOP, a paused virtual machine), another one takes over, and
then the first one wakes up and goes on as if nothing had happened. Still nobody is called twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from app.service.dispatcher import STALE_INTENT
from tests.crash.books import PostgresBooks, attempts_of, lead_states
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.server_process import wait_until
from tests.story import CODE, PATIENCE, eventually

ASKED_AGAIN = 10.0  # seconds until another replica asks how things stand
FORM = {"name": "Noa", "phone": "054-234-5678"}
NOA = "0542345678"


@contextmanager
def _replicas(
    sandbox: RunningSandbox, books: PostgresBooks, redis_url: str, fault: str | None
) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    """The one that will stand still, and the other; records go to the other."""
    settings = {"VOICENTER_TIMEOUT": "12", "RATE_LIMIT_URL": redis_url}
    one = ServiceProcess(sandbox.click2call_url, books=books, settings=settings)
    other = ServiceProcess(sandbox.click2call_url, books=books, settings=settings)
    one.fault = fault
    try:
        one.start()
        other.start()
        sandbox.set_cdr(url=other.cdr_url)
        yield one, other
        for replica in (one, other):
            assert "Traceback" not in replica.log
        assert other.metric("leadring_leads_unaccounted") == 0
    finally:
        one.stop()
        other.stop()


@contextmanager
def _sent_to(replica: ServiceProcess) -> Iterator[Future[httpx.Response | None]]:
    """A visitor's form, whose answer may be a while in coming."""
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(replica.post, FORM)
        finally:
            replica.signal(signal.SIGCONT)


def _lease_is_over(books: PostgresBooks) -> None:
    books.change("UPDATE attempts SET look_at = look_at - 30000")


def _states(books: PostgresBooks) -> list[str]:
    leads = list(lead_states(books))
    return [one["state"] for one in attempts_of(books, leads[0])] if leads else []


def _attempts_become(books: PostgresBooks, *states: str) -> None:
    eventually(lambda: _states(books) == list(states), lambda: str(_states(books)))


def test_a_reservation_that_was_taken_over_is_not_used_by_the_one_who_slept(
    sandbox: RunningSandbox, postgres_books: PostgresBooks, redis_url: str
) -> None:
    with (
        _replicas(sandbox, postgres_books, redis_url, "dispatch.after_reserve:stop") as (one, _),
        _sent_to(one) as answer,
    ):
        one.stands_still()
        _lease_is_over(postgres_books)
        _attempts_become(postgres_books, "lapsed", "placed")

        one.signal(signal.SIGCONT)
        wait_until(lambda: "dispatch.reservation_lost" in one.log, PATIENCE, "the first replica notices")
        heard = answer.result(PATIENCE)
        assert heard is not None
        assert heard.status_code == 202
        assert len(sandbox.requests()) == 1


def test_a_request_that_was_meant_to_leave_long_ago_does_not_leave_any_more(
    sandbox: RunningSandbox, postgres_books: PostgresBooks, redis_url: str
) -> None:
    """The other replica calls it unknown meanwhile; the sleeper knows better: it was never sent."""
    with _replicas(sandbox, postgres_books, redis_url, "dispatch.after_intent:stop") as (one, _), _sent_to(one):
        one.stands_still()
        woken_after = time.monotonic() + STALE_INTENT + 0.1
        _lease_is_over(postgres_books)
        _attempts_become(postgres_books, "unknown")
        wait_until(lambda: time.monotonic() > woken_after, PATIENCE, "the intent is stale")

        one.signal(signal.SIGCONT)
        eventually(lambda: _states(postgres_books)[:1] == ["not_sent"], lambda: str(_states(postgres_books)))
        _attempts_become(postgres_books, "not_sent", "placed")
        assert len(sandbox.requests()) == 1


def test_an_answer_that_arrives_after_everybody_gave_up_on_it_still_counts(
    sandbox: RunningSandbox, postgres_books: PostgresBooks, redis_url: str
) -> None:
    sandbox.set_behaviour("*", answer="slow", seconds=60)
    with _replicas(sandbox, postgres_books, redis_url, None) as (one, _), _sent_to(one):
        sandbox.wait_for_requests(1, PATIENCE)
        one.signal(signal.SIGSTOP)
        one.stands_still()
        _lease_is_over(postgres_books)
        _attempts_become(postgres_books, "unknown")
        sandbox.clear_behaviour()  # the provider answers; nobody reads it yet

        one.signal(signal.SIGCONT)
        _attempts_become(postgres_books, "placed")
        sandbox.phone("SIPdana1").answer()
        sandbox.phone(NOA).answer()
        sandbox.phone(NOA).hangup()
        _attempts_become(postgres_books, "ended")
        assert list(lead_states(postgres_books).values()) == ["connected"]
        assert len(sandbox.requests()) == 1


def test_another_replica_asks_how_things_stand_when_the_one_that_asked_stands_still(
    sandbox: RunningSandbox, postgres_books: PostgresBooks, redis_url: str
) -> None:
    """Each asks at an address of its own. Woken up, the first one does not ask in the belief that it still may."""
    with RunningSandbox(code=CODE) as another:

        def replica(line: RunningSandbox) -> ServiceProcess:
            settings = {"RATE_LIMIT_URL": redis_url, "VOICENTER_MONITOR_URL": line.monitor_url}
            return ServiceProcess(sandbox.click2call_url, books=postgres_books, settings=settings)

        with replica(sandbox) as one:
            sandbox.wait_for_requests(1, PATIENCE, "active_calls")
            with replica(another):
                one.signal(signal.SIGSTOP)
                one.stands_still()
                asked = len(sandbox.requests("active_calls"))
                another.wait_for_requests(1, ASKED_AGAIN, "active_calls")

                one.signal(signal.SIGCONT)
                wait_until(lambda: "the database notifies again" in one.log, PATIENCE, "the first one has a session")
                assert len(sandbox.requests("active_calls")) == asked
                assert "Traceback" not in one.log
