"""What the database says afterwards: whether anything was lost, and whether an agent ever had two calls at once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from bench.figures import CannotMeasure
from bench.load import until
from bench.stub import Call


def _rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        return connection.execute(sql).fetchall()


def states(database: Path) -> Counter[str]:
    """How many leads are in which state."""
    return Counter(
        {str(state): int(str(n)) for state, n in _rows(database, "SELECT state, count(*) FROM leads GROUP BY 1")}
    )


def settled(database: Path) -> bool:
    """Whether no lead waits or is dialled."""
    return not _rows(database, "SELECT 1 FROM leads WHERE state IN ('waiting', 'dialing') LIMIT 1")


async def until_settled(database: Path, seconds: float) -> None:
    """Wait until every lead has ended; CannotMeasure with what is left after `seconds`."""
    try:
        await until(lambda: settled(database), seconds, "every lead has ended")
    except CannotMeasure as error:
        tables = ("leads", "attempts", "agents", "cdrs")
        left = {table: _rows(database, f"SELECT state, count(*) FROM {table} GROUP BY 1") for table in tables}  # noqa: S608
        raise CannotMeasure(f"{error}; {left}") from error


def agents_at_work(database: Path) -> int:
    """How many agents are reserved or on a call."""
    return int(str(_rows(database, "SELECT count(*) FROM agents WHERE attempt_id IS NOT NULL")[0][0]))


def nothing_lost(database: Path, accepted: Collection[str]) -> None:
    """CannotMeasure unless every lead that was answered with 202 is in the table."""
    stored = {str(row[0]) for row in _rows(database, "SELECT id FROM leads")}
    lost = set(accepted) - stored
    if lost:
        raise CannotMeasure(f"{len(lost)} of {len(accepted)} accepted leads are not in the database")


def nobody_twice(database: Path, calls: Collection[Call]) -> None:
    """CannotMeasure when an agent's attempts overlap, a lead was rung twice, or a request had no attempt."""
    last: dict[str, tuple[str, int]] = {}
    known: set[str] = set()
    for attempt, agent, reserved, ended in _rows(
        database, "SELECT id, agent_id, reserved_at, ended_at FROM attempts ORDER BY reserved_at, id"
    ):
        before = last.get(str(agent))
        if before is not None and int(str(reserved)) < before[1]:
            raise CannotMeasure(f"{agent} had {before[0]} and {attempt} at the same time")
        last[str(agent)] = (str(attempt), 2**62 if ended is None else int(str(ended)))
        known.add(str(attempt))
    attempts = Counter(call.attempt for call in calls)
    leads = Counter(call.lead for call in calls)
    twice = [name for counted in (attempts, leads) for name, count in counted.items() if count > 1]
    if twice:
        raise CannotMeasure(f"the provider was asked twice for {twice[:3]}")
    strangers = set(attempts) - known
    if strangers:
        raise CannotMeasure(f"{len(strangers)} requests came from no attempt on disk")
