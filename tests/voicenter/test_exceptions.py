"""Every way httpx can fail has a class, and only a failure that provably came first may be sent again."""

from __future__ import annotations

import ssl
from typing import Literal

import httpx
import pytest

from app.ports import NotSent, Unknown
from app.voicenter.exceptions import TABLE, Progress, verdict

Stage = Literal["nothing", "connecting", "sent"]


def exported() -> set[type[Exception]]:
    """Every exception class httpx exports, and every subclass of one."""
    found: set[type[Exception]] = set()
    waiting: list[type[Exception]] = [
        kind for name in httpx.__all__ if isinstance(kind := getattr(httpx, name), type) and issubclass(kind, Exception)
    ]
    while waiting:
        kind = waiting.pop()
        if kind not in found and kind.__module__.startswith("httpx"):
            found.add(kind)
            waiting.extend(kind.__subclasses__())
    return found


EXPORTED = sorted(exported(), key=repr)


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


def test_the_table_names_every_exception_class_of_httpx_and_no_other() -> None:
    assert exported() == set(TABLE)
    assert len(exported()) > 20


@pytest.mark.parametrize("kind", EXPORTED)
async def test_after_the_request_left_every_failure_is_unknown(kind: type[Exception]) -> None:
    assert isinstance(verdict(failure(kind), await progress("sent")), Unknown)


@pytest.mark.parametrize("kind", EXPORTED)
async def test_before_it_left_trace_and_table_must_agree(kind: type[Exception]) -> None:
    expected = NotSent if TABLE[kind] == "not_sent" else Unknown
    assert isinstance(verdict(failure(kind), await progress("connecting")), expected)


def test_only_failures_to_connect_may_be_sent_again() -> None:
    assert {kind for kind, word in TABLE.items() if word == "not_sent"} == {
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
        httpx.InvalidURL,
    }


@pytest.mark.parametrize("error", [TimeoutError(), OSError(), ssl.SSLError()])
@pytest.mark.parametrize(("stage", "expected"), [("nothing", Unknown), ("connecting", NotSent), ("sent", Unknown)])
async def test_our_deadline_is_not_sent_only_when_it_was_seen_to_strike_while_connecting(
    error: Exception, stage: Stage, expected: type
) -> None:
    assert isinstance(verdict(error, await progress(stage)), expected)


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
