"""Leads that are due while their own number may not be rung: found, put off, or held for a person."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Update, bindparam, select, update

from app.domain.guards import HELD_FOR, NO_COMMON_HOURS
from app.domain.lead import Term
from app.domain.priority import RANKS
from app.store import events
from app.store.leads import UNTIL_OPENING, bound
from app.store.statements import among
from app.store.tables import leads

_due = (
    select(leads.c.id, leads.c.phone)
    .where(
        leads.c.site == bindparam("of_site"),
        among(leads.c.state, ["waiting"]),
        leads.c.rank == bindparam("of_rank"),
        leads.c.due_at <= bindparam("at"),
    )
    .order_by(leads.c.due_at)
    .limit(bindparam("most"))
)
# Whoever was claimed, cancelled or moved since it was found is left alone.
_still_due = update(leads).where(
    leads.c.id == bindparam("lead"), leads.c.state == "waiting", leads.c.due_at <= bindparam("at")
)
_put_off = _still_due.values(UNTIL_OPENING)
_hold = _still_due.values(state="held", reason=NO_COMMON_HOURS, due_at=None, expires_at=bindparam("until"))


def due(conn: Connection, site: str, now: int, most: int) -> list[tuple[str, str]]:
    """Ids and numbers of the site's due leads, of each rank the `most` that are due for longest."""
    asked = {"of_site": site, "at": now, "most": most}
    return [(row.id, row.phone) for rank in RANKS for row in conn.execute(_due, {**asked, "of_rank": rank})]


def put_off(conn: Connection, ids: Iterable[str], term: Term, now: int) -> list[str]:
    """These leads wait for the next moment at which they may be rung, with a new term; the ids of those that do."""
    return _moved(conn, _put_off, ids, {"at": now, **bound(term)})


def hold(conn: Connection, ids: Iterable[str], now: int) -> list[str]:
    """There is no such moment: a person decides about these leads; the ids of those that are held now."""
    held = _moved(conn, _hold, ids, {"at": now, "until": now + HELD_FOR})
    events.add(
        conn,
        [
            events.entry(now, lead, "held", "sweeper", from_state="waiting", to_state="held", why=NO_COMMON_HOURS)
            for lead in held
        ],
    )
    return held


def _moved(conn: Connection, statement: Update, ids: Iterable[str], values: dict[str, int]) -> list[str]:
    # Sorted: replicas that put off the same leads must not wait for each other in a ring.
    return [lead for lead in sorted(ids) if conn.execute(statement, {"lead": lead, **values}).rowcount == 1]
