"""Moving attempts: every move is a conditional UPDATE that must hit one row, or it is somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, case, literal_column, select, update

from app.domain.guards import Cap
from app.domain.lead import Attempt, Claim, Lead
from app.domain.moves import Decide, Move
from app.domain.states import ATTEMPT_LIVE, ATTEMPT_MOVES, may_move
from app.domain.stories import Moved
from app.store import budgets, events, lead_moves, sightings
from app.store.statements import ATTEMPT_COLUMNS, LEAD_COLUMNS, attempt_of, lead_of
from app.store.tables import agents, attempts, leads
from app.store.together import Write, if_hit, together
from app.store.updates import update_of

# Of these attempts the call was given back to the budget, as there was said to be none; where there was, it counts.
GIVEN_BACK: Final = ("refused", "absent")
_both = (
    select(*ATTEMPT_COLUMNS, *LEAD_COLUMNS, attempts.c.holds_agent, attempts.c.connected_at, agents.c.misses)
    .join(leads, leads.c.id == attempts.c.lead_id)
    .join(agents, agents.c.id == attempts.c.agent_id, isouter=True)
    .where(attempts.c.id == bindparam("attempt"))
    .with_for_update(of=[attempts, leads])
)
_send = (
    update(attempts)
    .where(
        attempts.c.id == bindparam("attempt"),
        attempts.c.state == "reserved",
        attempts.c.owner == bindparam("by"),
    )
    .values(state="sending", sending_at=bindparam("at"), look_at=bindparam("until"))
)
_looks = (
    select(attempts.c.id)
    .where(attempts.c.look_at.is_not(None), attempts.c.look_at <= bindparam("at"))
    .order_by(attempts.c.look_at)
    .limit(bindparam("most"))
)
_abandoned = (
    update(attempts)
    .where(
        attempts.c.look_at.is_not(None),
        attempts.c.look_at.is_not(None),
        attempts.c.state.in_(("reserved", "sending")),
        attempts.c.owner != bindparam("by"),
    )
    .values(look_at=bindparam("at"))
)
_its_agent = update(agents).where(agents.c.id == bindparam("agent"), agents.c.attempt_id == bindparam("of"))
_agent_goes_on = _its_agent.values(state=bindparam("to"), until=None)
# That the agent was busy was this very call: what the provider said of it while it lasted is over with it.
_was_busy = agents.c.presence == literal_column("'busy'")
_agent_leaves = _its_agent.values(
    state=bindparam("to"),
    until=bindparam("end"),
    attempt_id=None,
    idle_since=bindparam("at"),
    presence=case((_was_busy, None), else_=agents.c.presence),
    presence_until=case((_was_busy, None), else_=agents.c.presence_until),
)
_the_agent = update(agents).where(agents.c.id == bindparam("agent"))
_missed = _the_agent.values(misses=agents.c.misses + 1)
_took = _the_agent.where(agents.c.misses > 0).values(misses=0)
_pause = _the_agent.where(agents.c.misses >= bindparam("most"), agents.c.paused == 0).values(
    paused=1, paused_until=bindparam("pause_end"), pause_reason=bindparam("because"), misses=0
)
_wrap_up_over = (
    update(agents)
    .where(agents.c.attempt_id.is_(None), agents.c.until <= bindparam("at"))
    .values(state="available", until=None)
)


def begin_sending(
    conn: Connection, claim: Claim, owner: str, now: int, lease: int, ring_agent: int | None = None
) -> bool:
    """reserved → sending, by its owner alone. False: it is not ours any more, and nothing may be sent.

    `ring_agent`: for how many seconds the agent's phone is to ring; kept with those that are left of the deadline.
    """
    attempt, lead = claim.attempt, claim.lead
    send = {"attempt": attempt.id, "by": owner, "at": now, "until": now + lease}
    why = None if ring_agent is None else f"{ring_agent} {(lead.deadline_at - now) // 1000}"
    told = events.entry(now, lead.id, "sending", "dispatcher", attempt_id=attempt.id, why=why)
    return if_hit(conn, Write(_send, [send]), events.told(told))


def settle(
    conn: Connection,
    attempt_id: str,
    expected: Sequence[str],
    decide: Decide,
    who: str,
    now: int,
    caps_at: Callable[[int], Sequence[Cap]] = lambda _: (),
) -> Moved | None:
    """Let `decide` say what happens to an attempt that is in one of the `expected` states, and do it.

    None when the attempt is elsewhere by now, or `decide` has nothing to say.
    """
    row = conn.execute(_both, {"attempt": attempt_id}).first()
    if row is None:
        return None
    *values, holds, connected_at, misses = row
    attempt = attempt_of(values[: len(ATTEMPT_COLUMNS)])
    if attempt.state not in expected:
        return None
    lead = lead_of(values[len(ATTEMPT_COLUMNS) :])
    move = decide(attempt, lead)
    if move is None:
        return None
    if lead.state == "dialing" and lead.attempt_id is not None and lead_moves.wants(attempt, lead, move):
        if settle(conn, lead.attempt_id, ("reserved",), _give_way(now), who, now, caps_at) is not None:
            return settle(conn, attempt_id, expected, decide, who, now, caps_at)
        if move.takes_lead:
            return None
    paused = _count_miss(conn, attempt, move, misses or 0)
    state, reason, of_lead = lead_moves.follow(conn, attempt, lead, move, now)
    if move.refund:
        budgets.refund(conn, caps_at(attempt.reserved_at))
    elif attempt.state in GIVEN_BACK:
        budgets.observe(conn, caps_at(attempt.reserved_at))
    history = [
        events.entry(
            now,
            lead.id,
            move.event,
            who,
            attempt_id=attempt.id,
            agent_id=attempt.agent_id,
            from_state=lead.state,
            to_state=state,
            why=move.why,
        )
    ]
    if state != lead.state and state != "dialing" and state != move.event:
        history.append(events.entry(now, lead.id, state, who, attempt_id=attempt.id, to_state=state, why=reason))
    if paused:
        history.append(
            events.entry(
                now,
                lead.id,
                "agent_paused",
                who,
                attempt_id=attempt.id,
                agent_id=attempt.agent_id,
                why=str(move.pause_after),
            )
        )
    if attempt.state == "refused" and move.agent == "on_call":
        # He was let go with the refusal; before anybody else can have him, he is taken back.
        holds = sightings.take_agent_back(conn, attempt.agent_id, attempt.id)
    of_attempt = _move_attempt(attempt, move, now, holds=bool(holds), connected_at=connected_at)
    hit = together(conn, of_attempt, *of_lead, *_move_agent(attempt, move, now), events.told(*history))
    if hit[0] != 1:
        raise RuntimeError("a locked attempt was moved under its settlement")
    return Moved(attempt, lead, move, state, reason, connected_at)


def _give_way(now: int) -> Decide:
    """A reservation for which nothing was sent ends in favour of a call that is, or was, on the line."""

    def decide(attempt: Attempt, lead: Lead) -> Move:
        why = "an earlier call was not over"
        wait: dict[str, Any] = {"lead": "waiting", "reason": "no_agent", "due_at": now}
        return Move("lapsed", why=why, agent="available", refund=True, event="lapsed", **wait)

    return decide


def _move_attempt(attempt: Attempt, move: Move, now: int, *, holds: bool, connected_at: int | None) -> Write:
    if not may_move(ATTEMPT_MOVES, attempt.state, move.attempt):
        raise ValueError(f"an attempt does not go from {attempt.state} to {move.attempt}")
    live = move.attempt in ATTEMPT_LIVE
    values: dict[str, Any] = {
        "state": move.attempt,
        "outcome": move.outcome,
        "holds_agent": int(move.holds_agent and holds),  # an agent who was let go is not taken back
        "look_at": move.look_at if live else None,
    }
    if live and move.ask_at is not None:
        values["ask_at"] = move.ask_at
    elif not live and move.attempt != "unresolved" and move.outcome != "unreported":
        values["ask_at"] = None  # it is known how it ended
    if move.why is not None:
        values["why"] = move.why
    if move.code is not None:
        values["code"] = move.code
    if move.call_id is not None:
        values["call_id"] = move.call_id
    if move.attempt == "unknown" and attempt.state == "sending":
        values["unknown_at"] = now
    if move.attempt == "placed" and attempt.state != "placed":
        values |= {"placed_at": now, "answered_at": now}
    elif move.attempt in ("refused", "not_sent"):
        values["answered_at"] = now
    values["ended_at"] = None if live else now
    if move.outcome == "connected":
        values["connected_at"] = connected_at or now  # seen live, it was earlier
    return update_of(attempts, {"id": attempt.id, "state": attempt.state}, values)


def _move_agent(attempt: Attempt, move: Move, now: int) -> list[Write]:
    """The agent follows only while this attempt holds them; a late account moves nobody."""
    if move.agent is None:
        return []
    to = {"agent": attempt.agent_id, "of": attempt.id, "to": move.agent}
    if move.agent in ("reserved", "on_call"):
        return [Write(_agent_goes_on, [to])]
    return [Write(_agent_leaves, [{**to, "end": move.agent_until, "at": now}])]


def _count_miss(conn: Connection, attempt: Attempt, move: Move, misses: int) -> bool:
    """Count a call that the agent missed, or forget the earlier `misses`; True when that has paused the agent."""
    agent = {"agent": attempt.agent_id}
    if move.missed is False and misses:
        conn.execute(_took, agent)
    if not move.missed:
        return False
    conn.execute(_missed, agent)
    if not move.pause_after:
        return False
    because = f"missed {move.pause_after} calls in a row"
    end = {**agent, "most": move.pause_after, "pause_end": move.pause_until, "because": because}
    return conn.execute(_pause, end).rowcount == 1


def looks(conn: Connection, now: int, most: int = 100) -> list[str]:
    """Attempts whose time is up, longest overdue first."""
    return list(conn.execute(_looks, {"at": now, "most": most}).scalars())


def abandon_others(conn: Connection, owner: str, now: int) -> int:
    """On one process alone: what earlier processes reserved or sent is overdue at once. How many."""
    return conn.execute(_abandoned, {"by": owner, "at": now}).rowcount


def end_pauses(conn: Connection, now: int) -> int:
    """Agents whose wrap-up, offline or blocked time is over are available again. How many."""
    return conn.execute(_wrap_up_over, {"at": now}).rowcount
