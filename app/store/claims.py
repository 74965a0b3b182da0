"""Claiming: due leads and free agents, reserved for each other in one transaction.

The reservation stands on the agent row and is one conditional UPDATE; SKIP LOCKED lets replicas pass each
other; the partial unique indexes are the belt. A claim never scans what waits: it asks, for each site that
a free agent could serve, for the first few due leads of that site's index.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from app.directory import CallCap
from app.domain.guards import HELD_FOR, Cap
from app.domain.lead import Attempt, Claim, Lead
from app.domain.routing import FreeAgent, Roster
from app.ids import new_id
from app.store import budgets, events
from app.store.statements import LEAD_COLUMNS, lead_of
from app.store.tables import agents, attempts, leads

_is_free = and_(
    agents.c.attempt_id.is_(None),
    agents.c.listed == 1,
    or_(agents.c.paused == 0, agents.c.paused_until <= bindparam("at")),
    or_(agents.c.until.is_(None), agents.c.until <= bindparam("at")),
)
_free = select(agents.c.id, agents.c.idle_since, agents.c.assigned_at).where(_is_free)
_due = (
    select(*LEAD_COLUMNS)
    .where(leads.c.site == bindparam("of_site"), leads.c.state == "waiting", leads.c.due_at <= bindparam("at"))
    .order_by(leads.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_reserve = (
    update(agents)
    .where(
        agents.c.id.in_(
            select(agents.c.id)
            .where(agents.c.id == bindparam("agent"), _is_free)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(
        state="reserved",
        attempt_id=bindparam("attempt"),
        until=None,
        paused=0,
        paused_until=None,
        pause_reason=None,
        assigned_at=bindparam("at"),
    )
)
_reserve_lite = (
    update(agents)
    .where(agents.c.id == bindparam("agent"), _is_free)
    .values(
        state="reserved",
        attempt_id=bindparam("attempt"),
        until=None,
        paused=0,
        paused_until=None,
        pause_reason=None,
        assigned_at=bindparam("at"),
    )
)
_take = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting")
    .values(
        state="dialing",
        reason=None,
        due_at=None,
        attempt_id=bindparam("attempt"),
        attempts=leads.c.attempts + 1,
    )
)
_hold = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), leads.c.state == "waiting")
    .values(state="held", reason="calls", due_at=None, expires_at=bindparam("until"))
)
_insert_attempt = insert(attempts)


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """What a claim goes by: the roster of this moment, the money cap, who claims and for how long (ms)."""

    roster: Roster
    owner: str
    lease: int
    calls: CallCap
    caps: Sequence[Cap]
    most: int = 32


def claim(conn: Connection, terms: ClaimTerms, now: int) -> tuple[list[Claim], list[str]]:
    """Reserve agents for due leads; also the ids of leads that the money cap has held. Empty: nothing to do."""
    free = {row.id: FreeAgent(row.id, row.idle_since, row.assigned_at) for row in conn.execute(_free, {"at": now})}
    if not free:
        return [], []
    claims: list[Claim] = []
    held: list[str] = []
    history: list[dict[str, Any]] = []
    for lead in _due_leads(conn, terms, free, now):
        if not free:
            break
        candidates = terms.roster.order(lead.site, free, lead.avoid_agent)
        if not candidates:
            continue
        if not _may_spend(conn, terms):
            conn.execute(_hold, {"lead": lead.id, "until": now + HELD_FOR})
            history.append(
                events.entry(now, lead.id, "held", "guard", from_state="waiting", to_state="held", why="calls")
            )
            held.append(lead.id)
            continue
        made = _reserve_first(conn, lead, [(agent.id, agent.extension) for agent in candidates], terms, now)
        if made is None:
            budgets.refund(conn, terms.caps)
            continue
        free.pop(made.agent_id)
        claims.append(Claim(lead, made))
        history.append(
            events.entry(
                now,
                lead.id,
                "reserved",
                "dispatcher",
                attempt_id=made.id,
                agent_id=made.agent_id,
                from_state="waiting",
                to_state="dialing",
            )
        )
    events.add(conn, history)
    return claims, held


def _due_leads(conn: Connection, terms: ClaimTerms, free: dict[str, FreeAgent], now: int) -> list[Lead]:
    most = min(terms.most, len(free))
    found: list[list[Lead]] = []
    for site in terms.roster.servable(free):
        rows = conn.execute(_due, {"of_site": site, "at": now, "most": most})
        found.append([lead_of(row) for row in rows])
    return list(heapq.merge(*found, key=lambda lead: lead.due_at or 0))[:most]


def _may_spend(conn: Connection, terms: ClaimTerms) -> bool:
    if not terms.caps:
        return True
    if terms.calls.mode == "observe":
        budgets.observe(conn, terms.caps)
        return True
    return budgets.spend(conn, terms.caps)


def _reserve_first(
    conn: Connection, lead: Lead, candidates: Sequence[tuple[str, str]], terms: ClaimTerms, now: int
) -> Attempt | None:
    attempt_id = new_id()
    statement = _reserve if conn.dialect.name == "postgresql" else _reserve_lite
    for agent_id, extension in candidates:
        if conn.execute(statement, {"agent": agent_id, "attempt": attempt_id, "at": now}).rowcount != 1:
            continue
        if conn.execute(_take, {"lead": lead.id, "attempt": attempt_id}).rowcount != 1:
            raise RuntimeError("a locked lead was moved under the claim")
        conn.execute(
            _insert_attempt,
            {
                "id": attempt_id,
                "lead_id": lead.id,
                "agent_id": agent_id,
                "extension": extension,
                "number": lead.attempts + 1,
                "state": "reserved",
                "owner": terms.owner,
                "holds_agent": 1,
                "look_at": now + terms.lease,
                "reserved_at": now,
            },
        )
        return Attempt(
            id=attempt_id,
            lead_id=lead.id,
            agent_id=agent_id,
            extension=extension,
            number=lead.attempts + 1,
            state="reserved",
            outcome=None,
            reserved_at=now,
            sending_at=None,
            call_id=None,
            leg1_status=None,
            leg1_talk=None,
            leg2_status=None,
            leg2_talk=None,
        )
    return None
