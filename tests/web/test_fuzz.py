"""Thousands of generated bodies, headers and bytes: no answer is ever a failure of ours, and each is one of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.problem import assert_problem
from tests.web.service import RunningService, Service, copy_of, started

PER_TEST = 600
SAME_EVERY_TIME = settings(
    max_examples=PER_TEST,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
NAMES = st.one_of(
    st.sampled_from(
        [
            "phone",
            "site",
            "name",
            "email",
            "message",
            "language",
            "consent",
            "consent_text",
            "submission_id",
            "call_at",
            "page_url",
            "referrer",
            "utm_source",
            "gclid",
            "source",
            "elapsed_ms",
            "_next",
            "_gotcha",
            "",
        ]
    ),
    ANY_TEXT,
)
LIKELY = st.sampled_from(
    [
        "054-234-5678",
        "+972542345678",
        "main",
        "hebrew",
        "nobody",
        "2026-01-05T12:30:00Z",
        "2026-02-30T25:61Z",
        "he",
        "00",
        "+",
        "tel:0542345678;ext=5",
        "https://www.example.com/x",
        "1900555555",
        "\u202e0542345678",
        "٠٥٤٢٣٤٥٦٧٨",
    ]
)
VALUES = st.recursive(
    st.one_of(LIKELY, ANY_TEXT, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(ANY_TEXT, inner, max_size=4)),
    max_leaves=5,
)
KINDS = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "application/json; charset=utf-16",
            "multipart/form-data; boundary=b; charset=idna",
        ]
    ),
    st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
PATHS = st.sampled_from(["/v1/leads", "/f/main", "/f/hebrew"])
ACCEPTS = st.sampled_from(["*/*", "text/html", "application/json"])


class Loop:
    """One service in a loop of its own, driven from tests that are not asynchronous."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self._started = started(database_url)
        self.service: Service = self._runner.run(self._started.__aenter__())
        self._client = self.service.client(raises=True)

    def ask(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> httpx.Response:
        async def ask() -> httpx.Response:
            return await self._client.request(method, path, headers=headers, content=body)

        return self._runner.run(ask())

    def close(self) -> None:
        async def close() -> None:
            await self._client.aclose()
            await self._started.__aexit__(None, None, None)

        self._runner.run(close())
        self._runner.close()


@pytest.fixture(scope="module")
def loop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    one = Loop(copy_of(sqlite_template, tmp_path_factory.mktemp("fuzz")))
    yield one
    one.close()


def judge(response: httpx.Response) -> None:
    """Never a 5xx; an error to a script is a problem in the one shape; a good answer has what the contract says."""
    assert response.status_code < 500, response.text
    if response.headers.get("content-type", "").startswith("text/html") or response.status_code in (303, 307):
        return
    if response.status_code >= 400:
        assert_problem(response, response.status_code, response.json()["code"])
    elif response.status_code == 202:
        assert list(response.json()) == ["lead_id", "outcome", "status_url", "expected_call_at", "message"]


@settings(SAME_EVERY_TIME, max_examples=1000)
@given(path=PATHS, kind=KINDS, accept=ACCEPTS, body=st.binary(max_size=400))
def test_raw_bytes(loop: Loop, path: str, kind: str, accept: str, body: bytes) -> None:
    headers = {b"content-type": kind.encode("latin-1"), b"accept": accept.encode()}
    judge(loop.ask("POST", path, headers, body))


@SAME_EVERY_TIME
@given(path=PATHS, accept=ACCEPTS, fields=st.dictionaries(NAMES, VALUES, max_size=6), likely=st.booleans())
def test_json_of_any_values(loop: Loop, path: str, accept: str, fields: dict[str, Any], likely: bool) -> None:
    if likely:
        fields = {"phone": "0542345678", "site": "nobody"} | fields
    headers = {b"content-type": b"application/json", b"accept": accept.encode()}
    judge(loop.ask("POST", path, headers, json.dumps(fields).encode()))


def form_body(pairs: list[tuple[str, str]], multipart: bool) -> bytes:
    if not multipart:
        return "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
    parts = (f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in pairs)
    return ("".join(parts) + "--b--\r\n").encode("utf-8", "surrogatepass")


@SAME_EVERY_TIME
@given(
    path=PATHS,
    accept=ACCEPTS,
    pairs=st.lists(st.tuples(NAMES, st.one_of(LIKELY, ANY_TEXT)), max_size=6),
    multipart=st.booleans(),
)
def test_forms_of_any_text(loop: Loop, path: str, accept: str, pairs: list[tuple[str, str]], multipart: bool) -> None:
    kind = b"multipart/form-data; boundary=b" if multipart else b"application/x-www-form-urlencoded"
    judge(loop.ask("POST", path, {b"content-type": kind, b"accept": accept.encode()}, form_body(pairs, multipart)))


@settings(SAME_EVERY_TIME, max_examples=300)
@given(
    name=st.sampled_from(
        [
            b"origin",
            b"host",
            b"idempotency-key",
            b"x-request-id",
            b"x-forwarded-for",
            b"accept",
            b"content-encoding",
            b"accept-language",
            b"sec-fetch-mode",
            b"content-type",
        ]
    ),
    value=st.binary(max_size=80),
)
def test_headers_of_any_bytes(loop: Loop, name: bytes, value: bytes) -> None:
    headers = {b"content-type": b"application/json", b"accept": b"*/*"} | {name: value}
    judge(loop.ask("POST", "/v1/leads", headers, b'{"phone": "0542345678", "site": "nobody"}'))


@settings(SAME_EVERY_TIME, max_examples=300)
@given(body=st.one_of(st.binary(max_size=300), VALUES.map(lambda value: json.dumps(value).encode())))
def test_call_records_of_anything(loop: Loop, body: bytes) -> None:
    response = loop.ask("POST", "/v1/voicenter/cdr/cdr-token-for-tests", {b"content-type": b"application/json"}, body)
    assert (response.status_code, response.json()) == (200, {"err": 0, "errdesc": "OK"})


def test_nothing_was_a_failure(loop: Loop) -> None:
    """What the service itself counted while all of that came in."""
    metrics = loop.service.desk.metrics.render().decode()
    counts = [line for line in metrics.splitlines() if line.startswith("http_request_duration_seconds_count")]
    assert not [line for line in counts if 'status="5' in line]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counts) >= 2000


