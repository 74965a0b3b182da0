"""Conditional updates of one row, with the statement for each set of columns built once.

Building and naming an expression costs several times what running it does, and the hot path updates the same
few sets of columns again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Table, Update, bindparam, update

from app.store.together import Write


@cache
def _statement(table: Table, columns: tuple[str, ...], plus_one: tuple[str, ...], where: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in columns}
    values |= {name: table.c[name] + 1 for name in plus_one}
    statement = update(table)
    for name in where:
        statement = statement.where(table.c[name] == bindparam(f"is_{name}"))
    return statement.values(values)


def update_of(
    table: Table, where: Mapping[str, Any], values: Mapping[str, Any], plus_one: tuple[str, ...] = ()
) -> Write:
    """Sets `values`, and adds one to the counters in `plus_one`, where all of `where` holds."""
    parameters = {f"to_{name}": value for name, value in values.items()}
    parameters |= {f"is_{name}": value for name, value in where.items()}
    return Write(_statement(table, tuple(values), plus_one, tuple(where)), [parameters])
