"""Small pieces that several statement files share: conflict-tolerant inserts, the phone lock, row mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Insert, Table, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.lead import Attempt, Lead
from app.store.tables import attempts, leads

_text_lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def insert_or_nothing(conn: Connection, table: Table) -> Insert:
    """An INSERT that does nothing when the row is there already; rowcount tells which."""
    return insert_unless_there(conn.dialect.name, table)


@cache
def insert_unless_there(dialect: str, table: Table) -> Insert:
    """The same for a dialect's name, to be built upon."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def among(column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """`column IN (…)` or `column = …`, the values written out.

    SQLite uses a partial index only where the statement repeats its words, and never for a bound value.
    """
    words: list[ColumnElement[str]] = [literal_column(repr(value)) for value in values]
    return column == words[0] if len(words) == 1 else column.in_(words)


def lock_text(conn: Connection, key: str) -> None:
    """Let one transaction at a time decide about what this names. SQLite has one writer and needs no lock."""
    if conn.dialect.name == "postgresql":
        conn.execute(_text_lock, {"key": key})


def lock_phone(conn: Connection, phone_key: str) -> None:
    """Let one transaction at a time decide about this number."""
    lock_text(conn, phone_key)


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
