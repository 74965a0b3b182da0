"""Conditional updates of one row, with the statement for each set of columns built once.

Building and naming an expression costs several times what running it does, and the hot path updates the same
few sets of columns again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, Update, bindparam, update
from sqlalchemy.sql.dml import ReturningUpdate

Columns = tuple[Column[Any], ...]


@cache
def _statement(table: Table, columns: tuple[str, ...], plus_one: tuple[str, ...], where: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in columns}
    values |= {name: table.c[name] + 1 for name in plus_one}
    statement = update(table)
    for name in where:
        statement = statement.where(table.c[name] == bindparam(f"is_{name}"))
    return statement.values(values)


@cache
def _returning(
    table: Table, columns: tuple[str, ...], where: tuple[str, ...], back: Columns
) -> ReturningUpdate[tuple[Any, ...]]:
    return _statement(table, columns, (), where).returning(*back)


def _parameters(where: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {f"to_{name}": value for name, value in values.items()}
    return parameters | {f"is_{name}": value for name, value in where.items()}


def update_one(
    conn: Connection, table: Table, where: Mapping[str, Any], values: Mapping[str, Any], plus_one: tuple[str, ...] = ()
) -> bool:
    """Set `values`, and add one to the counters in `plus_one`, where all of `where` holds; True when a row was hit."""
    statement = _statement(table, tuple(values), plus_one, tuple(where))
    return conn.execute(statement, _parameters(where, values)).rowcount == 1


def update_returning(
    conn: Connection, table: Table, where: Mapping[str, Any], values: Mapping[str, Any], back: Columns
) -> Row[Any] | None:
    """Set `values` where all of `where` holds; the row's columns `back` as they are then, None when none was hit."""
    statement = _returning(table, tuple(values), tuple(where), back)
    return conn.execute(statement, _parameters(where, values)).first()
