"""The append-only history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from app.domain.hits import Hit
from app.domain.lead import Event
from app.store.tables import events
from app.store.together import Write

_insert = insert(events)
_of_lead = select(events).order_by(events.c.id)


def entry(
    at: int,
    lead_id: str,
    event: str,
    who: str,
    *,
    attempt_id: str | None = None,
    agent_id: str | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    why: str | None = None,
) -> dict[str, Any]:
    """One history row, ready for `add`."""
    return {
        "at": at,
        "lead_id": lead_id,
        "attempt_id": attempt_id,
        "agent_id": agent_id,
        "who": who,
        "event": event,
        "from_state": from_state,
        "to_state": to_state,
        "why": why,
    }


def told(*rows: Mapping[str, Any]) -> Write:
    """These rows, to be written together with what they tell of."""
    return Write(_insert, rows)


def observed(at: int, lead_id: str, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """The guards that spoke and did not decide, with their mode where it is more than to observe."""
    return [
        entry(at, lead_id, "observed", "guard", why=hit.told if hit.mode == "observe" else hit.told_with_mode)
        for hit in hits
    ]


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append these rows."""
    if rows:
        conn.execute(_insert, list(rows))


def of_lead(conn: Connection, lead_id: str) -> list[Event]:
    """The lead's history, oldest first."""
    rows = conn.execute(_of_lead.where(events.c.lead_id == lead_id)).mappings()
    return [
        Event(
            at=row["at"],
            event=row["event"],
            who=row["who"],
            attempt_id=row["attempt_id"],
            agent_id=row["agent_id"],
            why=row["why"],
        )
        for row in rows
    ]
