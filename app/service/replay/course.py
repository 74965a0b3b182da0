"""One lead on its way through a replay, and how the rules' moves change it: as the store would write it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.guards import HELD_FOR, Hit
from app.domain.lead import Lead, Term
from app.domain.moves import Move
from app.domain.past_day import PastLead
from app.domain.states import LEAD_FINAL, LEAD_LIVE
from app.service.replay.ledger import LeadEnd


@dataclass(slots=True)
class Course:
    """A lead, as far as it has come. `version` grows with each change: what was planned for an older one is void."""

    lead: Lead
    phone_key: str
    again: bool = False
    origin: int | None = None
    fresh: bool = True
    version: int = 0
    rung: int = 0  # times that the lead's own phone was rung
    asked: dict[str, int] = field(default_factory=dict)  # by agent, how often for this lead
    request_at: int | None = None
    conversation_at: int | None = None
    promises: int = 0
    hits: list[Hit] = field(default_factory=list)
    result: str | None = None  # where it is no state: joined, refused, no_site

    @property
    def live(self) -> bool:
        return self.result is None and self.lead.state in LEAD_LIVE

    @property
    def waits(self) -> bool:
        return self.result is None and self.lead.state == "waiting"

    def end(self, result: str, reason: str | None = None) -> None:
        """It was never stored as a lead of its own."""
        self.result, self.lead = result, replace(self.lead, reason=reason, due_at=None)

    def change(self, **values: Any) -> None:
        """Write these of the lead's fields; nothing that was planned for it before counts any more."""
        self.version += 1
        self.lead = replace(self.lead, **values)

    def wait(self, reason: str, rank: int, term: Term, **values: Any) -> None:
        """It is due then, and has not been promised anything else."""
        self.change(
            state="waiting",
            reason=reason,
            rank=rank,
            due_at=term.due_at,
            expires_at=term.expires_at,
            deadline_at=term.deadline_at,
            promised_at=None,
            **values,
        )

    def hold(self, reason: str, now: int) -> None:
        """A person decides."""
        self.change(state="held", reason=reason, due_at=None, expires_at=now + HELD_FOR)

    def over(self, state: str, reason: str, now: int) -> None:
        """Nobody is called any more."""
        self.change(state=state, reason=reason, due_at=None, ended_at=now)

    def move(self, move: Move, agent_id: str, now: int) -> None:
        """Where a call's end, or its refusal, takes the lead."""
        lead = self.lead
        values: dict[str, Any] = dict.fromkeys(move.clears, 0)
        values |= {name: getattr(lead, name) + 1 for name in move.counts}
        if move.avoid_until is not None:
            values |= {"avoid_agent": agent_id, "avoid_until": move.avoid_until}
        if move.deadline_at is not None:
            values |= {"deadline_at": move.deadline_at, "promised_at": None}
        if move.expires_at is not None or move.lead == "held":
            values["expires_at"] = move.expires_at or now + HELD_FOR
        if move.rank is not None:
            values["rank"] = move.rank
        if move.outcome is not None:
            values["outcome"] = move.outcome
        if move.lead is not None:
            values |= {
                "state": move.lead,
                "reason": move.reason,
                "due_at": move.due_at if move.lead == "waiting" else None,
                "ended_at": now if move.lead in LEAD_FINAL else None,
            }
        self.change(**values)

    def told(self) -> LeadEnd:
        """Its one result."""
        lead = self.lead
        return LeadEnd(
            lead.id,
            lead.site,
            lead.phone,
            lead.received_at,
            self.result or lead.state,
            lead.reason,
            self.origin,
            self.fresh,
            self.request_at,
            self.conversation_at,
            self.promises,
            tuple(self.hits),
            self.again,
        )


def new_lead(past: PastLead, lead_id: str, now: int) -> Lead:
    """The lead as it comes in, before anything is decided about it."""
    return Lead(
        id=lead_id,
        site=past.site,
        source="",
        phone=past.phone,
        name="",
        message="",
        language="",
        state="waiting",
        reason=None,
        outcome=None,
        received_at=now,
        due_at=None,
        expires_at=None,
        ended_at=None,
        attempt_id=None,
        attempts=0,
        lead_tries=0,
        agent_misses=0,
        send_failures=0,
        errors=0,
        avoid_agent=None,
        asked_language=past.asked_language,
        redials=0,
        deadline_at=0,
        promised_at=None,
        rank=1,
        avoid_until=None,
        admitted=True,
    )
