"""How often a number was rung today: over the cap, the second tries of its leads go on tomorrow."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from app.domain.guards import NumberCap
from app.domain.lead import Lead
from app.domain.priority import AGAIN
from app.store import events
from app.store.tables import attempts, leads

_theirs = leads.alias("theirs")
# Attempts in which the lead's phone rang, or may have.
_rang = or_(
    attempts.c.outcome.in_(("connected", "lead_no_answer", "lead_busy", "lead_unreachable", "unreported")),
    attempts.c.state.in_(("sending", "placed", "unknown", "unresolved")),
)
_rung_out = (
    select(leads.c.id)
    .join(_theirs, _theirs.c.phone_key == leads.c.phone_key)
    .join(attempts, and_(attempts.c.lead_id == _theirs.c.id, attempts.c.sending_at >= bindparam("since"), _rang))
    .where(leads.c.id.in_(bindparam("ids", expanding=True)))
    .group_by(leads.c.id)
    .having(func.count() >= bindparam("limit"))
)
_put_off = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting")
    .values(
        reason="retry",
        rank=AGAIN,
        due_at=bindparam("due"),
        expires_at=bindparam("until"),
        deadline_at=bindparam("deadline"),
        promised_at=None,
    )
)


def sort_out(conn: Connection, due: list[Lead], cap: NumberCap | None) -> tuple[list[Lead], list[Lead]]:
    """The leads that may be rung, and those whose number has been rung often enough today.

    Who asks to be called is called; it is second tries that are capped.
    """
    again = [lead.id for lead in due if lead.lead_tries]
    if cap is None or not again:
        return due, []
    over = rung_out(conn, again, cap.limit, cap.starts_at)
    if not over:
        return due, []
    return [lead for lead in due if lead.id not in over], [lead for lead in due if lead.id in over]


def rung_out(conn: Connection, ids: Sequence[str], limit: int, since: int) -> set[str]:
    """Those of the leads whose number has been rung `limit` times since then, for whichever of its leads."""
    if not ids:
        return set()
    return set(conn.execute(_rung_out, {"ids": list(ids), "limit": limit, "since": since}).scalars())


def put_off(conn: Connection, rung_out: Sequence[Lead], cap: NumberCap | None, now: int) -> None:
    if cap is None or not rung_out:
        return
    for lead in rung_out:
        term = cap.tomorrow(lead.site)
        conn.execute(
            _put_off,
            {"lead": lead.id, "due": term.due_at, "until": term.expires_at, "deadline": term.deadline_at},
        )
    events.add(conn, [events.entry(now, lead.id, "number_cap", "dispatcher", why=str(cap.limit)) for lead in rung_out])
