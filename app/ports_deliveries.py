"""The seams of the webhooks: where deliveries live, and who is asked for a lead that one of them only told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.clock import Clock
from app.domain.deliveries import Delivery, NewDelivery, SourceCounts


class DeliveryStore(Protocol):
    """Where deliveries live. Every method is one durable transaction; StorageUnavailable as in app.ports.Store."""

    @property
    def clock(self) -> Clock: ...

    async def keep_delivery(self, new: NewDelivery) -> Delivery:
        """Store it, or count that it came again; what is in the answer is on disk."""
        ...

    async def keep_deliveries(self, several: Sequence[NewDelivery]) -> list[Delivery]:
        """The same for several, all in one transaction; the order of the answers says nothing."""
        ...

    async def settle_delivery(
        self, delivery_id: str, verdict: str, why: str | None = None, look_at: int | None = None
    ) -> bool:
        """Write what became of it; False when it was settled for good by now, as a lead, a test or refused: nothing is
        written then."""
        ...

    async def take_due_deliveries(self, lease: int) -> list[Delivery]:
        """Those that nobody has settled and whose time has come; nobody else gets them for `lease` milliseconds."""
        ...

    async def delivery_fetched(self, delivery_id: str, content_type: str, body: str) -> bool:
        """Put the fetched lead (sealed) in the place of the word of it; False when somebody did before."""
        ...

    async def delivery(self, delivery_id: str) -> Delivery | None: ...

    async def deliveries(self, source: str, since: int, verdicts: Sequence[str], most: int) -> list[Delivery]: ...

    async def replayable_deliveries(self, source: str, since: int) -> list[str]:
        """Ids of what became no lead and can be read again, oldest first; `since` in milliseconds."""
        ...

    async def delivery_counts(self) -> list[SourceCounts]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """The lead as it was told: a body and its content type."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class NotFound:
    """It could not be had, and why, in words without personal data."""

    why: str


class LeadLookup(Protocol):
    """Asks a form builder for the lead that its webhook only told of."""

    async def look_up(self, lead: str, access_token: str) -> Found | NotFound:
        """Within the total deadline. Raises CancelledError only."""
        ...
