"""What holds in every database at every moment, whatever was done: asserted after each store test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from app.domain.states import ATTEMPT_LIVE, LEAD_MOVES
from app.store.sql_store import SqlStore
from app.store.tables import agents, attempts, events, leads

Row = Mapping[str, Any]


async def assert_sound(store: SqlStore) -> None:
    """Nothing is unaccounted for, the history tells every state, and attempt, lead and agent agree."""
    assert (await store.gauges()).unaccounted == 0
    found = await store.engine.read(_everything)
    _history_tells_every_state(found["leads"], found["events"])
    _attempt_lead_and_agent_agree(found["leads"], found["attempts"], found["agents"])


def _everything(conn: Connection) -> dict[str, list[Row]]:
    return {
        table.name: [dict(row) for row in conn.execute(select(table).order_by(table.c.id)).mappings()]
        for table in (leads, attempts, agents, events)
    }


def _history_tells_every_state(leads: list[Row], events: list[Row]) -> None:
    told: dict[str, str] = {}
    for event in events:
        before = told.get(event["lead_id"])
        if event["from_state"] is not None:
            assert event["from_state"] == before, event
        if event["to_state"] is not None:
            assert before in (None, event["to_state"]) or event["to_state"] in LEAD_MOVES[str(before)], event
            told[event["lead_id"]] = event["to_state"]
    assert told == {lead["id"]: lead["state"] for lead in leads}


def _attempt_lead_and_agent_agree(leads: list[Row], attempts: list[Row], agents: list[Row]) -> None:
    live = {row["lead_id"]: row["id"] for row in attempts if row["state"] in ATTEMPT_LIVE}
    assert live == {row["id"]: row["attempt_id"] for row in leads if row["state"] == "dialing"}
    holding = {row["agent_id"]: row["id"] for row in attempts if row["holds_agent"]}
    assert holding == {row["id"]: row["attempt_id"] for row in agents if row["attempt_id"] is not None}
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in attempts:
        numbers[row["lead_id"]].append(row["number"])
    for row in leads:
        assert sorted(numbers[row["id"]]) == list(range(1, row["attempts"] + 1)), row["id"]
