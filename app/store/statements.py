"""Small pieces that several statement files share: conflict-tolerant inserts, the phone lock, row mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Insert, RowMapping, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.lead import Attempt, Lead

_phone_lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def insert_or_nothing(conn: Connection, table: Table) -> Insert:
    """An INSERT that does nothing when the row is there already; rowcount tells which."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def lock_phone(conn: Connection, phone_key: str) -> None:
    """Let one transaction at a time decide about this number. SQLite has one writer and needs no lock."""
    if conn.dialect.name == "postgresql":
        conn.execute(_phone_lock, {"key": phone_key})


def read_lead(row: RowMapping | Mapping[str, Any]) -> Lead:
    """A row of `leads` as the domain knows it."""
    return Lead(
        id=row["id"],
        site=row["site"],
        source=row["source"],
        phone=row["phone"],
        name=row["name"],
        message=row["message"],
        language=row["language"],
        state=row["state"],
        reason=row["reason"],
        outcome=row["outcome"],
        received_at=row["received_at"],
        due_at=row["due_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        attempt_id=row["attempt_id"],
        attempts=row["attempts"],
        lead_tries=row["lead_tries"],
        agent_misses=row["agent_misses"],
        send_failures=row["send_failures"],
        errors=row["errors"],
        avoid_agent=row["avoid_agent"],
        admitted=bool(row["admitted"]),
    )


def read_attempt(row: RowMapping | Mapping[str, Any]) -> Attempt:
    """A row of `attempts` as the domain knows it."""
    return Attempt(
        id=row["id"],
        lead_id=row["lead_id"],
        agent_id=row["agent_id"],
        extension=row["extension"],
        number=row["number"],
        state=row["state"],
        outcome=row["outcome"],
        reserved_at=row["reserved_at"],
        sending_at=row["sending_at"],
        call_id=row["call_id"],
        leg1_status=row["leg1_status"],
        leg1_talk=row["leg1_talk"],
        leg2_status=row["leg2_status"],
        leg2_talk=row["leg2_talk"],
    )
