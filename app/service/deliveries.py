"""A delivery from the door to the lead: kept first, then read, submitted and settled. Each step may be taken again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.directory import Source
from app.domain.deliveries import FINAL, MADE, Delivery, NewDelivery
from app.errors import Invalid, NotTaking, RateLimited
from app.ids import new_id
from app.metrics import Metrics
from app.ports_deliveries import DeliveryStore
from app.service.fate import guesses, verdict_of
from app.service.intake import Intake
from app.service.rules import Rules
from app.service.sealing import Seal
from app.service.tokens import Tokens
from app.service.webhook_reading import Reading, read_body, submission_of

log = structlog.get_logger("leadring.deliveries")

CUT_OFF = 15_000  # milliseconds after which a delivery that nobody settled belongs to a process that died
LONGEST_TYPE = 200  # characters of a content type
AGAIN = "again"  # counted, and never kept: what came was known, or was settled by a twin meanwhile


class Deliveries:
    """Keeps deliveries and makes leads of them. One instance serves the door, the repairs and the commands."""

    def __init__(
        self, store: DeliveryStore, rules: Rules, intake: Intake, tokens: Tokens, seal: Seal, metrics: Metrics
    ) -> None:
        self.store = store
        self.rules = rules
        self._intake = intake
        self._tokens = tokens
        self._seal = seal
        self._metrics = metrics

    def read(self, source: Source, content_type: str, body: bytes) -> Reading:
        """What the body holds, by the source's `map` as it is now."""
        return read_body(source, content_type, body, self.rules.policy.default_country)

    async def keep(self, source: Source, content_type: str, body: bytes, own_id: str | None) -> Delivery:
        """On disk, and known again: by the builder's own id of it, else by its body."""
        new = self._new(source, content_type, body, own_id, "kept", CUT_OFF, source.keep_raw > 0)
        kept = await self.store.keep_delivery(new)
        self._heard(source, kept)
        return kept

    async def keep_words(self, source: Source, words: Sequence[tuple[str, bytes]]) -> list[Delivery]:
        """On disk, all or none, to be asked for at once: the words of leads, by the builder's id of each.

        A word is kept until that is over, whatever `keep_raw`.
        """
        several = [self._new(source, "application/json", body, own_id, "to_fetch", 0, True) for own_id, body in words]
        kept = await self.store.keep_deliveries(several)
        for one in kept:
            self._heard(source, one)
        return kept

    def _new(
        self,
        source: Source,
        content_type: str,
        body: bytes,
        own_id: str | None,
        verdict: str,
        look_in: int,
        with_body: bool,
    ) -> NewDelivery:
        known_by = f"id {own_id}".encode("utf-8", "replace") if own_id else b"body " + body
        return NewDelivery(
            id=new_id(),
            source=source.key,
            key=self._tokens.delivery_key(source.key, known_by),
            own_id=own_id is not None,
            content_type=content_type[:LONGEST_TYPE],
            body=self._seal.close(body) if with_body else None,
            verdict=verdict,
            look_at=self.store.clock.now() + look_in,
        )

    def _heard(self, source: Source, kept: Delivery) -> None:
        if kept.again:
            log.info("delivery.again", source=source.key, delivery_id=kept.id, verdict=kept.verdict)
            if kept.verdict in FINAL:
                self._count(source, AGAIN)

    def body_of(self, delivery: Delivery) -> bytes | None:
        """The body as it came; None when it is not kept, or was sealed under another secret."""
        return self._seal.open(delivery.body) if delivery.body is not None else None

    def sealed(self, body: bytes) -> str:
        return self._seal.close(body)

    async def finish(self, source: Source, delivery: Delivery, reading: Reading) -> str:
        """Make the lead, or say why there is none: the verdict, on disk. Unavailable when it could not be written.

        The lead and the word that this delivery became it are written in one transaction, so that it never becomes two.
        `again` for a twin of it that was quicker: what became of it stays, and is not counted twice.
        """
        verdict, why = await self._submit(source, delivery, reading)
        if verdict not in (*MADE, AGAIN) and not await self.store.settle_delivery(delivery.id, verdict, why or None):
            verdict, why = AGAIN, ""
        self._count(source, verdict)
        log.info("delivery.settled", source=source.key, delivery_id=delivery.id, verdict=verdict, why=why or None)
        return verdict

    async def _submit(self, source: Source, delivery: Delivery, reading: Reading) -> tuple[str, str]:
        mapped = reading.mapped
        if mapped is None:
            return reading.verdict, reading.why
        if mapped.is_test:
            return "test", ""
        guessed = guesses(mapped, self.rules.directory.guards.low_confidence)
        try:
            answered = await self._intake.submit(
                submission_of(source, mapped, delivery.id, delivery.received_at, self.store.clock.now(), guessed)
            )
        except (Invalid, RateLimited, NotTaking) as refusal:
            return verdict_of(refusal)
        if not answered.made:
            return AGAIN, ""
        return ("duplicate" if answered.outcome == "duplicate" else "lead"), ""

    def count_lost(self, delivery: Delivery, verdict: str) -> None:
        """Count one that was given up, also when its source is gone."""
        source = self.rules.directory.sources.get(delivery.source)
        self._metrics.deliveries.labels(source.preset if source is not None else "gone", verdict).inc()

    def _count(self, source: Source, verdict: str) -> None:
        self._metrics.deliveries.labels(source.preset, verdict).inc()
