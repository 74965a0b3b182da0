"""The lean HTTP client of the load generator: keep-alive connections, one request at a time on each.

Several replicas get their requests in turn, as a proxy in front of them would hand them out.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import NamedTuple, cast

PATIENCE = 30.0  # seconds after which an answer counts as missing


class Reply(NamedTuple):
    """Status, body, and when its last byte arrived (monotonic seconds)."""

    status: int
    body: bytes
    at: float


class Connection(asyncio.Protocol):
    """One keep-alive connection. Understands answers with a content length, as the service sends them."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiter: asyncio.Future[Reply] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has another ancestry

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        """Send; the future is the answer, or ConnectionError."""
        assert self._transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        length = int(rest.partition(b"\r\n")[0]) if found else 0
        if len(body) < length:
            return
        self._buffer = b""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(Reply(int(head[9:12]), body, time.monotonic()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionError("the connection was closed before an answer"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Pool:
    """Connections to one port or, in turn, to several; made when needed and used last in, first out."""

    def __init__(self, *ports: int) -> None:
        self._turns = itertools.cycle(ports)
        self._idle: dict[int, list[Connection]] = {port: [] for port in ports}
        self._all: list[Connection] = []

    async def warm(self, many: int) -> None:
        """Open `many` connections, spread over the ports."""
        for _ in range(many):
            port = next(self._turns)
            self._idle[port].append(await self._connect(port))

    async def ask(self, request: bytes) -> Reply:
        """The answer to `request`; ConnectionError or TimeoutError when there is none."""
        port = next(self._turns)
        idle = self._idle[port]
        while idle:
            connection = idle.pop()
            if connection.open:
                break
        else:
            connection = await self._connect(port)
        async with asyncio.timeout(PATIENCE):
            reply = await connection.ask(request)
        idle.append(connection)
        return reply

    async def _connect(self, port: int) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        self._all.append(connection)
        return connection

    def close(self) -> None:
        """Close every connection."""
        for connection in self._all:
            connection.close()
        self._all.clear()
        for idle in self._idle.values():
            idle.clear()


def request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """An HTTP/1.1 request as bytes; `headers` are whole lines."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
