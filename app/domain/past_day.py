"""What is kept of a time that is over: its leads, how their calls went, and what they and we did with them.

Moments are epoch milliseconds, lengths whole seconds; None wherever nobody told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from app.directory import First

Away = Literal["agent_offline", "agent_blocked"]
"""Why the provider refused to ring an agent."""

# The events of a lead's history that a replay needs.
DEEDS: Final = (
    "joined",
    "scheduled",
    "promised",
    "observed",
    "held",
    "spam",
    "number_cap",
    "released",
    "cancelled",
    "phoned_in",
)


@dataclass(frozen=True, slots=True)
class PastCall:
    """One attempt, as its last account tells it.

    `away`: the provider refused, because the agent was. `left_at`: when it was seen to have left the line.
    """

    agent_id: str
    first_leg: First
    state: str
    outcome: str | None
    away: Away | None
    reserved_at: int
    sending_at: int | None
    agent_answered_at: int | None
    connected_at: int | None
    ended_at: int | None
    left_at: int | None
    leg1_ring: int | None
    leg1_talk: int | None
    leg2_status: str | None
    leg2_ring: int | None
    leg2_talk: int | None

    @property
    def began_at(self) -> int:
        """When its request was about to leave."""
        return self.sending_at or self.reserved_at


@dataclass(frozen=True, slots=True)
class Deed:
    """One of DEEDS: what was done with the lead, by whom, and why."""

    at: int
    event: str
    who: str
    why: str | None


@dataclass(frozen=True, slots=True)
class PastLead:
    """A lead with its calls and deeds in the order in which they were; `state` and `reason` as they are now."""

    id: str
    site: str
    phone: str
    phone_key: str
    asked_language: str
    received_at: int
    state: str
    reason: str | None
    due_at: int | None
    deadline_at: int
    ended_at: int | None
    calls: tuple[PastCall, ...] = ()
    deeds: tuple[Deed, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """A call of a lead that was over before the time; `rang`: the lead's phone did, or may have."""

    phone_key: str
    at: int
    rang: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """With whom a number talked, and until when."""

    agent_id: str
    at: int


@dataclass(frozen=True, slots=True)
class PastDay:
    """From `since` up to, not including, `until`: the leads that came in, in the order in which they did.

    `open_before`: those that came earlier and were not over by then. What else counts of before: `admitted`, the
    admissions by number, in order; `calls`, of the day until then; `talks`, the latest one of a number.
    """

    since: int
    until: int
    leads: tuple[PastLead, ...]
    open_before: tuple[PastLead, ...] = ()
    admitted: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    calls: tuple[EarlierCall, ...] = ()
    talks: Mapping[str, Talk] = field(default_factory=dict)

    @property
    def all(self) -> tuple[PastLead, ...]:
        """Both, the older ones first."""
        return (*self.open_before, *self.leads)
