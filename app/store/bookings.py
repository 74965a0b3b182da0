"""How many leads are due when: what the slots of callbacks are filled with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, case, func, select

from app.domain.priority import RANKS
from app.store.statements import among
from app.store.tables import leads

# Who is overdue counts as due at the beginning. Grouped by the name: as an expression its parameters would count twice.
_falls = case((leads.c.due_at < bindparam("since"), bindparam("since")), else_=leads.c.due_at).label("falls")
_booked = (
    select(_falls, func.count().label("many"))
    .where(
        leads.c.site == bindparam("of_site"),
        among(leads.c.state, ["waiting"]),
        leads.c.rank.in_(RANKS),
        leads.c.due_at >= bindparam("oldest"),
        leads.c.due_at < bindparam("until"),
    )
    .group_by("falls")
)


def booked(
    conn: Connection, sites: Sequence[str], since: int, until: int, overdue: bool
) -> Mapping[str, Mapping[int, int]]:
    """By site, how many waiting leads are due at which moment from `since` on, and before `until`.

    With `overdue`, those that were due before `since` count as due at it.
    """
    span = {"since": since, "until": until, "oldest": 0 if overdue else since}
    return {site: {row.falls: row.many for row in conn.execute(_booked, {**span, "of_site": site})} for site in sites}
