"""What was seen on the line, each moment written once: the agent's phone rings, the lead's rings, they talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, and_, bindparam, func, or_, select, update

from app.domain.open_calls import OpenCall
from app.domain.presence import Verdict
from app.store import events
from app.store.statements import among
from app.store.tables import agents, attempts, leads

# What a phase proves, in the order in which it must have happened: event and column.
PROVES: Final[Mapping[str, tuple[tuple[str, Column[Any]], ...]]] = {
    "agent_ringing": (("agent_ringing", attempts.c.agent_ringing_at),),
    "lead_ringing": (
        ("agent_answered", attempts.c.agent_answered_at),
        ("lead_ringing", attempts.c.lead_ringing_at),
    ),
    "talking": (
        ("agent_answered", attempts.c.agent_answered_at),
        ("talking", attempts.c.connected_at),
    ),
}

MOST_IDS: Final = 5000  # in one statement
LATEST: Final = 500  # attempts that tell how this account shows its calls
_OF_LEAD: Final = ("site", "phone", "received_at")
OPEN_CALL: Final = tuple((leads if field.name in _OF_LEAD else attempts).c[field.name] for field in fields(OpenCall))
_live = select(*OPEN_CALL).join(leads, leads.c.id == attempts.c.lead_id).where(attempts.c.look_at.is_not(None))
_open = _live.where(among(attempts.c.state, ("placed", "unknown"))).limit(bindparam("most"))
_sent = _live.where(among(attempts.c.state, ("sending", "placed", "unknown"))).limit(bindparam("most"))
_seen = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == "placed")
    .values(
        seen_at=bindparam("at"),
        ask_at=bindparam("ask"),
        look_at=func.max(attempts.c.look_at, bindparam("until")),
        log_looks=0,
    )
)
# An agent who was let go too soon, and has got nothing else since, is on this call all the same.
_on_call_again = (
    update(agents)
    .where(agents.c.id == bindparam("agent"), agents.c.attempt_id.is_(None))
    .values(state="on_call", attempt_id=bindparam("of"), until=None)
)
_holds_again = (
    update(attempts).where(attempts.c.id == bindparam("attempt"), attempts.c.state == "placed").values(holds_agent=1)
)
_looked = update(attempts).where(attempts.c.id == bindparam("attempt")).values(line_looks=attempts.c.line_looks + 1)
_over = select(attempts.c.id, attempts.c.extension).where(
    attempts.c.id.in_(bindparam("ids", expanding=True)),
    or_(
        and_(
            attempts.c.state == "ended",
            attempts.c.outcome != "unreported",
            attempts.c.ended_at < bindparam("before"),
        ),
        attempts.c.sending_at < bindparam("sent_before"),  # longer ago than any call may last
    ),
)
_known_ids = select(attempts.c.call_id).where(attempts.c.call_id.in_(bindparam("ids", expanding=True)))
_newly_free = (
    select(func.count())
    .select_from(agents)
    .where(agents.c.id.in_(bindparam("ids", expanding=True)), agents.c.presence.is_not(None))
)
_free = (
    update(agents).where(agents.c.id.in_(bindparam("ids", expanding=True))).values(presence=None, presence_until=None)
)
_told = (
    update(agents)
    .where(
        agents.c.id == bindparam("agent"),
        # Written again only when it says something else or would soon be forgotten.
        or_(
            agents.c.presence.is_(None),
            agents.c.presence != bindparam("verdict"),
            agents.c.presence_until < bindparam("renew"),
        ),
    )
    .values(presence=bindparam("verdict"), presence_until=bindparam("told_until"))
)


_latest = (
    select(attempts.c.agent_ringing_at, attempts.c.agent_answered_at)
    .order_by(attempts.c.id.desc())
    .limit(bindparam("most"))
    .subquery()
)
_tells_answers = (
    select(func.count()).select_from(_latest).where(_latest.c.agent_answered_at > _latest.c.agent_ringing_at)
)


def open_calls(conn: Connection, most: int = 1000, *, unanswered: bool = False) -> list[OpenCall]:
    """The attempts whose calls may be on the line now; `unanswered`: also those whose request has no answer yet."""
    return [open_call(row) for row in conn.execute(_sent if unanswered else _open, {"most": most}).mappings()]


def open_call(row: RowMapping) -> OpenCall:
    """A row of OPEN_CALL as the domain knows it."""
    return OpenCall(**{**row, "holds_agent": bool(row["holds_agent"])})


def note(conn: Connection, call: OpenCall, phase: str | None, now: int, look_at: int, ask_at: int) -> bool:
    """Write that a placed call is on the line, and what its phase proves; True when that was anything new.

    A call that is seen is not over: its attempt is looked at again no sooner than `look_at`, and the call log is
    not asked about it before `ask_at`.
    """
    later = (
        _seen
        if conn.dialect.name == "sqlite"
        else _seen.values(look_at=func.greatest(attempts.c.look_at, bindparam("until")))
    )
    if conn.execute(later, {"attempt": call.id, "at": now, "ask": ask_at, "until": look_at}).rowcount != 1:
        return False  # it has gone on since it was read
    _take_back(conn, call)
    history = []
    for event, column in PROVES.get(phase or "", ()):
        written = conn.execute(
            update(attempts)
            .where(attempts.c.id == call.id, attempts.c.state == "placed", column.is_(None))
            .values({column: now})
        )
        if written.rowcount == 1:
            history.append(
                events.entry(now, call.lead_id, event, "presence", attempt_id=call.id, agent_id=call.agent_id)
            )
    events.add(conn, history)
    return bool(history)


def _take_back(conn: Connection, call: OpenCall) -> None:
    """The agent of a call that is on the line, where he was let go and is still free. The attempt's row is locked."""
    if call.holds_agent:
        return
    if take_agent_back(conn, call.agent_id, call.id):
        conn.execute(_holds_again, {"attempt": call.id})


