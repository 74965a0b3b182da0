"""Read-only questions to the provider's other APIs: POST-JSON out, one object back, in bounded time and size.

Active calls, roster and call log are asked alike (facts 3.1, 3.2, 4). They ring nobody, so a failure needs no
class here, only words for the person who has to mend it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from app.voicenter import body as bodies
from app.voicenter.cdr_values import text
from app.voicenter.transport import Transport
from app.voicenter.wording import short

# What a shut door most often means (facts 1.1 and 4).
HINT: Final = " (is this server's address on the account's allow-list, and the account code right?)"
SHUT: Final = frozenset({401, 403})


class UnansweredError(Exception):
    """Nothing was learned. `reason` may hold anything the provider wrote, unless it is our `own` sentence.

    `shut`: we were not let in.
    """

    def __init__(self, reason: str, *, shut: bool = False, own: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.own = own
        self.shut = shut


@dataclass(frozen=True, slots=True)
class Reply:
    """A readable answer: HTTP status, and fields by lower-case name."""

    status: int
    fields: Mapping[str, Any]


class Questions:
    """One read-only API. `seconds` bound one question, `max_bytes` its answer. httpx.InvalidURL when `url` is none."""

    def __init__(
        self,
        *,
        url: str,
        code: str,
        version: str,
        seconds: float,
        max_bytes: int,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = httpx.URL(url)
        self._code = code
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._headers = {
            "User-Agent": f"leadring/{version}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # a compressed answer could unfold beyond any cap
            "Content-Type": "application/json",
        }
        self._transport = Transport(max_bytes=max_bytes, ssl_context=ssl_context)

    async def ask(self, **parameters: object) -> Reply:
        """The answer to these parameters and the account's code. UnansweredError when there is none to read."""
        try:
            content = json.dumps({"code": self._code, **parameters}).encode("ascii")
            request = httpx.Request("POST", self._url, headers=self._headers, content=content)
            async with asyncio.timeout(self._seconds):
                answer = await self._transport.exchange(request)
        except TimeoutError:
            raise UnansweredError(f"no answer within {self._seconds:g} seconds", own=True) from None
        except Exception as error:  # noqa: BLE001 - whatever fails, the service goes on without
            raise UnansweredError(f"{type(error).__name__}: {error}".removesuffix(": ")) from None
        if answer.truncated:
            raise UnansweredError(f"HTTP {answer.status}: the answer is larger than {self._max_bytes >> 20} MiB")
        return self._read(answer.status, bodies.decode(answer.body))

    def told(self, error: UnansweredError) -> str:
        """The error in words for a log line and a page: short, without the account code and phones."""
        # An account code that is an ordinary word would make our own sentences unreadable.
        reason = error.reason if error.own else short(error.reason, (self._code,))
        return reason + (HINT if error.shut else "")

    async def close(self) -> None:
        """Close idle connections; the object is not used afterwards."""
        await self._transport.close()

    def _read(self, status: int, text: str) -> Reply:
        try:
            value = bodies.read(text, strict=False)
        except bodies.UnreadableError:
            value = None
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            return Reply(status, bodies.lowered(value))
        what = f": {'not readable: ' if status == 200 else ''}{text}" if text.strip() else " with an empty answer"
        raise UnansweredError(f"HTTP {status}{what}", shut=status in SHUT)


def said(fields: Mapping[str, Any], name: str) -> str:
    """The text of a field, "" when it has none."""
    return text(fields.get(name)) or ""
