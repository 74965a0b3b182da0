"""What the store tells about leads, agents and attempts: the shapes that cross the seam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.lead import Attempt, Event, Lead
from app.domain.moves import Move
from app.domain.switches import Switch


@dataclass(frozen=True, slots=True)
class Moved:
    """What a settled attempt led to; `lead_state` and `reason` as they are now."""

    attempt: Attempt
    lead: Lead
    move: Move
    lead_state: str
    reason: str | None
    connected_at: int | None = None  # seen on the line before it was reported


@dataclass(frozen=True, slots=True)
class LeadStory:
    """A lead with its latest attempt's times and its history: what its own view is made of."""

    lead: Lead
    agent_id: str | None
    attempt_state: str | None
    history: list[Event]
    ahead: int  # waiting leads of its site that are due before it


@dataclass(frozen=True, slots=True)
class AgentState:
    """What the database knows of an agent; `until` and `paused_until` in milliseconds."""

    id: str
    listed: bool
    state: str
    until: int | None
    paused: bool
    paused_until: int | None
    pause_reason: str | None
    idle_since: int
    presence: str | None = None
    presence_until: int | None = None

    def at(self, now: int) -> str:
        """The state in one word at this moment: a pause or time that is over no longer counts.

        Who is available by our books may be busy or away by the provider's.
        """
        if self.state in ("reserved", "on_call"):
            return self.state
        if self.paused and (self.paused_until is None or self.paused_until > now):
            return "paused"
        state = "available" if self.until is not None and self.until <= now else self.state
        if state == "available" and self.presence and (self.presence_until or 0) > now:
            return self.presence
        return state


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """An attempt, when it was over, and when it is looked at and the call log asked about it again; ms or None."""

    attempt: Attempt
    ended_at: int | None
    look_at: int | None
    ask_at: int | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the database knows about a lead at one moment: what an explanation is made of."""

    at: int
    story: LeadStory
    attempts: list[AttemptTimes]  # in their order
    agents: Mapping[str, AgentState]
    dialling: Switch
    ahead: Mapping[int, int]  # by rank, the due leads of its site whose turn comes before its own
    rung_out: bool  # its number has been rung as often as it may be in a day


@dataclass(frozen=True, slots=True)
class KeptCdr:
    """A stored record that nobody has applied yet."""

    id: int
    body: str
    received_at: int


@dataclass(frozen=True, slots=True)
class Gauges:
    """Counts by reason or state; `oldest` in milliseconds of waiting."""

    waiting: Mapping[str, int] = field(default_factory=dict)
    oldest: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    unaccounted: int = 0
    unknown: int = 0
