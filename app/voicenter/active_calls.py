"""Active calls (`GetExtensionsCalls`): who is logged in and what is on the line right now, asked read-only.

Shape and values: facts 3.2 (vendor's Active Calls page and Voicenter's own repositories). What a click-to-call
leg looks like there is not documented, so a call is told as it is written and nothing is concluded here.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable
from typing import Any, Final, Literal

from app.ports import ExtensionNow, LineCall, LineStatus, Presence
from app.voicenter.body import lowered
from app.voicenter.cdr_values import call_id, phone, text, whole
from app.voicenter.custom_data import our_variables
from app.voicenter.questions import SHUT, Questions, Reply, UnansweredError, said

Login = Literal["in", "out", "break"]

SECONDS: Final = 5.0
MAX_BYTES: Final = 4 * 1024 * 1024  # several hundred extensions
# facts 3.2: 1 Login, 2 Logout, 3 Lunch, 5 Administrative, 7 Private, 9 Other, 11 Training, 12 Meeting, 13 Brief
LOGINS: Final[dict[int, Login]] = {1: "in", 2: "out", **dict.fromkeys((3, 5, 7, 9, 11, 12, 13), "break")}
# A call on hold is a conversation that goes on.
STATUSES: Final[dict[str, LineStatus]] = {
    "ringing": "ringing",
    "dialing": "dialing",
    "talking": "talking",
    "hold": "talking",
}

log = logging.getLogger("leadring.voicenter")


class ActiveCalls(Presence):
    """Asks the provider who is there. `url` is the API's base, as in LEADRING_VOICENTER_MONITOR_URL.

    `on_request(result, seconds)` hears of every look: ok or unknown. `timeout` is the total in seconds.
    """

    def __init__(
        self,
        *,
        url: str,
        code: str,
        version: str,
        timeout: float = SECONDS,
        on_request: Callable[[str, float], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._questions = Questions(
            url=url.rstrip("/") + "/GetExtensionsCalls",
            code=code,
            version=version,
            seconds=timeout,
            max_bytes=MAX_BYTES,
            ssl_context=ssl_context,
        )
        self._on_request = on_request
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the last look saw nothing, for operators; None when it saw, or there was none yet."""
        return self._trouble

    async def look(self) -> list[ExtensionNow] | None:
        """All extensions; None when they could not be learned. An empty list counts as not learned (facts 3.2)."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        found: list[ExtensionNow] | None = None
        try:
            found = read_extensions(await self._questions.ask())
            self._note(None)
        except UnansweredError as error:
            self._note(self._questions.told(error))
        if self._on_request is not None:
            self._on_request("unknown" if found is None else "ok", loop.time() - began)
        return found

    def _note(self, trouble: str | None) -> None:
        """Keep why nothing is seen, and log it when that changes: every few seconds again would bury the rest."""
        if trouble != self._trouble:
            if trouble is None:
                log.info("active calls can be read again")
            else:
                log.warning("active calls could not be read: %s", trouble)
        self._trouble = trouble

    async def close(self) -> None:
        """Close idle connections; the object is not used afterwards."""
        await self._questions.close()


def read_extensions(reply: Reply) -> list[ExtensionNow]:
    """Every readable extension in an answer. UnansweredError for an error, another status than 200, or none."""
    found = [now for entry in listed(reply) if (now := _extension(entry)) is not None]
    if not found:
        raise UnansweredError("no extension in the list could be read", own=True)
    return found


def listed(reply: Reply) -> list[Any]:
    """The entries of `EXTENSIONS`, as active calls and roster answer; UnansweredError as above, and when empty."""
    error = text(reply.fields.get("err")) or "0"
    description = said(reply.fields, "desc")
    if reply.status != 200:
        raise UnansweredError(f"HTTP {reply.status}: ERR {error} {description}".rstrip(), shut=reply.status in SHUT)
    if whole(error) != 0:
        raise UnansweredError(f"ERR {error}: {description or 'without a description'}", shut=True)
    entries = reply.fields.get("extensions")
    if not isinstance(entries, list):
        raise UnansweredError("the answer has no list of extensions", own=True)
    if not entries:
        raise UnansweredError("an empty list of extensions, which is how a wrong account code is answered", own=True)
    return entries


def _extension(entry: Any) -> ExtensionNow | None:
    """One extension; None when the entry is none."""
    if not isinstance(entry, dict):
        return None
    fields = lowered(entry)
    name = text(fields.get("username"))
    if name is None:
        return None
    calls = fields.get("calls")
    return ExtensionNow(
        extension=name,
        login=LOGINS.get(whole(fields.get("onlineuserstatus")) or 0),
        calls=tuple(_call(call) for call in calls if isinstance(call, dict)) if isinstance(calls, list) else (),
    )


def _call(entry: dict[str, Any]) -> LineCall:
    """One call; it keeps the extension busy even where nothing of it can be read."""
    fields = lowered(entry)
    number = phone(fields.get("callerphone"))
    return LineCall(
        call_id=call_id(fields.get("ivrid")),
        attempt_id=call_id(our_variables(fields).get("attempt")),
        phone=re.sub(r"\D", "", number) if number else None,
        status=STATUSES.get(said(fields, "callstatus").lower()),
        raw_time=whole(fields.get("callstarted")),
    )
