"""The call log: the provider's stored records, asked for calls whose record was never pushed (facts 4).

`fields` are sent, as the vendor's page has them and live readers do; rows then come with names in PascalCase,
without `fields` in small letters, so they are read in any case. Dates are GMT, to the second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final

from app.clock import to_datetime
from app.ports import CallLog
from app.voicenter.cdr_values import text, whole
from app.voicenter.questions import Questions, Reply, UnansweredError, said

SECONDS: Final = 20.0  # one question
APART: Final = 5.0  # between two questions: the error's own words; the limit of 30 a minute is the laxer one
MOST_QUESTIONS: Final = 8  # for one window
MOST_ROWS: Final = 10_000  # the provider's cap on an answer
MAX_BYTES: Final = 16 * 1024 * 1024

# Click2Call leg 1 and leg 2; Click 2 IVR, Click 2 IVR Incoming, Click 2 Queue Incoming (facts 2.3).
CDR_TYPES: Final = (9, 10, 17, 18, 19)
FIELDS: Final = (
    *("CallID", "Date", "Type", "CdrType", "DialStatus", "Duration", "RingTime", "RecordURL", "Price"),
    *("CallerNumber", "TargetNumber", "CallerExtension", "TargetExtension"),
    *("RepresentativeName", "RepresentativeCode", "CustomData"),
)
# ERROR_NUMBER → what an operator has to know (facts 4).
ERRORS: Final = {
    1: "more questions than the call log takes; it is asked again later",
    2: "the account code is not known to the call log",
    4: "this server's address is not on the account's allow-list",
    5: "the call log did not take the dates",
}

log = logging.getLogger("leadring.voicenter")


class TooManyError(UnansweredError):
    """There are more records in the window than were given."""


class VoicenterCallLog(CallLog):
    """Asks for stored records. `url` is the whole address, as in LEADRING_VOICENTER_CALL_LOG_URL.

    Two questions of one client are at least `APART` seconds apart, whoever asks: `calls` waits for its turn.
    `on_request(result, seconds)` hears of every question: ok or unknown. `timeout` is the total in
    seconds of one question; `clock` (seconds) and `wait` are for tests.
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
        clock: Callable[[], float] = monotonic,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._questions = Questions(
            url=url, code=code, version=version, seconds=timeout, max_bytes=MAX_BYTES, ssl_context=ssl_context
        )
        self._on_request = on_request
        self._clock = clock
        self._wait = wait
        self._turn = asyncio.Lock()
        self._last: float | None = None
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the last window could not be learned, for operators; None when it was, or none was asked for."""
        return self._trouble

    async def calls(self, since: int, until: int) -> list[str] | None:
        """The records of click-to-call calls that began from `since` to `until` (ms), each as JSON text.

        A window with more records than one answer holds is asked for in halves. None when a part of it could not
        be learned: what is not in the list must mean that the provider does not know it. Raises CancelledError only.
        """
        try:
            found = await self._window(since // 1000, -(-until // 1000))
        except UnansweredError as error:
            self._trouble = self._questions.told(error)
            log.warning("the call log could not be read: %s", self._trouble)
            return None
        self._trouble = None
        return found

    async def close(self) -> None:
        """Close idle connections; the object is not used afterwards."""
        await self._questions.close()

    async def _window(self, first: int, last: int) -> list[str]:
        """The records of whole seconds `first` to `last`, in as many questions as it takes and may."""
        found: dict[str, None] = {}  # halves share a second: each record once, in order
        waiting = [(first, last)]
        asked = 0
        while waiting:
            if asked == MOST_QUESTIONS:
                raise UnansweredError(f"more records than {MOST_QUESTIONS} questions could fetch")
            start, end = waiting.pop()
            asked += 1
            try:
                found.update(dict.fromkeys(await self._ask(start, end)))
            except TooManyError:
                if end - start < 2:
                    raise
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
        return list(found)

    async def _ask(self, first: int, last: int) -> list[str]:
        async with self._turn:
            if self._last is not None and (left := self._last + APART - self._clock()) > 0:
                await self._wait(left)
            began = self._clock()
            result = "unknown"
            try:
                reply = await self._questions.ask(
                    fields=FIELDS,
                    search={"fromdate": _gmt(first), "todate": _gmt(last), "cdrTypes": CDR_TYPES},
                    sort=[{"field": "date", "order": "asc"}],
                )
                rows = read_rows(reply)
                result = "ok"
            except TooManyError:
                result = "ok"
                raise
            finally:
                self._last = self._clock()
                if self._on_request is not None:
                    self._on_request(result, self._last - began)
        return rows


def read_rows(reply: Reply) -> list[str]:
    """Every row of an answer as JSON text. UnansweredError when it is none, TooManyError when there are more."""
    fields = reply.fields
    number = whole(fields.get("error_number"))
    rows = fields.get("cdr_list")
    inner = whole(fields.get("status_code"))
    if number or reply.status != 200 or inner not in (None, 200):
        raise UnansweredError(_refusal(number, inner if reply.status == 200 and inner else reply.status, fields))
    if number is None and text(fields.get("error_number")) is not None:
        raise UnansweredError(f"ERROR_NUMBER {said(fields, 'error_number')}: {said(fields, 'error_description')}")
    total, returned = whole(fields.get("total_hits")), whole(fields.get("return_hits"))
    if rows is None and total == 0:
        rows = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row for row in rows):
        raise UnansweredError("the answer has no readable list of records")
    if len(rows) >= MOST_ROWS or max(total or 0, returned or 0) > len(rows):
        raise TooManyError(f"{total} records, of which {len(rows)} were given")
    return [json.dumps(row) for row in rows]


def _refusal(number: int | None, status: int, fields: Any) -> str:
    description = said(fields, "error_description")
    known = ERRORS.get(number or 0)
    if known:
        return f"{known} (error {number}: {description})"
    return f"HTTP {status}, error {number}: {description}"


def _gmt(second: int) -> str:
    """ISO 8601 without a zone, as the provider's samples write what is always GMT."""
    return to_datetime(second * 1000).strftime("%Y-%m-%dT%H:%M:%S")
