"""Whatever bytes the provider sends, asked or unasked: no crash, no second call, no lead without a state.

The whole service runs in this loop, with its real client and SQLite, against a socket that plays the bytes. What
is taken for a provider's "no" is judged here by other means than the service's own reader: another call
is allowed only after an answer in whose bytes ERRORCODE 2, 3 or 4 can be seen at all.
LEADRING_TEST_EXAMPLES sets how many examples each test plays, at random then.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import itertools
import json
import logging
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import httpx
import pytest
import structlog
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from app.directory import parse_directory
from app.domain.breaker import JITTER, LONGEST_WAIT
from app.domain.states import ATTEMPT_OVER, LEAD_FINAL
from app.log import configure_logging, secrets_of
from app.main import Options, create_app
from app.service.sweeper import Sweeper
from app.web.desk import Desk
from tests.clocks import ManualClock
from tests.store.engines import sqlite_template
from tests.web.service import CDR_TOKEN, CODE, GOOD, copy_of, lifespan, settings_for

__all__ = ["sqlite_template"]

PATIENCE = 10.0  # seconds until what a test waits for is taken never to come
KEPT = 0.03  # seconds a kept connection is left open for the next request
HOUR = 3600.0
DIRECTORY = """
[policy]
retry_lead = []
assume_call = "5m"
wrap_up = "0s"
[limits]
per_client = "100000/minute"
[guards]
cooldown = { mode = "off" }
calls = { mode = "off" }
[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
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
_MANY = os.environ.get("LEADRING_TEST_EXAMPLES")
ANY = settings(
    max_examples=int(_MANY or 150),
    deadline=None,
    derandomize=_MANY is None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# ------------------------------------------------------------------------------------------- what is said


CALL_ID = "20240601abc123def456"
When = Literal["asked", "at once", "half asked"]
End = Literal["close", "reset", "keep", "hang"]
WHEN: list[When] = ["asked", "asked", "asked", "asked", "at once", "half asked"]
END: list[End] = ["close", "close", "reset", "keep"]


@dataclass(frozen=True)
class Said:
    """One answer: its bytes on the wire, and `told`, what a reader who forgives everything might see in them."""

    wire: bytes
    told: tuple[bytes, ...] = ()
    when: When = "asked"
    end: End = "close"

    @property
    def keeps(self) -> bool:
        """Whether the connection stays open for another request; not with half of this one still to come."""
        return self.end == "keep" and self.when != "half asked"

    @property
    def may_be_a_no(self) -> bool:
        """Whether somebody might see a refusal in it after which another call is right."""
        return any(_no(text.replace(b"\0", b"").upper()) for text in self.told)


def _no(text: bytes) -> bool:
    """Codes 2, 3 and 4, and not the id of a call beside them."""
    code = re.search(rb"ERRORCODE[^0-9]{0,80}0*[234](?![0-9])", text)
    return code is not None and re.search(rb"CALLID[^0-9]{0,80}" + CALL_ID.encode().upper(), text) is None


def framed(body: bytes, status: bytes = b"HTTP/1.1 200 OK", *headers: bytes) -> bytes:
    """A whole answer that is what it says."""
    head = b"\r\n".join([status, b"Content-Length: %d" % len(body), *headers])
    return head + b"\r\n\r\n" + body


CODES: list[Any] = [
    0,
    0,
    0,
    1,
    2,
    3,
    4,
    5,
    99,
    -1,
    "0",
    "3",
    " 4 ",
    3.0,
    0.5,
    True,
    None,
    [],
    {},
    10**30,
    float("inf"),
    "٣",
    "",
]
CALL_IDS: list[Any] = [CALL_ID, CALL_ID, "", None, 0, 12, "x" * 200, CODE, "a\nb", "\u202e", {"a": 1}, [], "\x00"]
WORDS: list[Any] = [
    "OK",
    "",
    "Application error",
    CODE,
    f"bad code {CODE}",
    "שגיאה",
    "x" * 70_000,
    "\ud800",
    "<b>",
    None,
    7,
]
KEYS = [
    ("ERRORCODE", "ERRORMESSAGE", "CALLID"),
    ("ERRORCODE", "ERRORMESSAGE", "CALLID"),
    ("errorcode", "errormessage", "callid"),
    (" ErrorCode", "ErrorMessage ", "CallID"),
    ("ERRORCODE", "ERRORCODE", "CALLID"),
    ("ERROR", "MESSAGE", "ID"),
]
STRUCT = "<methodResponse><params><param><value><struct>{}</struct></value></param></params></methodResponse>"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "0">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
STRANGE: Final = [
    b"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00" * 100,
    b"<html><body>Service unavailable</body></html>",
    b"[" * 30_000,
    b'{"a":' * 10_000,
    b"<a>" * 10_000,
    b"<a>" * 5_000 + b"</a>" * 5_000,
    b'"' + b"\\u0000" * 50 + b'"',
    b"1" * 10_000,
    b"NaN",
    b'{"ERRORCODE": 3, "ERRORCODE": 0, "CALLID": "x"}',
    BOMB.encode() + STRUCT.format("<member><name>ERRORCODE</name><value>&a9;</value></member>").encode(),
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
]


@st.composite
def _fields(draw: st.DrawFn) -> list[tuple[str, Any]]:
    keys = draw(st.sampled_from(KEYS))
    values = [draw(st.sampled_from(CODES)), draw(st.sampled_from(WORDS)), draw(st.sampled_from(CALL_IDS))]
    fields = list(zip(keys, values, strict=True))
    return draw(st.permutations(fields))[: draw(st.sampled_from([3, 3, 3, 2, 1]))]


def _as_json(fields: list[tuple[str, Any]]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields) + "}"


def _as_xml(fields: list[tuple[str, Any]]) -> str:
    return STRUCT.format(
        "".join(f"<member><name>{key}</name><value><string>{value}</string></value></member>" for key, value in fields)
    )


WRAPPINGS = [_as_json, _as_json, _as_xml, lambda f: f"[{_as_json(f)}]", lambda f: json.dumps(_as_json(f))]
ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1255", "latin-1"]


@st.composite
def _damaged(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """Mostly as it is; else cut short, with bytes put in or taken out, or twice."""
    text = draw(texts)
    at = draw(st.integers(0, max(0, len(text) - 1)))
    match draw(st.sampled_from(["no"] * 9 + ["cut", "in", "out", "twice"])):
        case "cut":
            return text[:at]
        case "in":
            return text[:at] + draw(st.binary(min_size=1, max_size=4)) + text[at:]
        case "out":
            return text[:at] + text[at + 1 :]
        case "twice":
            return text + text
    return text


@st.composite
def _written(draw: st.DrawFn) -> bytes:
    text: str = draw(st.sampled_from(WRAPPINGS))(draw(_fields()))
    return text.encode(draw(st.sampled_from(ENCODINGS)), "replace")


BODIES = _damaged(
    st.one_of(_written(), _written(), _written(), _written(), st.sampled_from(STRANGE), st.binary(max_size=300))
)
STATUS_LINES = [
    *[b"HTTP/1.1 %d Whatever" % status for status in (200, 201, 204, 206, 301, 302, 307, 304, 400, 401)],
    *[b"HTTP/1.1 %d Whatever" % status for status in (403, 404, 408, 413, 425, 429, 500, 502, 503, 504, 599, 999, 100)],
    *(b"HTTP/1.0 200 OK", b"HTTP/2 200", b"HTTP/1.1 20", b"HTTP/1.1 abc", b"ICY 200 OK", b"", b"\x16\x03\x01\x02"),
    b"HTTP/1.1 200 " + b"O" * 70_000,
    "HTTP/1.1 200 בסדר".encode(),
]
HEADERS = [
    b"Content-Type: application/json; charset=utf-7",
    b"Content-Type: text/xml",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br, deflate",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 5",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: five",
    b"Location: /ForwardDialer/click2call.aspx",
    b"Retry-After: 0",
    b"WWW-Authenticate: Basic",
    b"Set-Cookie: a=b",
    b"Connection: close",
    b"Connection: upgrade\r\nUpgrade: websocket",
    b"Keep-Alive: timeout=99999999999999999999999",
    b"X: " + b"y" * 120_000,
    b"no colon",
    b": no name",
    b" folded",
    b"X: \x00\x01\xff",
    b"X\xff: y",
]


FRAMINGS = [*["right"] * 6, "chunked", "chunked", "gzip", "no length", "no length", "lie", "bad chunk", "raw"]


@st.composite
def _on_the_wire(draw: st.DrawFn, body: bytes) -> bytes:
    status = draw(st.one_of(st.just(b"HTTP/1.1 200 OK"), st.sampled_from(STATUS_LINES)))
    headers = draw(st.one_of(st.just([]), st.lists(st.sampled_from(HEADERS), max_size=2)))
    match draw(st.sampled_from(FRAMINGS)):
        case "right":
            return framed(body, status, *headers)
        case "gzip":
            return framed(gzip.compress(body), status, b"Content-Encoding: gzip", *headers)
        case "chunked":
            cut = draw(st.integers(0, len(body)))
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
            return b"\r\n".join([status, b"Transfer-Encoding: chunked", *headers, b"", chunks + b"0\r\n\r\n"])
        case "bad chunk":
            size = draw(st.sampled_from([b"ffffffffffffffff", b"-1", b"zz", b"", b"3;" + b"e" * 20_000, b"5"]))
            return b"\r\n".join([status, b"Transfer-Encoding: chunked", *headers, b"", size, body])
        case "no length":
            return b"\r\n".join([status, *headers, b"", body])
        case "lie":
            length = draw(st.integers(0, 2 * len(body) + 5))
            return b"\r\n".join([status, b"Content-Length: %d" % length, *headers, b"", body])
    return body


@st.composite
def _answers(draw: st.DrawFn) -> Said:
    bodies = [draw(BODIES) for _ in range(draw(st.sampled_from([1, 1, 1, 2])))]
    wire = b"".join([draw(_on_the_wire(body)) for body in bodies])
    told = draw(_damaged(st.just(wire)))
    return Said(told, (*bodies, told), draw(st.sampled_from(WHEN)), draw(st.sampled_from(END)))


# What a provider says as long as it works, where most of the right second calls are from; and a refusal that has
# the id of a call, after which there is none.
SENSIBLE = st.sampled_from(
    [
        Said(framed(body), (body,))
        for code, call in [(0, CALL_ID), (1, ""), (2, ""), (3, ""), (4, ""), (2, CALL_ID), (3, CALL_ID), (4, CALL_ID)]
        for body in [_as_json([("ERRORCODE", code), ("CALLID", call)]).encode()]
    ]
)
ANSWERS = st.lists(st.one_of(_answers(), _answers(), SENSIBLE), min_size=1, max_size=3)

# ---------------------------------------------------------------------------------------------- the rig


class Provider:
    """A socket that plays what `next` says, request by request (the last again and again), and counts."""

    def __init__(self) -> None:
        self.next: list[Said] = []
        self.call = b"000000"  # what stands in an answer for @CALL@
        self.asked = 0  # requests since `next` was set, whole or not
        self.attempts: dict[str, int] = defaultdict(int)  # requests by attempt id, ever
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    async def start(self) -> tuple[str, str]:
        """The addresses for calls and for the roster, which alone is always answered well."""
        return await self._listen(self._connected), await self._listen(_roster)

    async def _listen(self, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> str:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**20)
        self._servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ForwardDialer/click2call.aspx"

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        await self._hang_up()

    async def play(self, answers: list[Said]) -> None:
        """From now on, for somebody else: on connections of their own."""
        await self._hang_up()
        self.next, self.asked = answers, 0
        self.call = b"%06d" % (int(self.call) + 1)

    async def _hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                wait = PATIENCE
                try:
                    while (await self._answer(reader, writer, wait)).keeps:
                        wait = KEPT
                except TimeoutError:
                    # Closed from here; but a request may just have come, and then the provider has had it.
                    writer.write_eof()
                    late = await reader.read(1)
                    self.asked += len(late)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> Said:
        """One request answered, which must begin within `wait` seconds; what was said."""
        said = self._now()
        unasked = said.when == "at once"
        if unasked:
            writer.write(self._wire(said))
        # A connection is made for a request, and a kept one on which there is a word already is not used:
        # so a request counts from its first byte on.
        first = await asyncio.wait_for(reader.readexactly(1), wait)
        if not unasked:
            said = self._now()
        self.asked += 1
        if said.when != "half asked":
            head = first + await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            fields = json.loads(await reader.readexactly(int(length[1]) if length else 0))
            self.attempts[fields["var_attempt"]] += 1
        if not unasked:
            writer.write(self._wire(said))
        await writer.drain()
        if said.end == "hang":
            await reader.read()
        if said.end == "reset":
            writer.transport.abort()
        return said

    def _now(self) -> Said:
        return self.next[min(self.asked, len(self.next) - 1)]

    def _wire(self, said: Said) -> bytes:
        return said.wire.replace(b"@CALL@", self.call)


async def _roster(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shows an open breaker that the provider is there again."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(framed(b'{"ERR": 0, "DESC": "OK", "EXTENSIONS": [{"SIP": "SIPdana1"}]}', b"HTTP/1.1 200 OK"))
        await writer.drain()
    writer.close()


class House:
    """The service with its provider; one for all examples, whose clock moves an hour with each."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._phones = itertools.count(2_000_000)
        self.clock = ManualClock()
        self.provider = Provider()
        self.log = io.StringIO()
        self.desk: Desk
        self._client: httpx.AsyncClient
        self._runner.run(self._start(database_url))

    async def _start(self, database_url: str) -> None:
        calls, roster = await self.provider.start()
        self._stack.push_async_callback(self.provider.stop)
        chosen = settings_for(database_url, voicenter_url=calls, voicenter_extensions_url=roster)
        with contextlib.redirect_stderr(self.log):
            configure_logging(form="json", secrets=secrets_of(chosen))
        app = create_app(chosen, parse_directory(DIRECTORY), Options(clock=self.clock, migrate=False))
        await self._stack.enter_async_context(lifespan(app))
        self.desk = app.state.desk
        transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=("203.0.113.9", 40000))
        self._client = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://leadring.test", timeout=PATIENCE)
        )

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------ one example

    def a_lead_comes(self, answers: list[Said]) -> Lead:
        """Somebody asks to be called, and the provider has had the request and said the first of `answers`."""
        return self._runner.run(self._lead(answers))

    async def _lead(self, answers: list[Said]) -> Lead:
        await self.provider.play(answers)
        self.clock.advance(LONGEST_WAIT * (1 + JITTER))
        phone = f"054{next(self._phones)}"
        told = await self._client.post("/v1/leads", json={"phone": phone, "site": "main"}, headers={"origin": GOOD})
        assert told.status_code == 202, told.text
        # A breaker that is open since an earlier example has had its longest wait: it lets this one through.
        await self._until(lambda: self.provider.asked > 0, "the provider was asked")
        await self._rest()
        return Lead(self, told.json()["lead_id"], told.json()["status_url"], phone, self.provider.call.decode())

    def time_passes(self, seconds: float) -> None:
        """And the service sweeps, and dials whoever is due, until nothing moves."""
        self.clock.advance(seconds)
        self._runner.run(self._rest())

    def get(self, path: str) -> httpx.Response:
        return self._runner.run(self._client.get(path))

    def post(self, path: str, body: bytes, kind: bytes) -> httpx.Response:
        return self._runner.run(self._client.post(path, content=body, headers={b"content-type": kind}))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self._runner.run(self._rows(sql))

    async def _rows(self, sql: str) -> list[dict[str, Any]]:
        engine: Any = self.desk.store.engine  # type: ignore[attr-defined]
        found: list[dict[str, Any]] = await engine.read(
            lambda conn: [dict(row._mapping) for row in conn.exec_driver_sql(sql)]
        )
        return found

    async def _rest(self) -> None:
        desk = self.desk
        sweeper = Sweeper(desk.store, desk.rules, desk.dispatcher, desk.hub, desk.metrics)
        quiet = 0
        async with asyncio.timeout(PATIENCE):
            while quiet < 2:  # once more than none: what ended in between may have made somebody due
                moved = await sweeper.sweep()
                moved += await desk.dispatcher.round()
                moved += len(await self._rows("SELECT id FROM attempts WHERE state IN ('reserved', 'sending')"))
                quiet = 0 if moved else quiet + 1
                await asyncio.sleep(0)

    async def _until(self, true: Any, what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():  # noqa: ASYNC110 - requests are counted, and each is looked at
                    await asyncio.sleep(0.002)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE:g} s: {what}") from None

    def log_since(self) -> list[dict[str, Any]]:
        """The lines written since this was last asked, as the operator gets them."""
        text = self.log.getvalue()
        self.log.seek(0)
        self.log.truncate()
        assert CODE not in text, "the account code is in the log"
        return [json.loads(line) for line in text.splitlines()]


@dataclass(frozen=True)
class Lead:
    """Somebody who asked to be called, in the service's books."""

    house: House
    id: str
    status_url: str
    phone: str
    call: str  # the provider's id of the first call

    def row(self) -> dict[str, Any]:
        (row,) = self.house.rows(f"SELECT * FROM leads WHERE id = '{self.id}'")  # noqa: S608
        return row

    def attempts(self) -> list[dict[str, Any]]:
        return self.house.rows(f"SELECT * FROM attempts WHERE lead_id = '{self.id}' ORDER BY number")  # noqa: S608

    def is_accounted_for(self) -> None:
        """It has come to an end or to a person, with a reason, and so has each attempt; no code in any wording."""
        row = self.row()
        assert row["state"] in (*LEAD_FINAL, "held"), row
        assert row["reason"] or row["state"] in ("connected", "expired"), row
        for attempt in self.attempts():
            assert attempt["state"] in ATTEMPT_OVER, attempt
            assert attempt["outcome"] or attempt["why"] or attempt["code"] is not None, attempt
            assert CODE not in (attempt["why"] or ""), attempt
        told = self.house.get(self.status_url)
        assert told.status_code == 200, told.text
        assert CODE not in told.text


@pytest.fixture(scope="module")
def house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    named = {name: logging.getLogger(name) for name in ("httpx", "httpcore", "alembic", "slowapi", "uvicorn.access")}
    before = {name: (one.level, one.disabled) for name, one in named.items()}
    try:
        with House(copy_of(sqlite_template, tmp_path_factory.mktemp("any-answer"))) as one:
            yield one
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, one_logger in named.items():
            one_logger.setLevel(before[name][0])
            one_logger.disabled = before[name][1]


def nothing_broke(house: House) -> None:
    """No line of the log tells of something nobody had thought of."""
    for line in house.log_since():
        assert "exception" not in line, line
        assert line["level"] != "critical", line
        assert not str(line["event"]).endswith("_failed"), line


def allowed_calls(answers: list[Said]) -> int:
    """One, and one more for each answer in a row that may be a refusal."""
    calls = 1
    for number in itertools.count():
        if calls > 6 or not answers[min(number, len(answers) - 1)].may_be_a_no:
            return calls
        calls += 1
    raise AssertionError


ACCEPTED = framed(b'{"ERRORCODE": 0, "ERRORMESSAGE": "OK", "CALLID": "@CALL@"}')


def no(code: int) -> Said:
    body = b'{"ERRORCODE": %d, "ERRORMESSAGE": "No", "CALLID": ""}' % code
    return Said(framed(body), (body,))


@ANY
@given(answers=ANSWERS)
@example(answers=[Said(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", end="hang")])
@example(answers=[Said(b"", end="reset")])
def test_no_answer_of_any_bytes_makes_a_second_call_a_crash_or_a_lead_without_a_state(
    house: House, answers: list[Said]
) -> None:
    lead = house.a_lead_comes(answers)
    for seconds in (0.0, 11.0, HOUR):
        house.time_passes(seconds)
        assert house.provider.asked <= allowed_calls(answers), lead.attempts()
        assert max(house.provider.attempts.values(), default=0) <= 1, "one attempt, two requests"
    lead.is_accounted_for()
    nothing_broke(house)
    for attempt in lead.attempts():
        event(attempt["state"])
    event(f"{house.provider.asked} calls")


@pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
def test_no_strange_body_either(house: House, body: bytes) -> None:
    """Those that generated examples may miss: deep nesting, entities, odd marks."""
    lead = house.a_lead_comes([Said(framed(body), (body,))])
    house.time_passes(11.0)
    assert house.provider.asked == 1
    answer = house.post(f"/v1/voicenter/cdr/{CDR_TOKEN}", body, b"application/json")
    assert answer.status_code == 200, answer.text
    house.time_passes(HOUR)
    lead.is_accounted_for()
    nothing_broke(house)


@pytest.mark.parametrize(("code", "calls"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2), (99, 1)])
def test_the_rig_sees_the_calls_that_are_right(house: House, code: int, calls: int) -> None:
    """Were the provider's calls not counted, or leads not dialled, the test above would be true of anything."""
    call = Said(ACCEPTED)
    house.a_lead_comes([call])  # lets the breaker, if another test has opened it, close
    house.time_passes(HOUR)
    lead = house.a_lead_comes([call] if code == 0 else [no(code), call])
    house.time_passes(11.0)
    assert house.provider.asked == calls == len(lead.attempts())
    house.time_passes(HOUR)
    lead.is_accounted_for()
    nothing_broke(house)


# --------------------------------------------------------------------------------------- unasked: the CDR

NAMED: dict[str, list[Any]] = {
    "ivruniqueid": ["@CALL@", "@CALL@", "another", "", None, 7],
    "OriginalIvrUniqueID": ["@CALL@", "another"],
    "type": [
        "Click2Call leg1",
        "Click2Call leg1",
        "Click2Call leg2",
        "Click2Call leg2",
        "Click 2 IVR",
        "Incoming Call",
        "",
        9,
        10,
    ],
    "status": ["ANSWER", "NOANSWER", "BUSY", "CANCEL", "NOTCALLED", "CONGESTION", "VOICEMAIL", "??", "", None, 5],
    "duration": [0, 11, -1, "11", "x", 10**30, 1e308, None],
    "dialtime": [0, 2, -5, "2"],
    "time": [1767607200, -1, 10**20, "soon"],
    "caller": ["0722776772", "@PHONE@"],
    "target": ["@PHONE@", "@PHONE@", "972501234567"],
    "callerextension": ["SIPdana1", "SIPyossi2", "nobody"],
    "targetextension": ["SIPdana1", ""],
    "leg1dialstatusname": ["ANSWER", "NOANSWER", 3],
    "record": ["https://cpanel.example/1.mp3", "javascript:alert(1)", "\x00"],
    "price": [3, "3.5", "x" * 10_000, {}],
    "CustomData": [{"var_attempt": "@ATTEMPT@"}, {"var_lead": "@LEAD@"}, '{"var_attempt": "@ATTEMPT@"}', "x", []],
    "var_attempt_id": ["@ATTEMPT@", "another"],
    "code": [CODE],
}


@st.composite
def _records(draw: st.DrawFn) -> bytes:
    names = draw(st.lists(st.sampled_from(sorted(NAMED)), max_size=len(NAMED), unique=True))
    if draw(st.integers(0, 3)):  # enough to be believed
        names = list(dict.fromkeys(["ivruniqueid", "type", "status", "duration", *names]))
    fields = [(name, draw(st.sampled_from(NAMED[name]))) for name in names]
    match draw(st.sampled_from(["json", "json", "array", "string", "form", "xml"])):
        case "array":
            text = f"[{_as_json(fields)}, {_as_json(fields[::-1])}]"
        case "string":
            text = json.dumps(_as_json(fields))
        case "form":
            text = str(httpx.QueryParams({name: str(value) for name, value in fields}))
        case "xml":
            text = _as_xml(fields).replace("methodResponse", "methodCall")
        case _:
            text = _as_json(fields)
    return text.encode(draw(st.sampled_from(ENCODINGS)), "replace")


REPORTS = _damaged(
    st.one_of(
        _records(), _records(), _records(), _records(), _records(), st.sampled_from(STRANGE), st.binary(max_size=300)
    )
)
KINDS = st.sampled_from(
    [
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"text/xml; charset=windows-1255",
        b"application/json; charset=utf-16",
        b"multipart/form-data",
        b"\xff; charset=idna",
        b"",
    ]
)
# Only a record with a status can end an attempt as missed by the agent, after which another is rung.
MISSED = re.compile(rb"(?i)status")


@ANY
@given(reports=st.lists(st.tuples(REPORTS, KINDS), min_size=1, max_size=2), once=st.booleans())
@example(reports=[(b"x" * 600_000, b"application/json")], once=True)
def test_no_report_of_any_bytes_makes_a_second_call_a_crash_or_a_lead_without_a_state(
    house: House, reports: list[tuple[bytes, bytes]], once: bool
) -> None:
    lead = house.a_lead_comes([Said(ACCEPTED)])
    (first,) = lead.attempts()
    assert first["call_id"] == lead.call
    missed = False
    for body, kind in reports:
        for name, value in (("LEAD", lead.id), ("PHONE", lead.phone), ("CALL", lead.call), ("ATTEMPT", first["id"])):
            body = body.replace(f"@{name}@".encode(), value.encode())
        missed = missed or MISSED.search(body.replace(b"\0", b"")) is not None
        for _ in range(1 if once else 2):
            answer = house.post(f"/v1/voicenter/cdr/{CDR_TOKEN}", body, kind)
            assert answer.status_code == (413 if len(body) > 512 * 1024 else 200), answer.text
    for seconds in (0.0, 11.0, HOUR):
        house.time_passes(seconds)
        if not missed:
            assert house.provider.asked == 1, "a second call that no report asked for"
        assert max(house.provider.attempts.values()) == 1, "one attempt, two requests"
        for attempt in lead.attempts()[:-1]:
            assert attempt["state"] == "ended", "another call while this one was not over"
    lead.is_accounted_for()
    nothing_broke(house)
    event(f"{lead.row()['state']} {lead.row()['reason']}, {house.provider.asked} calls")
