"""What webhooks brought: kept first, known again, settled once; and forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, or_, select, update

from app.domain.deliveries import (
    FINAL,
    KEPT_FOR,
    OPEN,
    OVER,
    REPLAYABLE,
    SAME_BODY_FOR,
    Delivery,
    NewDelivery,
    SourceCounts,
)
from app.store.statements import lock_text
from app.store.tables import deliveries

_COLUMNS: Final = tuple(
    deliveries.c[name]
    for name in (
        "id", "source", "received_at", "content_type", "body", "verdict", "lead_id", "tries", "repeats", "why",
    )
)  # fmt: skip
_latest = (
    select(*_COLUMNS)
    .where(deliveries.c.source == bindparam("of_source"), deliveries.c.key == bindparam("of_key"))
    .order_by(deliveries.c.received_at.desc())
    .limit(1)
)
_by_id = select(*_COLUMNS).where(deliveries.c.id == bindparam("delivery"))
_insert = insert(deliveries)
_repeat = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(repeats=deliveries.c.repeats + 1, body=bindparam("now_body"), content_type=bindparam("now_type"))
)
# A lead is never taken back from a delivery, whoever comes late; and of twins the first one settles it.
_settle = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.verdict.not_in(OVER))
    .values(verdict=bindparam("to"), why=bindparam("because"), look_at=bindparam("next"))
)
_became = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.lead_id.is_(None))
    .values(verdict=bindparam("to"), lead_id=bindparam("lead"), why=None, look_at=None)
)
_lead_of = select(deliveries.c.lead_id).where(deliveries.c.id == bindparam("delivery")).with_for_update()
_due = (
    select(*_COLUMNS)
    .where(deliveries.c.look_at.is_not(None), deliveries.c.look_at <= bindparam("at"))
    .order_by(deliveries.c.look_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_lease = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(look_at=bindparam("until"), tries=deliveries.c.tries + 1)
)
_next_look = select(func.min(deliveries.c.look_at)).where(deliveries.c.look_at.is_not(None))
_fetched = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.verdict == "to_fetch")
    .values(verdict="kept", body=bindparam("now_body"), content_type=bindparam("now_type"), tries=0)
)


def keep(conn: Connection, new: NewDelivery, now: int) -> Delivery:
    """Store it, or find that it came before: by the builder's own id of it, else by its body within the hour.

    What came before and is not final is stored with the body as it is now, to be read again.
    """
    lock_text(conn, f"delivery {new.key}")
    row = conn.execute(_latest, {"of_source": new.source, "of_key": new.key}).first()
    if row is not None and (new.own_id or row.received_at > now - SAME_BODY_FOR):
        known = Delivery(*row)
        body, kind = (known.body, known.content_type) if known.verdict in FINAL else (new.body, new.content_type)
        conn.execute(_repeat, {"delivery": known.id, "now_body": body, "now_type": kind})
        return replace(known, body=body, content_type=kind, repeats=known.repeats + 1, again=True)
    conn.execute(
        _insert,
        {
            "id": new.id,
            "source": new.source,
            "key": new.key,
            "received_at": now,
            "content_type": new.content_type,
            "body": new.body,
            "verdict": new.verdict,
            "look_at": new.look_at,
        },
    )
    return Delivery(new.id, new.source, now, new.content_type, new.body, new.verdict, None, 0)


def keep_all(conn: Connection, several: Sequence[NewDelivery], now: int) -> list[Delivery]:
    """Each as `keep` does, all or none."""
    # In one order, whoever keeps them: two that bring the same must not wait for one another.
    return [keep(conn, new, now) for new in sorted(several, key=lambda one: one.key)]


def settle(conn: Connection, delivery_id: str, verdict: str, why: str | None, look_at: int | None) -> bool:
    """Write what became of it, with `look_at` (ms) while it is open; False when it was settled for good by now."""
    done = {"delivery": delivery_id, "to": verdict, "because": why, "next": look_at}
    return conn.execute(_settle, done).rowcount == 1


def lead_of(conn: Connection, delivery_id: str) -> str | None:
    """The lead that it became or joined; nobody else decides about it until this transaction is over."""
    lead_id: str | None = conn.execute(_lead_of, {"delivery": delivery_id}).scalar()
    return lead_id


def became(conn: Connection, delivery_id: str, verdict: str, lead_id: str) -> None:
    """It became this lead, or joined it; in the transaction in which that happens."""
    conn.execute(_became, {"delivery": delivery_id, "to": verdict, "lead": lead_id})


def take_due(conn: Connection, now: int, lease: int, most: int = 20) -> list[Delivery]:
    """Open deliveries whose time has come, for `lease` milliseconds nobody else's; `tries` counts this one."""
    found = [Delivery(*row) for row in conn.execute(_due, {"at": now, "most": most})]
    for one in found:
        conn.execute(_lease, {"delivery": one.id, "until": now + lease})
    return [replace(one, tries=one.tries + 1) for one in found]


