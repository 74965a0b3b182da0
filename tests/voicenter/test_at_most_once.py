"""The experiment: servers that cut, hang, refuse and lie get a request at most once, and its class is right."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import uvloop

from app.ports import CallRequest, NotSent, Placed, Refused, Unknown
from app.voicenter.answer import MAX_BYTES
from tests.voicenter.asking import METHODS, Client, Method, ask, place_at
from tests.voicenter.raw_server import ACCEPTED, PATIENCE, Peer, answer_all, http, raw_server


@METHODS
async def test_a_server_that_reads_the_request_and_cuts_got_it_once(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def cut(peer: Peer) -> None:
        await peer.request()
        peer.abort()

    answer, server = await place_at(cut, client, call, method=method)
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


@METHODS
async def test_a_server_that_reads_the_request_and_closes_politely_got_it_once(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def leave(peer: Peer) -> None:
        await peer.request()

    answer, server = await place_at(leave, client, call, method=method)
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


@METHODS
async def test_a_server_that_cuts_the_connection_unread_leaves_it_unknown(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def slam(peer: Peer) -> None:
        peer.abort()

    answer, server = await place_at(slam, client, call, method=method)
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (0, 1)


@METHODS
async def test_a_kept_connection_the_server_has_closed_is_seen_and_not_used(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))

    async with raw_server(once) as server:
        dialler = client(server.url, method=method)
        first = await dialler.place(call)
        await asyncio.wait_for(server.ended.wait(), PATIENCE)  # its end of the connection is closed now
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (len(server.requests), len(server.peers)) == (2, 2)


@METHODS
async def test_a_kept_connection_that_breaks_under_the_request_is_not_tried_again(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def once_then_cut(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))
        await peer.request()
        peer.abort()

    async with raw_server(once_then_cut) as server:
        dialler = client(server.url, method=method)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Unknown)
    assert (len(server.requests), len(server.peers)) == (2, 1)


@METHODS
async def test_a_kept_connection_cut_at_the_first_byte_is_not_tried_again(
    client: Client, call: CallRequest, method: Method
) -> None:
    """The race that a look at the socket cannot see: the server lets go just as the request comes in."""

    async def once_then_slam(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))
        await peer.first_byte()
        peer.abort()

    async with raw_server(once_then_slam) as server:
        dialler = client(server.url, method=method)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


@METHODS
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", http(ACCEPTED)[:-3]])
async def test_a_server_that_hangs_is_left_at_the_deadline(
    client: Client, call: CallRequest, method: Method, said: bytes
) -> None:
    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.send(said)
        await peer.until_gone()

    async with raw_server(hang) as server:
        answer = await ask(client(server.url, method=method, timeout=0.2), call)
        await asyncio.wait_for(server.gone.wait(), PATIENCE)  # and the connection is not left open
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


async def test_a_dripping_server_does_not_outlive_the_deadline(client: Client, call: CallRequest) -> None:
    """Every byte is on time for a limit per read; the whole is not."""

    async def drip(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b" ")
            await asyncio.sleep(0.01)

    answer, server = await place_at(drip, client, call, timeout=0.3)
    assert isinstance(answer, Unknown)
    assert len(server.requests) == 1


@METHODS
async def test_a_refused_port_is_not_sent(client: Client, call: CallRequest, method: Method) -> None:
    async with raw_server(answer_all) as server:
        url = server.url
    answer = await ask(client(url, method=method), call)
    assert isinstance(answer, NotSent)


@METHODS
async def test_a_name_that_does_not_resolve_is_not_sent(client: Client, call: CallRequest, method: Method) -> None:
    answer = await ask(client("http://no-such-host.invalid/x", method=method, timeout=3.0), call)
    assert isinstance(answer, NotSent)


@METHODS
@pytest.mark.parametrize(
    "experiment",
    [
        test_a_server_that_reads_the_request_and_cuts_got_it_once,
        test_a_server_that_reads_the_request_and_closes_politely_got_it_once,
        test_a_server_that_cuts_the_connection_unread_leaves_it_unknown,
        test_a_kept_connection_the_server_has_closed_is_seen_and_not_used,
        test_a_kept_connection_that_breaks_under_the_request_is_not_tried_again,
        test_a_kept_connection_cut_at_the_first_byte_is_not_tried_again,
        test_a_refused_port_is_not_sent,
    ],
    ids=lambda experiment: experiment.__name__.removeprefix("test_"),
)
def test_on_the_loop_production_runs_on(
    experiment: Callable[[Client, CallRequest, Method], Coroutine[None, None, None]],
    client: Client,
    call: CallRequest,
    method: Method,
) -> None:
    """Whether a socket looks readable depends on what the loop has read already: the same again on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(experiment(client, call, method))


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of new connections is full, so that connecting hangs."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@METHODS
async def test_a_connection_that_does_not_come_about_is_not_sent(
    client: Client, call: CallRequest, method: Method
) -> None:
    with full_port() as port:
        by_total = await ask(client(f"http://127.0.0.1:{port}/", method=method, timeout=0.2), call)
        by_connect = await ask(client(f"http://127.0.0.1:{port}/", method=method, connect_timeout=0.2), call)
    assert isinstance(by_total, NotSent)
    assert isinstance(by_connect, NotSent)
    assert "ConnectTimeout" in by_connect.why


