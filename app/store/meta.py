"""Small things that outlive the process."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, bindparam, delete, select, update

from app.store.statements import insert_or_nothing
from app.store.tables import meta, submissions

_touch = update(meta).where(meta.c.name == "touched").values(value=bindparam("at"))


def secret_key(conn: Connection) -> str:
    """The key made at first start, the same for every process on this database."""
    conn.execute(insert_or_nothing(conn, meta), {"name": "secret_key", "value": secrets.token_urlsafe(32)})
    value: str = conn.execute(select(meta.c.value).where(meta.c.name == "secret_key")).scalar_one()
    return value


def forget_submissions(conn: Connection, before: int) -> int:
    """Drop submission ids older than that; an id may then be used again. How many."""
    return conn.execute(delete(submissions).where(submissions.c.created_at < before)).rowcount


def touch(conn: Connection, now: int) -> None:
    """Write something, to see that writing works: a full disk says yes to everything else."""
    if conn.execute(_touch, {"at": str(now)}).rowcount == 0:
        conn.execute(insert_or_nothing(conn, meta), {"name": "touched", "value": str(now)})
