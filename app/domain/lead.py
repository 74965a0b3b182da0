"""A lead: a person who asked to be called, and our promise to call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.directory_types import First
from app.domain.hits import Hit
from app.domain.phone import Phone
from app.domain.priority import FRESH


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead as it came in, checked and cleaned, before anything is stored. Moments in milliseconds."""

    id: str
    site: str
    source: str
    phone: Phone
    phone_key: str  # keyed hash of the E.164 number: what cool-down and uniqueness look at
    client_key: str  # keyed hash of the client's address
    received_at: int
    due_at: int
    expires_at: int
    deadline_at: int
    reason: str  # why it waits: no_agent until somebody is free, closed, scheduled
    rank: int = FRESH  # whose turn it is among those that are due (domain/priority.py)
    hold: str | None = None  # the guard that stops it, or None
    spam: bool = False  # whether that is the end of it: nobody is asked
    delivery: str | None = None  # the id of the webhook's delivery that it comes from
    hits: tuple[Hit, ...] = ()  # the guards that spoke at the sight of its number
    name: str = ""
    email: str = ""
    message: str = ""
    language: str = ""
    asked_language: str = ""
    consent: str = ""
    consent_text: str = ""
    submission_id: str | None = None
    fingerprint: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    attribution: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """When a lead is due, when it is too late to ring it, and by when somebody should talk with it; milliseconds."""

    due_at: int
    expires_at: int
    deadline_at: int


@dataclass(frozen=True, slots=True)
class Lead:
    """A stored lead, as the service decides about it. Counters: how often what was tried."""

    id: str
    site: str
    source: str
    phone: str
    name: str
    message: str
    language: str
    state: str
    reason: str | None
    outcome: str | None
    received_at: int
    due_at: int | None
    expires_at: int | None
    ended_at: int | None
    attempt_id: str | None
    attempts: int
    lead_tries: int  # times the lead's own phone was rung without a conversation
    agent_misses: int  # times in a row that an agent did not pick up
    send_failures: int  # times in a row that the request could not leave
    errors: int  # times in a row that the provider reported its own error
    avoid_agent: str | None
    asked_language: str  # what the form said; `language` is that, or the site's
    redials: int  # times it was rung again because the provider knew nothing of the call before
    deadline_at: int  # by then somebody of ours should talk with the lead, or the lead is told when
    promised_at: int | None  # the time that the lead was told, because nobody was free in time
    rank: int  # whose turn it is among those that are due (domain/priority.py)
    avoid_until: int | None  # `avoid_agent` is not asked before that, as long as there is anybody else
    admitted: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to connect one lead with one agent: at most one provider request."""

    id: str
    lead_id: str
    agent_id: str
    extension: str
    number: int
    state: str
    outcome: str | None
    reserved_at: int
    sending_at: int | None
    call_id: str | None
    leg1_status: str | None
    leg1_talk: int | None
    leg2_status: str | None
    leg2_talk: int | None
    code: int | None = None  # the provider's, where it refused
    first_leg: First = "agent"  # whose phone is leg 1
    unknown_at: int | None = None
    seen_at: int | None = None  # last seen on the line
    hung_up_at: int | None = None  # when a person of ours had its call ended
    line_looks: int = 0  # looks at the active calls that found nothing, since it became unknown
    log_looks: int = 0  # times the call log was asked
    log_misses: int = 0  # times it answered and knew nothing
    look_at: int | None = None  # when the sweeper has to look at it; None when it is over

    @property
    def began_at(self) -> int:
        """When its request was about to leave; when it was reserved, as long as it was not."""
        return self.sending_at or self.reserved_at


@dataclass(frozen=True, slots=True)
class LateLead:
    """A lead that somebody should have talked with by now; `ahead`: how many of its site are due before it."""

    id: str
    site: str
    phone: str
    promised_at: int | None
    expires_at: int
    ahead: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A lead and an agent, reserved for each other: what a dial starts from."""

    lead: Lead
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a lead's history; the events table is append-only."""

    at: int
    event: str
    who: str
    attempt_id: str | None
    agent_id: str | None
    why: str | None
