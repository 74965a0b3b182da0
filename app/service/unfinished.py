"""Deliveries that nobody settled: those that a crash cut off, and leads that were told of and have to be asked for."""

from __future__ import annotations

import asyncio
import json

import structlog

from app.directory import Source
from app.domain.deliveries import Delivery
from app.errors import Refusal, StorageUnavailable
from app.ports_deliveries import Found, LeadLookup, NotFound
from app.service.deliveries import Deliveries

log = structlog.get_logger("leadring.deliveries")

EVERY = 1.0  # seconds between looks
LEASE = 30_000  # milliseconds that a delivery is one process's
PAUSES = (2, 5, 15, 30, 60, 120, 300)  # seconds between two questions for a lead; the last one from then on
MOST_TRIES = 5  # times that a delivery which was cut off is read again
_GONE = "its source is not in leadring.toml any more"


class Unfinished:
    """Finishes what is open. `step` does it once."""

    def __init__(self, deliveries: Deliveries, lookup: LeadLookup) -> None:
        self._deliveries = deliveries
        self._lookup = lookup
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to be asked for now."""
        self._woken.set()

    async def run(self) -> None:
        """Looks until cancelled; a failing database only delays the next look."""
        while True:
            try:
                async with asyncio.timeout(EVERY):
                    await self._woken.wait()
            except TimeoutError:
                pass  # nobody called; look all the same
            self._woken.clear()
            try:
                while await self.step():
                    pass  # a look takes a few; what is due with them waits for no other second
            except StorageUnavailable as error:
                log.warning("deliveries.storage_unavailable", error=str(error))
            except Exception:
                # What one look met must not end the others: it is they who find what a crash left.
                log.exception("deliveries.look_failed")

    async def step(self) -> int:
        """Everything that is due now, once; how many there were."""
        due = await self._deliveries.store.take_due_deliveries(LEASE)
        await asyncio.gather(*(self._finish(one) for one in due))
        return len(due)

    async def _finish(self, delivery: Delivery) -> None:
        try:
            source = self._deliveries.rules.directory.sources.get(delivery.source)
            if source is None:
                await self._give_up(delivery, "not_fetched" if delivery.verdict == "to_fetch" else "failed", _GONE)
            elif delivery.verdict == "to_fetch":
                await self._fetch(source, delivery)
            else:
                await self._read_again(source, delivery)
        except (StorageUnavailable, Refusal) as error:
            # Its lease ends, and it is looked at again.
            log.warning("delivery.not_finished", delivery_id=delivery.id, error=type(error).__name__)
        except Exception:
            log.exception("delivery.not_finished", delivery_id=delivery.id)

    async def _read_again(self, source: Source, delivery: Delivery) -> None:
        body = self._deliveries.body_of(delivery)
        if body is None:
            await self._give_up(delivery, "failed", "it was cut off before it was read, and is not kept")
        elif delivery.tries > MOST_TRIES:
            await self._give_up(delivery, "failed", f"it could not be finished {MOST_TRIES} times")
        else:
            await self._deliveries.finish(source, delivery, self._deliveries.read(source, delivery.content_type, body))

    # ------------------------------------------------------------------------------------------- asking for leads

    async def _fetch(self, source: Source, delivery: Delivery) -> None:
        found = await self._ask(source, delivery)
        if isinstance(found, NotFound):
            await self._ask_later(source, delivery, found.why)
            return
        if source.keep_raw > 0 and not await self._deliveries.store.delivery_fetched(
            delivery.id, found.content_type, self._deliveries.sealed(found.body)
        ):
            return  # another process had it before
        await self._deliveries.finish(source, delivery, self._deliveries.read(source, found.content_type, found.body))

    async def _ask(self, source: Source, delivery: Delivery) -> Found | NotFound:
        word = self._deliveries.body_of(delivery)
        if word is None:
            return NotFound("the word of it cannot be opened: LEADRING_SECRET_KEY is another one")
        if source.access_token is None:
            return NotFound("the source has no access_token")
        return await self._lookup.look_up(str(json.loads(word)["leadgen_id"]), source.access_token)

    async def _ask_later(self, source: Source, delivery: Delivery, why: str) -> None:
        now = self._deliveries.store.clock.now()
        if now >= delivery.received_at + source.max_age * 1000:
            await self._give_up(delivery, "not_fetched", why)
            return
        pause = PAUSES[min(delivery.tries, len(PAUSES)) - 1]
        await self._deliveries.store.settle_delivery(delivery.id, "to_fetch", why, now + pause * 1000)
        log.warning("delivery.not_fetched_yet", delivery_id=delivery.id, source=source.key, why=why, again_in=pause)

    async def _give_up(self, delivery: Delivery, verdict: str, why: str) -> None:
        await self._deliveries.store.settle_delivery(delivery.id, verdict, why)
        self._deliveries.count_lost(delivery, verdict)
        log.error("delivery.given_up", delivery_id=delivery.id, source=delivery.source, verdict=verdict, why=why)
