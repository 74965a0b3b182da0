"""Reading and ending leads: the view, cancel, release, expiry."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Connection, and_, bindparam, case, func, or_, select, update

from app.domain.lead import Lead, Term
from app.domain.priority import BACKLOG, LATEST, PROMISED, RANKS, STEP
from app.domain.stories import LeadStory
from app.store import events
from app.store.due import ahead
from app.store.statements import LEAD_COLUMNS, among, lead_of
from app.store.tables import attempts, leads

_lead = select(*LEAD_COLUMNS).where(leads.c.id == bindparam("lead"))
_current = select(
    attempts.c.id,
    attempts.c.agent_id,
    attempts.c.state,
    attempts.c.placed_at,
    attempts.c.agent_answered_at,
    attempts.c.lead_ringing_at,
    attempts.c.connected_at,
).where(attempts.c.id == bindparam("attempt"))
_cancel = (
    update(leads)
    .where(
        leads.c.id == bindparam("lead"),
        leads.c.state.in_(("waiting", "held")),
    )
    .values(state="cancelled", reason=bindparam("because"), due_at=None, ended_at=bindparam("at"))
)
_reschedule = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting")
    .values(
        reason="scheduled",
        rank=PROMISED,
        due_at=bindparam("due"),
        expires_at=bindparam("until"),
        deadline_at=bindparam("deadline"),
        promised_at=None,
    )
)
_release = (
    update(leads)
    .where(
        leads.c.id == bindparam("lead"),
        # A request that the provider called wrong was perhaps only sent with a wrong account code.
        or_(leads.c.state.in_(("held", "spam")), and_(leads.c.state == "failed", leads.c.reason == "request_wrong")),
    )
    .values(
        state="waiting",
        reason="no_agent",
        rank=PROMISED,
        due_at=bindparam("due"),
        expires_at=bindparam("until"),
        deadline_at=bindparam("deadline"),
        promised_at=None,
        ended_at=None,
        admitted=1,
    )
)
_expired = (
    select(leads.c.id, leads.c.state)
    .where(
        among(leads.c.state, ("waiting", "held")),
        leads.c.expires_at <= bindparam("at"),
    )
    .order_by(leads.c.expires_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_expire = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == bindparam("was"))
    .values(state="expired", reason="expired", due_at=None, ended_at=bindparam("at"))
)
_recent = select(*LEAD_COLUMNS).order_by(leads.c.received_at.desc())


def story(conn: Connection, lead_id: str, now: int) -> LeadStory | None:
    """Everything a lead's view needs, or None."""
    row = conn.execute(_lead, {"lead": lead_id}).first()
    if row is None:
        return None
    lead = lead_of(row)
    current = conn.execute(_current, {"attempt": lead.attempt_id}).first() if lead.attempt_id else None
    return LeadStory(
        lead=lead,
        agent_id=current.agent_id if current else None,
        attempt_state=current.state if current else None,
        history=events.of_lead(conn, lead_id),
        ahead=ahead(conn, lead, now) if lead.state == "waiting" else 0,
    )


def begun(conn: Connection, beginning: str, most: int = 2) -> list[str]:
    """The ids that begin like this, at most `most`: for people, who do not like to type whole ones."""
    query = select(leads.c.id).where(leads.c.id.startswith(beginning, autoescape=True)).limit(most)
    return list(conn.execute(query).scalars())


def cancel(conn: Connection, lead_id: str, who: str, now: int) -> str | None:
    """Cancel a lead that is not being dialled; the state it is in afterwards, None when there is no such lead."""
    done = conn.execute(_cancel, {"lead": lead_id, "because": who, "at": now}).rowcount
    if done == 1:
        events.add(conn, [events.entry(now, lead_id, "cancelled", who, to_state="cancelled")])
        return "cancelled"
    return conn.execute(select(leads.c.state).where(leads.c.id == lead_id)).scalar()


