"""What became of a day: every lead with its one result, every call. The same for a replay and for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.guards import Hit
from app.domain.shifts import Span

# What can become of a lead. Beside the states: it joined a live lead of its number, a guard refused it at the door, or
# its site is not in the file.
RESULTS: Final = (
    "connected",
    "exhausted",
    "expired",
    "cancelled",
    "failed",
    "spam",
    "held",
    "refused",
    "joined",
    "waiting",
    "dialing",
    "no_site",
)


@dataclass(frozen=True, slots=True)
class LeadEnd:
    """One lead. `origin`: from when it could be called; `fresh`: that was when it came. Moments in ms."""

    id: str
    site: str
    phone: str
    came_at: int
    result: str
    reason: str | None
    origin: int | None
    fresh: bool
    request_at: int | None
    conversation_at: int | None
    promises: int
    hits: tuple[Hit, ...] = ()
    again: bool = False  # sent while the number had a live lead, by the record


@dataclass(frozen=True, slots=True)
class CallMade:
    """One call that was asked for, and had its agent up to `until`, before any wrap-up. `talk` in seconds; `missed`:
    the agent did not pick up."""

    lead_id: str
    agent_id: str
    at: int
    until: int
    missed: bool
    talk: int


@dataclass(slots=True)
class Known:
    """Of how many calls it is known, and for how many it was drawn: the agent's picking up, the lead's answer."""

    picked_up: int = 0
    picked_up_drawn: int = 0
    answered: int = 0
    answered_drawn: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account. `waited`: by site, when leads were due and nobody was free for them; None where nobody knows."""

    leads: tuple[LeadEnd, ...]
    calls: tuple[CallMade, ...]
    put_off: int = 0  # second tries that went on the next day, because the number had been rung often enough
    waited: Mapping[str, tuple[Span, ...]] | None = None
    longest: tuple[int, int] | None = None  # the most leads that were due at once, and when
    known: Known = field(default_factory=Known)
