"""Calls spent against a cap: one conditional upsert each, so that the cap is exact whoever asks at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.guards import Cap
from app.store.tables import budgets

_used = select(budgets.c.used).where(budgets.c.span == bindparam("span"), budgets.c.starts_at == bindparam("starts_at"))
_give_back = (
    update(budgets)
    .where(budgets.c.span == bindparam("of_span"), budgets.c.starts_at == bindparam("start"), budgets.c.used > 0)
    .values(used=budgets.c.used - 1)
)


def full(conn: Connection, caps: Sequence[Cap]) -> Cap | None:
    """The first cap that has nothing left, or None. Reads only."""
    for cap in caps:
        used = conn.execute(_used, {"span": cap.span, "starts_at": cap.starts_at}).scalar()
        if (used or 0) >= cap.limit:
            return cap
    return None


def spend(conn: Connection, caps: Sequence[Cap]) -> bool:
    """Take one call from every cap, or from none of them and say False."""
    if full(conn, caps) is not None:
        return False
    taken: list[Cap] = []
    for cap in caps:
        if cap.limit < 1 or not _spend_one(conn, cap):
            refund(conn, taken)
            return False
        taken.append(cap)
    return True


def _spend_one(conn: Connection, cap: Cap) -> bool:
    values = {"span": cap.span, "starts_at": cap.starts_at, "used": 1}
    if conn.dialect.name == "postgresql":
        statement = postgresql.insert(budgets).on_conflict_do_update(
            index_elements=["span", "starts_at"],
            set_={"used": budgets.c.used + 1},
            where=budgets.c.used < cap.limit,
        )
        return conn.execute(statement, values).rowcount == 1
    other = sqlite.insert(budgets).on_conflict_do_update(
        index_elements=["span", "starts_at"],
        set_={"used": budgets.c.used + 1},
        where=budgets.c.used < cap.limit,
    )
    return conn.execute(other, values).rowcount == 1


def refund(conn: Connection, caps: Sequence[Cap]) -> None:
    """Give one call back to each cap: the request never left, or was refused."""
    # One row after the other, as `spend` takes them: in another order the two would wait for each other.
    for cap in caps:
        conn.execute(_give_back, {"of_span": cap.span, "start": cap.starts_at})


def observe(conn: Connection, caps: Sequence[Cap]) -> Cap | None:
    """Count a call against every cap without stopping at it; the first one that had nothing left."""
    over = full(conn, caps)
    for cap in caps:
        _spend_one(conn, Cap(cap.span, cap.starts_at, 2**31 - 1, cap.ends_at))
    return over
