"""The words in which the story of a lead is told: a service and a provider that rings nobody, agents and visitors.

`Story` runs the whole service in a thread, on an SQLite file and with a clock that stands still until the story
says otherwise; the provider is a sandbox, which reports its calls to the service over HTTP. Visitors speak HTTP.
Waits end when what they wait for has happened, or fail after PATIENCE seconds.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import uvloop
from pydantic import SecretStr

from app.clock import from_datetime
from app.directory import parse_directory
from app.domain.phone import for_provider, read_phone
from app.main import Options, create_app
from app.metrics import Metrics
from app.provider import open_dialler, open_line
from app.service.explain import look_up
from app.service.explanation import Explanation
from app.service.hanging_up import Done, HangingUp
from app.serving import Server, make_server
from app.settings import Settings
from app.web.desk import Desk
from tests.clocks import START, ManualClock
from tests.crash.books import Row, SqliteBooks, agents, attempts_of
from tests.sandbox_server import PhoneInHand, RunningSandbox
from tests.server_process import wait_until

PATIENCE = 10.0  # seconds until a wait fails
POLL = 0.02  # seconds between two looks
CODE = "account-code-of-the-story"
CDR_TOKEN = "cdr-path-token-of-the-story"

DIRECTORY = """
[policy]
timezone = "Asia/Jerusalem"
default_country = "IL"
ring_agent = "20s"
ring_lead = "30s"
max_duration = "2h"
wrap_up = "30s"
assume_call = "5m"
retry_lead = ["10m", "60m"]
expire_after = "60m"
routing = "priority"

[limits]
per_client = "100000/minute"

[guards]
cooldown = "off"

[hours.office]
sun-thu = ["09:00-18:00"]

[[sites]]
key = "main"
name = "Example Ltd"
hours = "office"
language = "en"
variables = { campaign = "spring" }

