"""Writes of one step: parts of one statement on PostgreSQL, one after the other on SQLite, and the same comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Insert, Update, bindparam, event, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.store.engine import Engine
from app.store.tables import budgets, meta
from app.store.together import Write, if_hit, together

_keep = insert(meta)
_count = insert(budgets)
_say = update(meta).where(meta.c.name == bindparam("of")).values(value=bindparam("text"))
_use = (
    update(budgets).where(budgets.c.span == "hour", budgets.c.used < bindparam("most")).values(used=budgets.c.used + 1)
)


def kept(name: str, value: str = "as it was") -> Write:
    return Write(_keep, [{"name": name, "value": value}])


def said(name: str, text: str) -> Write:
    return Write(_say, [{"of": name, "text": text}])


def used(most: int) -> Write:
    return Write(_use, [{"most": most}])


async def run(engine: Engine, work: Callable[[Connection], Any]) -> tuple[Any, int]:
    """What it gives, and how many statements it took."""
    heard: list[str] = []

    def overheard(conn: Connection) -> Any:
        def hear(*heard_of: Any) -> None:
            heard.append(heard_of[2])

        event.listen(conn, "before_cursor_execute", hear)
        try:
            return work(conn)
        finally:
            event.remove(conn, "before_cursor_execute", hear)

    return await engine.write(overheard), len(heard)


async def values(engine: Engine) -> dict[str, str]:
    found: dict[str, str] = dict(
        await engine.read(lambda conn: [tuple(row) for row in conn.execute(select(meta.c.name, meta.c.value))])
    )
    return {name: value for name, value in found.items() if name in ("a", "b", "c")}


@pytest.fixture
async def hour(engine: Engine) -> Engine:
    """One call is spent of this hour's."""
    await engine.write(lambda conn: conn.execute(_count, {"span": "hour", "starts_at": 1, "used": 1}).rowcount)
    await engine.write(lambda conn: conn.execute(_keep, {"name": "a", "value": "as it was"}).rowcount)
    return engine


async def test_all_are_done_and_each_tells_how_many_rows_it_hit(hour: Engine) -> None:
    writes = (said("a", "new"), kept("b"), used(5))
    hits, statements = await run(hour, lambda conn: together(conn, *writes))
    assert hits == [1, 1, 1]
    assert statements == (1 if hour.dialect == "postgresql" else 3)
    assert await values(hour) == {"a": "new", "b": "as it was"}
    hits, _ = await run(hour, lambda conn: together(conn, said("nobody", "new"), used(2)))
    assert hits == [0, 0], "what is spent is spent"


async def test_several_rows_are_inserted_in_their_order(engine: Engine) -> None:
    rows = [{"name": name, "value": "'; :w0_x ::TEXT %(name)s"} for name in "abc"]
    hits, _ = await run(engine, lambda conn: together(conn, Write(_keep, rows), used(1)))
    assert hits == [3, 0]
    assert await values(engine) == dict.fromkeys("abc", "'; :w0_x ::TEXT %(name)s")


async def test_the_others_happen_only_where_the_first_has_hit(hour: Engine) -> None:
    done, statements = await run(hour, lambda conn: if_hit(conn, used(1), kept("b"), said("a", "new")))
    assert done is False
    assert statements == 1
    assert await values(hour) == {"a": "as it was"}
    done, _ = await run(hour, lambda conn: if_hit(conn, used(2), kept("b"), said("a", "new")))
    assert done is True
    assert await values(hour) == {"a": "new", "b": "as it was"}


async def test_all_or_none_of_them_happen(hour: Engine) -> None:
    with pytest.raises(IntegrityError):
        await run(hour, lambda conn: together(conn, used(5), kept("a"), kept("b")))
    assert await values(hour) == {"a": "as it was"}
    spent = await hour.read(lambda conn: conn.execute(select(func.sum(budgets.c.used))).scalar())
    assert spent == 1


async def test_nothing_is_asked_where_there_is_nothing_to_do(engine: Engine) -> None:
    assert await run(engine, together) == ([], 0)


async def test_two_updates_of_one_table_are_refused_where_one_of_them_might_be_lost(engine: Engine) -> None:
    twice: tuple[Insert | Update, ...] = (_say, _say.where(meta.c.value != ""))
    writes = [Write(statement, [{"of": "a", "text": "new"}]) for statement in twice]
    if engine.dialect == "postgresql":
        with pytest.raises(ValueError, match="update one table"):
            await run(engine, lambda conn: together(conn, *writes))
    else:
        assert (await run(engine, lambda conn: together(conn, *writes)))[0] == [0, 0]
