"""Going down and coming back: what is under way is finished, what waits is kept, and the file may change meanwhile."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.main import DRAIN_MARGIN
from app.serving import STREAM_GRACE
from tests.crash.books import lead_states
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import ALWAYS_OPEN, CODE, PATIENCE, Story, Visitor, eventually

PROVIDER_SECONDS = 4.0  # the service's deadline for one answer
AGENTS = ["dana", "yossi", "rami", "shira"]
DIRECTORY = ALWAYS_OPEN + "".join(
    f'\n[[agents]]\nid = "{name}"\nname = "{name.title()}"\nextension = "SIP{name}"\n' for name in AGENTS[2:]
)
EXTENSIONS = ["SIPdana1", "SIPyossi2", "SIPrami", "SIPshira"]


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """The provider, whose phones wait for hands."""
    with RunningSandbox(code=CODE) as sandbox:
        yield sandbox


@pytest.fixture
def service(sandbox: RunningSandbox) -> Iterator[ServiceProcess]:
    """Four agents; the provider has four seconds for an answer."""
    settings = {"VOICENTER_TIMEOUT": f"{PROVIDER_SECONDS:g}"}
    with ServiceProcess(sandbox.click2call_url, directory=DIRECTORY, settings=settings) as service:
        sandbox.set_cdr(url=service.cdr_url)
        yield service


class Follower(threading.Thread):
    """A browser that listens to a lead's event stream; `text` is what it heard, `failed` how that went wrong."""

    def __init__(self, service: ServiceProcess, visitor: Visitor) -> None:
        super().__init__(name="follower", daemon=True)
        self._url = service.url + str(visitor.told["status_url"]).replace("?", "/events?")
        self.listening = threading.Event()
        self.text = ""
        self.failed: httpx.HTTPError | None = None
        self.start()
        assert self.listening.wait(PATIENCE)

    def run(self) -> None:
        try:
            with httpx.stream("GET", self._url, timeout=PATIENCE, trust_env=False) as answer:
                for chunk in answer.iter_text():
                    self.text += chunk
                    self.listening.set()
        except httpx.HTTPError as error:
            self.failed = error


def test_sigterm_under_load_finishes_what_is_under_way_and_keeps_what_waits(
    service: ServiceProcess, sandbox: RunningSandbox
) -> None:
    """Four requests are with a slow provider, four leads wait, three visitors watch. Nothing becomes unknown."""
    sandbox.set_behaviour("*", answer="slow", seconds=1.0)
    with service.client() as client:
        visitors = [service.sends_the_form(client, f"054-234-56{n:02}") for n in range(8)]
        sandbox.wait_for_requests(4, PATIENCE)
        followers = [Follower(service, visitor) for visitor in (visitors[0], visitors[3], visitors[7])]
        began = time.monotonic()
        service.signal(signal.SIGTERM)
        # The port closes at once, or nearly: until then there is an answer, which in the end is "not ready".
        while (status := _readiness(service)) is not None:
            assert status in (200, 503)
            assert time.monotonic() - began < PATIENCE
    deadline = PROVIDER_SECONDS + DRAIN_MARGIN + STREAM_GRACE
    assert service.ended(deadline + 2) == 0
    assert time.monotonic() - began < deadline

    for follower in followers:
        follower.join(PATIENCE)
        assert not follower.is_alive()
        assert follower.failed is None, "a stream ends in order, it is not cut"
        assert "event: status" in follower.text
    assert Counter(lead_states(service.books).values()) == {"dialing": 4, "waiting": 4}
    states = Counter(row["state"] for row in service.books.rows("SELECT state FROM attempts"))
    assert states == {"placed": 4}, "no request of ours is unknown, and none was begun that could not be finished"
    assert len(sandbox.requests()) == 4
    assert '"dials_cut_off": 0' in service.log
    assert "Traceback" not in service.log

    service.restart()
    sandbox.clear_behaviour()
    for extension in EXTENSIONS:
        sandbox.phone(extension).answer()
    for request in sandbox.requests()[:4]:
        sandbox.phone(request["target"]).answer()
        sandbox.phone(request["target"]).hangup()
    sandbox.wait_for_requests(8, PATIENCE)
    eventually(
        lambda: Counter(lead_states(service.books).values()) == {"connected": 4, "dialing": 4},
        lambda: str(lead_states(service.books)),
    )
    assert sorted(request["target"] for request in sandbox.requests()) == [f"05423456{n:02}" for n in range(8)]
    assert service.metric("leadring_leads_unaccounted") == 0


