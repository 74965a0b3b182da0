"""Figures that only the tables know, read at each scrape."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, not_, or_, select

from app.domain.states import ATTEMPT_LIVE, LEAD_LIVE
from app.domain.stories import Gauges
from app.store.agents import states
from app.store.statements import among
from app.store.tables import attempts, leads

# A lead that nothing will ever move again: being dialled without a live attempt, or overdue for the sweeper
# by far more than any sweep takes. The constraints make most of it impossible; this counts what is left.
GRACE = 600_000

_is_open = among(leads.c.state, LEAD_LIVE)
_waiting = (
    select(leads.c.reason, func.count().label("many"), func.min(leads.c.received_at).label("oldest"))
    .where(_is_open, leads.c.state == "waiting")
    .group_by(leads.c.reason)
)
_held = (
    select(leads.c.reason, func.count().label("many")).where(_is_open, leads.c.state == "held").group_by(leads.c.reason)
)
_has_live_attempt = (
    select(attempts.c.id)
    .where(attempts.c.lead_id == leads.c.id, among(attempts.c.state, ATTEMPT_LIVE))
    .correlate(leads)
    .exists()
)
# In two, so that none of them looks at every lead that waits.
_left_dialing = (
    select(func.count()).select_from(leads).where(_is_open, leads.c.state == "dialing", not_(_has_live_attempt))
)
_left_waiting = (
    select(func.count())
    .select_from(leads)
    .where(
        among(leads.c.state, ("waiting", "held")),
        or_(leads.c.expires_at.is_(None), leads.c.expires_at <= bindparam("overdue")),
    )
)
_overdue_attempts = (
    select(func.count(func.distinct(attempts.c.lead_id)))
    .select_from(attempts)
    .where(attempts.c.look_at.is_not(None), attempts.c.look_at <= bindparam("overdue"))
)
_unknown = (
    select(func.count()).select_from(attempts).where(attempts.c.look_at.is_not(None), attempts.c.state == "unknown")
)


def read(conn: Connection, now: int) -> Gauges:
    """All gauges, in one short read."""
    waiting: dict[str, int] = {}
    oldest: dict[str, int] = {}
    for row in conn.execute(_waiting):
        waiting[row.reason or "no_agent"] = row.many
        oldest[row.reason or "no_agent"] = max(0, now - row.oldest)
    by_state: dict[str, int] = {}
    for agent in states(conn).values():
        state = agent.at(now)
        by_state[state] = by_state.get(state, 0) + 1
    overdue = {"overdue": now - GRACE}
    return Gauges(
        waiting=waiting,
        oldest=oldest,
        held={row.reason or "": row.many for row in conn.execute(_held)},
        agents=by_state,
        unaccounted=conn.execute(_left_dialing).scalar_one()
        + conn.execute(_left_waiting, overdue).scalar_one()
        + conn.execute(_overdue_attempts, overdue).scalar_one(),
        unknown=conn.execute(_unknown).scalar_one(),
    )