def take_agent_back(conn: Connection, agent_id: str, attempt_id: str) -> bool:
    """The agent, if no other attempt has him, is on this one's call; whether he was free for it."""
    return conn.execute(_on_call_again, {"agent": agent_id, "of": attempt_id}).rowcount == 1


def tells_answers(conn: Connection) -> bool:
    """Whether one of the latest calls was seen ringing at its agent, and then to be answered."""
    return conn.execute(_tells_answers, {"most": LATEST}).scalar_one() > 0


def note_look(conn: Connection, attempt_id: str) -> None:
    """Count a look at the line that found nothing."""
    conn.execute(_looked, {"attempt": attempt_id})


def over(conn: Connection, attempt_ids: Sequence[str], before: int, sent_before: int) -> dict[str, str]:
    """Those of these attempts that cannot be on the line any more; their extensions by id.

    They were over by a record before `before`, or were sent before `sent_before`. Of more ids than a floor can have,
    only the first are looked up.
    """
    if not attempt_ids:
        return {}
    asked = {"ids": list(attempt_ids)[:MOST_IDS], "before": before, "sent_before": sent_before}
    return {row.id: row.extension for row in conn.execute(_over, asked)}


def known_calls(conn: Connection, call_ids: Sequence[str]) -> set[str]:
    """Those of these call ids that are on an attempt; of more than a floor can have, only the first are looked up."""
    if not call_ids:
        return set()
    return set(conn.execute(_known_ids, {"ids": list(call_ids)[:MOST_IDS]}).scalars())


def note_presence(conn: Connection, verdicts: Mapping[str, Verdict], now: int, until: int) -> bool:
    """Keep who is busy or away until then, and forget it of all others; True when somebody became free."""
    free = [agent for agent, verdict in verdicts.items() if verdict == "free"]
    became_free = bool(free) and conn.execute(_newly_free, {"ids": free}).scalar_one() > 0
    if became_free:
        conn.execute(_free, {"ids": free})
    told = [
        {"agent": agent, "verdict": verdict, "told_until": until, "renew": now + (until - now) // 2}
        for agent, verdict in verdicts.items()
        if verdict != "free"
    ]
    if told:
        conn.execute(_told, told)
    return became_free
