"""Who is free, and why the others are not: what a round goes by, and what is kept of each of its choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, literal_column, or_, select, union_all

from app.domain.pairing import Pair
from app.domain.routing import FreeAgent, Roster
from app.domain.why_not import Row, View
from app.store.tables import agents

SMALL: Final = 40  # agents on a floor that is read whole in every round
NAMED: Final = 24  # agents of a larger one who are looked at because they are not free; what more there are is counted

_at: Any = bindparam("at")
# Written out, since a parameter costs as much as several rows.
_none: ColumnElement[int] = literal_column("0")
_one: ColumnElement[int] = literal_column("1")
is_free: Final[ColumnElement[bool]] = and_(
    agents.c.attempt_id.is_(None),
    agents.c.listed > _none,
    or_(agents.c.paused == _none, agents.c.paused_until <= _at),
    or_(agents.c.until.is_(None), agents.c.until <= _at),
    # Busy or away by the provider's account, as long as that is fresh.
    or_(agents.c.presence_until.is_(None), agents.c.presence_until <= _at),
)
# The opposite, the likeliest first.
_is_busy = or_(
    agents.c.attempt_id.is_not(None),
    agents.c.until > _at,
    agents.c.presence_until > _at,
    and_(agents.c.paused == _one, or_(agents.c.paused_until.is_(None), agents.c.paused_until > _at)),
)
_row = tuple(agents.c[name] for name in ("id", "state", "until", "paused", "paused_until", "pause_reason", "presence"))
_row_and_free = (*_row, is_free.label("free"), agents.c.idle_since, agents.c.assigned_at)
_listed = agents.c.listed > _none
_whole_floor = select(*_row_and_free).where(_listed)
_busy = (
    select(*_row, _none.label("free"), _none.label("idle_since"), _none.label("assigned_at"))
    .where(_is_busy, _listed)
    .limit(literal_column(str(NAMED)))
)
_free = select(agents.c.id, agents.c.idle_since, agents.c.assigned_at).where(is_free)
# Where the strategy is an order of its own, the first few are enough to begin with.
_ORDERS = {"longest_idle": agents.c.idle_since, "round_robin": agents.c.assigned_at}
_first_free = {
    name: _free.order_by(column, agents.c.listed).limit(bindparam("most")) for name, column in _ORDERS.items()
}
# PostgreSQL is asked for both at once: where somebody is free, a claim mostly follows, and wants to say why.
_first_free_and_busy = {
    name: union_all(
        select(
            select(*_row, _one.label("free"), agents.c.idle_since, agents.c.assigned_at)
            .where(is_free)
            .order_by(column, agents.c.listed)
            .limit(bindparam("most"))
            .subquery("free")
        ),
        select(_busy.subquery("busy")),
    )
    for name, column in _ORDERS.items()
}


@dataclass(slots=True)
class Floor:
    """What a round has seen of the agents: who was free, whether that is all, and rows of those who were not."""

    free: dict[str, FreeAgent] = field(default_factory=dict)
    all_free: bool = False
    busy: Sequence[Row] | None = None  # None: not asked for
    all_busy: bool = False


def look(conn: Connection, roster: Roster, floor: Floor, now: int, most: int | None) -> dict[str, FreeAgent]:
    """The agents who are free and were not seen to be before: all of them, or of a large floor the first `most` by the
    strategy's order, since several hundred take a while."""
    if roster.many <= SMALL:
        everybody: Sequence[Row] = conn.execute(_whole_floor, {"at": now}).all()
        found = {row[0]: FreeAgent(row[0], row[8], row[9]) for row in everybody if row[7]}
        floor.busy = [row for row in everybody if not row[7]]
        floor.all_free = floor.all_busy = True
    elif most is not None and roster.strategy in _first_free_and_busy and conn.dialect.name == "postgresql":
        both = conn.execute(_first_free_and_busy[roster.strategy], {"at": now, "most": most}).all()
        found = {row[0]: FreeAgent(row[0], row[8], row[9]) for row in both if row[7]}
        floor.busy = [row for row in both if not row[7]]
        floor.all_free, floor.all_busy = len(found) < most, len(floor.busy) < NAMED
    else:
        limited = most is not None and roster.strategy in _first_free
        statement = _first_free[roster.strategy] if limited else _free
        rows = conn.execute(statement, {"at": now, "most": most} if limited else {"at": now}).all()
        found = {name: FreeAgent(name, idle, assigned) for name, idle, assigned in rows if name not in floor.free}
        floor.all_free = not limited or len(rows) < (most or 0)
    floor.free |= found
    return found


def whys(
    conn: Connection, roster: Roster, floor: Floor, claimed: Sequence[Pair], locked: Sequence[str], now: int
) -> list[str]:
    """For each of these pairs, in the order in which they were made, what is kept of the choice.

    To be asked before anything of the round is written. `locked`: whom another process was faster with.
    """
    if not claimed:
        return []
    if floor.busy is None:
        floor.busy = conn.execute(_busy, {"at": now}).all()
        floor.all_busy = len(floor.busy) < NAMED
    view = View(roster, floor.free, floor.busy, locked, now, all_free=floor.all_free, all_busy=floor.all_busy)
    names = [pair.agent.id for pair in claimed]
    return [view.why(pair, names[:number]) for number, pair in enumerate(claimed)]
