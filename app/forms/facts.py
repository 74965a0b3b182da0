"""What a builder says of the submission itself: its id, when it was sent, and whether it is a test."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from app.forms.answers import Answer, node_at
from app.forms.keys import simple
from app.forms.presets import Preset, Unit
from app.forms.shapes import as_line

LONGEST_ID: Final = 200  # characters
_EARLIEST: Final = 1_262_304_000_000  # 2010: what is older, or far off, is no time of a submission
_LATEST: Final = 4_102_444_800_000
_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|UTC|[+-]\d\d:?\d\d)", re.IGNORECASE
)
_UTC: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d))?")
# Names by which anybody may tell the id of a submission. An id of a form or a campaign would make one lead of all.
_ID_NAMES: Final = frozenset({"submission id", "entry id", "idempotency key"})
_DUMMY: Final = re.compile(r"<test lead: dummy data for \w{1,80}>")
_SAMPLE_TOKEN: Final = "a3a12ec67a1365927098a606107fac15"  # noqa: S105 - of the response that Typeform's pages show


def delivery_id(name: str, preset: Preset, payload: object, answers: tuple[Answer, ...]) -> str | None:
    """The builder's id of this submission, at most 200 characters; None where it gives none."""
    if name == "hubspot":
        return _hubspot_id(payload)
    for path in preset.ids:
        if found := _id(node_at(payload, path)):
            return found
    return next((one.value[:LONGEST_ID] for one in answers if not _names_of(one).isdisjoint(_ID_NAMES)), None)


def names_the_submission(answer: Answer, preset: Preset) -> bool:
    """Whether this is where the id of a submission stands."""
    return answer.path in preset.ids or not _names_of(answer).isdisjoint(_ID_NAMES)


def submitted_at(name: str, preset: Preset, payload: object) -> int | None:
    """When it was sent, in milliseconds since the epoch, where that is said beyond doubt."""
    if name == "hubspot":
        return _hubspot_time(payload)
    for path, unit in preset.times:
        if (found := read_time(node_at(payload, path), unit)) is not None:
            return found
    return None


def is_test(name: str, payload: object, answers: tuple[Answer, ...]) -> bool:
    """Whether the builder says so, or the answers are those that it makes up for tests."""
    flag = payload.get("is_test", payload.get("isTest")) if isinstance(payload, dict) else None
    if flag is True or (isinstance(flag, str) and flag.strip().lower() in ("true", "1")):
        return True
    if name == "typeform" and node_at(payload, "form_response.token") == _SAMPLE_TOKEN:
        return True
    if name == "meta" and any(answer.value.lower() == "test@fb.com" for answer in answers):
        return True
    return any(_DUMMY.fullmatch(answer.value) for answer in answers)


def read_time(value: object, unit: Unit) -> int | None:
    """Milliseconds since the epoch; None when `value` is not written in this unit, or lies before 2010."""
    found: float | None = None
    text = as_line(value)[:40]
    if unit == "ms":
        found = int(text) if text.isascii() and text.isdigit() else None
    elif match := (_ISO if unit == "iso" else _UTC).fullmatch(text):
        day, minutes, seconds, *rest = match.groups()
        zone = rest[1].upper().replace("UTC", "+00:00").replace("Z", "+00:00") if unit == "iso" else "+00:00"
        fraction = int((rest[0] or "0").ljust(3, "0")[:3]) if unit == "iso" else 0
        try:
            moment = datetime.fromisoformat(f"{day}T{minutes}:{seconds or '00'}{zone}").astimezone(UTC)
        except (ValueError, OverflowError):
            return None  # a date that no calendar has
        found = int(moment.timestamp()) * 1000 + fraction
    return int(found) if found is not None and _EARLIEST <= found <= _LATEST else None


def _names_of(answer: Answer) -> set[str]:
    return {simple(name) for name in answer.said.names}


def _id(value: object) -> str:
    return as_line(value)[:LONGEST_ID] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _hubspot_id(payload: object) -> str | None:
    """The id of the newest submission of the contact's forms, else contact and time.

    The contact alone is not one: who sends a second form months later asks to be called again.
    """
    newest = _newest_submission(payload)
    if newest and (found := _id(newest.get("conversion-id"))):
        return found
    time, contact = _hubspot_time(payload), _id(node_at(payload, "vid")) or _id(node_at(payload, "objectId"))
    return f"{contact}:{time}" if contact and time is not None else None


def _hubspot_time(payload: object) -> int | None:
    """When the contact's newest form was sent; not when the contact was made, which may be years ago."""
    newest = _newest_submission(payload)
    told = newest.get("timestamp") if newest else node_at(payload, "properties.recent_conversion_date.value")
    return read_time(told, "ms")


def _newest_submission(payload: object) -> dict[str, object] | None:
    told = node_at(payload, "form-submissions")
    found = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return max(found, key=lambda one: read_time(one.get("timestamp"), "ms") or 0, default=None)
