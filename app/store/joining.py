"""A second submission of a number whose lead is live: it joins, adds what it says, and may lift a hold.

A lead that is held for how it was sent (a filled trap, a guessed number, a late delivery) does not stand in the way of
the same person who then asks properly. What is dialled then is the second submission: it is of that site, which has
its hours, agents and limits, and what the person was asked and ticked there is what counts. Of the first one stays
what the second does not say, and the history.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, case, literal_column, select, update

from app.domain.hits import Hit
from app.domain.intake_results import Accepted
from app.domain.lead import NewLead
from app.domain.states import LEAD_LIVE
from app.domain.submission_guards import BY_SENDING
from app.store import events
from app.store.statements import among
from app.store.tables import leads

_TEXTS: Final = ("name", "email", "message", "consent", "consent_text")
_TABLES: Final = ("extra", "attribution")
# A lifted lead has these of the second submission whatever they are, and the others where it says something.
_WHOLE: Final = (
    "site",
    "source",
    "client_key",
    "language",
    "asked_language",
    "attribution",
    "consent",
    "consent_text",
)
_WHERE_SAID: Final = ("name", "email", "message", "extra")
_UNTOLD: Final = ("client_key",)  # nothing that a person could read


def _filled(column: Any, empty: str, name: str) -> Any:
    return case((column == literal_column(f"'{empty}'"), bindparam(name)), else_=column)


# What is there stays: who asks again adds to it and changes nothing.
_add = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), among(leads.c.state, LEAD_LIVE))
    .values(
        {name: _filled(leads.c[name], "", f"new_{name}") for name in _TEXTS}
        | {name: _filled(leads.c[name], "{}", f"new_{name}") for name in _TABLES}
    )
)
_said = select(*(leads.c[name] for name in (*_WHOLE, *_WHERE_SAID))).where(leads.c.id == bindparam("lead"))
_lift = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), among(leads.c.state, ["held"]))
    .values(
        {name: bindparam(f"new_{name}") for name in (*_WHOLE, *_WHERE_SAID)}
        | {
            "state": "waiting",
            "reason": bindparam("because"),
            "due_at": bindparam("due"),
            "expires_at": bindparam("end"),
            "deadline_at": bindparam("deadline"),
            "rank": bindparam("whose_turn"),
            "admitted": 1,
        }
    )
)


class Overtaken(Exception):
    """The lead that was live when it was looked for has ended since: whoever joined it would wait for nothing."""


def liftable(new: NewLead, state: str, reason: str | None) -> bool:
    """Whether this submission, if no guard stops it, may take the place of the held one that it joins."""
    return state == "held" and reason in BY_SENDING and new.hold is None


def join(
    conn: Connection,
    new: NewLead,
    live: str,
    state: str,
    reason: str | None,
    now: int,
    *,
    lift: bool,
    spoke: Sequence[Hit] = (),
) -> Accepted:
    """Add the submission to the live lead. `lift`: it is held, and is dialled as this one would have been.

    `spoke`: the guards that were asked whether it may, for the history. Overtaken: look again.
    """
    history = [events.entry(now, live, "joined", new.source, why=new.message[:200] or None)]
    history += events.observed(now, live, spoke)
    changed = _lift_hold(conn, new, live) if lift else None
    if changed is None:
        if conn.execute(_add, {"lead": live, **_values(new, (*_TEXTS, *_TABLES))}).rowcount == 0:
            raise Overtaken
    else:
        moved = {"from_state": "held", "to_state": "waiting"}
        history.append(events.entry(now, live, "released", "visitor", why=reason, **moved))
        if changed:
            history.append(events.entry(now, live, "taken_over", new.source, why=changed))
        state, reason = "waiting", new.reason
    events.add(conn, history)
    return Accepted("duplicate", live, state=state, reason=reason, lifted=changed is not None)


def _lift_hold(conn: Connection, new: NewLead, live: str) -> str | None:
    """End the hold, with what the submission says: what that changed, in words without values.

    None when nothing is held any more.
    """
    before = conn.execute(_said, {"lead": live}).mappings().one()
    values = _values(new, _WHOLE)
    values |= {
        key: said if said not in ("", "{}") else before[key.removeprefix("new_")]
        for key, said in _values(new, _WHERE_SAID).items()
    }
    term = {
        "because": new.reason,
        "due": new.due_at,
        "end": new.expires_at,
        "deadline": new.deadline_at,
        "whose_turn": new.rank,
    }
    if conn.execute(_lift, {"lead": live, **values, **term}).rowcount == 0:
        return None  # a person was quicker
    changed = [name for name in (*_WHOLE, *_WHERE_SAID) if values[f"new_{name}"] != before[name]]
    return ", ".join(
        f"site ({new.site}, it was {before['site']})" if name == "site" else name
        for name in changed
        if name not in _UNTOLD
    )


def _values(new: NewLead, names: Sequence[str]) -> dict[str, Any]:
    """What the submission says, as it is kept."""
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(new, name)
        if name in _TABLES:
            value = json.dumps(dict(value), ensure_ascii=False) if value else "{}"
        found[f"new_{name}"] = value
    return found
