"""The application under test: in this loop without sockets, or served on loopback by a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from app.directory import parse_directory
from app.errors import StorageUnavailable
from app.main import Options, create_app
from app.ports import Answer, CallRequest, Clock, Placed
from app.serving import Server, make_server
from app.settings import Settings
from app.store.sql_store import SqlStore
from app.web.desk import Desk
from tests.clocks import ManualClock

T = TypeVar("T")

CODE = "test-account-code-0451"
CDR_TOKEN = "cdr-token-for-tests"
GOOD = "https://www.example.com"
OTHER = "https://other.example.org"
EVIL = "https://evil.example"
STRANGER = "203.0.113.9"  # an address that is no trusted proxy
DEADLINE = 10.0  # seconds after which what a test waits for is taken never to come

# Monday noon in Jerusalem (tests.clocks.START) is within these hours.
DIRECTORY = """
[policy]
countries = ["IL"]
targetcallerid = "035123456"
[limits]
per_client = "100000/minute"
[guards]
cooldown = { mode = "off" }
calls = { mode = "off" }
[hours.office]
sun-thu = ["09:00-18:00"]
[hours.night]
sun-thu = ["22:00-23:00"]

[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
hours = "office"
language = "en"
[[sites]]
key = "hebrew"
name = "דוגמה בע״מ"
origins = ["https://other.example.org"]
language = "he"
telephone = "03-5123456"
thank_you_url = "https://other.example.org/thanks?from=form"
[[sites]]
key = "night"
name = "Night <&> Sons"
origins = ["https://www.example.com"]
hours = "night"
language = "en"
[[sites]]
key = "nobody"
name = "No Skill Here"
origins = ["https://www.example.com"]
skills = ["klingon"]
language = "en"
[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
[[agents]]
id = "yossi"
name = "Yossi Cohen"
extension = "SIPyossi2"
"""
ONE_SITE = """
[limits]
per_client = "100000/minute"
[guards]
cooldown = { mode = "off" }
[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
language = "en"
[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
"""


class FakeTelephony:
    """A provider that is a function from request to answer; what it was asked is in `calls`."""

    def __init__(self, answer: Callable[[CallRequest], Answer] | None = None) -> None:
        self.calls: list[CallRequest] = []
        self.answer = answer or (lambda call: Placed(f"call-{call.attempt_id}"))

    async def place(self, call: CallRequest) -> Answer:
        self.calls.append(call)
        return self.answer(call)


class Service:
    """A started application with what a test may look at."""

    def __init__(self, app: FastAPI, telephony: FakeTelephony, clock: ManualClock) -> None:
        self.app = app
        self.telephony = telephony
        self.clock = clock

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app.state.desk
        return desk

    def client(self, peer: str = STRANGER, *, raises: bool = True) -> httpx.AsyncClient:
        """A client that connects from this address; without `raises` a broken handler is its 500 answer."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=raises, client=(peer, 40000))
        return httpx.AsyncClient(transport=transport, base_url="http://leadring.test", timeout=DEADLINE)

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        """What the database holds."""
        engine: Any = self.desk.store.engine  # type: ignore[attr-defined]
        found: list[dict[str, Any]] = await engine.read(
            lambda conn: [dict(row._mapping) for row in conn.exec_driver_sql(sql)]
        )
        return found


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings that read no environment."""
    given: dict[str, Any] = {
        "database_url": database_url,
        "voicenter_code": SecretStr(CODE),
        "voicenter_cdr_token": SecretStr(CDR_TOKEN),
        "voicenter_timeout": 1.0,
        # Nobody asks the provider how calls fare: these tests push what there is to know.
        "voicenter_monitor_url": "",
        "voicenter_extensions_url": "http://127.0.0.1:9/Comet/api/GetExtensions",
        "voicenter_call_log_url": "",
    }
    return Settings(**given | changes)


def copy_of(template: Path, folder: Path) -> str:
    """The address of a fresh migrated SQLite database."""
    path = folder / f"web-{len(list(folder.glob('web-*.db')))}.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the application and stop it again, speaking ASGI to it from one task, as a server does."""
    said: asyncio.Queue[str] = asyncio.Queue()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def receive() -> dict[str, Any]:
        return {"type": await said.get()}

    async def send(message: Any) -> None:
        heard.put_nowait(message["type"] + (": " + message["message"] if message.get("message") else ""))

    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    task = asyncio.create_task(app(scope, receive, send))

    async def turn(event: str) -> None:
        said.put_nowait(f"lifespan.{event}")
        async with asyncio.timeout(DEADLINE):
            answers = asyncio.ensure_future(heard.get())
            await asyncio.wait({answers, task}, return_when=asyncio.FIRST_COMPLETED)
            if not answers.done():
                answers.cancel()
                task.result()
            answer = await answers
        assert answer == f"lifespan.{event}.complete", answer

    await turn("startup")
    try:
        yield
    finally:
        await turn("shutdown")
        await task


@contextlib.asynccontextmanager
async def started(
    database_url: str,
    *,
    toml: str = DIRECTORY,
    telephony: FakeTelephony | None = None,
    clock: ManualClock | None = None,
    static: Path | None = None,
    sandbox_url: str | None = None,
    **settings: Any,
) -> AsyncIterator[Service]:
    """A service in this loop; further keywords are settings."""
    telephony = telephony or FakeTelephony()
    clock = clock or ManualClock()
    options = Options(telephony=telephony, clock=clock, migrate=False, sandbox_url=sandbox_url)
    if static is not None:
        options = Options(telephony=telephony, clock=clock, migrate=False, static=static)
    app = create_app(settings_for(database_url, **settings), parse_directory(toml), options)
    async with lifespan(app):
        app.state.desk.intake.round_patience = DEADLINE  # a busy machine changes no answer
        yield Service(app, telephony, clock)
        if isinstance(store := app.state.desk.store, SqlStore):
            with contextlib.suppress(StorageUnavailable):  # the test took the database away
                await all_are_accounted_for(store)


class RunningService:
    """The application served by uvicorn in a thread; `url` is its address."""

    def __init__(
        self,
        database_url: str,
        *,
        toml: str = DIRECTORY,
        telephony: FakeTelephony | None = None,
        clock: Clock | None = None,
        **settings: Any,
    ) -> None:
        self.telephony = telephony or FakeTelephony()
        self.app = create_app(
            settings_for(database_url, **settings),
            parse_directory(toml),
            Options(telephony=self.telephony, clock=clock or ManualClock(), migrate=False),
        )
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: Server = make_server(self.app, "127.0.0.1", self.port)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="service", daemon=True)

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app.state.desk
        return desk

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._server.on_started = ready.set
        self._thread.start()
        if not ready.wait(DEADLINE):
            raise TimeoutError("the service did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._server.handle_exit, 15, None)
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the service did not stop"

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve([self.socket]))
        self.socket.close()

    def on_loop(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the service's own loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(make(), self._loop).result(DEADLINE)

    @contextlib.contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A plain TCP connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as connection:
            yield connection

    def say(self, words: bytes) -> bytes:
        """Send bytes as they are and give back everything until the service closes the connection."""
        with self.connection() as connection:
            connection.sendall(words)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer


async def all_are_accounted_for(store: SqlStore) -> None:
    """No lead is in a state that nobody will ever move again; after a leap of the clock the sweeper needs a moment."""
    until = asyncio.get_running_loop().time() + DEADLINE
    while lost := (await store.gauges()).unaccounted:
        assert asyncio.get_running_loop().time() < until, f"{lost} leads are unaccounted for"
        await asyncio.sleep(0.05)


async def eventually(true: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Until this holds; an AssertionError that names it after the deadline."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not true():
        assert loop.time() < until, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.005)
