"""Small pieces that several statement files share: conflict-tolerant inserts, the phone lock, row mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, Insert, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.lead import Attempt, Lead
from app.store.tables import attempts, leads

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


# In the order of the dataclasses' fields, so that a row is their arguments.
LEAD_COLUMNS: Final = tuple(leads.c[field.name] for field in fields(Lead))
ATTEMPT_COLUMNS: Final = tuple(attempts.c[field.name] for field in fields(Attempt))


def lead_of(row: Sequence[Any]) -> Lead:
    """A row of LEAD_COLUMNS as the domain knows it."""
    values = list(row)
    values[-1] = bool(values[-1])  # admitted, kept as 0 or 1
    return Lead(*values)


def attempt_of(row: Sequence[Any]) -> Attempt:
    """A row of ATTEMPT_COLUMNS as the domain knows it."""
    return Attempt(*row)
