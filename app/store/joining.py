"""A second submission of a number whose lead is live: it joins, adds what it says, and may lift a hold.

A lead that is held for how it was sent (a filled trap, a guessed number, a late delivery) does not stand in the way of
the same person who then asks properly: the second submission is what is dialled.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, bindparam, case, literal_column, update

from app.domain.intake_results import Accepted
from app.domain.lead import NewLead
from app.domain.submission_guards import BY_SENDING
from app.store import events
from app.store.statements import among
from app.store.tables import leads

_TEXTS: Final = ("name", "email", "message", "consent", "consent_text")


def _filled(column: Any, empty: str, name: str) -> Any:
    return case((column == literal_column(f"'{empty}'"), bindparam(name)), else_=column)


# What is there stays: who asks again adds to it and changes nothing.
_add = (
    update(leads)
    .where(leads.c.id == bindparam("lead"))
    .values(
        {name: _filled(leads.c[name], "", f"new_{name}") for name in _TEXTS}
        | {name: _filled(leads.c[name], "{}", f"new_{name}") for name in ("extra", "attribution")}
    )
)
_lift = (
    update(leads)
    .where(leads.c.id == bindparam("lead"), among(leads.c.state, ["held"]))
    .values(
        state="waiting",
        reason=bindparam("because"),
        due_at=bindparam("due"),
        expires_at=bindparam("end"),
        deadline_at=bindparam("deadline"),
        rank=bindparam("whose_turn"),
        admitted=1,
    )
)


def liftable(new: NewLead, state: str, reason: str | None) -> bool:
    """Whether this submission, if no guard stops it, may take the place of the held one that it joins."""
    return state == "held" and reason in BY_SENDING and new.hold is None


def join(
    conn: Connection, new: NewLead, live: str, state: str, reason: str | None, now: int, *, lift: bool
) -> Accepted:
    """Add the submission to the live lead. `lift`: it is held, and is dialled as this one would have been."""
    said: dict[str, Any] = {f"new_{name}": getattr(new, name) for name in _TEXTS}
    for name, held in (("extra", new.extra), ("attribution", new.attribution)):
        said[f"new_{name}"] = json.dumps(dict(held), ensure_ascii=False) if held else "{}"
    conn.execute(_add, {"lead": live, **said})
    history = [events.entry(now, live, "joined", new.source, why=new.message[:200] or None)]
    if lift:
        conn.execute(
            _lift,
            {
                "lead": live,
                "because": new.reason,
                "due": new.due_at,
                "end": new.expires_at,
                "deadline": new.deadline_at,
                "whose_turn": new.rank,
            },
        )
        moved = {"from_state": "held", "to_state": "waiting"}
        history.append(events.entry(now, live, "released", "visitor", why=reason, **moved))
        state, reason = "waiting", new.reason
    events.add(conn, history)
    return Accepted("duplicate", live, state=state, reason=reason, lifted=lift)