def next_look(conn: Connection) -> int | None:
    """When the next open delivery is due, or None."""
    found: int | None = conn.execute(_next_look).scalar()
    return found


def fetched(conn: Connection, delivery_id: str, content_type: str, body: str) -> bool:
    """The lead that it told of has come: this is its body now. False when another process had it before."""
    new = {"delivery": delivery_id, "now_type": content_type, "now_body": body}
    return conn.execute(_fetched, new).rowcount == 1


def read(conn: Connection, delivery_id: str) -> Delivery | None:
    """The one with this id."""
    row = conn.execute(_by_id, {"delivery": delivery_id}).first()
    return Delivery(*row) if row is not None else None


def listed(conn: Connection, source: str, since: int, verdicts: Sequence[str], most: int) -> list[Delivery]:
    """Those of a source received at `since` (ms) or later, newest first; all verdicts when none is named."""
    query = select(*_COLUMNS).where(deliveries.c.source == source, deliveries.c.received_at >= since)
    if verdicts:
        query = query.where(deliveries.c.verdict.in_(verdicts))
    return [
        Delivery(*row)
        for row in conn.execute(query.order_by(deliveries.c.received_at.desc(), deliveries.c.id.desc()).limit(most))
    ]


def replayable(conn: Connection, source: str, since: int) -> list[str]:
    """The ids of those that became no lead and whose body is still there, oldest first."""
    query = select(deliveries.c.id).where(
        deliveries.c.source == source,
        deliveries.c.received_at >= since,
        deliveries.c.body.is_not(None),
        deliveries.c.verdict.in_(REPLAYABLE),
    )
    return list(conn.execute(query.order_by(deliveries.c.received_at, deliveries.c.id)).scalars())


def counts(conn: Connection) -> list[SourceCounts]:
    """How many deliveries of which verdict are known of each source."""
    rows = conn.execute(
        select(deliveries.c.source, deliveries.c.verdict, func.count(), func.max(deliveries.c.received_at)).group_by(
            deliveries.c.source, deliveries.c.verdict
        )
    )
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for source, verdict, many, last in rows:
        before, verdicts = found.get(source, (0, {}))
        found[source] = (max(before, last), verdicts | {verdict: many})
    return [SourceCounts(source, last, verdicts) for source, (last, verdicts) in sorted(found.items())]


def forget(conn: Connection, kept: Mapping[str, int], now: int) -> int:
    """Drop bodies older than their source's `kept` seconds, then rows that nothing is known again by. How many.

    Of a source that is not in the file any more bodies are kept as long as rows. What is open keeps its body.
    """
    settled: Any = deliveries.c.verdict.not_in(OPEN)
    body: Any = deliveries.c.body.is_not(None)
    many = 0
    for source, seconds in kept.items():
        old = deliveries.c.received_at < now - seconds * 1000
        many += conn.execute(
            update(deliveries).where(body, deliveries.c.source == source, old, settled).values(body=None)
        ).rowcount
    rows = delete(deliveries).where(
        deliveries.c.received_at < now - KEPT_FOR,
        settled,
        or_(deliveries.c.body.is_(None), deliveries.c.source.not_in(list(kept)) if kept else literal_column("1=1")),
    )
    return many + conn.execute(rows).rowcount
