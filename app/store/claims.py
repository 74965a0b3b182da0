"""Claiming: due leads and free agents, reserved for each other in one transaction.

The reservation stands on the agent row and is one conditional UPDATE; SKIP LOCKED lets replicas pass each
other; the partial unique indexes are the belt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from app.directory import Agent, CallCap, First
from app.domain.guards import HELD_FOR, Cap, NumberCap
from app.domain.intake_results import Claimed
from app.domain.lead import Attempt, Claim, Lead
from app.domain.pairing import pair
from app.domain.routing import FreeAgent, Roster, language_of
from app.ids import new_id
from app.store import budgets, events, number_caps
from app.store.due import due_leads
from app.store.tables import agents, attempts, leads

_is_free = and_(
    agents.c.attempt_id.is_(None),
    agents.c.listed > 0,
    or_(agents.c.paused == 0, agents.c.paused_until <= bindparam("at")),
    or_(agents.c.until.is_(None), agents.c.until <= bindparam("at")),
    # Busy or away by the provider's account, as long as that is fresh.
    or_(agents.c.presence_until.is_(None), agents.c.presence_until <= bindparam("at")),
)
_free = select(agents.c.id, agents.c.idle_since, agents.c.assigned_at).where(_is_free)
# Where the strategy is an order of its own, the first few are enough to begin with.
_ORDERS = {"longest_idle": agents.c.idle_since, "round_robin": agents.c.assigned_at}
_first_free = {
    name: _free.order_by(column, agents.c.listed).limit(bindparam("most")) for name, column in _ORDERS.items()
}
_lock = (
    select(agents.c.id)
    .where(agents.c.id.in_(bindparam("ids", expanding=True)), _is_free)
    .with_for_update(skip_locked=True)
)
_reserve = (
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
_earlier = leads.alias("earlier")
_last_agent = (
    select(attempts.c.agent_id)
    .join(_earlier, _earlier.c.id == attempts.c.lead_id)
    .join(leads, leads.c.phone_key == _earlier.c.phone_key)
    .where(
        leads.c.id == bindparam("lead"),
        attempts.c.outcome == "connected",
        attempts.c.ended_at > bindparam("since"),
    )
    .order_by(attempts.c.ended_at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """What a claim goes by: the roster of this moment, the money cap, who claims and for how long (ms)."""

    roster: Roster
    owner: str
    lease: int
    calls: CallCap
    caps: Sequence[Cap]
    most: int = 32
    numbers: NumberCap | None = None


def claim(conn: Connection, terms: ClaimTerms, now: int) -> Claimed:
    """Reserve agents for due leads; also the leads that a cap has stopped. All empty: nothing to do."""
    found = due_leads(conn, terms.roster.sites, now, terms.most)
    # Whose number may not be rung now is put off by the sweeper, and blocks the line no longer than that takes.
    due = [lead for lead in found if terms.roster.may_ring(lead.phone)]
    due, rung_out = number_caps.sort_out(conn, due, terms.numbers)
    claims: list[Claim] = []
    held: list[str] = []
    tried: set[str] = set()  # agents who are ours by now, or turned out to be somebody else's
    choosy = any(terms.roster.chooses(lead.site, language_of(lead.asked_language)) for lead in due)
    last = last_agents(conn, due, now - terms.roster.sticky) if terms.roster.sticky else {}
    for most in (None,) if choosy or last else (2 * len(due) + 8, None):
        if not due:
            break
        free = _free_agents(conn, terms.roster, now, most, tried)
        while due and free:
            pairs, due = pair(terms.roster, due, free, terms.most - len(claims), last)
            if not pairs:
                break
            ours = _lock_agents(conn, [agent.id for _, agent in pairs], now)
            for lead, agent in pairs:
                tried.add(agent.id)
                del free[agent.id]
                if agent.id not in ours:
                    due.append(lead)
                elif _may_spend(conn, terms):
                    claims.append(Claim(lead, _attempt(lead, agent, now, terms.roster.first(lead.site))))
                else:
                    held.append(lead.id)
    _write(conn, claims, terms, now)
    _write_held(conn, held, now)
    number_caps.put_off(conn, rung_out, terms.numbers, now)
    return Claimed(claims, held, [lead.id for lead in rung_out])


def _free_agents(
    conn: Connection, roster: Roster, now: int, most: int | None, without: set[str]
) -> dict[str, FreeAgent]:
    """The free agents, all of them or the first `most` by the strategy's order; several hundred take a while."""
    statement, parameters = _free, {"at": now}
    if most is not None and roster.strategy in _first_free:
        statement, parameters = _first_free[roster.strategy], {"at": now, "most": most}
    rows = conn.execute(statement, parameters).all()
    return {name: FreeAgent(name, idle, assigned) for name, idle, assigned in rows if name not in without}


