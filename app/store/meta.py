"""Small things that outlive the process."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, delete, select

from app.store.statements import insert_or_nothing
from app.store.tables import meta, submissions


def secret_key(conn: Connection) -> str:
    """The key made at first start, the same for every process on this database."""
    conn.execute(insert_or_nothing(conn, meta), {"name": "secret_key", "value": secrets.token_urlsafe(32)})
    value: str = conn.execute(select(meta.c.value).where(meta.c.name == "secret_key")).scalar_one()
    return value


def forget_submissions(conn: Connection, before: int) -> int:
    """Drop submission ids older than that; an id may then be used again. How many."""
    return conn.execute(delete(submissions).where(submissions.c.created_at < before)).rowcount
