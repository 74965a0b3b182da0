"""Active calls (`GetExtensionsCalls`): what is on the line right now, asked read-only.

Shape and values: facts 3.2 (vendor's Active Calls page and Voicenter's own repositories). What a click-to-call
leg looks like there is not documented; read defensively: Ringing is the agent's phone, Dialing is the lead's,
Talking is a conversation, and anything else says nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable
from typing import Any, Final, Literal

import httpx

from app.ports import LiveCall, Presence
from app.voicenter import body
from app.voicenter.cdr_values import call_id, text
from app.voicenter.transport import Transport

Phase = Literal["agent_ringing", "lead_ringing", "talking"]

SECONDS: Final = 5.0
MAX_BYTES: Final = 4 * 1024 * 1024  # several hundred extensions
PHASES: Final[dict[str, Phase]] = {"ringing": "agent_ringing", "dialing": "lead_ringing", "talking": "talking"}

log = logging.getLogger("leadring.voicenter")


class ActiveCalls(Presence):
    """Asks the provider which calls there are. `url` is the API's base, as in LEADRING_VOICENTER_MONITOR_URL."""

    def __init__(
        self,
        *,
        url: str,
        code: str,
        version: str,
        on_request: Callable[[str, float], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = httpx.URL(url.rstrip("/") + "/GetExtensionsCalls")
        self._code = code
        self._headers = {
            "User-Agent": f"leadring/{version}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        self._on_request = on_request
        self._transport = Transport(max_bytes=MAX_BYTES, ssl_context=ssl_context)

    async def look(self) -> list[LiveCall] | None:
        """The calls now; None when they could not be learned. An empty roster counts as not learned (facts 3.2)."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        found: list[LiveCall] | None = None
        try:
            content = json.dumps({"code": self._code}).encode("ascii")
            request = httpx.Request("POST", self._url, headers=self._headers, content=content)
            async with asyncio.timeout(SECONDS):
                answer = await self._transport.exchange(request)
            found = None if answer.truncated else read_live_calls(answer.status, answer.body)
        except Exception as error:  # noqa: BLE001 - presence is a hint: whatever fails, the service goes on without
            log.warning("active calls could not be read: %s", type(error).__name__)
        if self._on_request is not None:
            self._on_request("unknown" if found is None else "ok", loop.time() - began)
        return found

    async def close(self) -> None:
        await self._transport.close()


def read_live_calls(status: int, raw: bytes) -> list[LiveCall] | None:
    """The calls in an answer; None for an error, an unreadable body or an empty list of extensions."""
    try:
        answer = body.read(body.decode(raw), strict=False)
    except body.UnreadableError:
        return None
    if not isinstance(answer, dict) or status != 200:
        return None
    fields = _lower(answer)
    extensions = fields.get("extensions")
    if str(fields.get("err", "0")) != "0" or not isinstance(extensions, list) or not extensions:
        return None
    return [call for extension in extensions if isinstance(extension, dict) for call in _calls_of(extension)]


def _calls_of(extension: dict[str, Any]) -> list[LiveCall]:
    fields = _lower(extension)
    name = text(fields.get("username"))
    calls = fields.get("calls")
    if name is None or not isinstance(calls, list):
        return []
    found = []
    for call in calls:
        if not isinstance(call, dict):
            continue
        line = _lower(call)
        phase = PHASES.get(str(line.get("callstatus", "")).strip().lower())
        custom = line.get("customdata")
        ours = _lower(custom) if isinstance(custom, dict) else {}
        if phase is not None:
            attempt = text(ours.get("var_attempt")) or text(ours.get("attempt"))
            found.append(LiveCall(name, call_id(line.get("ivrid")), attempt, phase))
    return found


def _lower(fields: dict[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in fields.items()}
