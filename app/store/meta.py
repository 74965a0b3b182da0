"""Small things that outlive the process."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, bindparam, delete, select, update

from app.store.statements import insert_or_nothing
from app.store.tables import meta, submissions

_value = select(meta.c.value).where(meta.c.name == bindparam("of_name"))
_set = update(meta).where(meta.c.name == bindparam("of_name")).values(value=bindparam("text"))


def secret_key(conn: Connection) -> str:
    """The key made at first start, the same for every process on this database."""
    conn.execute(insert_or_nothing(conn, meta), {"name": "secret_key", "value": secrets.token_urlsafe(32)})
    value: str = conn.execute(select(meta.c.value).where(meta.c.name == "secret_key")).scalar_one()
    return value


def read(conn: Connection, name: str) -> str | None:
    """What is kept under this name, or None."""
    value: str | None = conn.execute(_value, {"of_name": name}).scalar()
    return value


def write(conn: Connection, name: str, value: str) -> None:
    """Keep this under that name, in place of what was there."""
    if conn.execute(_set, {"of_name": name, "text": value}).rowcount == 0:
        conn.execute(insert_or_nothing(conn, meta), {"name": name, "value": value})


def forget_submissions(conn: Connection, before: int) -> int:
    """Drop submission ids older than that; an id may then be used again. How many."""
    return conn.execute(delete(submissions).where(submissions.c.created_at < before)).rowcount


def take_room(conn: Connection, size: int = 64 * 1024) -> None:
    """Write more than a lead takes, to see that there is room; at random, so that nothing can press it together."""
    write(conn, "room", secrets.token_hex(size // 2))


def give_room_back(conn: Connection) -> None:
    """What `take_room` wrote."""
    write(conn, "room", "")


def touch(conn: Connection, now: int) -> None:
    """Write something, to see that writing works: a full disk says yes to everything else."""
    write(conn, "touched", str(now))
