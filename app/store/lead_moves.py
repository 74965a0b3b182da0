"""How a lead follows its attempts: the current one alone, but for a conversation and for a refusal that was none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from app.domain.guards import HELD_FOR
from app.domain.lead import Attempt, Lead
from app.domain.moves import Move
from app.domain.states import ATTEMPT_LIVE, LEAD_FINAL, LEAD_LIVE, LEAD_MOVES, may_move
from app.store import refusals
from app.store.statements import among
from app.store.tables import leads
from app.store.together import Write
from app.store.updates import update_of


def wants(attempt: Attempt, lead: Lead, move: Move) -> bool:
    """Whether the lead is to be with this attempt, and is with another one: its call is on the line, or they talked."""
    return lead.attempt_id != attempt.id and (move.takes_lead or move.outcome == "connected")


def _takes(conn: Connection, attempt: Attempt, lead: Lead, move: Move) -> bool:
    """Whether this attempt becomes the lead's current one again."""
    if wants(attempt, lead, move):
        return lead.state not in ("dialing", "connected")
    # A refused call that was one after all: if nobody has rung the lead since, there is nothing newer to be said of it.
    refuted = attempt.state == "refused" and move.attempt == "ended"
    return refuted and lead.state == "waiting" and refusals.was_the_last_to_ring(conn, attempt)


def follow(conn: Connection, attempt: Attempt, lead: Lead, move: Move, now: int) -> tuple[str, str | None, list[Write]]:
    """How the lead moves with its attempt: in which state it is then, why, and what is to be written for it.

    It follows its current attempt alone, but for one thing: who has talked with us is not rung again. So a
    conversation that is reported late, of an earlier attempt, ends a lead that waits; where another attempt is
    under way it is remembered as the outcome, and the lead ends with that attempt, however it goes.

    A refused call that is seen on the line, or reported, makes its attempt the current one again, where no other one is
    under way. Where one is, only the lead's phone that rang is counted.
    """
    talked = "connected" in (lead.outcome, move.outcome)
    values: dict[str, Any] = {}
    current = lead.attempt_id == attempt.id
    if not current and _takes(conn, attempt, lead, move):
        current, values["attempt_id"] = True, attempt.id
    if not current and not (talked and move.outcome == "connected"):
        only = ("lead_tries",) if attempt.state == "refused" and "lead_tries" in move.counts else ()
        return lead.state, lead.reason, _writes(lead, {}, only)
    # A time that the visitor chose since is kept, whatever is heard of an earlier call.
    appointed = lead.state == "waiting" and lead.reason == "scheduled" and move.lead in ("waiting", "exhausted")
    if current:
        values |= {name: 0 for name in move.clears if getattr(lead, name)}
        if move.avoid_until is not None:
            values |= {"avoid_agent": attempt.agent_id, "avoid_until": move.avoid_until}
    if current and not appointed:
        if move.expires_at is not None:
            values["expires_at"] = move.expires_at
        elif move.lead == "held":
            values["expires_at"] = now + HELD_FOR
        if move.deadline_at is not None:
            values |= {"deadline_at": move.deadline_at, "promised_at": None}
        if move.rank is not None:
            values["rank"] = move.rank
    if move.outcome is not None:
        values["outcome"] = "connected" if talked else move.outcome
    over = talked and move.lead is not None and move.attempt not in ATTEMPT_LIVE
    to, reason_to = ("connected", None) if over else (None if appointed else move.lead, move.reason)
    state, reason = lead.state, lead.reason
    if to is not None and (current or state != "dialing") and _may_go(conn, lead, to):
        state, reason = to, reason_to
        values |= {
            "state": state,
            "reason": reason,
            "due_at": move.due_at if state == "waiting" else None,
            "ended_at": (lead.ended_at or now) if state in LEAD_FINAL else None,
        }
    counts = move.counts if current else ()
    return state, reason, _writes(lead, values, counts)


def _writes(lead: Lead, values: dict[str, Any], counts: tuple[str, ...]) -> list[Write]:
    return [update_of(leads, {"id": lead.id, "state": lead.state}, values, counts)] if values or counts else []


def _may_go(conn: Connection, lead: Lead, state: str) -> bool:
    if not may_move(LEAD_MOVES, lead.state, state):
        return False
    if lead.state in LEAD_FINAL and state in LEAD_LIVE:
        # A closed lead comes back to life only while the number has no other live lead.
        own = select(leads.c.phone_key).where(leads.c.id == lead.id).scalar_subquery()
        other = select(leads.c.id).where(leads.c.phone_key == own, among(leads.c.state, LEAD_LIVE))
        return conn.execute(other).first() is None
    return True