def last_agents(conn: Connection, due: Sequence[Lead], since: int) -> dict[str, str]:
    """By lead, the agent with whom its number talked last, no longer ago than `since`."""
    found = {lead.id: conn.execute(_last_agent, {"lead": lead.id, "since": since}).scalar() for lead in due}
    return {lead_id: agent for lead_id, agent in found.items() if agent is not None}


def _lock_agents(conn: Connection, ids: list[str], now: int) -> set[str]:
    """Those of the agents that are still free and now locked by us; replicas pass each other here."""
    if conn.dialect.name == "sqlite":
        return set(ids)  # one writer: what was read in this transaction still holds
    return set(conn.execute(_lock, {"ids": ids, "at": now}).scalars())


def _may_spend(conn: Connection, terms: ClaimTerms) -> bool:
    if not terms.caps:
        return True
    if terms.calls.mode == "observe":
        budgets.observe(conn, terms.caps)
        return True
    return budgets.spend(conn, terms.caps)


def _attempt(lead: Lead, agent: Agent, now: int, first: First) -> Attempt:
    return Attempt(
        id=new_id(),
        lead_id=lead.id,
        agent_id=agent.id,
        extension=agent.extension,
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
        first_leg=first,
    )


def _write(conn: Connection, claims: Sequence[Claim], terms: ClaimTerms, now: int) -> None:
    """The reservations, all or nothing: a row that was not there as we read it undoes the whole claim."""
    if not claims:
        return
    made = [claim.attempt for claim in claims]
    reserve = [{"agent": one.agent_id, "attempt": one.id, "at": now} for one in made]
    take = [{"lead": one.lead_id, "attempt": one.id} for one in made]
    for statement, parameters in ((_reserve, reserve), (_take, take)):
        hit = conn.execute(statement, parameters).rowcount
        # asyncpg does not count many at once (-1); there the rows are locked and the indexes are the belt.
        if hit not in (len(made), -1):
            raise RuntimeError("a row was moved under the claim")
    conn.execute(
        _insert_attempt,
        [
            {
                "id": one.id,
                "lead_id": one.lead_id,
                "agent_id": one.agent_id,
                "extension": one.extension,
                "first_leg": one.first_leg,
                "number": one.number,
                "state": "reserved",
                "owner": terms.owner,
                "holds_agent": 1,
                "look_at": now + terms.lease,
                "reserved_at": now,
            }
            for one in made
        ],
    )
    events.add(
        conn,
        [
            events.entry(
                now,
                one.lead_id,
                "reserved",
                "dispatcher",
                attempt_id=one.id,
                agent_id=one.agent_id,
                from_state="waiting",
                to_state="dialing",
            )
            for one in made
        ],
    )


def _write_held(conn: Connection, held: Sequence[str], now: int) -> None:
    for lead_id in held:
        conn.execute(_hold, {"lead": lead_id, "until": now + HELD_FOR})
    events.add(
        conn,
        [
            events.entry(now, lead_id, "held", "guard", from_state="waiting", to_state="held", why="calls")
            for lead_id in held
        ],
    )
