"""Deliveries that became no lead, read again with the `map` as it is now, and submitted: each at most once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from app.directory import Source
from app.domain.deliveries import REPLAYABLE, Delivery
from app.domain.phone import PhoneRefused, mask, read_phone
from app.service.deliveries import AGAIN, Deliveries
from app.service.fate import foresee
from app.service.webhook_reading import Reading

UNOPENED = "its body cannot be opened: LEADRING_SECRET_KEY is another one"


@dataclass(frozen=True, slots=True)
class Redelivered:
    """What became of a delivery that was read again; of one that is only looked at, what would. `phone` is masked."""

    delivery: Delivery
    verdict: str
    phone: str
    why: str = ""


async def replay(
    deliveries: Deliveries, source: Source, ids: Sequence[str], *, dry_run: bool
) -> AsyncIterator[Redelivered]:
    """One after the other. Somebody else's redelivery may be quicker: then it is that, and not a second lead.

    Unavailable when the database goes away; what has been told of by then is done.
    """
    for delivery_id in ids:
        delivery = await deliveries.store.delivery(delivery_id)
        if delivery is None or delivery.verdict not in REPLAYABLE:
            continue
        body = deliveries.body_of(delivery)
        if body is None:
            yield Redelivered(delivery, delivery.verdict, "", UNOPENED)
        elif delivery.verdict == "not_fetched":
            if not dry_run:
                await deliveries.store.settle_delivery(delivery.id, "to_fetch", None, deliveries.store.clock.now())
            yield Redelivered(delivery, "to_fetch", "", "the service asks for it once more")
        else:
            reading = deliveries.read(source, delivery.content_type, body)
            verdict, why = _foreseen(deliveries, source, delivery, reading)
            if not dry_run:
                verdict = await deliveries.finish(source, delivery, reading)
                if verdict == AGAIN and (now := await deliveries.store.delivery(delivery.id)) is not None:
                    verdict = now.verdict
            yield Redelivered(delivery, verdict, _phone(deliveries, reading), why)


def _foreseen(deliveries: Deliveries, source: Source, delivery: Delivery, reading: Reading) -> tuple[str, str]:
    """What would become of it, as far as that can be known without storing it, and what is to be said of it."""
    if reading.mapped is None:
        return reading.verdict, reading.why
    now = deliveries.store.clock.now()
    fate = foresee(source, reading.mapped, deliveries.rules.directory, delivery.received_at, now)
    return fate.verdict, f"held: {fate.held}" if fate.held else fate.why


def _phone(deliveries: Deliveries, reading: Reading) -> str:
    try:
        found = reading.mapped.fields.get("phone") if reading.mapped is not None else None
        return mask(read_phone(found, deliveries.rules.policy.default_country).e164)
    except PhoneRefused:
        return ""
