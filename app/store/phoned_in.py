"""A lead who has phoned in: ended when it waits, noted when it is held, left alone while it is being dialled."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from app.domain.call_times import began_since
from app.domain.states import LEAD_LIVE
from app.ports import CallRecord
from app.store import cdrs, events
from app.store.statements import among
from app.store.tables import cdrs as reports
from app.store.tables import leads

_kept = select(reports.c.id, reports.c.received_at, reports.c.state).where(reports.c.digest == bindparam("digest"))
_live = select(leads.c.id, leads.c.state, leads.c.received_at).where(
    leads.c.phone_key == bindparam("key"), among(leads.c.state, LEAD_LIVE)
)
_end = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting")
    .values(state="cancelled", reason="phoned_in", due_at=None, ended_at=bindparam("at"))
)


def note(
    conn: Connection, body: str, record: CallRecord, phone_key: str, agent: str | None, talk: int, now: int
) -> str | None:
    """End the live lead with this number that waits, and came before the call; its id, or None.

    When the record came is told by the CDR that is kept as `body`: one that is repeated came the first time. A record
    that belongs to an attempt is of a call of ours, whatever it says.
    """
    cdr = conn.execute(_kept, {"digest": cdrs.digest_of(body)}).first()
    lead = conn.execute(_live, {"key": phone_key}).first()
    if cdr is None or lead is None or cdrs.match(conn, record, now) is not None:
        return None
    lasted = (talk + (record.ring_seconds or 0)) * 1000
    if not began_since(lead.received_at, record.started_at, record.raw_time, cdr.received_at, lasted):
        return None
    told = {"agent_id": agent, "why": f"{talk} s"}
    if lead.state == "held":
        if cdr.state != "kept":
            return None  # noted before
        events.add(conn, [events.entry(now, lead.id, "phoned_in_while_held", "provider", **told)])
    elif conn.execute(_end, {"lead": lead.id, "at": now}).rowcount == 1:
        events.add(
            conn,
            [events.entry(now, lead.id, "phoned_in", "provider", from_state="waiting", to_state="cancelled", **told)],
        )
    else:
        return None
    cdrs.close(conn, cdr.id, "applied", None)
    return lead.id if lead.state == "waiting" else None
