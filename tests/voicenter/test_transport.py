"""Connections are kept warm, never for long, and never shared."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.voicenter.transport import RawAnswer, Transport
from tests.voicenter.raw_server import PATIENCE, Peer, answer_all, http, raw_server


async def ask(transport: Transport, url: str) -> RawAnswer:
    return await asyncio.wait_for(transport.exchange(httpx.Request("POST", url, content=b"{}")), PATIENCE)


async def test_a_second_request_finds_the_connection_warm() -> None:
    transport = Transport(max_bytes=1000)
    async with raw_server(answer_all) as server:
        for _ in range(3):
            assert (await ask(transport, server.url)).status == 200
        await transport.close()
    assert len(server.peers) == 1


async def test_without_idle_time_every_request_has_a_new_connection() -> None:
    transport = Transport(max_bytes=1000, max_idle=0)
    async with raw_server(answer_all) as server:
        for _ in range(3):
            await ask(transport, server.url)
        await transport.close()
    assert len(server.peers) == 3


async def test_an_idle_connection_is_closed_when_its_time_is_over() -> None:
    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(b"{}"))
        await peer.until_gone()

    transport = Transport(max_bytes=1000, max_idle=0.05)
    async with raw_server(once) as server:
        await ask(transport, server.url)
        await asyncio.wait_for(server.gone.wait(), PATIENCE)  # closed by us, unasked
        await ask(transport, server.url)
        await transport.close()
    assert len(server.peers) == 2


@pytest.mark.parametrize(
    ("header", "connections"),
    [
        (b"Keep-Alive: timeout=2, max=100", 2),
        (b"Keep-Alive: timeout=4", 2),
        (b"Keep-Alive: timeout=60", 1),
        (b"Keep-Alive: max=1", 1),
        (b"Keep-Alive: timeout=soon", 1),
        (b"Connection: close", 2),
    ],
)
async def test_a_server_that_means_to_close_sooner_is_believed(header: bytes, connections: int) -> None:
    async def twice(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(http(b"{}", 200, header))

    transport = Transport(max_bytes=1000)
    async with raw_server(twice) as server:
        for _ in range(2):
            await ask(transport, server.url)
        await transport.close()
    assert len(server.peers) == connections


async def test_a_connection_with_bytes_nobody_asked_for_is_not_used_again() -> None:
    """A late answer must not be taken for the answer to the next request."""

    async def chatty(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(b"{}"))
        await first_read.wait()
        await peer.send(http(b'"stray"'))
        stray_sent.set()
        await peer.until_gone()

    first_read, stray_sent = asyncio.Event(), asyncio.Event()
    transport = Transport(max_bytes=1000)
    async with raw_server(chatty) as server:
        await ask(transport, server.url)
        first_read.set()
        await asyncio.wait_for(stray_sent.wait(), PATIENCE)
        assert (await ask(transport, server.url)).body == b"{}"
        await transport.close()
    assert len(server.peers) == 2


@pytest.mark.parametrize(("size", "truncated"), [(999, False), (1000, False), (1001, True), (500_000, True)])
async def test_a_body_is_read_up_to_the_cap(size: int, truncated: bool) -> None:
    async def big(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(b"x" * size))
        await peer.until_gone()

    transport = Transport(max_bytes=1000)
    async with raw_server(big) as server:
        answer = await ask(transport, server.url)
        await transport.close()
    assert answer == RawAnswer(200, b"x" * min(size, 1000), truncated)


async def test_what_is_under_way_when_closing_ends_and_closes_its_own_connection() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def wait(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await go.wait()
        await peer.send(http(b"{}"))
        await peer.until_gone()

    transport = Transport(max_bytes=1000)
    async with raw_server(wait) as server:
        task = asyncio.create_task(ask(transport, server.url))
        await asyncio.wait_for(asked.wait(), PATIENCE)
        await transport.close()
        go.set()
        assert (await task).body == b"{}"
        await asyncio.wait_for(server.gone.wait(), PATIENCE)
