"""Calls spent against caps: a conditional upsert, so that each cap is exact whoever asks at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    Text,
    TextClause,
    and_,
    bindparam,
    or_,
    select,
    text,
    update,
)

from app.domain.guards import Cap
from app.store.tables import budgets

_NO_LIMIT: Final = 2**31 - 1
_give_back = (
    update(budgets)
    .where(budgets.c.span == bindparam("of_span"), budgets.c.starts_at == bindparam("start"), budgets.c.used > 0)
    .values(used=budgets.c.used - 1)
)


def full(conn: Connection, caps: Sequence[Cap]) -> Cap | None:
    """The first cap that has nothing left, or None. Reads only."""
    if not caps:
        return None
    used = {(span, starts): spent for span, starts, spent in conn.execute(_used(len(caps)), _named(caps))}
    return first_full(caps, [used.get((cap.span, cap.starts_at), 0) for cap in caps])


def first_full(caps: Sequence[Cap], used: Sequence[int]) -> Cap | None:
    """The first cap of which nothing is left when so much of each is spent."""
    return next((cap for cap, spent in zip(caps, used, strict=True) if spent >= cap.limit), None)


def spend(conn: Connection, caps: Sequence[Cap]) -> bool:
    """Take one call from every cap, or from none of them and say False."""
    if not caps:
        return True
    if any(cap.limit < 1 for cap in caps):
        return False
    limits = {f"limit_{number}": cap.limit for number, cap in enumerate(caps)}
    taken = set(conn.execute(_spend(len(caps)), _named(caps) | limits).scalars())
    if len(taken) == len(caps):
        return True
    refund(conn, [cap for cap in caps if cap.span in taken])
    return False


def observe(conn: Connection, caps: Sequence[Cap]) -> Cap | None:
    """Count a call against every cap without stopping at it; the first one that had nothing left."""
    over = full(conn, caps)
    spend(conn, [replace(cap, limit=_NO_LIMIT) for cap in caps])
    return over


def refund(conn: Connection, caps: Sequence[Cap]) -> None:
    """Give one call back to each cap: the request never left, or was refused."""
    # One row after the other, as `spend` takes them: in another order the two would wait for each other.
    for cap in caps:
        conn.execute(_give_back, {"of_span": cap.span, "start": cap.starts_at})


def _named(caps: Sequence[Cap]) -> dict[str, Any]:
    return {
        name: value
        for number, cap in enumerate(caps)
        for name, value in ((f"span_{number}", cap.span), (f"starts_{number}", cap.starts_at))
    }


@cache
def _used(caps: int) -> Select[Any]:
    return select(budgets.c.span, budgets.c.starts_at, budgets.c.used).where(
        or_(
            *(
                and_(
                    budgets.c.span == bindparam(f"span_{number}"), budgets.c.starts_at == bindparam(f"starts_{number}")
                )
                for number in range(caps)
            )
        )
    )


@cache
def _spend(caps: int) -> TextClause:
    """One upsert for all caps, in their order; what comes back are those of which there was something left.

    In writing, since SQLAlchemy compiles an INSERT of several rows anew each time. Both engines read it alike.
    """
    rows = ", ".join(f"(:span_{number}, :starts_{number}, 1)" for number in range(caps))
    limits = " ".join(f"WHEN :span_{number} THEN :limit_{number}" for number in range(caps))
    types = (("span", Text), ("starts", BigInteger), ("limit", Integer))
    return text(
        f"INSERT INTO budgets (span, starts_at, used) VALUES {rows} ON CONFLICT (span, starts_at)"  # noqa: S608
        f" DO UPDATE SET used = budgets.used + 1 WHERE budgets.used < CASE budgets.span {limits} END RETURNING span"
    ).bindparams(*(bindparam(f"{name}_{number}", type_=kind) for name, kind in types for number in range(caps)))
