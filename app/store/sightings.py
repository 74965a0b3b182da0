"""How far a placed call has got, each moment written once: the agent's phone rings, the lead's rings, they talk."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from app.domain.stories import PlacedAttempt
from app.store import events
from app.store.tables import attempts, leads

# What a phase proves, in the order in which it must have happened: event and column.
PROVES: Final = {
    "agent_ringing": (("agent_ringing", attempts.c.agent_ringing_at),),
    "lead_ringing": (
        ("agent_answered", attempts.c.agent_answered_at),
        ("lead_ringing", attempts.c.lead_ringing_at),
    ),
    "talking": (
        ("agent_answered", attempts.c.agent_answered_at),
        ("talking", attempts.c.connected_at),
    ),
}

_placed = (
    select(
        attempts.c.id,
        attempts.c.lead_id,
        attempts.c.agent_id,
        leads.c.site,
        attempts.c.extension,
        attempts.c.call_id,
        leads.c.received_at,
        attempts.c.agent_ringing_at,
        attempts.c.agent_answered_at,
        attempts.c.lead_ringing_at,
        attempts.c.connected_at,
    )
    .join(leads, leads.c.id == attempts.c.lead_id)
    .where(attempts.c.look_at.is_not(None), attempts.c.state == "placed")
    .limit(bindparam("most"))
)
_later = (
    update(attempts)
    .where(
        attempts.c.id == bindparam("attempt"),
        attempts.c.state == "placed",
        attempts.c.look_at < bindparam("until"),
    )
    .values(look_at=bindparam("until"))
)


def placed(conn: Connection, most: int = 1000) -> list[PlacedAttempt]:
    """The attempts whose calls may be on the line now."""
    return [PlacedAttempt(**row) for row in conn.execute(_placed, {"most": most}).mappings()]


def note(conn: Connection, seen: PlacedAttempt, phase: str, now: int, look_at: int) -> bool:
    """Write what a phase proves and was not known yet; True when that was anything.

    A call that is seen on the line is not over: its attempt is looked at again no sooner than `look_at`.
    """
    conn.execute(_later, {"attempt": seen.id, "until": look_at})
    history = []
    for event, column in PROVES[phase]:
        written = conn.execute(
            update(attempts)
            .where(attempts.c.id == seen.id, attempts.c.state == "placed", column.is_(None))
            .values({column: now})
        )
        if written.rowcount == 1:
            history.append(
                events.entry(now, seen.lead_id, event, "presence", attempt_id=seen.id, agent_id=seen.agent_id)
            )
    events.add(conn, history)
    return bool(history)