def _readiness(service: ServiceProcess) -> int | None:
    try:
        return httpx.get(f"{service.url}/readyz", timeout=PATIENCE, trust_env=False).status_code
    except httpx.TransportError:
        return None


def test_an_idle_service_ends_at_once_and_well(service: ServiceProcess) -> None:
    began = time.monotonic()
    service.signal(signal.SIGTERM)
    assert service.ended() == 0
    assert time.monotonic() - began < 3
    assert "Traceback" not in service.log


def test_a_provider_that_never_answers_does_not_hold_up_the_end_beyond_its_deadline(
    service: ServiceProcess, sandbox: RunningSandbox
) -> None:
    """That one call is unknown, and nobody's fault: it was asked for, and the provider did not say."""
    sandbox.set_behaviour("*", answer="hang")
    with service.client() as client:
        service.sends_the_form(client, "054-234-5678")
        sandbox.wait_for_requests(1, PATIENCE)
    began = time.monotonic()
    service.signal(signal.SIGTERM)
    assert service.ended(PROVIDER_SECONDS + DRAIN_MARGIN + 2) == 0
    assert time.monotonic() - began < PROVIDER_SECONDS + DRAIN_MARGIN
    assert [row["state"] for row in service.books.rows("SELECT state FROM attempts")] == ["unknown"]
    assert '"dials_cut_off": 0' in service.log


def test_a_service_that_is_going_down_is_not_ready_and_dials_nobody_but_still_takes_leads(
    tmp_path: Path,
) -> None:
    with Story(tmp_path) as story:
        assert story.http.get("/readyz").status_code == 200
        story.on_the_loop(story.desk.begin_shutdown)
        eventually(lambda: story.http.get("/readyz").status_code == 503, lambda: "not ready")
        body = story.http.get("/readyz").json()
        assert (body["status"], body["checks"]["shutdown"]["status"]) == ("fail", "fail")
        assert story.http.get("/livez").status_code == 200

        noa = story.sends_the_form("Noa", "054-234-5678")
        assert noa.told["outcome"] == "waiting"
        assert story.nobody_is_due()
        assert story.sandbox.requests() == []


def test_sighup_puts_a_good_file_in_force_and_refuses_a_bad_one_whole(service: ServiceProcess) -> None:
    second = '\n[[sites]]\nkey = "second"\nname = "Second"\nlanguage = "en"\n'
    third = second.replace("second", "third")
    assert _known_sites(service) == ["main"]

    service.write_directory(DIRECTORY + second)
    service.signal(signal.SIGHUP)
    eventually(lambda: _known_sites(service) == ["main", "second"], lambda: service.log[-500:])
    loaded = service.metric("leadring_config_loaded_timestamp_seconds")

    service.write_directory(DIRECTORY + second + third + '\n[[agents]]\nid = "nobody"\n')
    service.signal(signal.SIGHUP)
    eventually(lambda: "directory.refused" in service.log, lambda: service.log[-500:])
    assert _known_sites(service) == ["main", "second"]
    assert service.metric("leadring_config_loaded_timestamp_seconds") == loaded

    service.write_directory(DIRECTORY + third)
    service.signal(signal.SIGHUP)
    eventually(lambda: _known_sites(service) == ["main", "third"], lambda: service.log[-500:])


def _known_sites(service: ServiceProcess) -> list[str]:
    known = []
    for site in ("main", "second", "third"):
        answer = httpx.get(f"{service.url}/v1/sites/{site}", timeout=PATIENCE, trust_env=False)
        if answer.status_code == 200:
            known.append(site)
    return known
