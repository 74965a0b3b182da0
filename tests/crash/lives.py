"""The lives of one service, one after the other: each ends at a crash point, and the next finds what it left."""

from __future__ import annotations

import signal

from tests.crash.books import Books, lead_states
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import eventually


def lives_until(service: ServiceProcess, sandbox: RunningSandbox, fault: str | None) -> None:
    """Starts a process, on the same port as the one before, that dies at `fault`."""
    service.fault = fault
    if service.port:
        service.restart()
    else:
        service.start()
        sandbox.set_cdr(url=service.cdr_url)


def dies(service: ServiceProcess) -> None:
    """Waits for its death."""
    assert service.ended() == -signal.SIGKILL


def states(books: Books) -> list[str]:
    """Every attempt's state, in the order in which they were made."""
    return [row["state"] for row in books.rows("SELECT state FROM attempts ORDER BY id")]


def attempts_become(books: Books, *expected: str) -> None:
    """Waits until the attempts are in these states."""
    eventually(lambda: states(books) == list(expected), lambda: str(states(books)))


def only_lead(books: Books) -> str:
    """The id of the one lead that there is."""
    (lead_id,) = lead_states(books)
    return lead_id


def time_is_up(books: Books, seconds: int) -> None:
    """As if `seconds` had passed since everything that was written about attempts.

    A lease lasts as long as a provider may take, and no test can move the database's clock.
    """
    for moment in ("look_at", "sending_at", "unknown_at"):
        books.change(f"UPDATE attempts SET {moment} = {moment} - {seconds}000")  # noqa: S608
