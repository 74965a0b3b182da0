"""Click2Call: leg 1 rings the agent's extension, and when it is answered leg 2 rings the lead; or the lead first.

Vendor page: "Click To Call API By Voicenter". One call of `place` is at most one request; the answer says
whether there is a call, provably none, or neither can be said. `hang_up` is the page's "Terminate Action".
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import httpx

from app import faults
from app.ports import Answer, CallRequest, HangsUp, HangUp, NotSent, Telephony, Unknown
from app.voicenter.answer import MAX_BYTES, read_answer, read_hang_up
from app.voicenter.exceptions import Progress, verdict
from app.voicenter.parameter_values import ParameterError
from app.voicenter.parameters import Format, call_parameters, hang_up_parameters
from app.voicenter.telling import tell
from app.voicenter.transport import MAX_IDLE, Transport

ACCEPT: Final[dict[Format, str]] = {"json": "application/json, */*;q=0.5", "xml": "text/xml, */*;q=0.5"}

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """Makes a class of what was answered."""

    def __call__(self, status: int, body: bytes, *, truncated: bool, hide: Collection[str]) -> T_co: ...


class Click2Call(Telephony, HangsUp):
    """The provider's dialler over HTTP.

    `url` is the endpoint, `code` the account's secret. `timeout` is the total in seconds for one call; of it at
    most `connect_timeout` for the connection, and as much again for TLS. `on_request(result, seconds)` hears of
    every finished call request: ok, refused, not_sent or unknown; `on_hang_up` of every one to hang up. GET is
    there for accounts that need it: it writes code and phone into URLs, which proxies log, and some proxies send
    a GET again by themselves. ValueError or httpx.InvalidURL when `url` is none.
    """

    def __init__(
        self,
        *,
        url: str,
        code: str,
        method: Literal["post", "get"] = "post",
        format: Format = "json",  # noqa: A002 - the provider's word
        timeout: float = 12.0,
        connect_timeout: float = 3.0,
        version: str,
        on_request: Callable[[str, float], None] | None = None,
        on_hang_up: Callable[[str, float], None] | None = None,
        max_idle: float = MAX_IDLE,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        address = httpx.URL(url)
        if address.scheme not in ("http", "https") or not address.host or address.fragment:
            raise ValueError("the provider's URL must be http:// or https:// with a host and no #fragment")
        self._url = url
        self._address = address  # parsed once
        self._code = code
        self._method = method
        self._format: Format = format
        self._timeout = timeout
        # httpx's own limit, below the total: struck by it, httpx closes a socket it is making TLS on; struck by
        # the total (a cancellation, to httpx) it leaves that one to the garbage collector.
        self._connect_timeout = min(connect_timeout, timeout)
        self._headers = {
            "User-Agent": f"leadring/{version}",
            "Accept": ACCEPT[format],
            "Accept-Encoding": "identity",  # a compressed answer could unfold beyond any cap
        }
        self._on_request = on_request
        self._on_hang_up = on_hang_up
        self._transport = Transport(max_bytes=MAX_BYTES, max_idle=max_idle, ssl_context=ssl_context)

    async def place(self, call: CallRequest) -> Answer:
        """Ask for one call: at most one request, within the total deadline. Raises CancelledError only."""
        started = asyncio.get_running_loop().time()
        answer = await self._ask(
            lambda: call_parameters(call, self._code, self._format),
            read_answer,
            Progress(on_written=lambda: faults.point("dispatch.request_sent")),
            [secret for secret in (self._code, call.login_code, call.lead_phone) if secret],
        )
        tell(f"attempt {call.attempt_id}", answer, asyncio.get_running_loop().time() - started, self._on_request)
        return answer

    async def hang_up(self, extension: str) -> HangUp:
        """Ask to end whatever is on `extension`: one request, within the total deadline. Raises CancelledError only."""
        started = asyncio.get_running_loop().time()
        answer = await self._ask(
            lambda: hang_up_parameters(extension, self._code, self._format),
            read_hang_up,
            Progress(on_written=lambda: None),
            [self._code],
        )
        tell("hanging up", answer, asyncio.get_running_loop().time() - started, self._on_hang_up)
        return answer

    async def close(self) -> None:
        """Close idle connections; the object is not used afterwards."""
        await self._transport.close()

    async def _ask(
        self,
        write: Callable[[], Mapping[str, str]],
        read: Reader[T],
        progress: Progress,
        hide: Collection[str],
    ) -> T | NotSent | Unknown:
        try:
            request = self._request(write(), progress)
        except ParameterError as error:
            return NotSent(f"the request could not be made: {error}", ours=True)
        except Exception as error:  # noqa: BLE001 - whatever a call cannot be written down for, nothing was sent
            return NotSent(f"the request could not be made: {type(error).__name__}", ours=True)
        try:
            async with asyncio.timeout(self._timeout):
                raw = await self._transport.exchange(request)
        except Exception as error:  # noqa: BLE001 - every failure must become a class: see exceptions.py
            return verdict(error, progress, hide)
        return read(raw.status, raw.body, truncated=raw.truncated, hide=hide)

    def _request(self, parameters: Mapping[str, str], progress: Progress) -> httpx.Request:
        extensions = {"trace": progress, "timeout": {"connect": self._connect_timeout}}
        if self._method == "get":
            url = self._url + ("&" if "?" in self._url else "?") + urlencode(parameters, quote_via=quote)
            return httpx.Request("GET", url, headers=self._headers, extensions=extensions)
        return httpx.Request(
            "POST",
            self._address,
            headers={**self._headers, "Content-Type": "application/json"},
            content=json.dumps(parameters).encode("ascii"),
            extensions=extensions,
        )
