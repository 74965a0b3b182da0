"""How long leads waited until their telephone rang: what a form may promise the next one."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, case, func, select

from app.domain.priority import RANKS
from app.store.statements import among
from app.store.tables import attempts, events, leads

MOST: Final = 1000  # the newest leads speak for all

# When the lead's phone rang: as seen on the line, else as its leg was reported, else the conversation.
_rang = func.coalesce(
    attempts.c.lead_ringing_at,
    case((attempts.c.first_leg == "lead", attempts.c.leg1_at), else_=attempts.c.leg2_at),
    attempts.c.connected_at,
)
_first_ring = (
    select(func.min(_rang)).where(attempts.c.lead_id == leads.c.id).correlate(leads).scalar_subquery().label("rang")
)
# It waited for something else than an agent: for a set time, for the opening, for a person's decision.
# As a column: as a condition, PostgreSQL reads all events to join them.
_waited_otherwise = (
    select(func.min(events.c.id))
    .where(events.c.lead_id == leads.c.id, events.c.event.in_(("scheduled", "held")))
    .correlate(leads)
    .scalar_subquery()
    .label("otherwise")
)
_tried = (
    select(leads.c.received_at, leads.c.state, _first_ring, _waited_otherwise)
    .where(
        leads.c.site == bindparam("of_site"),
        leads.c.received_at >= bindparam("since"),
        leads.c.admitted == 1,
    )
    .order_by(leads.c.received_at.desc())
    .limit(bindparam("most"))
)
_UNDECIDED: Final = ("waiting", "dialing", "held", "cancelled", "spam")
_oldest_due = select(func.min(leads.c.due_at)).where(
    leads.c.site == bindparam("of_site"),
    among(leads.c.state, ["waiting"]),
    leads.c.rank.in_(RANKS),
    leads.c.due_at <= bindparam("at"),
)


def waits(conn: Connection, site: str, since: int) -> list[int | None]:
    """Milliseconds from received to the first ring of the lead's phone; None where it never rang.

    Of the site's newest leads, received from `since` on, that waited for an agent and nothing else. Who may still be
    rung, or cancelled before, is not among them.
    """
    rows = conn.execute(_tried, {"of_site": site, "since": since, "most": MOST})
    return [
        None if row.rang is None else max(0, row.rang - row.received_at)
        for row in rows
        if row.otherwise is None and (row.rang is not None or row.state not in _UNDECIDED)
    ]


def oldest_due(conn: Connection, site: str, now: int) -> int | None:
    """Since when the site's longest waiting lead is due; None when nobody is."""
    found: int | None = conn.execute(_oldest_due, {"of_site": site, "at": now}).scalar()
    return found
