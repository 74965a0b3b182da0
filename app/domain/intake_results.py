"""What can become of a submission: stored, joined, answered before, or refused; and of leads that are due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.domain.guards import Hit
from app.domain.lead import Claim


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the store did with a submission.

    new: stored as `lead_id`. duplicate: joined the live lead `lead_id`; `asked`: the guards, whether it may end that
    one's hold; `lifted`: it did. replay: this submission id was answered with `answer`. orphan: it was stored, but the
    answer is not known any more. in_flight: a twin is being handled now. mismatch: the id was used for other content.
    refused: a guard refused, nothing stored.
    """

    kind: Literal["new", "duplicate", "replay", "orphan", "in_flight", "mismatch", "refused"]
    lead_id: str
    answer: str | None = None
    state: str = ""
    reason: str | None = None
    hits: tuple[Hit, ...] = ()
    retry_after: int = 0  # seconds, with refused
    asked: bool = False
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a round did with the leads that are due.

    `claims` are reserved for an agent each; `held`: the ids that the cap on calls stopped; `put_off`: those whose
    number has been rung often enough for today.
    """

    claims: list[Claim]
    held: list[str]
    put_off: list[str]
