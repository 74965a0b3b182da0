"""The part of the store that keeps what form builders' webhooks brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.deliveries import Delivery, NewDelivery, SourceCounts
from app.store import deliveries
from app.store.engine import Engine


class DeliveryStore:
    """Deliveries in a SQL database; see app.ports_deliveries.DeliveryStore for what every method promises."""

    engine: Engine

    def _at(self) -> int:
        return self.engine.clock.now()

    async def keep_delivery(self, new: NewDelivery) -> Delivery:
        return await self.engine.write(deliveries.keep, new, self._at())

    async def keep_deliveries(self, several: Sequence[NewDelivery]) -> list[Delivery]:
        return await self.engine.write(deliveries.keep_all, several, self._at())

    async def settle_delivery(
        self, delivery_id: str, verdict: str, why: str | None = None, look_at: int | None = None
    ) -> bool:
        return await self.engine.write_one(deliveries.settle, delivery_id, verdict, why, look_at)

    async def take_due_deliveries(self, lease: int) -> list[Delivery]:
        if (due := await self.engine.read_one(deliveries.next_look)) is None or due > self._at():
            return []
        return await self.engine.write(deliveries.take_due, self._at(), lease)

    async def delivery_fetched(self, delivery_id: str, content_type: str, body: str) -> bool:
        return await self.engine.write_one(deliveries.fetched, delivery_id, content_type, body)

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return await self.engine.read_one(deliveries.read, delivery_id)

    async def deliveries(self, source: str, since: int, verdicts: Sequence[str], most: int) -> list[Delivery]:
        return await self.engine.read_one(deliveries.listed, source, since, verdicts, most)

    async def replayable_deliveries(self, source: str, since: int) -> list[str]:
        return await self.engine.read_one(deliveries.replayable, source, since)

    async def delivery_counts(self) -> list[SourceCounts]:
        return await self.engine.read_one(deliveries.counts)

    async def forget_deliveries(self, kept: Mapping[str, int]) -> int:
        return await self.engine.write(deliveries.forget, kept, self._at())
