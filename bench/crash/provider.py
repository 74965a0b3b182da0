"""The provider: rings, remembers it, and then answers well, late, cut, nonsense, or not at all.

It lives in the campaign's own process, so its book outlives everybody. What it does with a request is drawn from
the seed; in a good mood it only ever answers well, and everybody talks.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, cast

from bench.crash.history import Request
from bench.crash.ports import Port

TIMEOUT: Final = 2.0  # seconds the service is told to wait for an answer
# Seconds that calls last. One in six lasts longer than any lease (12 s), so that an agent who is let go too early is
# rung again while the call is still on; and none as long as an agent is rightly held without a report (world.py).
SHORT_CALL: Final = (0.3, 4.0)
LONG_CALL: Final = (8.0, 20.0)
LONG_CALLS: Final = 1 / 6
PATH: Final = "/ForwardDialer/click2call.aspx"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to treat a request: how often, and what the service hears, after `delay` seconds (least, most)."""

    weight: int
    delay: tuple[float, float] = (0.0, 0.0)
    status: int = 200
    body: str | None = '{"ERRORCODE":0,"ERRORMESSAGE":"OK","CALLID":"%s"}'  # None: nothing at all
    part: float = 1.0  # of the answer that is sent before the connection is cut
    code: int | None = None  # of a well-formed refusal: nothing rings


# Failures stay well under half of it: an open breaker would keep everybody safe and prove nothing.
KINDS: Final[Mapping[str, Kind]] = {
    "well": Kind(60),
    "slow": Kind(8, delay=(0.2, 1.4)),
    "too late": Kind(4, delay=(TIMEOUT + 0.2, TIMEOUT + 1.5)),
    "silent": Kind(2, delay=(TIMEOUT + 2, TIMEOUT + 4), body=None),
    "cut": Kind(4, body=None),
    "half": Kind(3, part=0.7),
    "junk": Kind(3, body="<html><title>Sign in</title>%s</html>"),
    "500": Kind(3, status=500, body="Server Error in '/' Application. %s"),
    "offline": Kind(4, body='{"ERRORCODE":3,"ERRORMESSAGE":"Extension is offline"}', code=3),
    "own error": Kind(3, body='{"ERRORCODE":2,"ERRORMESSAGE":"Application error"}', code=2),
}
OUTCOMES: Final[Mapping[str, int]] = {"connected": 55, "agent_no_answer": 15, "lead_no_answer": 20, "lead_busy": 10}


class Provider:
    """`async with Provider(rng, requests):`, listening on a port of its own. Every request goes into `requests`.

    `on_over` is called when a call that rang is over.
    """

    def __init__(self, rng: random.Random, requests: list[Request], world: str) -> None:
        self.good = False
        self.on_over: Callable[[Request], None] = lambda request: None
        self.connections: set[_Wire] = set()
        self._rng = rng
        self._requests = requests
        self._port = Port()
        self._server: asyncio.Server | None = None
        self._numbers = (f"{world}{number:024d}" for number in itertools.count(1))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.number}{PATH}"

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(everybody=True)
        self._port.free()

    async def refuse(self, seconds: float) -> None:
        """The door is shut for a while: whoever connects is refused. What is under way is still answered."""
        self._close(everybody=False)
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._open()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Wire(self), "127.0.0.1", self._port.number, backlog=512)

    def _close(self, *, everybody: bool) -> None:
        if self._server is not None:
            self._server.close()
        for wire in list(self.connections):
            if everybody or not wire.busy:
                wire.cut()

    # ------------------------------------------------------------------------------------------ one request

    def take(self, body: bytes, wire: _Wire) -> None:
        """Remember it, ring or not, and answer in one way or another."""
        at = time.monotonic()
        told = json.loads(body)
        name = "well" if self.good else self._draw({name: kind.weight for name, kind in KINDS.items()})
        kind = KINDS[name]
        rings = kind.code is None
        request = Request(
            at=at,
            person=told["target"],
            lead=told["var_lead"],
            attempt=told["var_attempt"],
            extension=told["phone"],
            kind=name,
            call_id=next(self._numbers),
            rung=rings,
            code=kind.code,
        )
        self._requests.append(request)
        loop = asyncio.get_running_loop()
        if rings:
            is_long = self._rng.random() < LONG_CALLS and not self.good
            lasts = self._rng.uniform(*(LONG_CALL if is_long else SHORT_CALL))
            request.outcome = "connected" if self.good else self._draw(OUTCOMES)
            request.over_at = at + lasts
            loop.call_later(lasts, self.on_over, request)
        delay = self._rng.uniform(*kind.delay)
        if delay:
            loop.call_later(delay, self._answer, kind, request, wire)
        else:
            self._answer(kind, request, wire)

    def _answer(self, kind: Kind, request: Request, wire: _Wire) -> None:
        if kind.body is None:
            wire.cut()
            return
        body = (kind.body.replace("%s", request.call_id)).encode()
        head = b"HTTP/1.1 %d Whatever\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        answer = head % (kind.status, len(body)) + body
        wire.answer(answer[: int(len(answer) * kind.part)])
        if kind.part < 1:
            wire.cut()

    def _draw(self, weights: Mapping[str, int]) -> str:
        return self._rng.choices(list(weights), list(weights.values()))[0]


class _Wire(asyncio.Protocol):
    """One connection: whole requests, one after the other. What a dying process half sent is no request."""

    def __init__(self, provider: Provider) -> None:
        self.busy = False
        self._provider = provider
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has another ancestry
        self._provider.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = body[length:]
        self.busy = True
        self._provider.take(body[:length], self)

    def answer(self, data: bytes) -> None:
        self.busy = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def cut(self) -> None:
        """Close, once what was written has left."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._provider.connections.discard(self)
