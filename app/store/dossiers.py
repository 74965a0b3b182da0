"""A lead's dossier: everything that an explanation is made of, in one snapshot."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from app.domain.guards import NumberCap
from app.domain.stories import AttemptTimes, Dossier
from app.store import agents, leads, switches
from app.store.due import ahead_by_rank
from app.store.number_caps import rung_out
from app.store.statements import ATTEMPT_COLUMNS, attempt_of
from app.store.tables import attempts

_of_lead = (
    select(*ATTEMPT_COLUMNS, attempts.c.ended_at, attempts.c.look_at, attempts.c.ask_at)
    .where(attempts.c.lead_id == bindparam("lead"))
    .order_by(attempts.c.number)
)


def read(conn: Connection, lead_id: str, numbers: NumberCap | None, now: int) -> Dossier | None:
    """The dossier as it is now; None when there is no such lead. `numbers`: the cap on calls to one number."""
    story = leads.story(conn, lead_id, now)
    if story is None:
        return None
    lead = story.lead
    due = lead.state == "waiting" and lead.due_at is not None and lead.due_at <= now
    many = len(ATTEMPT_COLUMNS)
    return Dossier(
        at=now,
        story=story,
        attempts=[
            AttemptTimes(attempt_of(row[:many]), *row[many:]) for row in conn.execute(_of_lead, {"lead": lead_id})
        ],
        agents=agents.states(conn),
        dialling=switches.read(conn)["dialling"],
        ahead=ahead_by_rank(conn, lead, now) if due else {},
        rung_out=numbers is not None
        and lead.lead_tries > 0
        and bool(rung_out(conn, [lead_id], numbers.limit, numbers.starts_at)),
    )
