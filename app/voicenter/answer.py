"""What the provider answered: accepted, refused, or nothing that proves either.

The body decides, not the HTTP status and not the content type (facts 1.8). Only a readable answer with a
non-zero code and no call id proves that there is no call; whatever is in doubt is `Unknown`, because a
request sent twice rings twice (facts 1.8, row Idempotency).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from app.ports import Answer, HangUp, HungUp, Placed, Refused, Unknown
from app.voicenter import body as bodies
from app.voicenter.codes import ACCEPTED, meaning, rule_of
from app.voicenter.wording import short

MAX_BYTES: Final = 64 * 1024
MAX_CALL_ID: Final = 128  # the vendor's page says 32 characters; other samples have 18 to 32 (facts 1.6)

# Somebody on the way gave up or asks for later, perhaps after the request had passed.
_DOUBTFUL: Final = frozenset({408, 409, 423, 425})
# The door was shut: wrong account code, address not allow-listed, wrong URL or quota (facts 1.7).
_SHUT: Final = frozenset({400, 401, 403, 404, 405, 413, 429})


def read_answer(status: int, body: bytes, *, truncated: bool = False, hide: Collection[str] = ()) -> Answer:
    """The class of one answer to a call: `Placed`, `Refused` or `Unknown`. Never raises.

    `truncated` says that `body` is not all there was. Texts in `hide` never appear in the result's wording.
    """
    said = _read(status, body, truncated, hide)
    if not isinstance(said, _Said):
        return said
    if said.code == ACCEPTED:
        if said.call_id:
            return Placed(said.call_id)
        return Unknown(f"HTTP {status}: accepted without a readable CALLID")
    if said.call_id != "":
        return Unknown(f"HTTP {status}: code {said.code} and yet a CALLID: {said.message}")
    return Refused(said.code, said.message, rule_of(said.code))


def read_hang_up(status: int, body: bytes, *, truncated: bool = False, hide: Collection[str] = ()) -> HangUp:
    """The class of one answer to `action=terminate`: `HungUp`, `Refused` or `Unknown`. Never raises.

    The code decides alone: whether such an answer has a CALLID is documented nowhere (facts 1.3).
    """
    said = _read(status, body, truncated, hide)
    if not isinstance(said, _Said):
        return said
    if said.code == ACCEPTED:
        return HungUp()
    return Refused(said.code, said.message, rule_of(said.code))


@dataclass(frozen=True, slots=True)
class _Said:
    """A readable answer. `call_id` is "" when there is none, None when there is something that cannot be one."""

    code: int
    call_id: str | None
    message: str


def _read(status: int, body: bytes, truncated: bool, hide: Collection[str]) -> _Said | Refused | Unknown:
    """What was said in the provider's own terms; or what follows from its not being that."""
    if truncated or len(body) > MAX_BYTES:
        return Unknown(f"HTTP {status}: the answer was cut off or larger than {MAX_BYTES // 1024} KiB")
    text = bodies.decode(body)
    if status >= 500 or status in _DOUBTFUL:
        return Unknown(_words(status, text, hide))
    fields = _fields(text)
    code = _code(fields.get("ERRORCODE"))
    call_id = _call_id(fields.get("CALLID"))
    if code is None and call_id == "" and (status in _SHUT or 300 <= status < 400):
        return Refused(None, _words(status, text, hide), "configuration")
    if code is None:
        return Unknown(_words(status, text, hide))
    return _Said(code, call_id, short(_message(fields.get("ERRORMESSAGE")), hide) or meaning(code))


def _fields(text: str) -> dict[str, Any]:
    """The answer's fields by upper-case name; empty when it is not one readable object."""
    try:
        value = bodies.read(text, strict=True)
    except bodies.UnreadableError:
        return {}
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        return {}
    fields: dict[str, Any] = {}
    for name, field in value.items():
        known = fields.setdefault(name.strip().upper(), field)
        if known is not field and known != field:
            return {}
    return fields


def _code(value: object) -> int | None:
    """ERRORCODE as a number: documented as an integer, seen as text (facts 6); None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    elif isinstance(value, str):
        number = re.fullmatch(r"\s*([+-]?[0-9]{1,9})(?:\.0{1,9})?\s*", value)
        value = int(number[1]) if number else None
    return value if isinstance(value, int) and abs(value) < 1_000_000_000 else None


def _call_id(value: object) -> str | None:
    """CALLID as text, "" when there is none; None when there is something that cannot be one."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if len(text) <= MAX_CALL_ID and text.isprintable() else None


def _message(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(status: int, text: str, hide: Collection[str]) -> str:
    return short(f"HTTP {status}: {text}" if text.strip() else f"HTTP {status} with an empty answer", hide)
