"""Deliveries: what form builders' webhooks brought, as it came, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# What became of a delivery. Somebody looks again at those that are open; the others are settled.
OPEN: Final = (
    "kept",  # on disk, and not read to its end yet
    "to_fetch",  # it only told of a lead, which has to be asked for
)
SETTLED: Final = (
    "lead",  # it became a lead, which may be held
    "duplicate",  # it joined a lead that was live
    "test",  # the builder says that it is a test
    "refused",  # a guard refuses it
    "no_phone",  # read, but nothing in it is a telephone number
    "unreadable",  # not what its content type says, or no form at all
    "not_taking",  # no leads were taken just then
    "not_fetched",  # the lead that it told of could not be had in time
    "failed",  # a defect of ours
)
VERDICTS: Final = (*OPEN, *SETTLED)
MADE: Final = ("lead", "duplicate")  # written together with the lead
OVER: Final = (*MADE, "test", "refused")  # settled for good, by whoever was first
# A delivery that comes again after these is only counted: nothing would become of it that has not become already.
FINAL: Final = (*OVER, "to_fetch")
# What may still become a lead, once somebody has mended something. A test or a refusal is what it is.
REPLAYABLE: Final = ("kept", "no_phone", "unreadable", "not_taking", "not_fetched", "failed")

# Of these no form is kept, only the word that there is one to be asked for.
ONLY_TOLD: Final = ("to_fetch", "not_fetched")

SAME_BODY_FOR: Final = 3_600_000  # milliseconds in which the same body without an id of its own is the same delivery
KEPT_FOR: Final = 7 * 86_400_000  # milliseconds a row is kept at least, body or not: by it a delivery is known again


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery as it came. `key`: by which it is known again, `own_id` when that is the builder's own id of it.

    `body` is sealed; None where none is kept. `look_at` (ms): when to look again, should nobody have settled it.
    """

    id: str
    source: str
    key: str
    own_id: bool
    content_type: str
    body: str | None
    verdict: str
    look_at: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery on disk; `body` is sealed. `again`: the source sent it before."""

    id: str
    source: str
    received_at: int
    content_type: str
    body: str | None
    verdict: str
    lead_id: str | None
    tries: int
    repeats: int = 0
    why: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What one source sent: how many deliveries by verdict, and when the last one came (ms)."""

    source: str
    last_at: int
    verdicts: Mapping[str, int] = field(default_factory=dict)