@settings(SAME_EVERY_TIME, max_examples=60)
@given(junk=st.binary(min_size=1, max_size=200))
def test_bytes_that_are_no_http_leave_the_server_well(running: RunningService, junk: bytes) -> None:
    answer = running.say(junk + b"\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b" 500 " not in answer.split(b"\r\n")[0]


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with RunningService(copy_of(sqlite_template, tmp_path_factory.mktemp("running"))) as one:
        yield one


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n",
        b"GET /livez HTTP/1.1\r\nHost: \xff\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        b"GET /livez HTTP/1.1\r\n",
        b"GET /livez HTTP/9.9\r\nHost: x\r\n",
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: -5\r\n",
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1e3\r\n",
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Length: 3\r\n",
        b"GET " + b"/x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 80_000 + b"\r\n",
    ],
)
def test_a_strange_request_is_answered_or_dropped_and_never_a_failure(running: RunningService, raw: bytes) -> None:
    answer = running.say(raw + b"Connection: close\r\n\r\n")
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]
    assert b" 200 OK" in running.say(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def test_a_flood_in_chunks_is_cut_off_at_16_kib(running: RunningService) -> None:
    """413 comes while the body is still being sent; nobody waits for its end."""
    with running.connection() as connection:
        connection.sendall(
            b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(3):
            connection.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:100]
    assert b"application/problem+json" in answer


def test_a_declared_flood_is_refused_before_it_is_sent(running: RunningService) -> None:
    with running.connection() as connection:
        connection.sendall(
            b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_the_server_says_nothing_about_itself(running: RunningService) -> None:
    answer = running.say(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
    assert b"\r\nserver:" not in answer
    assert b"uvicorn" not in answer
