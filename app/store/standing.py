"""How things stand with a submission, a number and the budgets: asked in one question, before a lead is stored.

Each question costs a round trip, or a turn of the writer's thread; together they cost little more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, bindparam, literal_column, select, union_all

from app.directory import Rate
from app.domain.guards import Cap
from app.domain.lead import NewLead
from app.domain.states import LEAD_LIVE
from app.store.statements import among
from app.store.tables import budgets, leads, submissions

_NO_TEXT: Any = literal_column("CAST(NULL AS TEXT)")
_NO_NUMBER: Any = literal_column("CAST(NULL AS BIGINT)")


@dataclass(slots=True)
class Standing:
    """What there is already: rows with `text_1` to `text_3` and `number`, None where there is none.

    `submission`: lead's id, fingerprint, answer, when it came. `live`: the number's live lead, its state and reason.
    `admitted`: for each rate that is used up, when the admission was that uses it up, in milliseconds. `used`: what is
    spent of each cap.
    """

    submission: Any = None
    live: Any = None
    admitted: dict[int, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)


def standing(conn: Connection, new: NewLead, rates: Sequence[Rate], caps: Sequence[Cap], now: int) -> Standing:
    """How things stand for this lead; `admitted` by the number of the rate, `used` by that of the cap."""
    values: dict[str, Any] = {"phone_key": new.phone_key}
    if new.submission_id:
        values |= {"site": new.site, "key": new.submission_id}
    for number, rate in enumerate(rates):
        values |= {f"after_{number}": now - rate.per * 1000, f"others_{number}": rate.count - 1}
    for number, cap in enumerate(caps):
        values |= {f"span_{number}": cap.span, f"starts_{number}": cap.starts_at}
    found = Standing()
    for row in conn.execute(_question(new.submission_id is not None, len(rates), len(caps)), values):
        match row.what:
            case "submission":
                found.submission = row
            case "live":
                found.live = row
            case "rate":
                found.admitted[row.place] = row.number
            case "cap":
                found.used[row.place] = row.number
    return found


@cache
def _question(submission: bool, rates: int, caps: int) -> CompoundSelect[Any]:
    parts = [_live()]
    if submission:
        parts.append(_submission())
    parts += [_rate(number) for number in range(rates)]
    parts += [_cap(number) for number in range(caps)]
    return union_all(*parts)


def _part(what: str, place: int, texts: Sequence[Any], number: Any) -> Select[Any]:
    named = [text.label(f"text_{at}") for at, text in enumerate(texts, 1)]
    return select(
        literal_column(f"'{what}'").label("what"),
        literal_column(str(place)).label("place"),
        *named,
        number.label("number"),
    )


def _live() -> Select[Any]:
    return _part("live", 0, (leads.c.id, leads.c.state, leads.c.reason), _NO_NUMBER).where(
        leads.c.phone_key == bindparam("phone_key"), among(leads.c.state, LEAD_LIVE)
    )


def _submission() -> Select[Any]:
    texts = (submissions.c.lead_id, submissions.c.fingerprint, submissions.c.answer)
    return _part("submission", 0, texts, submissions.c.created_at).where(
        submissions.c.site == bindparam("site"), submissions.c.key == bindparam("key")
    )


def _rate(number: int) -> Select[Any]:
    """The count-th latest admission of a number in the window: if there is one, the rate is used up until it is out."""
    latest = (
        select(leads.c.received_at)
        .where(
            leads.c.phone_key == bindparam("phone_key"),
            leads.c.received_at > bindparam(f"after_{number}"),
            leads.c.admitted == 1,
        )
        .order_by(leads.c.received_at.desc())
        .limit(1)
        .offset(bindparam(f"others_{number}"))
        .subquery(f"rate_{number}")
    )
    return _part("rate", number, (_NO_TEXT, _NO_TEXT, _NO_TEXT), latest.c.received_at).select_from(latest)


def _cap(number: int) -> Select[Any]:
    return _part("cap", number, (_NO_TEXT, _NO_TEXT, _NO_TEXT), budgets.c.used).where(
        budgets.c.span == bindparam(f"span_{number}"), budgets.c.starts_at == bindparam(f"starts_{number}")
    )