def bound(term: Term) -> dict[str, int]:
    """The term as these statements take it."""
    return {"due": term.due_at, "until": term.expires_at, "deadline": term.deadline_at}


def reschedule(conn: Connection, lead_id: str, term: Term, now: int) -> str | None:
    """The lead wants to be called at another time; the state afterwards, None when there is no such lead."""
    done = conn.execute(_reschedule, {"lead": lead_id, **bound(term)}).rowcount
    if done == 1:
        events.add(conn, [events.entry(now, lead_id, "scheduled", "lead", to_state="waiting", why="scheduled")])
        return "waiting"
    return conn.execute(select(leads.c.state).where(leads.c.id == lead_id)).scalar()


def release(conn: Connection, lead_id: str, who: str, term: Term, now: int) -> str | None:
    """A person lets a held lead be dialled, now; the state afterwards, None when there is no such lead."""
    done = conn.execute(_release, {"lead": lead_id, **bound(term)}).rowcount
    if done == 1:
        events.add(conn, [events.entry(now, lead_id, "released", who, to_state="waiting")])
        return "waiting"
    return conn.execute(select(leads.c.state).where(leads.c.id == lead_id)).scalar()


def expire(conn: Connection, now: int, most: int = 200) -> list[str]:
    """End the leads that were never rung in time; their ids."""
    rows = conn.execute(_expired, {"at": now, "most": most}).all()
    for row in rows:
        conn.execute(_expire, {"lead": row.id, "was": row.state, "at": now})
    events.add(
        conn,
        [events.entry(now, row.id, "expired", "sweeper", from_state=row.state, to_state="expired") for row in rows],
    )
    return [row.id for row in rows]


def listed(conn: Connection, states: tuple[str, ...], most: int) -> list[Lead]:
    """Leads in these states (all when empty), newest first."""
    query = _recent.limit(most)
    if states:
        query = query.where(or_(*(leads.c.state == state for state in states)))
    return [lead_of(row) for row in conn.execute(query)]


_next_due = select(func.min(leads.c.due_at)).where(
    among(leads.c.state, ["waiting"]),
    leads.c.site == bindparam("of_site"),
    leads.c.rank == bindparam("of_rank"),
    leads.c.due_at > bindparam("after"),
)


def next_due(conn: Connection, sites: list[str], after: int) -> int | None:
    """When the next waiting lead of these sites falls due after `after`, or None."""
    found = [
        conn.execute(_next_due, {"of_site": site, "of_rank": rank, "after": after}).scalar()
        for site in sites
        for rank in RANKS
    ]
    return min((due for due in found if due is not None), default=None)


# The same as backlog_due says: the freshest first, within the opening's first second.
_age = (bindparam("due", type_=BigInteger) - leads.c.received_at) // STEP
_order = case((_age > LATEST, LATEST), else_=_age)
# What becomes of a lead that may not be rung any more today: a promise stays one, everything else is backlog.
UNTIL_OPENING: Final[dict[str, Any]] = {
    "due_at": bindparam("due", type_=BigInteger) + case((leads.c.rank == PROMISED, 0), else_=_order),
    "rank": case((leads.c.rank == PROMISED, PROMISED), else_=BACKLOG),
    "expires_at": bindparam("until"),
    "deadline_at": bindparam("deadline"),
    "promised_at": None,
    "reason": "closed",
}
_close_for_now = (
    update(leads)
    .where(
        leads.c.site == bindparam("of_site"),
        among(leads.c.state, ["waiting"]),
        leads.c.rank.in_(RANKS),
        leads.c.due_at <= bindparam("at"),
    )
    .values(UNTIL_OPENING)
)


def put_off(conn: Connection, site: str, term: Term, now: int) -> int:
    """The site has closed: its due leads wait for the next opening, with a new term. How many."""
    return conn.execute(_close_for_now, {"of_site": site, "at": now, **bound(term)}).rowcount
