"""What the provider reported: kept word for word first, then matched to an attempt and applied."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from app.clock import to_iso
from app.domain import call_times
from app.domain.lead import Attempt
from app.domain.outcomes import NEVER_DIALLED, outcome_of
from app.domain.phone import same_number
from app.domain.stories import KeptCdr
from app.domain.whose_call import nearness
from app.ports import CallRecord
from app.store import events, refusals
from app.store.statements import ATTEMPT_COLUMNS, among, attempt_of, insert_unless_there
from app.store.tables import attempts, cdrs, leads
from app.store.together import Write, together
from app.store.updates import update_of

STRANGER_AFTER = 60_000  # milliseconds a record may wait for its attempt to be written
LEGS = ("leg1_status", "leg1_talk", "leg2_status", "leg2_talk")  # what an outcome is read from
FAILURES = 10  # times a record may make us fail
LOOK_BACK = 6 * 3_600_000  # milliseconds a match by extension and number looks back

_kept = (
    select(cdrs.c.id, cdrs.c.body, cdrs.c.received_at)
    .where(among(cdrs.c.state, ["kept"]))
    .order_by(cdrs.c.tries, cdrs.c.id)
    .limit(bindparam("most"))
)
_close = (
    update(cdrs)
    .where(cdrs.c.id == bindparam("cdr"), cdrs.c.state == "kept")
    .values(state=bindparam("to"), attempt_id=bindparam("of"), tries=cdrs.c.tries + 1)
)
_tries = select(cdrs.c.tries).where(cdrs.c.id == bindparam("cdr"))
_again = update(cdrs).where(cdrs.c.id == bindparam("cdr")).values(tries=cdrs.c.tries + 1)
_by_id = select(*ATTEMPT_COLUMNS).where(attempts.c.id == bindparam("attempt")).with_for_update()
_by_call = (
    select(*ATTEMPT_COLUMNS)
    .where(attempts.c.call_id == bindparam("call"))
    .order_by(attempts.c.reserved_at.desc())
    .with_for_update()
)
_by_extension = (
    select(*ATTEMPT_COLUMNS, leads.c.phone)
    .join(leads, leads.c.id == attempts.c.lead_id)
    .where(
        attempts.c.extension == bindparam("ext"),
        attempts.c.reserved_at > bindparam("since"),
        attempts.c.sending_at.is_not(None),
        # A call that the provider refused with an error of its own may have been placed all the same.
        or_(attempts.c.state.not_in(("refused", "not_sent")), attempts.c.code == refusals.APPLICATION_ERROR),
        # A call of somebody else's on the same phones says nothing about one of ours that is over.
        or_(attempts.c.call_id.is_(None), attempts.c.ended_at.is_(None), attempts.c.outcome == "unreported"),
    )
    .order_by(attempts.c.reserved_at.desc())
    .limit(20)
)


def keep(conn: Connection, body: str, now: int) -> KeptCdr | None:
    """Store the text as it came; None when exactly this text was stored before."""
    values = {"received_at": now, "digest": digest_of(body), "body": body, "state": "kept", "tries": 0}
    made = conn.execute(_keep(conn.dialect.name), values).scalar()
    return None if made is None else KeptCdr(made, body, now)


def digest_of(body: str) -> str:
    """By which a text that was kept is known again."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _keep(dialect: str) -> ReturningInsert[int]:
    return insert_unless_there(dialect, cdrs).returning(cdrs.c.id)


def kept(conn: Connection, most: int = 50) -> list[KeptCdr]:
    """Records to apply: those not tried yet first, then oldest first."""
    rows = conn.execute(_kept, {"most": most})
    return [KeptCdr(row.id, row.body, row.received_at) for row in rows]


def close(conn: Connection, cdr_id: int, state: str, attempt_id: str | None) -> None:
    """Mark a kept record as applied, stranger or unreadable."""
    together(conn, closing(cdr_id, state, attempt_id))


def closing(cdr_id: int, state: str, attempt_id: str | None) -> Write:
    """The same, to be written together with what was done for it."""
    return Write(_close, [{"cdr": cdr_id, "to": state, "of": attempt_id}])


def put_back(conn: Connection, cdr: KeptCdr, now: int, *, failed: bool = False) -> None:
    """Not applied this time: look again later, but not for ever.

    Its attempt may not be written yet, for a minute; after that it is a stranger's. A record that made us
    fail ten times is set aside as unreadable.
    """
    if failed:
        tries = conn.execute(_tries, {"cdr": cdr.id}).scalar() or 0
        if tries + 1 >= FAILURES:
            close(conn, cdr.id, "unreadable", None)
            return
    elif cdr.received_at < now - STRANGER_AFTER:
        close(conn, cdr.id, "stranger", None)
        return
    conn.execute(_again, {"cdr": cdr.id})


def match(conn: Connection, record: CallRecord, now: int) -> Attempt | None:
    """The attempt a record speaks of, locked for whoever writes on it.

    It is found by call id, original call id, our own variable, then extension and number. A second leg may carry
    another call id, and our variable hides in many places (facts 2.4, 2.5). Extension, last nine digits and time are
    the last resort, but not for a call that came from the number. Of several attempts with one call id the one that
    our variable names is meant, else the latest.
    """
    for call in (record.call_id, record.original_call_id):
        if call:
            found = [attempt_of(row) for row in conn.execute(_by_call, {"call": call})]
            if found:
                return next((one for one in found if one.id == record.attempt_id), found[0])
    if record.attempt_id:
        row = conn.execute(_by_id, {"attempt": record.attempt_id}).first()
        if row is not None:
            return attempt_of(row)
    if record.extension and record.phone and not record.incoming:
        rows = conn.execute(_by_extension, {"ext": record.extension, "since": now - LOOK_BACK})
        fitting = [
            attempt
            for *candidate, phone in rows
            if same_number(phone, record.phone) and _at_that_time(attempt := attempt_of(candidate), record, now)
        ]
        # The latest, unless the record's start speaks for another one.
        nearest = min(fitting, key=lambda attempt: _nearness(attempt, record, now), default=None)
        if nearest is not None:
            return attempt_of(conn.execute(_by_id, {"attempt": nearest.id}).one())
    return None