async def test_a_tls_handshake_that_hangs_is_not_sent(
    client: Client, call: CallRequest, trusting: ssl.SSLContext
) -> None:
    async def silent(peer: Peer) -> None:
        await peer.until_gone()

    async with raw_server(silent) as server:
        url = server.url.replace("http:", "https:")
        answer = await ask(client(url, ssl_context=trusting, connect_timeout=0.2), call)
        await asyncio.wait_for(server.gone.wait(), PATIENCE)
    assert isinstance(answer, NotSent)
    assert server.requests == []


async def test_a_tls_handshake_that_is_cut_is_not_sent(
    client: Client, call: CallRequest, trusting: ssl.SSLContext
) -> None:
    async def slam(peer: Peer) -> None:
        await peer.first_byte()
        peer.abort()

    async with raw_server(slam) as server:
        answer = await ask(client(server.url.replace("http:", "https:"), ssl_context=trusting), call)
    assert isinstance(answer, NotSent)
    assert len(server.peers) == 1


async def test_over_tls_calls_are_placed_and_the_connection_is_kept(
    client: Client, call: CallRequest, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with raw_server(answer_all, server_tls) as server:
        dialler = client(server.url, ssl_context=trusting)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (len(server.requests), len(server.peers)) == (2, 1)


@pytest.mark.parametrize("cut", [False, True])
async def test_over_tls_a_closed_kept_connection_is_seen_too(
    client: Client, call: CallRequest, server_tls: ssl.SSLContext, trusting: ssl.SSLContext, cut: bool
) -> None:
    answered = asyncio.Event()

    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))
        await answered.wait()
        if cut:
            peer.abort()

    async with raw_server(once, server_tls) as server:
        dialler = client(server.url, ssl_context=trusting)
        first = await dialler.place(call)
        answered.set()
        await asyncio.wait_for(server.ended.wait(), PATIENCE)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (len(server.requests), len(server.peers)) == (2, 2)


async def test_a_certificate_nobody_vouches_for_is_not_sent_and_said(
    client: Client, call: CallRequest, server_tls: ssl.SSLContext
) -> None:
    answer, server = await place_at(answer_all, client, call, server_tls)
    assert isinstance(answer, NotSent)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.why
    assert server.requests == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_an_answer_that_is_no_http_is_unknown(client: Client, call: CallRequest, garbage: bytes) -> None:
    async def lie(peer: Peer) -> None:
        await peer.request()
        await peer.send(garbage)

    answer, server = await place_at(lie, client, call)
    assert isinstance(answer, Unknown)
    assert len(server.requests) == 1


async def test_an_endless_answer_is_left_at_the_cap(client: Client, call: CallRequest) -> None:
    async def flood(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + ACCEPTED)
        while True:
            await peer.send(b" " * MAX_BYTES)

    async with raw_server(flood) as server:
        answer = await ask(client(server.url), call)
        await asyncio.wait_for(server.ended.wait(), PATIENCE)
    assert isinstance(answer, Unknown)
    assert "64 KiB" in answer.why


async def test_an_answer_cut_before_its_announced_length_is_unknown(client: Client, call: CallRequest) -> None:
    async def short(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + ACCEPTED)

    answer, _ = await place_at(short, client, call)
    assert isinstance(answer, Unknown)


async def test_a_refusal_is_read_from_the_wire(client: Client, call: CallRequest) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(b'{"ERRORCODE": 3, "ERRORMESSAGE": "offline", "CALLID": ""}', 200))

    answer, _ = await place_at(refuse, client, call)
    assert answer == Refused(3, "offline", "agent_offline")


async def test_a_number_the_provider_has_no_spelling_for_is_not_sent(client: Client, call: CallRequest) -> None:
    answer, server = await place_at(answer_all, client, replace(call, lead_phone="nonsense"))
    assert isinstance(answer, NotSent)
    assert "nonsense" not in answer.why
    assert server.peers == []


async def test_cancelling_passes_through_and_closes_the_connection(client: Client, call: CallRequest) -> None:
    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.until_gone()

    async with raw_server(hang) as server:
        dialler = client(server.url)
        task = asyncio.create_task(dialler.place(call))
        await asyncio.wait_for(server.arrived.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.gone.wait(), PATIENCE)
        await dialler.close()
    assert len(server.requests) == 1
