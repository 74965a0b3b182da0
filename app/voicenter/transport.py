"""How requests leave: last in, first out over connections that each carry one request at a time.

httpx's own pool scans every connection and every waiting request on each call, and a slow provider makes
exactly that crowd; so each transport here holds one connection, and two calls never share it.
docs/decisions/0002-provider-transport.md has the figures.

Using transports without httpx's client on top leaves out, by construction, redirects, cookies, proxies from
the environment, automatic authentication and logging of URLs.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

import httpx

# Below every idle limit a web server is known to ship with (Apache and Node 5 s, nginx 75 s, IIS 120 s), so a
# server does not close a connection on us in the moment we use it again.
MAX_IDLE: Final = 4.0


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Status and body of one answer; `truncated` when the body was longer than the cap."""

    status: int
    body: bytes
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Idle:
    transport: httpx.AsyncHTTPTransport
    since: float


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients of the process: making it takes some twenty milliseconds, and a megabyte."""
    return httpx.create_ssl_context(trust_env=False)


class Transport:
    """Sends a request at most once, over a warm connection when one is provably still open.

    `max_idle` is in seconds; 0 makes a new connection for every request. `max_bytes` caps an answer's body.
    """

    def __init__(
        self, *, max_bytes: int, max_idle: float = MAX_IDLE, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        # Made once: building a context reads the certificate bundle and blocks the loop for some 20 ms.
        self._ssl = ssl_context or _tls()
        self._max_bytes = max_bytes
        self._max_idle = max_idle
        self._idle: list[_Idle] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    async def exchange(self, request: httpx.Request) -> RawAnswer:
        """The answer to `request`, its body read up to the cap. httpx errors and CancelledError pass through.

        Sets no time limit of its own: httpx counts per read, so the caller's deadline is the only clock.
        """
        transport = self._idle.pop().transport if self._idle else self._new()
        reusable = False
        try:
            response = await transport.handle_async_request(request)
            try:
                body, truncated = await self._read(response)
            finally:
                await response.aclose()
            reusable = not truncated and self._keeps(response)
            return RawAnswer(response.status_code, body, truncated)
        finally:
            if reusable:
                self._put_back(transport)
            else:
                await transport.aclose()

    async def close(self) -> None:
        """Close what is idle; requests still under way close their own connection when they end."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        idle, self._idle = self._idle, []
        for item in idle:
            await item.transport.aclose()
        if self._closing:
            await asyncio.gather(*self._closing)

    def _new(self) -> httpx.AsyncHTTPTransport:
        # The timer below closes idle connections; should a busy loop let it come late, the same limit holds here.
        # httpcore closes a kept connection that is too old, or readable (closed by the server, or with bytes
        # nobody asked for), before it would send on it.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=self._max_idle)
        return httpx.AsyncHTTPTransport(verify=self._ssl, trust_env=False, http2=False, retries=0, limits=limits)

    async def _read(self, response: httpx.Response) -> tuple[bytes, bool]:
        body = bytearray()
        # aiter_raw is declared an iterator and is a generator: left at the cap, it must be closed at once.
        async with aclosing(cast(AsyncGenerator[bytes, None], response.aiter_raw())) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > self._max_bytes:
                    return bytes(body[: self._max_bytes]), True
        return bytes(body), False

    def _keeps(self, response: httpx.Response) -> bool:
        """Whether the connection may be used again: not when the server means to close it before we would."""
        if self._closed or self._max_idle <= 0:
            return False
        announced = response.headers.get("keep-alive", "").lower().partition("timeout=")[2]
        seconds = announced.partition(",")[0].strip()
        return not (seconds.isdecimal() and int(seconds[:9]) <= self._max_idle)

    def _put_back(self, transport: httpx.AsyncHTTPTransport) -> None:
        loop = asyncio.get_running_loop()
        self._idle.append(_Idle(transport, loop.time()))
        if self._timer is None:
            self._timer = loop.call_later(self._max_idle, self._drop_old)

    def _drop_old(self) -> None:
        """Close connections nobody used for `max_idle`: the bottom of the list, as use takes from its top."""
        loop = asyncio.get_running_loop()
        self._timer = None
        fresh = loop.time() - self._max_idle
        while self._idle and self._idle[0].since <= fresh:
            task = loop.create_task(self._idle.pop(0).transport.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if self._idle:
            self._timer = loop.call_later(self._idle[0].since - fresh, self._drop_old)
