"""The runtime side of the agents that leadring.toml lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, update

from app.domain.stories import AgentState
from app.store.statements import insert_or_nothing
from app.store.tables import agents

_listed = select(agents.c.id, agents.c.listed)
_list = update(agents).where(agents.c.id == bindparam("agent")).values(listed=bindparam("place"))
_pause = (
    update(agents)
    .where(agents.c.id == bindparam("agent"))
    .values(paused=1, paused_until=bindparam("pause_end"), pause_reason=bindparam("because"))
)
_resume = update(agents).where(agents.c.id == bindparam("agent")).values(paused=0, paused_until=None, pause_reason=None)
_unblock = (
    update(agents)
    .where(agents.c.id == bindparam("agent"), agents.c.attempt_id.is_(None))
    .values(state="available", until=None)
)


def sync(conn: Connection, ids: Sequence[str]) -> None:
    """Make the table list exactly these agents, in this order; what is known of them stays.

    Rows that are right already are not touched: a replica that starts must not wait for those that others hold.
    """
    listed: dict[str, int] = {row.id: row.listed for row in conn.execute(_listed)}
    wanted = dict.fromkeys(listed, 0) | {agent: place for place, agent in enumerate(ids, 1)}
    new = [{"id": agent, "listed": wanted[agent], "state": "available"} for agent in ids if agent not in listed]
    if new:
        conn.execute(insert_or_nothing(conn, agents), new)
    moved = [{"agent": agent, "place": place} for agent, place in wanted.items() if listed.get(agent) != place]
    if moved:
        conn.execute(_list, moved)


def states(conn: Connection) -> Mapping[str, AgentState]:
    """Every listed agent's state by id."""
    rows = conn.execute(select(agents).where(agents.c.listed > 0)).mappings()
    return {
        row["id"]: AgentState(
            id=row["id"],
            listed=bool(row["listed"]),
            state=row["state"],
            until=row["until"],
            paused=bool(row["paused"]),
            paused_until=row["paused_until"],
            pause_reason=row["pause_reason"],
            idle_since=row["idle_since"],
            presence=row["presence"],
            presence_until=row["presence_until"],
        )
        for row in rows
    }


def pause(conn: Connection, agent: str, until: int | None, reason: str) -> bool:
    """No more calls to this agent until then (None: until resumed). False when there is no such agent."""
    return conn.execute(_pause, {"agent": agent, "pause_end": until, "because": reason}).rowcount == 1


def resume(conn: Connection, agent: str) -> bool:
    """Calls again, also after a block or an offline refusal. False when there is no such agent."""
    found = conn.execute(_resume, {"agent": agent}).rowcount == 1
    conn.execute(_unblock, {"agent": agent})
    return found
