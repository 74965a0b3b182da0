"""Click2Call: leg 1 rings the agent's extension, and when it is answered leg 2 rings the lead.

Vendor page: "Click To Call API By Voicenter". One call of `place` is at most one request; the answer says
whether there is a call, provably none, or neither can be said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Collection
from typing import Final, Literal
from urllib.parse import quote, urlencode

import httpx

from app import faults
from app.ports import Answer, CallRequest, NotSent, Placed, Refused, Telephony, Unknown
from app.voicenter.answer import MAX_BYTES, read_answer
from app.voicenter.exceptions import Progress, verdict
from app.voicenter.parameters import Format, call_parameters
from app.voicenter.transport import MAX_IDLE, Transport

ACCEPT: Final[dict[Format, str]] = {"json": "application/json, */*;q=0.5", "xml": "text/xml, */*;q=0.5"}

log = logging.getLogger("leadring.voicenter")


class Click2Call(Telephony):
    """The provider's dialler over HTTP.

    `url` is the endpoint, `code` the account's secret. `timeout` is the total in seconds for one call; of it at
    most `connect_timeout` for the connection, and as much again for TLS. `on_request(result, seconds)` hears of
    every finished request: ok, refused, not_sent or unknown. GET is there for accounts that need it: it writes
    code and phone into URLs, which proxies log, and some proxies send a GET again by themselves. ValueError or
    httpx.InvalidURL when `url` is none.
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
        self._transport = Transport(max_bytes=MAX_BYTES, max_idle=max_idle, ssl_context=ssl_context)

    async def place(self, call: CallRequest) -> Answer:
        """Ask for one call: at most one request, within the total deadline. Raises CancelledError only."""
        started = asyncio.get_running_loop().time()
        answer = await self._ask(call)
        seconds = asyncio.get_running_loop().time() - started
        self._tell(call, answer, seconds)
        return answer

    async def close(self) -> None:
        """Close idle connections; the object is not used afterwards."""
        await self._transport.close()

    async def _ask(self, call: CallRequest) -> Answer:
        hide = self._secrets(call)
        progress = Progress(on_written=lambda: faults.point("dispatch.request_sent"))
        try:
            request = self._request(call, progress)
        except Exception as error:  # noqa: BLE001 - whatever a call cannot be written down for, nothing was sent
            return NotSent(f"the request could not be made: {type(error).__name__}")
        try:
            async with asyncio.timeout(self._timeout):
                raw = await self._transport.exchange(request)
        except Exception as error:  # noqa: BLE001 - every failure must become a class: see exceptions.py
            return verdict(error, progress, hide)
        return read_answer(raw.status, raw.body, truncated=raw.truncated, hide=hide)

    def _request(self, call: CallRequest, progress: Progress) -> httpx.Request:
        parameters = call_parameters(call, self._code, self._format)
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

    def _secrets(self, call: CallRequest) -> Collection[str]:
        return tuple(secret for secret in (self._code, call.login_code, call.lead_phone) if secret)

    def _tell(self, call: CallRequest, answer: Answer, seconds: float) -> None:
        match answer:
            case Placed(call_id):
                result = "ok"
                log.debug("attempt %s: accepted in %.3f s, call id %s", call.attempt_id, seconds, call_id)
            case Refused(code, message, rule):
                result = "refused"
                log.warning("attempt %s: refused, code %s (%s): %s", call.attempt_id, code, rule, message)
            case NotSent(why):
                result = "not_sent"
                log.warning("attempt %s: not sent after %.3f s: %s", call.attempt_id, seconds, why)
            case Unknown(why):
                result = "unknown"
                log.warning("attempt %s: unknown after %.3f s: %s", call.attempt_id, seconds, why)
        if self._on_request is not None:
            self._on_request(result, seconds)
