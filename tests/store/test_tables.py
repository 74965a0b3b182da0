"""The promises that the database keeps whatever the code does: each CHECK and unique index refuses its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from sqlalchemy import CheckConstraint, Connection, insert, inspect, text
from sqlalchemy.exc import IntegrityError

from app.domain import states
from app.domain.deliveries import OPEN
from app.store.sql_store import SqlStore
from app.store.tables import metadata

Row = Mapping[str, Any]

LEAD: Final[Row] = {
    "id": "lead", "site": "main", "source": "widget", "phone": "+972541234567", "phone_key": "k",
    "phone_kind": "mobile", "client_key": "c", "state": "waiting", "due_at": 1, "received_at": 1, "deadline_at": 1,
    "admitted": 1,
}  # fmt: skip
DIALING: Final[Row] = {**LEAD, "state": "dialing", "due_at": None, "attempt_id": "attempt"}
OVER: Final[Row] = {**LEAD, "state": "connected", "due_at": None, "ended_at": 2}
ATTEMPT: Final[Row] = {
    "id": "attempt", "lead_id": "lead", "agent_id": "dana", "extension": "SIPdana", "number": 1, "state": "reserved",
    "owner": "me", "holds_agent": 1, "look_at": 9, "reserved_at": 1,
}  # fmt: skip
PLACED: Final[Row] = {**ATTEMPT, "state": "placed", "sending_at": 2}
ENDED: Final[Row] = {**PLACED, "state": "ended", "outcome": "connected", "holds_agent": 0, "look_at": None}
AGENT: Final[Row] = {"id": "dana", "listed": 1, "state": "available"}
BUDGET: Final[Row] = {"span": "hour", "starts_at": 1, "used": 1}
CDR: Final[Row] = {"received_at": 1, "digest": "d", "body": "b", "state": "kept"}
DELIVERY: Final[Row] = {"id": "d", "source": "shop", "key": "k", "received_at": 1, "verdict": "test"}
SUBMISSION: Final[Row] = {"site": "main", "key": "k", "fingerprint": "f", "lead_id": "lead", "created_at": 1}

# What stands in the table already, what must not follow, and what may.
Case = tuple[str, Sequence[Row], Row, Row]
REFUSED: Final[dict[str, list[Case]]] = {
    "ck_leads_state": [("leads", [], {**LEAD, "state": "asleep", "due_at": None}, LEAD)],
    "ck_leads_due": [
        ("leads", [], {**LEAD, "due_at": None}, LEAD),
        ("leads", [], {**LEAD, "state": "held"}, {**LEAD, "state": "held", "due_at": None}),
    ],
    "ck_leads_ended": [
        ("leads", [], {**LEAD, "ended_at": 2}, LEAD),
        *[("leads", [], {**OVER, "state": state, "ended_at": None}, OVER) for state in states.LEAD_FINAL],
    ],
    "ck_leads_dialing": [("leads", [], {**DIALING, "attempt_id": None}, DIALING)],
    "uq_leads_live_phone": [
        ("leads", [{**LEAD, "id": "first"}], LEAD, {**LEAD, "phone_key": "another"}),
        ("leads", [{**LEAD, "id": "first", "state": "held", "due_at": None}], DIALING, OVER),
        ("leads", [{**DIALING, "id": "first"}], {**LEAD, "state": "held", "due_at": None}, OVER),
    ],
    "ck_attempts_state": [("attempts", [], {**ENDED, "state": "asleep", "outcome": None}, ENDED)],
    "ck_attempts_outcome": [("attempts", [], {**ENDED, "outcome": "splendid"}, ENDED)],
    "ck_attempts_ended": [
        ("attempts", [], {**ENDED, "outcome": None}, ENDED),
        ("attempts", [], {**PLACED, "outcome": "connected"}, PLACED),
    ],
    "ck_attempts_holds_agent": [
        ("attempts", [], {**ENDED, "state": state, "outcome": None, "holds_agent": 1}, PLACED)
        for state in states.ATTEMPT_OVER
        if state != "ended"
    ],
    "ck_attempts_look_at": [
        *[("attempts", [], {**PLACED, "state": state, "look_at": None}, PLACED) for state in states.ATTEMPT_LIVE],
        ("attempts", [], {**ENDED, "look_at": 1}, ENDED),
    ],
    "ck_attempts_sending": [
        ("attempts", [], {**PLACED, "state": state, "sending_at": None}, PLACED)
        for state in ("sending", "placed", "unknown")
    ],
    "uq_attempts_live_agent": [
        ("attempts", [{**ATTEMPT, "id": "first", "lead_id": "other"}], ATTEMPT, {**ATTEMPT, "agent_id": "yossi"}),
    ],
    "uq_attempts_live_lead": [
        (
            "attempts",
            [{**PLACED, "id": "first", "state": state, "holds_agent": 0}],
            {**ATTEMPT, "number": 2},
            {**ATTEMPT, "number": 2, "lead_id": "other"},
        )
        for state in states.ATTEMPT_LIVE
    ],
    "uq_attempts_number": [("attempts", [{**ENDED, "id": "first"}], ATTEMPT, {**ATTEMPT, "number": 2})],
    "fk_attempts_lead_id": [("attempts", [], {**ATTEMPT, "lead_id": "nobody"}, ATTEMPT)],
    "ck_agents_state": [("agents", [], {**AGENT, "state": "asleep"}, AGENT)],
    "ck_agents_reserved": [
        ("agents", [], {**AGENT, "state": "reserved"}, {**AGENT, "state": "reserved", "attempt_id": "a"}),
        ("agents", [], {**AGENT, "state": "on_call"}, {**AGENT, "state": "on_call", "attempt_id": "a"}),
        ("agents", [], {**AGENT, "attempt_id": "a"}, AGENT),
    ],
    "ck_budgets_used": [("budgets", [], {**BUDGET, "used": -1}, {**BUDGET, "used": 0})],
    "ck_cdrs_state": [("cdrs", [], {**CDR, "state": "lost"}, CDR)],
    "uq_cdrs_digest": [("cdrs", [CDR], CDR, {**CDR, "digest": "another"})],
    "ck_deliveries_verdict": [("deliveries", [], {**DELIVERY, "verdict": "splendid"}, DELIVERY)],
    "ck_deliveries_look_at": [
        *[("deliveries", [], {**DELIVERY, "verdict": verdict}, DELIVERY) for verdict in OPEN],
        ("deliveries", [], {**DELIVERY, "look_at": 1}, {**DELIVERY, "verdict": "kept", "look_at": 1}),
    ],
    "ck_deliveries_lead_id": [
        ("deliveries", [], {**DELIVERY, "lead_id": "lead"}, {**DELIVERY, "verdict": "lead", "lead_id": "lead"}),
        *[("deliveries", [], {**DELIVERY, "verdict": verdict}, DELIVERY) for verdict in ("lead", "duplicate")],
    ],
    "pk_deliveries": [("deliveries", [DELIVERY], DELIVERY, {**DELIVERY, "id": "another"})],
    "pk_agents": [("agents", [AGENT], AGENT, {**AGENT, "id": "yossi"})],
    "pk_budgets": [("budgets", [BUDGET], BUDGET, {**BUDGET, "starts_at": 2})],
    "pk_submissions": [("submissions", [SUBMISSION], SUBMISSION, {**SUBMISSION, "site": "other"})],
    "pk_leads": [("leads", [OVER], {**OVER, "phone_key": "another"}, {**OVER, "id": "another"})],
    "pk_attempts": [("attempts", [ENDED], {**ENDED, "number": 2}, {**ENDED, "id": "another", "number": 2})],
}
OTHERS: Final = {"pk_events", "pk_cdrs", "pk_meta"}  # counters of the database's own, and a table of names


class Undone(Exception):
    """The test's rows are not kept."""


