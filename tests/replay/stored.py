"""A day written into a real database, row by row, as the service leaves it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, create_engine, insert

from app.domain.past_day import PastCall, PastDay, PastLead
from app.store.engine import open_engine
from app.store.tables import attempts, events, leads


def write_leads(conn: Connection, past: Iterable[PastLead]) -> None:
    """Statement function: leads, their attempts and their histories."""
    found = list(past)
    if not found:
        return
    conn.execute(insert(leads), [_lead(lead) for lead in found])
    calls = [(lead, number, call) for lead in found for number, call in enumerate(lead.calls, 1)]
    if calls:
        conn.execute(insert(attempts), [_attempt(*one) for one in calls])
    history = [row for lead in found for row in _history(lead)]
    if history:
        conn.execute(insert(events), history)


def write_file(url: str, day: PastDay) -> None:
    """The same, into an SQLite file that nobody has open."""
    path = url.removeprefix("sqlite:///")
    engine = create_engine("sqlite+pysqlite://", creator=lambda: sqlite3.connect(path))
    with engine.begin() as conn:
        write_leads(conn, day.all)
    engine.dispose()


def _lead(lead: PastLead) -> dict[str, Any]:
    held_at_first = any(deed.event == "held" and deed.at == lead.received_at for deed in lead.deeds)
    return {
        "id": lead.id,
        "site": lead.site,
        "source": "widget",
        "phone": lead.phone,
        "phone_key": lead.phone_key,
        "phone_kind": "mobile",
        "client_key": "client",
        "state": lead.state,
        "reason": lead.reason,
        "received_at": lead.received_at,
        "due_at": lead.due_at,
        "expires_at": lead.deadline_at + 3_600_000,
        "deadline_at": lead.deadline_at,
        "ended_at": lead.ended_at,
        "asked_language": lead.asked_language,
        "admitted": int(not held_at_first),
    }


def _attempt(lead: PastLead, number: int, call: PastCall) -> dict[str, Any]:
    return {
        "id": f"{lead.id}-{number}",
        "lead_id": lead.id,
        "agent_id": call.agent_id,
        "extension": f"SIP{call.agent_id}",
        "number": number,
        "state": call.state,
        "outcome": call.outcome,
        "owner": "a process",
        "holds_agent": 0,
        "reserved_at": call.reserved_at,
        "sending_at": call.sending_at,
        "agent_answered_at": call.agent_answered_at,
        "connected_at": call.connected_at,
        "ended_at": call.ended_at,
        "leg1_ring": call.leg1_ring,
        "leg1_talk": call.leg1_talk,
        "leg2_status": call.leg2_status,
        "leg2_ring": call.leg2_ring,
        "leg2_talk": call.leg2_talk,
        "first_leg": call.first_leg,
    }


def _history(lead: PastLead) -> list[dict[str, Any]]:
    rows = [_event(lead, lead.received_at, "received", "widget")]
    rows += [_event(lead, deed.at, deed.event, deed.who, why=deed.why) for deed in lead.deeds]
    for number, call in enumerate(lead.calls, 1):
        told = {"attempt_id": f"{lead.id}-{number}", "agent_id": call.agent_id}
        rows.append(_event(lead, call.reserved_at, "reserved", "dispatcher", **told))
        if call.away is not None:
            rows.append(_event(lead, call.reserved_at, call.away, "dispatcher", **told))
        if call.left_at is not None:
            rows.append(_event(lead, call.left_at, "call_left", "presence", **told))
    return rows


def _event(lead: PastLead, at: int, event: str, who: str, **told: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {"why": None, "attempt_id": None, "agent_id": None}
    return {"at": at, "lead_id": lead.id, "event": event, "who": who, **blank, **told}


def write_postgres(url: str, day: PastDay) -> None:
    """The same, into a PostgreSQL database."""

    async def write() -> None:
        engine = open_engine(url)
        await engine.start()
        try:
            await engine.write(write_leads, day.all)
        finally:
            await engine.close()

    asyncio.run(write())