def _nearness(attempt: Attempt, record: CallRecord, now: int) -> tuple[bool, tuple[int, int]]:
    """The smallest is nearest. Farthest is whose call has another id: an original id is that of the whole call."""
    another = attempt.call_id is not None and record.original_call_id not in (None, "", attempt.call_id)
    began = call_times.started_at(record.started_at, record.raw_time, attempt.began_at, now)
    return another, nearness(began, attempt.began_at)


def _at_that_time(attempt: Attempt, record: CallRecord, now: int) -> bool:
    """Whether the record's start does not speak against this attempt: an earlier call on the same phones is not it."""
    return not call_times.surely_before(record.started_at, record.raw_time, attempt.began_at, now)


def note_leg(conn: Connection, attempt: Attempt, record: CallRecord, now: int, *others: Write) -> bool:
    """Write what the record says of its leg on the attempt, which `match` has locked, and the `others` with it; True
    when that tells another outcome than before.

    A repeated record changes nothing, a later one never turns an answered leg into an unanswered one, and another
    word for "not reached" is no second try.
    """
    leg = record.leg or (_ivr_leg(attempt) if record.ivr else None)
    values: dict[str, Any] = {}
    if record.agent_leg_status and attempt.leg1_status is None:
        values["leg1_status"] = record.agent_leg_status
    says = _weight(record.status or None, record.talk_seconds)
    news = False
    if leg == 1 and record.status and attempt.leg1_status != "ANSWER":
        values |= {"leg1_status": record.status, "leg1_talk": record.talk_seconds}
        news = attempt.leg1_status != record.status
    if leg == 2 and says > _weight(attempt.leg2_status, attempt.leg2_talk):
        values |= {"leg2_status": record.status, "leg2_talk": record.talk_seconds}
        news = True
    writes = [*others]
    if leg is not None and news:
        times = _times(attempt, record, leg, now)
        values |= times
        told = _told(attempt, record, leg, times[f"leg{leg}_at"])
        heard = _heard("reported", attempt, record, now, told)
        writes.append(events.told(heard, *_answered(attempt, record, leg, now)))
    if record.recording:
        values["recording"] = record.recording
    if record.price and leg != 1:
        values["price"] = record.price
    if attempt.call_id is None and (record.original_call_id or record.call_id):
        values["call_id"] = record.original_call_id or record.call_id
    if values:
        writes.append(update_of(attempts, {"id": attempt.id}, values))
    together(conn, *writes)
    outcome = outcome_of(replace(attempt, **{name: values[name] for name in LEGS if name in values}))
    return outcome is not None and outcome != attempt.outcome


def _ivr_leg(attempt: Attempt) -> Literal[1, 2]:
    """The leg in which the IVR or queue stands: the one that is not the lead's."""
    return 2 if attempt.first_leg == "lead" else 1


def _times(attempt: Attempt, record: CallRecord, leg: Literal[1, 2], now: int) -> dict[str, Any]:
    at = call_times.started_at(record.started_at, record.raw_time, attempt.began_at, now)
    return {f"leg{leg}_at": at, f"leg{leg}_ring": record.ring_seconds}


def _told(attempt: Attempt, record: CallRecord, leg: Literal[1, 2], began: int | None) -> str:
    """The record in words for the lead's history."""
    whose = "agent" if (leg == 1) == (attempt.first_leg == "agent") else "lead"
    parts = [f"leg {leg} ({whose}) {record.status or 'without a status'}"]
    if began is not None:
        parts.append(f"began {to_iso(began)}")
    if record.ring_seconds is not None:
        parts.append(f"rang {record.ring_seconds} s")
    if record.talk_seconds is not None:
        parts.append(f"talked {record.talk_seconds} s")
    if record.price:
        parts.append(f"price {record.price}")
    if record.recording:
        parts.append(f"recording {record.recording}")
    return ", ".join(parts)


def _answered(attempt: Attempt, record: CallRecord, leg: Literal[1, 2], now: int) -> list[dict[str, Any]]:
    agents_leg = leg == (1 if attempt.first_leg == "agent" else 2)
    return [_heard("agent_answered", attempt, record, now)] if agents_leg and record.status == "ANSWER" else []


def _weight(status: str | None, talk: int | None) -> int:
    """How much leg 2 says: nothing, never dialled, not reached, reached. Only what says more is news."""
    if status is None:
        return -1
    if status in NEVER_DIALLED:
        return 0
    return 2 if status == "ANSWER" and talk != 0 else 1


def told_by(record: CallRecord) -> str:
    """Who tells it: rows of the call log say when the call began, pushed records do not (facts 2.6, 4)."""
    return "provider" if record.started_at is None else "call log"


def _heard(event: str, attempt: Attempt, record: CallRecord, now: int, why: str | None = None) -> dict[str, Any]:
    who = told_by(record)
    return events.entry(now, attempt.lead_id, event, who, attempt_id=attempt.id, agent_id=attempt.agent_id, why=why)
