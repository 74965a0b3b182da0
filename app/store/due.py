"""The leads that are due, in the order of whose turn it is; and how many are before one of them.

A look never scans what waits: of every site and rank it asks for the first few, by the index on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Connection,
    Integer,
    Select,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from app.domain.lead import Lead
from app.domain.priority import RANKS, turn
from app.store.statements import LEAD_COLUMNS, among, lead_of
from app.store.tables import leads

_is_waiting = among(leads.c.state, ["waiting"])


def _first_of(site: Any, rank: Any) -> Select[Any]:
    return (
        select(*LEAD_COLUMNS)
        .where(leads.c.site == site, _is_waiting, leads.c.rank == rank, leads.c.due_at <= bindparam("at"))
        .order_by(leads.c.due_at)
        .limit(bindparam("most"))
    )


# SQLite: one statement a site, of one part a rank with a LIMIT of its own; there is one writer, and nothing to lock.
_of_site = union_all(
    *(select(_first_of(bindparam("of_site"), literal_column(f"{rank}")).subquery(f"first_{rank}")) for rank in RANKS)
)
# PostgreSQL: one statement for all sites, since a round trip costs more than the rest; replicas pass each other's rows.
_asked = func.unnest(bindparam("sites", type_=ARRAY(Text)))
_sites = _asked.table_valued(column("site", Text), name="of_sites").render_derived()
# Not VALUES, which SQLAlchemy compiles anew for each execution: that took three times as long as all the rest.
_ranks = union_all(*(select(literal_column(str(rank), Integer).label("rank")) for rank in RANKS)).subquery("of_ranks")
_each = _first_of(_sites.c.site, _ranks.c.rank).with_for_update(skip_locked=True).lateral("found")
_of_sites = select(_each).select_from(_sites.join(_ranks, true()).join(_each, true()))

MOST_AHEAD: Final = 1000  # leads that are counted as waiting before another one, of each rank


def due_leads(conn: Connection, sites: Iterable[str], now: int, most: int) -> list[Lead]:
    """The first few due leads of each of these sites, whose turn it is first: no site hides behind another's crowd."""
    if conn.dialect.name == "sqlite":
        rows = [
            row for site in sites for row in conn.execute(_of_site, {"of_site": site, "at": now, "most": most}).all()
        ]
    else:
        rows = list(conn.execute(_of_sites, {"sites": list(sites), "at": now, "most": most}).all())
    found = [lead_of(row) for row in rows]
    found.sort(key=lambda lead: turn(lead.rank, lead.due_at or 0))
    return found


def _before(rank: int) -> Any:
    counted = (
        select(literal_column("1"))
        .select_from(leads)
        .where(
            leads.c.site == bindparam("of_site"),
            _is_waiting,
            leads.c.rank == literal_column(str(rank)),
            leads.c.due_at < bindparam(f"before_{rank}"),
        )
        .limit(MOST_AHEAD)
        .subquery(f"before_{rank}")
    )
    return select(func.count()).select_from(counted).scalar_subquery()


_ahead = select(sum((_before(rank) for rank in RANKS[1:]), _before(RANKS[0])))


def ahead(conn: Connection, lead: Lead, now: int) -> int:
    """How many due leads of its site have their turn before this one; no more than MOST_AHEAD of each rank."""
    mine = turn(lead.rank, lead.due_at or now)
    before = {f"before_{rank}": min(mine - turn(rank, 0), now + 1) for rank in RANKS}
    counted: int = conn.execute(_ahead, {"of_site": lead.site, **before}).scalar_one()
    return counted


_ahead_by_rank = select(*(_before(rank).label(f"ahead_{rank}") for rank in RANKS))


def ahead_by_rank(conn: Connection, lead: Lead, now: int) -> dict[int, int]:
    """The same by their ranks: whose turn comes before this lead's, and how many of each."""
    mine = turn(lead.rank, lead.due_at or now)
    before = {f"before_{rank}": min(mine - turn(rank, 0), now + 1) for rank in RANKS}
    counted = conn.execute(_ahead_by_rank, {"of_site": lead.site, **before}).one()
    return dict(zip(RANKS, counted, strict=True))
