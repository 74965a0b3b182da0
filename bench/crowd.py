"""Leads by the hundred thousand, written by the database itself: some wait, others are over.

Only columns without a default of their own are named, and those that make a row as large as real ones are.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg

SITES: Final = ("main", "north", "south", "east", "west")
APART_MS: Final = 10  # milliseconds between two of them
LOADING: Final = 240.0  # seconds that one step of loading may take
HOUR: Final = 3_600_000

# Ids grow with time, as real ones do; the hashes of telephone numbers lie anywhere.
_WORDS: Final = {
    "sqlite": {
        "series": "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})",
        "id": "printf('{era}-0000-7000-8000-%012d', i)",
        "anywhere": "lower(hex(randomblob(16)))",
    },
    "postgresql": {
        "series": "WITH n(i) AS (SELECT generate_series({first}, {last}))",
        "id": "'{era}-0000-7000-8000-' || lpad(i::text, 12, '0')",
        "anywhere": "md5('{era}' || i)",
    },
}
_ATTRIBUTION: Final = (
    '{"page_url": "https://www.example.com/flats?utm_source=search", "referrer": "https://search.example.org/",'
    ' "utm_source": "search"}'
)
_LEAD: Final = (
    "id, site, source, phone, phone_key, phone_kind, client_key, name, email, message, language, consent, consent_text,"
    " attribution, received_at, deadline_at, admitted"
)
_LEAD_VALUES: Final = (
    "{id}, CASE i % 5 WHEN 1 THEN 'north' WHEN 2 THEN 'south' WHEN 3 THEN 'east' WHEN 4 THEN 'west' ELSE 'main' END,"
    " 'widget', '+97254' || (1000000 + i), {anywhere}, 'mobile', {anywhere}, 'Noa Levi', 'visitor' || i ||"
    " '@example.com', 'I would like to hear about the three-room flats.', 'en', 'yes', 'I agree to be called back.',"
    f" '{_ATTRIBUTION.replace('{', '{{').replace('}', '}}')}', {{at}}, {{at}} + 40000, 1"
)
_EVENT: Final = "events (at, lead_id, attempt_id, who, event, to_state)"
_WAITING: Final = (
    (
        f"leads ({_LEAD}, state, reason, due_at, expires_at)",
        _LEAD_VALUES + ", 'waiting', 'no_agent', {at}, {at} + {term}",
    ),
    (_EVENT, "{at}, {id}, NULL, 'widget', 'received', 'waiting'"),
)
_FINISHED: Final = (
    (
        f"leads ({_LEAD}, state, outcome, ended_at, attempts, attempt_id)",
        _LEAD_VALUES + ", 'connected', 'connected', {at} + 90000, 1, {id}",
    ),
    (
        "attempts (id, lead_id, agent_id, extension, number, state, outcome, owner, holds_agent, reserved_at,"
        " sending_at, answered_at, placed_at, connected_at, ended_at, call_id, leg1_status, leg1_talk, leg2_status,"
        " leg2_talk)",
        "{id}, {id}, 'agent' || (i % 200), 'SIPbench' || (i % 200), 1, 'ended', 'connected', 'earlier', 0, {at} + 2,"
        " {at} + 4, {at} + 60, {at} + 60, {at} + 9000, {at} + 90000, {anywhere}, 'ANSWER', 81, 'ANSWER', 70",
    ),
    (_EVENT, "{at} + 90000, {id}, {id}, 'provider', 'connected', 'connected'"),
)


def waiting(dialect: str, first: int, last: int, now: int) -> list[str]:
    """Statements for the waiting leads with these numbers, all of them due, the first ones longest."""
    at = f"{now} - 2 * {HOUR} + {APART_MS} * i" if last * APART_MS < 2 * HOUR else f"{now} - {last + 1} + i"
    return _filled(dialect, _WAITING, "01920000", first, last, f"({at})")


def finished(dialect: str, many: int, now: int) -> list[str]:
    """Statements for so many leads that were called, talked with, and are over."""
    return _filled(dialect, _FINISHED, "01910000", 1, many, f"({now} - {HOUR} - {many} * 1000 + 1000 * i)")


def _filled(dialect: str, tables: tuple[tuple[str, str], ...], era: str, first: int, last: int, at: str) -> list[str]:
    words = {name: text.format(era=era, first=first, last=last) for name, text in _WORDS[dialect].items()}
    return [
        f"INSERT INTO {into} {words['series']} SELECT {values.format(**words, at=at, term=24 * HOUR)} FROM n"  # noqa: S608
        for into, values in tables
    ]


async def into_sqlite(file: Path, statements: list[str]) -> None:
    """Run them on the file, which nobody else has open."""

    def load() -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")  # this connection alone: it is only being prepared
            connection.execute("PRAGMA cache_size=-500000")
            indexes = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type='index' AND sql > ''"
            ).fetchall()
            connection.execute("BEGIN")
            # Sorted at once, an index is made in a fraction of the time that its rows take one by one.
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            for statement in statements:
                connection.execute(statement)
            for _, index in indexes:
                connection.execute(index)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    await asyncio.to_thread(load)


async def into_postgres(url: str, statements: list[str]) -> None:
    """Run them as the superuser, without looking up what each row refers to; then as autovacuum leaves it."""
    connection: Any = await asyncpg.connect(url, ssl=False)  # type: ignore[no-untyped-call]
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        await connection.execute("SET maintenance_work_mem = '256MB'")
        indexes = await connection.fetch(
            "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index"
            " WHERE indrelid::regclass::text IN ('leads', 'attempts', 'events') AND NOT indisprimary"
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        for statement in statements:
            await connection.execute(statement, timeout=LOADING)
        for index in indexes:
            await connection.execute(index["made"], timeout=LOADING)
        await connection.execute("VACUUM (ANALYZE)", timeout=LOADING)
    finally:
        await connection.close()
