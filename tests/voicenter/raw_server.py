"""A provider made of a socket: each connection follows a script, so it can cut, hang and lie at any byte."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

PATIENCE = 5.0  # seconds any wait of a test may take

ACCEPTED = b'{"ERRORCODE": 0, "ERRORMESSAGE": "OK", "CALLID": "20240601abc123def456"}'


def http(body: bytes, status: int = 200, *headers: bytes) -> bytes:
    """One whole answer with its length."""
    head = [b"HTTP/1.1 %d Whatever" % status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*head, b"", body])


class Peer:
    """One connection, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: RawServer) -> None:
        self._reader = reader
        self._writer = writer
        self._server = server
        self._socket = writer.get_extra_info("socket")
        self._aborted = False
        self.number = len(server.peers)

    async def request(self) -> bytes:
        """Reads one whole request and counts it; IncompleteReadError when the client goes away instead."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        self._server.requests.append(head + body)
        self._server.arrived.set()
        return head + body

    async def first_byte(self) -> None:
        """Waits for anything at all."""
        await self._reader.readexactly(1)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def until_gone(self) -> None:
        """Waits, without a word, for the client to close."""
        with suppress(ConnectionError):
            while await self._reader.read(4096):
                pass
        self._server.gone.set()

    def abort(self) -> None:
        """Cuts the connection with a reset."""
        self._aborted = True
        self._writer.transport.abort()

    async def close(self) -> None:
        """Closes, and says so once the client's side can see it."""
        if self._aborted:
            # asyncio tells nobody when a TLS connection that was cut is gone: look at its socket.
            while self._socket.fileno() != -1:  # noqa: ASYNC110 - nothing would set an event
                await asyncio.sleep(0)
            self._server.ended.set()
            return
        self._writer.close()
        if self._writer.get_extra_info("ssl_object") is not None:
            # Over TLS the farewell is written by now, and asyncio waits for the client's before it closes.
            self._server.ended.set()
        with suppress(ConnectionError, ssl.SSLError, TimeoutError):
            await self._writer.wait_closed()
        self._server.ended.set()


Script = Callable[[Peer], Awaitable[None]]


class RawServer:
    """What happened: every request that arrived whole, and every connection."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self.ended = asyncio.Event()  # a connection is closed from our side


@asynccontextmanager
async def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serves `script` on a free port of 127.0.0.1; `url` ends in the provider's path."""
    seen = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    async def follow(peer: Peer) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await script(peer)
        finally:
            await peer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, seen)
        seen.peers.append(peer)
        task = asyncio.get_running_loop().create_task(follow(peer))
        tasks.add(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/ForwardDialer/click2call.aspx"
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def answer_all(peer: Peer) -> None:
    """Accepts every request on a connection that stays open."""
    while True:
        await peer.request()
        await peer.send(http(ACCEPTED))
