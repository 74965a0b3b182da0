"""Every way a request can fail has a class, and only a failure that provably came first may be sent again."""

from __future__ import annotations

import socket
import ssl
import sys
from typing import Literal

import httpcore
import httpx
import pytest

from app.ports import NotSent, Unknown
from app.voicenter.exceptions import TABLE, Progress, verdict

Stage = Literal["nothing", "connecting", "sent"]


LIBRARIES = ("httpx", "httpcore")
PYTHONS = {TimeoutError, OSError, ssl.SSLError}


def raised_by(library: str) -> set[type[Exception]]:
    """Every exception class of a library: all that its loaded modules hold, and all subclasses of those."""
    waiting: list[type] = [
        value
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == library
        for value in list(vars(module).values())
        if isinstance(value, type)
    ]
    found: set[type[Exception]] = set()
    while waiting:
        kind = waiting.pop()
        if issubclass(kind, Exception) and kind not in found and kind.__module__.partition(".")[0] == library:
            found.add(kind)
            waiting.extend(kind.__subclasses__())
    return found


KNOWN = sorted((kind for library in LIBRARIES for kind in raised_by(library)), key=repr)


def family(kind: type[OSError]) -> set[type[OSError]]:
    """A class of Python's own modules and all of its subclasses there."""
    below = [family(each) for each in kind.__subclasses__() if each.__module__ in ("builtins", "ssl", "socket")]
    return {kind}.union(*below)


OS_ERRORS = sorted(family(OSError), key=repr)


async def progress(stage: Stage) -> Progress:
    seen = Progress(on_written=lambda: None)
    if stage != "nothing":
        await seen("connection.connect_tcp.started", {})
    if stage == "sent":
        await seen("http11.send_request_headers.started", {})
    return seen


def failure(kind: type[Exception]) -> Exception:
    """An instance, made without the class's own arguments."""
    made = kind.__new__(kind)
    made.args = ("words",)
    return made


def test_the_table_names_every_exception_class_of_httpx_and_what_it_is_built_on_and_no_other() -> None:
    assert set(KNOWN) | PYTHONS == set(TABLE)


def test_the_walk_over_the_classes_finds_them() -> None:
    """Were the walk to find nothing, the table could not be incomplete."""
    exported = {
        kind
        for library in (httpx, httpcore)
        for name in library.__all__
        if isinstance(kind := getattr(library, name), type) and issubclass(kind, Exception)
    }
    assert len(exported) > 40
    assert exported <= set(KNOWN)
    assert {TimeoutError, ConnectionResetError, ssl.SSLCertVerificationError, socket.gaierror} <= set(OS_ERRORS)


def test_a_class_that_a_new_version_adds_would_be_missed_in_the_table() -> None:
    added = type("BrandNewError", (httpx.RequestError,), {"__module__": "httpx._exceptions"})
    assert added in raised_by("httpx")
    assert added not in TABLE


@pytest.mark.parametrize("kind", KNOWN, ids=repr)
async def test_after_the_request_left_every_failure_is_unknown(kind: type[Exception]) -> None:
    assert isinstance(verdict(failure(kind), await progress("sent")), Unknown)


@pytest.mark.parametrize("kind", KNOWN, ids=repr)
async def test_before_it_left_trace_and_table_must_agree(kind: type[Exception]) -> None:
    expected = NotSent if TABLE[kind] == "not_sent" else Unknown
    assert isinstance(verdict(failure(kind), await progress("connecting")), expected)


def test_what_httpx_is_built_on_has_the_word_of_its_translation() -> None:
    for kind in raised_by("httpcore") - {httpcore.ConnectionNotAvailable}:
        assert TABLE[kind] == TABLE[getattr(httpx, kind.__name__)]


def test_only_failures_to_connect_may_be_sent_again() -> None:
    assert {kind for kind, word in TABLE.items() if word == "not_sent"} == {
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
        httpx.InvalidURL,
        httpcore.ConnectError,
        httpcore.ConnectTimeout,
        httpcore.PoolTimeout,
        httpcore.UnsupportedProtocol,
    }


@pytest.mark.parametrize("kind", OS_ERRORS, ids=repr)
@pytest.mark.parametrize(("stage", "expected"), [("nothing", Unknown), ("connecting", NotSent), ("sent", Unknown)])
async def test_our_deadline_and_the_systems_errors_are_not_sent_only_when_seen_to_strike_while_connecting(
    kind: type[OSError], stage: Stage, expected: type
) -> None:
    assert isinstance(verdict(failure(kind), await progress(stage)), expected)


@pytest.mark.parametrize("stage", ["nothing", "connecting", "sent"])
async def test_a_mistake_of_our_own_is_unknown(stage: Stage) -> None:
    assert isinstance(verdict(KeyError("x"), await progress(stage)), Unknown)


async def test_a_class_httpx_adds_later_has_its_parents_word() -> None:
    class NewReadError(httpx.ReadError):
        pass

    assert isinstance(verdict(NewReadError("x"), await progress("connecting")), Unknown)


async def test_an_event_of_a_new_name_counts_as_sent() -> None:
    seen = await progress("connecting")
    await seen("http1.send_head.started", {})
    assert seen.sent
    assert isinstance(verdict(TimeoutError(), seen), Unknown)


async def test_connecting_is_not_sending_and_written_is_told_once() -> None:
    told: list[str] = []
    seen = Progress(on_written=lambda: told.append(f"written, sent: {seen.sent}"))
    for event in (
        "connection.connect_tcp.started",
        "connection.connect_tcp.complete",
        "connection.start_tls.started",
        "connection.start_tls.complete",
    ):
        await seen(event, {})
    assert seen.connecting
    assert not seen.sent
    for step in ("send_request_headers", "send_request_body", "receive_response_headers"):
        await seen(f"http11.{step}.started", {})
        await seen(f"http11.{step}.complete", {})
    assert told == ["written, sent: True"]


async def test_the_words_of_a_failure_carry_no_secret() -> None:
    answer = verdict(
        httpx.ConnectError("no way to the-code at 0501234567"), await progress("connecting"), ("the-code",)
    )
    assert isinstance(answer, NotSent)
    assert answer.why == "ConnectError before the request left: no way to *** at ***"