def columns_of(name: str) -> str:
    """How SQLite names a unique index or key that refused: by its columns."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if index.name == name:
                return ", ".join(f"{table.name}.{column.name}" for column in index.columns)
        for constraint in table.constraints:
            if constraint.name == name and not isinstance(constraint, CheckConstraint):
                columns = list(getattr(constraint, "columns", []))
                return ", ".join(f"{table.name}.{column.name}" for column in columns)
    raise LookupError(name)


async def put(store: SqlStore, table: str, rows: Sequence[Row]) -> None:
    """Insert these rows and take them back; IntegrityError when the database refuses the last of them."""

    def run(conn: Connection) -> None:
        if table == "attempts":
            leads = [{**OVER, "id": name, "phone_key": name} for name in ("lead", "other")]
            conn.execute(insert(metadata.tables["leads"]), leads)
        for row in rows:
            conn.execute(insert(metadata.tables[table]), row)
        raise Undone

    with pytest.raises(Undone):
        await store.engine.write(run)


@pytest.mark.parametrize("name", REFUSED)
async def test_the_database_refuses(store: SqlStore, name: str) -> None:
    for table, there, refused, allowed in REFUSED[name]:
        await put(store, table, [*there, allowed])
        with pytest.raises(IntegrityError) as caught:
            await put(store, table, [*there, refused])
        said = str(caught.value.orig)
        names = [name] if name.startswith("ck_") else [name, columns_of(name), "FOREIGN KEY constraint failed"]
        assert any(one in said for one in names), said


def test_every_constraint_and_unique_index_has_a_case_here() -> None:
    named = {str(index.name) for table in metadata.tables.values() for index in table.indexes if index.unique}
    for table in metadata.tables.values():
        named |= {str(constraint.name) for constraint in table.constraints}
    assert named == set(REFUSED) | OTHERS


async def test_the_migrated_database_has_every_one_of_them(store: SqlStore) -> None:
    """Names as the database tells them, so that a migration cannot forget one that the tables have."""

    def found(conn: Connection) -> set[str]:
        inspector = inspect(conn)
        names: set[str | None] = set()
        for table in metadata.tables:
            names |= {check["name"] for check in inspector.get_check_constraints(table)}
            names |= {index["name"] for index in inspector.get_indexes(table) if index["unique"]}
            names |= {key["name"] for key in inspector.get_unique_constraints(table)}
            names |= {key["name"] for key in inspector.get_foreign_keys(table)}
            names.add(inspector.get_pk_constraint(table)["name"])
        return {str(name) for name in names}

    assert set(REFUSED) <= await store.engine.write(found)


async def test_a_lead_with_attempts_cannot_be_deleted(store: SqlStore) -> None:
    """Foreign keys are on, on both engines."""

    def run(conn: Connection) -> None:
        conn.execute(insert(metadata.tables["leads"]), DIALING)
        conn.execute(insert(metadata.tables["attempts"]), ATTEMPT)
        conn.execute(text("DELETE FROM leads"))

    with pytest.raises(IntegrityError):
        await store.engine.write(run)
