"""Calls of which nobody has told the end: when to ask the call log about them, and whose a call is."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, or_, select, update

from app.domain.open_calls import UnheardCall
from app.domain.states import ATTEMPT_LIVE
from app.store import events
from app.store.statements import ATTEMPT_COLUMNS, among, attempt_of
from app.store.tables import attempts, leads

_due = (
    select(*ATTEMPT_COLUMNS, leads.c.phone)
    .join(leads, leads.c.id == attempts.c.lead_id)
    .where(attempts.c.ask_at.is_not(None), attempts.c.ask_at <= bindparam("at"))
    .order_by(attempts.c.ask_at)
    .limit(bindparam("most"))
)
_asked = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.ask_at.is_not(None))
    .values(
        ask_at=bindparam("next"),
        log_looks=attempts.c.log_looks + bindparam("looked"),
        log_misses=attempts.c.log_misses + bindparam("missed"),
    )
)
_whose = (
    select(attempts.c.lead_id)
    .where(
        or_(attempts.c.id == bindparam("attempt"), attempts.c.call_id == bindparam("call")),
        # What a record has ended cannot be on the line: there the list is an old one.
        or_(among(attempts.c.state, ATTEMPT_LIVE), attempts.c.outcome == "unreported"),
    )
    .limit(1)
)
_hung_up = (
    update(attempts)
    .where(attempts.c.lead_id == bindparam("lead"), among(attempts.c.state, ATTEMPT_LIVE))
    .values(hung_up_at=bindparam("at"))
)


def due(conn: Connection, now: int, most: int = 100) -> list[UnheardCall]:
    """The attempts about which to ask now, longest due first."""
    rows = conn.execute(_due, {"at": now, "most": most})
    return [UnheardCall(attempt_of(values), phone) for *values, phone in rows]


def note_look(conn: Connection, attempt_id: str, ask_at: int | None, *, looked: bool, missed: bool) -> None:
    """When the next question to the call log is due (None: never), and whether this one was answered, with nothing."""
    conn.execute(_asked, {"attempt": attempt_id, "next": ask_at, "looked": int(looked), "missed": int(missed)})


def whose(conn: Connection, attempt_id: str | None, call_id: str | None) -> str | None:
    """The lead of the attempt with that id or that call id, unless it is known to be over."""
    if attempt_id is None and call_id is None:
        return None
    lead: str | None = conn.execute(_whose, {"attempt": attempt_id or "", "call": call_id or ""}).scalar()
    return lead


def note_hang_up(conn: Connection, lead_id: str, attempt_id: str | None, who: str, now: int) -> None:
    """Write into the lead's history, and on its attempt, that the call was ended on request."""
    conn.execute(_hung_up, {"lead": lead_id, "at": now})
    events.add(conn, [events.entry(now, lead_id, "hung_up", who, attempt_id=attempt_id)])
