"""Deadlines that could not be kept, and times in which nobody could be dialled at all."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, case, literal_column, select, update

from app.domain.guards import HELD_FOR
from app.domain.hits import lasting
from app.domain.lead import LateLead
from app.domain.priority import FRESH, PROMISED
from app.store import events, meta
from app.store.due import ahead
from app.store.statements import LEAD_COLUMNS, among, lead_of
from app.store.tables import leads

HEARTBEAT: Final = "dispatch.alive"  # the row of `meta` that says when calls could last be placed

_late = (
    select(*LEAD_COLUMNS)
    .where(
        among(leads.c.state, ["waiting"]),
        leads.c.deadline_at > literal_column("0"),  # the words of its index
        leads.c.deadline_at <= bindparam("by"),
    )
    .order_by(leads.c.deadline_at)
    .limit(bindparam("most"))
)
_promise = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting", leads.c.deadline_at <= bindparam("by"))
    .values(
        promised_at=bindparam("promised"),
        deadline_at=bindparam("promised"),
        # What was promised is not let expire before; but only the first promise counts.
        expires_at=case(
            (leads.c.promised_at.is_(None) & (leads.c.expires_at < bindparam("until")), bindparam("until")),
            else_=leads.c.expires_at,
        ),
    )
)
# Looks at everything that waits, which is done once after an outage.
_missed = (
    select(leads.c.id)
    .where(
        among(leads.c.state, ["waiting"]),
        leads.c.rank.in_((PROMISED, FRESH)),
        leads.c.due_at <= bindparam("before"),
    )
    .with_for_update(skip_locked=True)
)
_hold = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting")
    .values(state="held", reason="outage", due_at=None, expires_at=bindparam("until"))
)


def late(conn: Connection, by: int, now: int, most: int = 200) -> list[LateLead]:
    """The leads that nobody is being rung for and whose deadline is over at `by`, longest over first."""
    found = [lead_of(row) for row in conn.execute(_late, {"by": by, "most": most})]
    return [
        LateLead(lead.id, lead.site, lead.phone, lead.promised_at, lead.expires_at or now, ahead(conn, lead, now))
        for lead in found
    ]


def promise(conn: Connection, lead_id: str, at: int, expires: int, by: int, now: int) -> bool:
    """The lead is told of another time, which is its deadline from here on; False when it has moved on."""
    promised = {"lead": lead_id, "promised": at, "until": expires, "by": by}
    if conn.execute(_promise, promised).rowcount != 1:
        return False
    events.add(conn, [events.entry(now, lead_id, "promised", "sweeper", why=str(at))])
    return True


def after_standstill(conn: Connection, gap: int, fresh_for: int, now: int) -> list[str]:
    """Note that calls can be placed now; hold who has waited through a time in which none could. Their ids."""
    last = meta.read(conn, HEARTBEAT)
    meta.write(conn, HEARTBEAT, str(now))
    if last is None or now - int(last) <= gap:
        return []
    held = list(conn.execute(_missed, {"before": now - fresh_for}).scalars())
    why = f"outage: nothing could be dialled for {lasting((now - int(last)) // 1000)}"
    for lead_id in held:
        conn.execute(_hold, {"lead": lead_id, "until": now + HELD_FOR})
    events.add(
        conn,
        [
            events.entry(now, lead_id, "held", "dispatcher", from_state="waiting", to_state="held", why=why)
            for lead_id in held
        ],
    )
    return held
