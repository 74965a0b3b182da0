"""Bytes that are no request are refused in the one shape too, and headers without an end are cut off."""

from __future__ import annotations

import contextlib

import httpx
import pytest

from app.web.connection import BESIDE_BYTES
from tests.web.conftest import Run
from tests.web.problem import assert_problem
from tests.web.service import RunningService

HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
LAST = b"Connection: close\r\n\r\n"


def answer_in(raw: bytes) -> httpx.Response:
    """The one answer that these bytes are."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1.1 "), raw[:100]
    return httpx.Response(int(first.split(" ")[1]), headers=[line.split(": ", 1) for line in lines], content=body)  # type: ignore[arg-type]


def shout(service: RunningService, words: bytes) -> httpx.Response:
    """What is heard by somebody who goes on talking after he was hung up on."""
    raw = b""
    with service.connection() as connection, contextlib.suppress(ConnectionError):
        with contextlib.suppress(ConnectionError):
            connection.sendall(words)
        while chunk := connection.recv(65536):
            raw += chunk
    return answer_in(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"canary\r\n\r\n",
        b"BREW /canary HTTP/1.1\r\nHost: x\r\n" + LAST,
        b"GET /canary HTTP/9.9\r\nHost: x\r\n" + LAST,
        b"GET /canary\xd7\x90 HTTP/1.1\r\nHost: x\r\n" + LAST,
        b"GET http://[canary HTTP/1.1\r\nHost: x\r\n" + LAST,
        HEAD + b"no canary header\r\n" + LAST,
        HEAD + b"X: canary\x01\r\n" + LAST,
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n" + LAST,
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + LAST,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS, to a port that speaks none
    ],
)
def test_what_cannot_be_parsed_hears_a_problem(run: Run, raw: bytes) -> None:
    answer = answer_in(run().say(raw))
    body = assert_problem(answer, 400, "malformed", "canary")
    assert body["type"] == "/problems/malformed"
    assert answer.headers["connection"] == "close"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_the_type_is_an_address_of_ours_where_we_know_it(run: Run) -> None:
    service = run(public_url="https://leads.example.com/")
    body = assert_problem(answer_in(service.say(b"canary\r\n\r\n")), 400, "malformed")
    assert body["type"] == "https://leads.example.com/problems/malformed"


@pytest.mark.parametrize("start", [HEAD + b"X: ", b"GET /"])
def test_a_head_without_an_end_is_cut_off(run: Run, start: bytes) -> None:
    """The parser alone would keep all of it."""
    service = run()
    assert_problem(shout(service, start + b"y" * 2_000_000), 431, "too_large", "yyy")
    assert answer_in(service.say(HEAD + LAST)).status_code == 200


def test_many_small_requests_in_a_row_are_no_large_one(run: Run) -> None:
    many = 2000
    raw = run().say((HEAD + b"\r\n") * (many - 1) + HEAD + LAST)
    assert raw.count(b"HTTP/1.1 200 OK") == many


@pytest.mark.parametrize("field", [b"X: y\r\n" * 10_000, b"X: " + b"y" * 60_000], ids=["many", "one"])
def test_fields_after_a_body_are_cut_off_too(run: Run, field: bytes) -> None:
    service = run()
    head = b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with service.connection() as connection, pytest.raises(ConnectionError):
        connection.sendall(head + field * (8 * BESIDE_BYTES // len(field)))
    assert answer_in(service.say(HEAD + LAST)).status_code == 200


def test_a_body_in_the_smallest_chunks_is_read_and_what_follows_it_is_no_header(run: Run) -> None:
    body = b'{"site": "main", "phone": "0542345678", "message": "%s"}' % (b"m" * 1500)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    head = b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    answer = answer_in(
        run().say(head + b"Connection: close\r\n\r\n" + chunks + b"0\r\nContent-Type: text/plain\r\n\r\n")
    )
    assert answer.status_code == 202
