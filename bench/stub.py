"""The stub provider: a bare HTTP/1.1 server that notes when each request arrived and says yes, or nothing at all."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self, cast


class Call(NamedTuple):
    """One request to place a call, and when its last byte arrived (monotonic seconds)."""

    at: float
    lead: str
    attempt: str
    extension: str
    target: str
    call_id: str


class Stub:
    """Answers after `delay` seconds; with `hangs` it takes requests and never answers."""

    def __init__(self, *, delay: float = 0.0, hangs: bool = False) -> None:
        self.delay = delay
        self.hangs = hangs
        self.calls: list[Call] = []
        self.connections = 0
        self.on_call: Callable[[Call], None] | None = None
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ForwardDialer/click2call.aspx"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Wire(self), "127.0.0.1", 0, backlog=2048)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for transport in list(self._transports):
            transport.abort()

    def take(self, body: bytes, transport: asyncio.Transport) -> None:
        """Note the request and answer it."""
        at = time.monotonic()
        told = json.loads(body)
        call = Call(
            at, told["var_lead"], told["var_attempt"], told["phone"], told["target"], f"bench{next(self._numbers):027d}"
        )
        self.calls.append(call)
        if self.hangs:
            return
        answer = b'{"ERRORCODE":0,"ERRORMESSAGE":"OK","CALLID":"%s"}' % call.call_id.encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._answer, transport, head + answer, call)
        else:
            self._answer(transport, head + answer, call)

    def _answer(self, transport: asyncio.Transport, answer: bytes, call: Call) -> None:
        if not transport.is_closing():
            transport.write(answer)
        if self.on_call is not None:
            self.on_call(call)

    def opened(self, transport: asyncio.Transport) -> None:
        self.connections += 1
        self._transports.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        self._transports.discard(transport)


class _Wire(asyncio.Protocol):
    """One connection: requests with a content length, one after the other."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has another ancestry
        self._stub.opened(self._transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = body[length:]
        self._stub.take(body[:length], self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        self._stub.closed(self._transport)
