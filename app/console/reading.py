"""From what was handed in to what is said of it, or to the sentence that says what is wrong with the form."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.console.handed_in import HandedIn
from app.directory import Source
from app.directory_types import PRESETS
from app.domain.deliveries import ONLY_TOLD, Delivery
from app.errors import Refusal
from app.forms.captured import Captured, read_captured
from app.forms.examples import examples
from app.forms.payload import MAX_BYTES, decode
from app.service.forecast import forecast, of_preset
from app.service.forecast_words import Told, told_of, told_unread
from app.service.redelivery import UNOPENED
from app.web.desk import Desk

A_SOURCE = "source:"  # what a choice begins with that names a source of the file, and no preset
TOO_LONG = f"It is longer than the {MAX_BYTES // 1024} KiB that a webhook may be: its sender would hear 413 too_large."


class WrongForm(Exception):
    """What is wrong with one of the form's fields; `field` is its name."""

    def __init__(self, field: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.field = field
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, and the kept delivery of which it is, where it is one."""

    told: Told
    delivery: Delivery | None


async def read(at: Desk, given: HandedIn) -> Answer:
    """What becomes of it; nothing is stored. An example that is named has to be one.

    WrongForm; StorageUnavailable where a kept delivery is asked for.
    """
    if given.ways != 1:
        several = (
            "Hand in one payload: paste it, or upload it, or choose a delivery or an example, and not two of them."
        )
        none = "Paste a payload, upload one, or choose a delivery or an example."
        raise WrongForm("payload", several if given.ways else none)
    delivery = await _delivery(at, given.delivery) if given.delivery else None
    captured = _captured(at, given, delivery)
    source = _source(at, given, captured, delivery)
    return Answer(await asyncio.to_thread(_told, at, captured, source, delivery), delivery)


async def _delivery(at: Desk, delivery_id: str) -> Delivery:
    found = await at.deliveries.store.delivery(delivery_id)
    if found is None:
        raise WrongForm("delivery_id", "There is no delivery with this id.", 404)
    return found


def _captured(at: Desk, given: HandedIn, delivery: Delivery | None) -> Captured:
    if given.example:
        shown = examples()[given.example]
        return read_captured(shown.body, given.content_type or shown.content_type)
    if delivery is None:
        field = "payload" if given.file is None else "file"
        content = given.text.encode("utf-8", "replace") if given.file is None else given.file
        captured = read_captured(content, given.content_type or None)
        if len(captured.body) > MAX_BYTES:
            raise WrongForm(field, TOO_LONG, 413)
        if not captured.body.strip():
            raise WrongForm(field, "There is nothing in it.")
        return captured
    if delivery.verdict in ONLY_TOLD:
        raise WrongForm("delivery_id", "This one only tells of a lead: what Meta answers is not there to be read.", 404)
    if delivery.body is None:
        raise WrongForm("delivery_id", "Of this delivery no body is kept.", 404)
    body = at.deliveries.body_of(delivery)
    if body is None:
        raise WrongForm("delivery_id", f"This delivery cannot be read: {UNOPENED}.", 404)
    return Captured(given.content_type or delivery.content_type, body, "", {})


def _source(at: Desk, given: HandedIn, captured: Captured, delivery: Delivery | None) -> Source:
    """The one that was chosen; else the one that the delivery, or the request's own path, belongs to; else the builder
    of the example, else none."""
    known = at.rules.directory.sources
    if given.read_as.startswith(A_SOURCE):
        named = given.read_as.removeprefix(A_SOURCE)
        if named not in known:
            raise WrongForm("as", "There is no such source in leadring.toml any more.")
        return known[named]
    if given.read_as:
        if given.read_as not in PRESETS:
            raise WrongForm("as", "There is no such builder.")
        return of_preset(given.read_as)
    sent_to = delivery.source if delivery is not None else captured.source
    return known.get(sent_to or "") or of_preset(given.example or None)


def _told(at: Desk, captured: Captured, source: Source, delivery: Delivery | None) -> Told:
    try:
        payload = decode(captured.content_type, captured.body)
    except Refusal as refusal:
        return told_unread(captured.content_type, refusal)
    return told_of(
        forecast(
            payload,
            source,
            at.rules.directory,
            at.store.clock.now(),
            headers=captured.headers,
            received_at=delivery.received_at if delivery is not None else None,
            taking=at.switches.taking,
        )
    )
