"""Accepting a lead, in one transaction.

The submission id is claimed, twins join, the guards that count are asked, and the lead is stored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from app.directory import CallCap, Cooldown, Rate
from app.domain.guards import HELD_FOR, Cap, worst
from app.domain.hits import Hit, lasting
from app.domain.intake_results import Accepted
from app.domain.lead import NewLead
from app.store import budgets, deliveries, events
from app.store.joining import join, liftable
from app.store.standing import Standing, standing
from app.store.statements import lock_phone
from app.store.tables import leads, submissions
from app.store.together import Write, together

ORPHANED_AFTER = 15_000  # milliseconds after which an unanswered submission belongs to a process that died

_submission = select(submissions).where(submissions.c.site == bindparam("site"), submissions.c.key == bindparam("key"))
_admissions = select(func.count()).where(
    leads.c.phone_key == bindparam("phone_key"), leads.c.received_at > bindparam("after"), leads.c.admitted == 1
)
_insert_lead = insert(leads)
_insert_submission = insert(submissions)
_answer = (
    update(submissions)
    .where(submissions.c.site == bindparam("of_site"), submissions.c.key == bindparam("of_key"))
    .values(answer=bindparam("text"))
)


def accept(
    conn: Connection, new: NewLead, cooldown: Cooldown, calls: CallCap, caps: Sequence[Cap], now: int
) -> Accepted:
    """Store the lead, or say why not. IntegrityError or Overtaken when another transaction was faster: ask again."""
    if new.delivery is not None and (lead_id := deliveries.lead_of(conn, new.delivery)) is not None:
        return Accepted("orphan", lead_id)
    lock_phone(conn, new.phone_key)
    rates = () if cooldown.mode == "off" else cooldown.per_phone
    found = standing(conn, new, rates, caps, now)
    if found.submission is not None:
        before = found.submission
        return _what_became(before.text_1, before.text_2, before.text_3, before.number, new.fingerprint, now)
    live = found.live
    if live is not None and not liftable(new, live.text_2, live.text_3):
        return _join(conn, new, live, now, lift=False)
    hits, retry_after = _count_guards(conn, new, cooldown, calls, caps, found, now)
    decided = worst(hits)
    if live is not None:
        joined = _join(conn, new, live, now, lift=decided is None, spoke=[*new.hits, *hits])
        return replace(joined, hits=tuple(hits), asked=True)
    if decided is not None and decided.mode == "refuse":
        return Accepted("refused", new.id, hits=tuple(hits), retry_after=retry_after, reason=decided.guard)
    hold = new.hold or (decided.guard if decided else None)
    return _store(conn, new, hold, hits, now)


def known_submission(conn: Connection, site: str, key: str, fingerprint: str, now: int) -> Accepted | None:
    """What became of this submission id before; None when it is new."""
    row = conn.execute(_submission, {"site": site, "key": key}).first()
    if row is None:
        return None
    return _what_became(row.lead_id, row.fingerprint, row.answer, row.created_at, fingerprint, now)


def _what_became(lead_id: str, kept: str, answer: str | None, created_at: int, fingerprint: str, now: int) -> Accepted:
    if kept != fingerprint:
        return Accepted("mismatch", lead_id)
    if answer is not None:
        return Accepted("replay", lead_id, answer=answer)
    return Accepted("orphan" if created_at < now - ORPHANED_AFTER else "in_flight", lead_id)


def _join(conn: Connection, new: NewLead, live: Any, now: int, *, lift: bool, spoke: Sequence[Hit] = ()) -> Accepted:
    lead_id, state, reason = live.text_1, live.text_2, live.text_3
    together(conn, *_submission_of(new, lead_id, now))
    if new.delivery is not None:
        deliveries.became(conn, new.delivery, "duplicate", lead_id)
    return join(conn, new, lead_id, state, reason, now, lift=lift, spoke=spoke)


def _count_guards(
    conn: Connection,
    new: NewLead,
    cooldown: Cooldown,
    calls: CallCap,
    caps: Sequence[Cap],
    found: Standing,
    now: int,
) -> tuple[list[Hit], int]:
    hits: list[Hit] = []
    retry_after = 0
    # Milliseconds until each rate that is used up lets this number in again.
    waits = [(at + cooldown.per_phone[place].per * 1000 - now, place) for place, at in found.admitted.items()]
    longest, place = max(waits, key=lambda wait: wait[0], default=(0, 0))
    if longest > 0:
        hits.append(Hit("cooldown", cooldown.mode, _how_often(conn, new.phone_key, cooldown.per_phone[place], now)))
        retry_after = _whole_seconds(longest)
    over = budgets.first_full(caps, [found.used.get(place, 0) for place in range(len(caps))])
    if over is not None:
        hits.append(Hit("calls", calls.mode, over.spent))
        retry_after = max(retry_after, _whole_seconds(over.ends_at - now))
    return hits, retry_after


def _how_often(conn: Connection, phone_key: str, rate: Rate, now: int) -> str:
    """The figures of a rate that is used up, for the history. Asked for only then."""
    earlier = conn.execute(_admissions, {"phone_key": phone_key, "after": now - rate.per * 1000}).scalar_one()
    let_in = "1 is" if rate.count == 1 else f"{rate.count} are"
    return f"request {earlier + 1} of this number within {lasting(rate.per)}; {let_in} let through"


def _whole_seconds(millis: int) -> int:
    """Rounded up: who comes back then is let in."""
    return max(1, -(-millis // 1000))


def _store(conn: Connection, new: NewLead, hold: str | None, hits: Sequence[Hit], now: int) -> Accepted:
    state, reason = ("spam" if new.spam else "held", hold) if hold else ("waiting", new.reason)
    row = {
        "id": new.id,
        "site": new.site,
        "source": new.source,
        "phone": new.phone.e164,
        "phone_key": new.phone_key,
        "phone_kind": new.phone.kind,
        "client_key": new.client_key,
        "name": new.name,
        "email": new.email,
        "message": new.message,
        "language": new.language,
        "asked_language": new.asked_language,
        "consent": new.consent,
        "consent_text": new.consent_text,
        "extra": json.dumps(dict(new.extra), ensure_ascii=False) if new.extra else "{}",
        "attribution": json.dumps(dict(new.attribution), ensure_ascii=False) if new.attribution else "{}",
        "state": state,
        "reason": reason,
        "received_at": new.received_at,
        "due_at": None if hold else new.due_at,
        "expires_at": new.received_at + HELD_FOR if hold else new.expires_at,
        "ended_at": now if new.spam else None,
        "deadline_at": new.deadline_at,
        "rank": new.rank,
        "admitted": 0 if hold else 1,
    }
    history = [events.entry(now, new.id, "received", new.source, to_state=state)]
    spoke = [*new.hits, *hits]
    if hold:
        told = next((hit.told for hit in spoke if hit.guard == hold), hold)
        history.append(events.entry(now, new.id, state, "guard", to_state=state, why=told))
    elif new.reason in ("closed", "scheduled"):
        history.append(events.entry(now, new.id, "scheduled", "intake", to_state="waiting", why=new.reason))
    # Who decided has been told; the others that spoke are, too, with their mode where it is more than to observe.
    history += events.observed(now, new.id, [hit for hit in spoke if hit.guard != hold])
    together(conn, Write(_insert_lead, [row]), *_submission_of(new, new.id, now), events.told(*history))
    if new.delivery is not None:
        deliveries.became(conn, new.delivery, "lead", new.id)
    return Accepted("new", new.id, state=state, reason=reason, hits=tuple(hits))


def _submission_of(new: NewLead, lead_id: str, now: int) -> list[Write]:
    if not new.submission_id:
        return []
    row = {
        "site": new.site,
        "key": new.submission_id,
        "fingerprint": new.fingerprint,
        "lead_id": lead_id,
        "created_at": now,
    }
    return [Write(_insert_submission, [row])]


def remember_answer(conn: Connection, site: str, key: str, answer: str) -> None:
    """Keep what the submitter was told, so that the same submission hears it again."""
    conn.execute(_answer, {"of_site": site, "of_key": key, "text": answer})