[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
priority = 1

[[agents]]
id = "yossi"
name = "Yossi Cohen"
extension = "SIPyossi2"
priority = 2
"""

# For real processes, whose clock is the real one: day and night, and an agent needs no rest.
ALWAYS_OPEN = DIRECTORY.replace('hours = "office"\n', "").replace('wrap_up = "30s"', 'wrap_up = "0s"')


class Visitor:
    """Somebody who sent the form: what they were told, what they may see, and their telephone."""

    def __init__(self, http: httpx.Client, answer: httpx.Response, phone: PhoneInHand | None) -> None:
        self._http = http
        self.answer = answer
        self.told: dict[str, Any] = answer.json()
        self._phone = phone

    @property
    def lead_id(self) -> str:
        return str(self.told["lead_id"])

    @property
    def phone(self) -> PhoneInHand:
        assert self._phone is not None, "this story has no telephones"
        return self._phone

    def looks(self) -> dict[str, Any]:
        """The status page of the request, as it is now."""
        found: dict[str, Any] = self._http.get(self.told["status_url"]).raise_for_status().json()
        return found

    def sees(self, state: str) -> dict[str, Any]:
        """Waits until the request is in that state; the whole status then."""
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.clear()
            seen.update(self.looks())
            return bool(seen["state"] == state)

        eventually(there, lambda: f"the request is {state}: {seen}")
        return seen

    def hears(self, event: str) -> dict[str, str]:
        """Waits until the request's history tells that event; the moments of all events told by then."""
        moments: dict[str, str] = {}

        def there() -> bool:
            moments.update({line["event"]: line["at"] for line in self.looks()["timeline"]})
            return event in moments

        eventually(there, lambda: f"the request's history tells {event}: {list(moments)}")
        return moments

    def cancels(self) -> httpx.Response:
        """Takes the request back."""
        return self._http.delete(self.told["status_url"])


class Story:
    """`with Story(folder) as story:`; `provider` replaces the sandbox's address, `timeout` (s) is for it.

    `starts_at` (ms) is where the clock stands at first; the sandbox's own clock is the real one, which matters to
    stories about the moments that its records tell.
    """

    def __init__(
        self,
        folder: Path,
        *,
        directory: str = DIRECTORY,
        provider: str | None = None,
        timeout: float = 8.0,
        starts_at: int = START,
    ) -> None:
        self.clock = ManualClock(starts_at)
        self.books = SqliteBooks(folder / "story.db")
        self.sandbox = RunningSandbox(code=CODE)
        self._directory = parse_directory(directory)
        self._provider = provider
        self._timeout = timeout
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE)
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="service", daemon=True)

    # ------------------------------------------------------------------------------------ what people do

    def sends_the_form(self, name: str, phone: str, **fields: str) -> Visitor:
        """A visitor asks to be called, and is promised that."""
        answer = self.post({"name": name, "phone": phone, **fields})
        assert answer.status_code == 202, answer.text
        return Visitor(self.http, answer, self.sandbox.phone(for_provider(read_phone(phone, "IL").e164)))

    def post(self, fields: dict[str, str]) -> httpx.Response:
        """What any client may send to the form's address."""
        return self.http.post("/v1/leads", json=fields)

    def phone_of(self, agent: str) -> PhoneInHand:
        """The telephone of an agent."""
        return self.sandbox.phone(self._directory.agents[agent].extension)

    def agent_does(self, who: str, /, **script: Any) -> None:
        """What an agent's telephone does by itself from now on, and how the provider answers for it."""
        self.sandbox.set_behaviour(self._directory.agents[who].extension, **script)

    def line_is_dead(self) -> None:
        """The provider tells nobody any more what is on the line."""
        self.sandbox.set_behaviour("active_calls", answer="http_error", status=503)

    def hangs_up(self, extension: str, *, force: bool = False) -> Done:
        """What an operator has ended on an extension."""

        async def end() -> Done:
            settings = self._settings
            dialler, line = open_dialler(settings, Metrics()), open_line(settings, Metrics())
            try:
                return await HangingUp(self.desk.store, dialler, line).hang_up(extension, force=force, who="operator")
            finally:
                await dialler.close()
                await line.close()

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE)

    def let_time_pass(self, seconds: float) -> None:
        """The clock of the service moves on, and the service looks at it."""
        self.clock.advance(seconds)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.desk.dispatcher.wake)

    def let_time_come(self, moment: str) -> None:
        """As `let_time_pass`, up to that moment (ISO 8601)."""
        self.let_time_pass((from_datetime(datetime.fromisoformat(moment)) - self.clock.now()) / 1000)

    # -------------------------------------------------------------------------------- what can be found out

    def requests(self, n: int) -> list[dict[str, Any]]:
        """Waits for the provider to have had `n` requests; all of them, at least `n`."""
        return self.sandbox.wait_for_requests(n, PATIENCE)

    def rung_agents(self) -> list[str]:
        """Whom the provider was asked to ring so far, first to last."""
        ids = {agent.extension: agent.id for agent in self._directory.agents.values()}
        return [ids[request["phone"]] for request in self.sandbox.requests()]

    def attempts_of(self, visitor: Visitor) -> list[Row]:
        """What is written about every try to connect this visitor."""
        return attempts_of(self.books, visitor.lead_id)

    def agent_becomes(self, agent: str, state: str) -> None:
        """Waits until the agent is in that state."""
        eventually(lambda: agents(self.books)[agent] == state, lambda: f"{agent} is {state}: {agents(self.books)}")

    def lead_is(self, visitor: Visitor) -> Row:
        """The whole row of a lead, which only operations see."""
        (row,) = self.books.rows(f"SELECT * FROM leads WHERE id = '{visitor.lead_id}'")  # noqa: S608
        return row

    def agent_becomes_by_the_provider(self, agent: str, presence: str | None) -> None:
        """Waits until the provider's account of an agent is that: busy, away, or None."""

        def known() -> Any:
            return self.books.rows(f"SELECT presence FROM agents WHERE id = '{agent}'")[0]["presence"]  # noqa: S608

        eventually(lambda: bool(known() == presence), lambda: f"{agent} is {presence}: {known()}")

    def line_is_believed(self) -> None:
        """Waits until an answer about agents and calls was believed that was asked for after this."""
        asked = len(self.sandbox.requests("active_calls"))
        self.sandbox.wait_for_requests(asked + 2, PATIENCE, "active_calls")
        eventually(lambda: bool(self.metric("leadring_presence_timestamp_seconds")), lambda: "believed")

    def nobody_is_due(self) -> bool:
        """Has the dispatcher look once more, now; whether there was nobody to dial."""
        assert self._loop is not None
        return not asyncio.run_coroutine_threadsafe(self.desk.dispatcher.round(), self._loop).result(PATIENCE)

    def explained(self, visitor: Visitor) -> Explanation:
        """What operations are told of the visitor's lead."""
        assert self._loop is not None
        looked_up = look_up(self.desk.store, self.desk.rules, visitor.lead_id)
        found = asyncio.run_coroutine_threadsafe(looked_up, self._loop).result(PATIENCE)
        assert found is not None
        return found

    def metric(self, line: str) -> float | None:
        """The value of one metric, named with its labels as the text exposition has it; None when absent."""
        return value_of(line, self.http.get("/metrics").text)

    @property
    def desk(self) -> Desk:
        assert self._server is not None
        app: Any = self._server.config.app
        desk: Desk = app.state.desk
        return desk

    # ------------------------------------------------------------------------------------------- running

    def on_the_loop(self, do: Callable[[], None]) -> None:
        """Runs `do` on the service's own thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(do)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:  # after a leap of the clock the sweeper needs a moment
                unaccounted = "leadring_leads_unaccounted"
                eventually(lambda: not self.metric(unaccounted), lambda: f"{self.metric(unaccounted)} unaccounted for")
        finally:
            self._stop()
        assert not self._thread.is_alive(), "the service did not stop"

    def _start(self) -> None:
        self.sandbox.start()
        self.sandbox.set_cdr(url=f"{self.url}/v1/voicenter/cdr/{CDR_TOKEN}")
        settings = self._settings = Settings(
            database_url=self.books.url,
            voicenter_code=SecretStr(CODE),
            voicenter_url=self._provider or self.sandbox.click2call_url,
            voicenter_monitor_url=self.sandbox.monitor_url,
            voicenter_call_log_url=self.sandbox.call_log_url,
            voicenter_cdr_token=SecretStr(CDR_TOKEN),
            voicenter_timeout=self._timeout,
        )
        app = create_app(settings, self._directory, Options(clock=self.clock, presence_apart=0.02))
        self._server = make_server(app, "127.0.0.1", 0)
        self._thread.start()
        wait_until(self._started_or_ended, PATIENCE, "the service starts")
        assert self._server.started, "the service did not start; its log says why"

    def _stop(self) -> None:
        self.sandbox.clear_behaviour()  # let go of what hangs, so that no dial holds up the end
        if self._server is not None:
            self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(PATIENCE)
        self.http.close()
        self._socket.close()
        self.sandbox.stop()

    def _started_or_ended(self) -> bool:
        return (self._server is not None and self._server.started) or not self._thread.is_alive()

    def _serve(self) -> None:
        assert self._server is not None
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve([self._socket]))


def eventually(condition: Callable[[], bool], what: Callable[[], str], seconds: float = PATIENCE) -> None:
    """Polls until the condition holds; AssertionError that says how things are instead."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what()}"
        time.sleep(POLL)  # not shorter: looking costs the service work, too


def value_of(line: str, exposition: str) -> float | None:
    """The value of one line of metrics, by its name with labels; None when there is no such line."""
    for text in exposition.splitlines():
        name, _, value = text.rpartition(" ")
        if name == line:
            return float(value)
    return None
