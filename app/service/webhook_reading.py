"""A webhook's body as a submission: decoded, mapped, and in the words that intake takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import structlog

from app.directory import Source
from app.domain import submission_guards
from app.domain.hits import Hit
from app.errors import Refusal
from app.forms.mapped import Mapped
from app.forms.mapping import map_payload
from app.forms.meta import lead_payload
from app.forms.payload import decode
from app.service.callbacks import read_callback
from app.service.submission import OURS, Submission, is_attribution

log = structlog.get_logger("leadring.deliveries")

MAX_QUERY: Final = 100  # parameters of a page's address
FETCHED = "meta"  # the preset whose webhook only tells of a lead, which is then asked for


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body holds; without `mapped`, the verdict that it cannot be read, and why in words without its content."""

    mapped: Mapped | None
    verdict: str = ""
    why: str = ""


def read_body(source: Source, content_type: str, body: bytes, default_country: str) -> Reading:
    """The body as the source sends it. Never raises: a defect of ours is a verdict, and the body is kept."""
    try:
        payload = decode(content_type, body)
        if source.preset == FETCHED:
            payload = lead_payload(payload)
        if payload is None:
            return Reading(None, "unreadable", "It holds no lead.")
        return Reading(map_payload(payload, source, default_country))
    except Refusal as refusal:
        return Reading(None, "unreadable", str(refusal))
    except Exception as error:
        # Whatever the cause, a person waits behind this body: it is kept, and read again when the cause is mended.
        log.exception("delivery.defect", source=source.key)
        return Reading(None, "failed", type(error).__name__)


def submission_of(
    source: Source, mapped: Mapped, delivery_id: str, received_at: int, now: int, low_confidence: list[Hit]
) -> Submission:
    """What intake is given; `received_at` and `now` in milliseconds. It counts as sent when the payload says, or when
    it first came, whichever is earlier."""
    fields, extra = dict(mapped.fields), dict(mapped.extra)
    if (asked := fields.get("call_at")) and read_callback(asked, now)[1] is not None:
        # Words that a person chose in a list, and no moment: for the agent to read, and no reason to lose the lead.
        extra.setdefault("call at", fields.pop("call_at"))
    for name, value in _campaign(fields.get("page_url", "")):
        fields.setdefault(name, value)
    sent_at = min(received_at, mapped.submitted_at or received_at)
    return Submission(
        fields={**{_not_ours(name, fields): value for name, value in extra.items()}, **fields},
        source=source.preset,
        client=f"source {source.key}",
        site=source.site,
        delivery=delivery_id,
        attribution={"form_source": source.key},
        hits=(*submission_guards.stale(sent_at, now, source.max_age), *low_confidence),
        waits=False,
    )


def _not_ours(name: str, fields: dict[str, str]) -> str:
    """A name that the form gave, told from ours where they are the same."""
    return f"{name} (form)" if name in OURS or name in fields else name


def _campaign(page_url: str) -> list[tuple[str, str]]:
    """The `utm_*` and click ids in the address of the page with the form: many builders send them nowhere else."""
    try:
        pairs = parse_qsl(urlsplit(page_url).query, max_num_fields=MAX_QUERY)
    except ValueError:  # no address, or one that is nothing but parameters
        return []
    return [(name, value) for name, value in pairs if is_attribution(name)]
