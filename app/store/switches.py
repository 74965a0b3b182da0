"""The switches that people turn, in rows of `meta`: seen by every process, and still so after a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from app.domain.switches import SWITCHES, Switch, SwitchName
from app.store.statements import insert_or_nothing
from app.store.tables import meta

_ROWS = {name: f"switch.{name}" for name in SWITCHES}
_read = select(meta.c.name, meta.c.value).where(meta.c.name.in_(list(_ROWS.values())))
_write = update(meta).where(meta.c.name == bindparam("row")).values(value=bindparam("text"))


def read(conn: Connection) -> Mapping[SwitchName, Switch]:
    """Both switches; one that was never turned is on."""
    found: dict[str, str] = {row.name: row.value for row in conn.execute(_read)}
    return {name: _switch(found.get(row)) for name, row in _ROWS.items()}


def turn(
    conn: Connection, wanted: Mapping[SwitchName, bool], who: str, why: str | None, now: int
) -> Mapping[SwitchName, Switch]:
    """Turn these; both as they stand then. One that already stood so keeps its `since` and has the latest reason."""
    for name in wanted:
        # There is a row to be written after this, whoever else turns it for the first time at this moment.
        conn.execute(insert_or_nothing(conn, meta), {"name": _ROWS[name], "value": _text(Switch())})
    before = read(conn)
    for name, on in wanted.items():
        since = before[name].since if before[name].on == on else now
        conn.execute(_write, {"row": _ROWS[name], "text": _text(Switch(on, since, who, why))})
    return read(conn)


def _text(switch: Switch) -> str:
    return json.dumps(asdict(switch), ensure_ascii=False)


def _switch(text: str | None) -> Switch:
    if text is None:
        return Switch()
    kept: dict[str, Any] = json.loads(text)
    return Switch(bool(kept["on"]), kept.get("since"), kept.get("who"), kept.get("why"))
