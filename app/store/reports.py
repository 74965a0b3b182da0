"""What the provider reports: kept, matched, written on its attempt, and the attempt settled; one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from app.domain.guards import Cap
from app.domain.lead import Attempt
from app.domain.moves import Decide
from app.domain.stories import KeptCdr, Moved
from app.ports import CallRecord
from app.store import attempts, cdrs, refusals

# A record may be of any of these: a late account corrects what had to be closed without one.
REPORTABLE: Final = ("sending", "placed", "unknown", "unresolved", "absent", "ended")


def _may_be_reported(attempt: Attempt) -> bool:
    """Also a call that the provider refused with an error of its own, which proves the least of all refusals."""
    return attempt.state in REPORTABLE or refusals.may_have_rung(attempt)


def report(
    conn: Connection,
    body: str,
    records: Sequence[CallRecord],
    decide: Decide,
    caps_at: Callable[[int], Sequence[Cap]],
    now: int,
) -> list[Moved]:
    """Keep the report, and apply what can be applied now; the rest stays kept and is tried again."""
    cdr = cdrs.keep(conn, body, now)
    return [] if cdr is None else apply(conn, cdr, records, decide, caps_at, now)


def apply(
    conn: Connection,
    cdr: KeptCdr,
    records: Sequence[CallRecord],
    decide: Decide,
    caps_at: Callable[[int], Sequence[Cap]],
    now: int,
) -> list[Moved]:
    """Write what the records say on their attempts, and settle those whose outcome they tell."""
    if not records:
        cdrs.close(conn, cdr.id, "unreadable", None)
        return []
    moved: list[Moved] = []
    of_attempt: str | None = None
    for record in records:
        attempt = cdrs.match(conn, record, now)
        if attempt is None or not _may_be_reported(attempt):
            continue
        close = [] if of_attempt else [cdrs.closing(cdr.id, "applied", attempt.id)]
        of_attempt = attempt.id
        if cdrs.note_leg(conn, attempt, record, now, *close):
            who = cdrs.told_by(record)
            done = attempts.settle(conn, attempt.id, (*REPORTABLE, "refused"), decide, who, now, caps_at)
            if done is not None:
                moved.append(done)
    if of_attempt is None:
        cdrs.put_back(conn, cdr, now)
    return moved
