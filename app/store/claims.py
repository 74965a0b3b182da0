"""Claiming: due leads and free agents, reserved for each other in one transaction.

The reservation stands on the agent row and is one conditional UPDATE; SKIP LOCKED lets replicas pass each
other; the partial unique indexes are the belt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, literal_column, null, select, update

from app.directory import Agent, CallCap, First
from app.domain.guards import HELD_FOR, Cap, NumberCap
from app.domain.hits import Hit
from app.domain.intake_results import Claimed
from app.domain.lead import Attempt, Claim, Lead
from app.domain.pairing import Pair, pair
from app.domain.routing import Roster, language_of
from app.ids import new_id
from app.store import budgets, events, number_caps
from app.store.choices import Floor, is_free, look, whys
from app.store.due import due_leads
from app.store.statements import among
from app.store.tables import agents, attempts, leads
from app.store.together import Write, together

_lock = (
    select(agents.c.id)
    .where(agents.c.id.in_(bindparam("ids", expanding=True)), is_free)
    .with_for_update(skip_locked=True)
)
# What is always the same is written out: each parameter costs time in every claim.
_reserve = (
    update(agents)
    .where(agents.c.id == bindparam("agent"), is_free)
    .values(
        state=literal_column("'reserved'"),
        attempt_id=bindparam("attempt"),
        until=null(),
        paused=literal_column("0"),
        paused_until=null(),
        pause_reason=null(),
        assigned_at=bindparam("at"),
    )
)
_take = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), among(leads.c.state, ["waiting"]))
    .values(
        state=literal_column("'dialing'"),
        reason=null(),
        due_at=null(),
        attempt_id=bindparam("attempt"),
        attempts=leads.c.attempts + literal_column("1"),
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
    pairs: list[Pair] = []  # of the claims, one by one
    held: list[str] = []
    over: dict[str, Cap] = {}  # by lead, the cap that nothing is left of
    locked: list[str] = []  # agents who turned out to be somebody else's
    floor = Floor()
    choosy = any(terms.roster.chooses(lead.site, language_of(lead.asked_language)) for lead in due)
    last = last_agents(conn, due, now - terms.roster.sticky) if terms.roster.sticky else {}
    for most in (None,) if choosy or last else (2 * len(due) + 8, None):
        if not due or floor.all_free:
            break
        free = look(conn, terms.roster, floor, now, most)
        while due and free:
            found_pairs, due = pair(terms.roster, due, free, terms.most - len(claims), last)
            if not found_pairs:
                break
            ours = _lock_agents(conn, [one.agent.id for one in found_pairs], now)
            for one in found_pairs:
                if one.agent.id not in ours:
                    del free[one.agent.id]
                    locked.append(one.agent.id)
                    due.append(one.lead)
                elif _may_spend(conn, terms, one.lead, over):
                    del free[one.agent.id]
                    claims.append(
                        Claim(one.lead, _attempt(one.lead, one.agent, now, terms.roster.first(one.lead.site)))
                    )
                    pairs.append(one)
                else:
                    held.append(one.lead.id)  # and its agent is there for the next one
    _write(conn, claims, whys(conn, terms.roster, floor, pairs, locked, now), terms, now)
    _write_held(conn, held, over, now)
    number_caps.put_off(conn, rung_out, terms.numbers, now)
    return Claimed(claims, held, [lead.id for lead in rung_out])


def last_agents(conn: Connection, due: Sequence[Lead], since: int) -> dict[str, str]:
    """By lead, the agent with whom its number talked last, no longer ago than `since`."""
    found = {lead.id: conn.execute(_last_agent, {"lead": lead.id, "since": since}).scalar() for lead in due}
    return {lead_id: agent for lead_id, agent in found.items() if agent is not None}


def _lock_agents(conn: Connection, ids: list[str], now: int) -> set[str]:
    """Those of the agents that are still free and now locked by us; replicas pass each other here."""
    if conn.dialect.name == "sqlite":
        return set(ids)  # one writer: what was read in this transaction still holds
    return set(conn.execute(_lock, {"ids": ids, "at": now}).scalars())


def _may_spend(conn: Connection, terms: ClaimTerms, lead: Lead, over: dict[str, Cap]) -> bool:
    """Whether a call may be spent on this lead; a cap that is full is noted in `over`."""
    if not terms.caps:
        return True
    observes = terms.calls.mode == "observe"
    if not observes and budgets.spend(conn, terms.caps):
        return True
    full = budgets.observe(conn, terms.caps) if observes else budgets.full(conn, terms.caps)
    if full is not None:
        over[lead.id] = full
    return observes


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


def _write(conn: Connection, claims: Sequence[Claim], told: Sequence[str], terms: ClaimTerms, now: int) -> None:
    """The reservations, all or nothing: a row that was not there as we read it undoes the whole claim."""
    if not claims:
        return
    made = [claim.attempt for claim in claims]
    moves = (
        Write(_reserve, [{"agent": one.agent_id, "attempt": one.id, "at": now} for one in made]),
        Write(_take, [{"lead": one.lead_id, "attempt": one.id} for one in made]),
    )
    new = (
        Write(_insert_attempt, [_row(one, terms, now) for one in made]),
        events.told(*(_reserved(one, why, now) for one, why in zip(made, told, strict=True))),
    )
    # Many leads at once share a statement of each kind; one lead has its statements in one.
    hits = together(conn, *moves, *new) if len(made) == 1 else [together(conn, write)[0] for write in (*moves, *new)]
    # asyncpg does not count many at once (-1); there the rows are locked and the indexes are the belt.
    if any(hit not in (len(made), -1) for hit in hits[: len(moves)]):
        raise RuntimeError("a row was moved under the claim")


def _row(attempt: Attempt, terms: ClaimTerms, now: int) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "lead_id": attempt.lead_id,
        "agent_id": attempt.agent_id,
        "extension": attempt.extension,
        "first_leg": attempt.first_leg,
        "number": attempt.number,
        "state": "reserved",
        "owner": terms.owner,
        "holds_agent": 1,
        "look_at": now + terms.lease,
        "reserved_at": now,
    }


def _reserved(attempt: Attempt, why: str, now: int) -> dict[str, Any]:
    return events.entry(
        now,
        attempt.lead_id,
        "reserved",
        "dispatcher",
        attempt_id=attempt.id,
        agent_id=attempt.agent_id,
        from_state="waiting",
        to_state="dialing",
        why=why,
    )


def _write_held(conn: Connection, held: Sequence[str], over: Mapping[str, Cap], now: int) -> None:
    """Hold these leads; and tell of those that only went over a cap."""
    for lead_id in held:
        conn.execute(_hold, {"lead": lead_id, "until": now + HELD_FOR})
    told = {lead_id: Hit("calls", "hold", cap.spent).told for lead_id, cap in over.items()}
    events.add(
        conn,
        [
            *(events.entry(now, lead, "observed", "guard", why=why) for lead, why in told.items() if lead not in held),
            *(
                events.entry(
                    now, lead, "held", "guard", from_state="waiting", to_state="held", why=told.get(lead, "calls")
                )
                for lead in held
            ),
        ],
    )
