"""The service dies by SIGKILL over a webhook, on both engines: what was on disk becomes one lead, which rings once."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.crash.books import Books
from tests.crash.lives import attempts_become, dies, lives_until, only_lead
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import ALWAYS_OPEN, PATIENCE, eventually

TOKEN = "token-of-the-shop-0001"
SOURCE = f"""
[sources.shop]
preset = "generic"
token = "{TOKEN}"
"""
NOA = {"name": "Noa", "phone": "054-234-5678"}


@pytest.fixture
def service(sandbox: RunningSandbox, books: Books) -> Iterator[ServiceProcess]:
    service = ServiceProcess(sandbox.click2call_url, books=books, directory=ALWAYS_OPEN + SOURCE)
    try:
        yield service
        if not service.is_running():
            return  # the test has failed on its way, and says so itself
        assert service.metric("leadring_leads_unaccounted") == 0
        assert "Traceback" not in service.log
        assert TOKEN not in service.log
    finally:
        service.stop()


def _deliver(service: ServiceProcess) -> httpx.Response | None:
    """What the builder hears; None when nothing, because the service has died."""
    try:
        return httpx.post(f"{service.url}/v1/hooks/shop/{TOKEN}", json=NOA, timeout=PATIENCE, trust_env=False)
    except httpx.TransportError:
        return None


def _verdicts(books: Books) -> list[str]:
    return [row["verdict"] for row in books.rows("SELECT verdict FROM deliveries ORDER BY id")]


@pytest.mark.parametrize("comes_again", [False, True])
def test_what_was_kept_before_the_death_is_called_whether_it_comes_again_or_not(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books, comes_again: bool
) -> None:
    lives_until(service, sandbox, "intake.before_accept")
    assert _deliver(service) is None
    dies(service)
    assert _verdicts(books) == ["kept"]
    assert books.rows("SELECT id FROM leads") == []

    lives_until(service, sandbox, None)
    if comes_again:
        answer = _deliver(service)
        assert answer is not None
        assert (answer.status_code, answer.json()) == (200, {"outcome": "accepted"})
    books.change("UPDATE deliveries SET look_at = look_at - 15001 WHERE look_at IS NOT NULL")
    sandbox.wait_for_requests(1, PATIENCE)
    attempts_become(books, "placed")
    assert _verdicts(books) == ["lead"]
    assert only_lead(books)
    answer = _deliver(service)
    assert answer is not None
    assert (answer.status_code, answer.json()) == (200, {"outcome": "duplicate"})
    assert len(sandbox.requests()) == 1


def test_a_lead_that_was_stored_before_the_death_is_not_made_again(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    """The builder heard nothing and delivers again: it is the same lead, which has been called meanwhile."""
    lives_until(service, sandbox, "intake.after_accept")
    assert _deliver(service) is None
    dies(service)
    assert _verdicts(books) == ["lead"]

    lives_until(service, sandbox, None)
    sandbox.wait_for_requests(1, PATIENCE)
    answer = _deliver(service)
    assert answer is not None
    assert (answer.status_code, answer.json()) == (200, {"outcome": "duplicate"})
    eventually(lambda: _verdicts(books) == ["lead"], lambda: str(_verdicts(books)))
    assert only_lead(books)
    assert len(sandbox.requests()) == 1
