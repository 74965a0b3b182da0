"""Reading a time that is over, for a replay: leads with their calls and deeds, page by page. Nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar, get_args

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from app.domain.past_day import DEEDS, Away, Deed, EarlierCall, PastCall, PastDay, PastLead, Talk
from app.store.read_only import Reader
from app.store.tables import attempts, events, leads

T = TypeVar("T")

PAGE: Final = 1000  # leads in one transaction, so that none is long
OPEN_FOR: Final = 61 * 86_400_000  # milliseconds: a callback may be asked for sixty days ahead
CALLED_WITHIN: Final = 3 * 86_400_000  # milliseconds: calls of one day are of leads that are hardly older
_OF_LEAD: Final = tuple(field.name for field in fields(PastLead) if field.name not in ("calls", "deeds"))
_OF_CALL: Final = tuple(field.name for field in fields(PastCall) if field.name not in ("away", "left_at"))
_LEFT: Final = "call_left"
_AWAY: Final[tuple[Away, ...]] = get_args(Away)
_NOT_CALLED: Final = ("reserved", "refused", "not_sent", "lapsed", "absent")
_RANG: Final = ("connected", "lead_no_answer", "lead_busy", "lead_unreachable", "unreported")

Place = tuple[int, str]  # of the last lead of a page: when it was received, its id


@dataclass(frozen=True, slots=True)
class LookBack:
    """How far before the time is read, in moments (ms): for the cool-down, the caps of the day, and `sticky`."""

    admitted_since: int
    called_since: int
    talked_since: int


def count(conn: Connection, since: int, until: int) -> int:
    """How many leads were received in that time."""
    asked = select(func.count()).where(leads.c.received_at >= since, leads.c.received_at < until)
    return conn.execute(asked).scalar_one()


def page(
    conn: Connection, since: int, until: int, after: Place | None, *, open_at: int | None = None, most: int = PAGE
) -> list[PastLead]:
    """The first leads received in that time, after that place; with `open_at` those that were not over by then."""
    wanted = select(*(leads.c[name] for name in _OF_LEAD)).where(
        leads.c.received_at >= since, leads.c.received_at < until
    )
    if open_at is not None:
        wanted = wanted.where(or_(leads.c.ended_at.is_(None), leads.c.ended_at > open_at))
    if after is not None:
        wanted = wanted.where(_behind(after))
    rows = conn.execute(wanted.order_by(leads.c.received_at, leads.c.id).limit(most)).all()
    ids = [row.id for row in rows]
    calls, deeds = _calls(conn, ids), _deeds(conn, ids)
    return [PastLead(**dict(row._mapping), calls=tuple(calls[row.id]), deeds=tuple(deeds[row.id])) for row in rows]


def _behind(place: Place) -> ColumnElement[bool]:
    received_at, lead_id = place
    return or_(leads.c.received_at > received_at, and_(leads.c.received_at == received_at, leads.c.id > lead_id))


def _calls(conn: Connection, ids: Sequence[str]) -> dict[str, list[PastCall]]:
    noted: dict[tuple[str, bool], Any] = {
        (row.attempt_id, row.event == _LEFT): row
        for row in conn.execute(
            select(events.c.attempt_id, events.c.event, events.c.at).where(
                events.c.lead_id.in_(ids), events.c.event.in_((_LEFT, *_AWAY)), events.c.attempt_id.is_not(None)
            )
        )
    }
    rows = conn.execute(
        select(attempts.c.id, attempts.c.lead_id, *(attempts.c[name] for name in _OF_CALL))
        .where(attempts.c.lead_id.in_(ids))
        .order_by(attempts.c.lead_id, attempts.c.number)
    )
    found: dict[str, list[PastCall]] = defaultdict(list)
    for attempt_id, lead_id, *values in rows:
        told: dict[str, Any] = dict(zip(_OF_CALL, values, strict=True))
        left, away = noted.get((attempt_id, True)), noted.get((attempt_id, False))
        found[lead_id].append(PastCall(**told, left_at=left and left.at, away=away and away.event))
    return found


def _deeds(conn: Connection, ids: Sequence[str]) -> dict[str, list[Deed]]:
    rows = conn.execute(
        select(events.c.lead_id, events.c.at, events.c.event, events.c.who, events.c.why)
        .where(events.c.lead_id.in_(ids), events.c.event.in_(DEEDS))
        .order_by(events.c.lead_id, events.c.id)
    )
    found: dict[str, list[Deed]] = defaultdict(list)
    for lead_id, *deed in rows:
        found[lead_id].append(Deed(*deed))
    return found


def admissions(conn: Connection, keys: Sequence[str], since: int, before: int) -> list[tuple[str, int]]:
    """Number and moment of each admission of these numbers, of leads that were over at `before`, in order."""
    asked = (
        select(leads.c.phone_key, leads.c.received_at)
        .where(
            leads.c.phone_key.in_(keys),
            leads.c.received_at >= since,
            leads.c.admitted == 1,
            leads.c.ended_at <= before,
        )
        .order_by(leads.c.received_at)
    )
    return [(key, moment) for key, moment in conn.execute(asked)]


def calls_before(conn: Connection, since: int, before: int) -> list[EarlierCall]:
    """The calls from `since` up to `before` of leads that were over by then: what the caps of the day have seen."""
    asked = (
        select(leads.c.phone_key, attempts.c.sending_at, attempts.c.outcome)
        .join(attempts, attempts.c.lead_id == leads.c.id)
        .where(
            leads.c.received_at >= since - CALLED_WITHIN,
            leads.c.received_at < before,
            leads.c.ended_at <= before,
            attempts.c.sending_at >= since,
            attempts.c.sending_at < before,
            attempts.c.state.not_in(_NOT_CALLED),
        )
        .order_by(attempts.c.sending_at)
    )
    return [EarlierCall(key, moment, outcome in _RANG) for key, moment, outcome in conn.execute(asked)]


def talks(conn: Connection, keys: Sequence[str], since: int, before: int) -> list[tuple[str, Talk]]:
    """The conversations of these numbers in that time, in the order in which they ended."""
    asked = (
        select(leads.c.phone_key, attempts.c.agent_id, attempts.c.ended_at)
        .join(attempts, attempts.c.lead_id == leads.c.id)
        .where(
            leads.c.phone_key.in_(keys),
            leads.c.ended_at <= before,
            attempts.c.outcome == "connected",
            attempts.c.ended_at > since,
            attempts.c.ended_at <= before,
        )
        .order_by(attempts.c.ended_at)
    )
    return [(key, Talk(agent, moment)) for key, agent, moment in conn.execute(asked)]


async def read_day(reader: Reader, since: int, until: int, look_back: Callable[[int], LookBack]) -> PastDay:
    """The whole time. `look_back` tells how far before the earliest of its leads the rest is read."""
    received = [lead async for lead in _pages(reader, since, until)]
    waiting = [lead async for lead in _pages(reader, since - OPEN_FOR, since, open_at=since)]
    back = look_back(min((lead.received_at for lead in waiting), default=since))
    admitted: dict[str, list[int]] = defaultdict(list)
    latest: dict[str, Talk] = {}
    for keys in _chunks(sorted({lead.phone_key for lead in (*received, *waiting)})):
        for key, moment in await reader.read(admissions, keys, back.admitted_since, since):
            admitted[key].append(moment)
        if back.talked_since < since:
            latest |= dict(await reader.read(talks, keys, back.talked_since, since))
    calls = await reader.read(calls_before, back.called_since, since) if back.called_since < since else []
    return PastDay(
        since,
        until,
        tuple(received),
        tuple(waiting),
        {key: tuple(moments) for key, moments in admitted.items()},
        tuple(calls),
        latest,
    )


async def _pages(reader: Reader, since: int, until: int, *, open_at: int | None = None) -> AsyncIterator[PastLead]:
    after: Place | None = None
    while found := await reader.read(page, since, until, after, open_at=open_at):
        for lead in found:
            yield lead
        after = (found[-1].received_at, found[-1].id)


def _chunks(keys: Sequence[T]) -> Iterator[Sequence[T]]:
    return (keys[start : start + PAGE] for start in range(0, len(keys), PAGE))
