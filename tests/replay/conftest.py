"""Databases for replays, and time that stands still."""

from __future__ import annotations

from tests.store.engines import (
    clock,
    database_url,
    engine,
    postgres_store_url,
    postgres_template,
    sqlite_template,
    sqlite_url,
)

__all__ = [
    "clock",
    "database_url",
    "engine",
    "postgres_store_url",
    "postgres_template",
    "sqlite_template",
    "sqlite_url",
]
