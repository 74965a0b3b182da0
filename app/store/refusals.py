"""Refusals that prove little: by an error of its own the provider says that there is no call, and there may be one."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, bindparam, func, literal_column, select, update

from app.domain.lead import Attempt
from app.domain.open_calls import OpenCall
from app.store import events, sightings
from app.store.sightings import OPEN_CALL, open_call
from app.store.statements import among
from app.store.tables import attempts, leads

APPLICATION_ERROR: Final = 2  # the provider's word for an error of its own
# Values are written out: a partial index is used only where the statement repeats its words.
_refused = and_(among(attempts.c.state, ("refused",)), attempts.c.code == literal_column(str(APPLICATION_ERROR)))
_may_be_on_line = (
    select(*OPEN_CALL)
    .join(leads, leads.c.id == attempts.c.lead_id)
    .where(_refused, attempts.c.sending_at > bindparam("since"))
    .order_by(attempts.c.sending_at.desc())
    .limit(bindparam("most"))
)
_this = update(attempts).where(attempts.c.id == bindparam("attempt"), _refused)
_seen = _this.values(
    seen_at=bindparam("at"),
    ask_at=bindparam("ask"),
    log_looks=0,
    call_id=func.coalesce(attempts.c.call_id, bindparam("call")),
)
_first_seen = _this.where(attempts.c.seen_at.is_(None)).values(seen_at=bindparam("at"))
# Those of a lead's later attempts that rang, or may have.
_later = (
    select(attempts.c.id)
    .where(
        attempts.c.lead_id == bindparam("lead"),
        attempts.c.number > bindparam("after"),
        attempts.c.state.not_in(("refused", "not_sent", "lapsed")),
    )
    .limit(1)
)


def may_have_rung(attempt: Attempt) -> bool:
    """Whether this attempt was refused in the way that proves the least."""
    return attempt.state == "refused" and attempt.code == APPLICATION_ERROR


def calls(conn: Connection, sent_since: int, most: int = 1000) -> list[OpenCall]:
    """The attempts so refused that were sent since then (ms), and whose calls may be on the line: the latest first."""
    return [open_call(row) for row in conn.execute(_may_be_on_line, {"since": sent_since, "most": most}).mappings()]


def with_refused(conn: Connection, since: int | None) -> list[OpenCall]:
    """All attempts whose calls may be on the line; with `since` (see `calls`) also refused and unanswered ones.

    In this order, so that a request that is being answered is not left out; it may be there twice.
    """
    if since is None:
        return sightings.open_calls(conn)
    return [*sightings.open_calls(conn, unanswered=True), *calls(conn, since)]


def note_refuted(conn: Connection, call: OpenCall, call_id: str | None, now: int, ask_at: int) -> bool:
    """Write that the call of a refused attempt is on the line while its lead goes another way; True the first time.

    The attempt stays refused until the call is reported, as it cannot be live beside another one of its lead.
    """
    first = conn.execute(_first_seen, {"attempt": call.id, "at": now}).rowcount == 1
    conn.execute(_seen, {"attempt": call.id, "at": now, "ask": ask_at, "call": call_id})
    if first:
        seen = events.entry(now, call.lead_id, "refuted", "presence", attempt_id=call.id, agent_id=call.agent_id)
        events.add(conn, [seen])
    return first


def was_the_last_to_ring(conn: Connection, attempt: Attempt) -> bool:
    """Whether no later attempt of its lead has rung anybody, or may have."""
    return conn.execute(_later, {"lead": attempt.lead_id, "after": attempt.number}).first() is None
