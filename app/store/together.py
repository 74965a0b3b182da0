"""Writes that do not build upon one another, sent as one statement where each costs a round trip.

PostgreSQL takes them as parts of one statement, which see the same snapshot and happen all or none; SQLite, where
a statement is a function call, takes them one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Insert, TextClause, Update, bindparam, exists, literal_column, select, table, text
from sqlalchemy import union_all as all_of
from sqlalchemy.dialects import postgresql


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that only writes, and the values of its parameters: of an UPDATE once, of an INSERT for each row,
    with all columns that it sets."""

    statement: Insert | Update
    rows: Sequence[Mapping[str, Any]]


_Shape = tuple[tuple[Insert | Update, tuple[str, ...], int], ...]

# Names its parameters `%(so)s`, so that they can be named anew.
_DIALECT: Final[Any] = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
_first = table("w0")


def together(conn: Connection, *writes: Write) -> list[int]:
    """Do all of these; how many rows each of them hit.

    None may need what another one writes. Nor may two of them write one row, of which PostgreSQL would do one alone:
    there, two that update one table are a ValueError.
    """
    if conn.dialect.name == "sqlite" or len(writes) < 2:
        return [_alone(conn, write) for write in writes]
    return list(conn.execute(_one(_shape(writes), False), _named(writes)).one())


def if_hit(conn: Connection, first: Write, *others: Write) -> bool:
    """Do `first`, and the others only when it hit a row; whether it did. The same holds as for `together`."""
    if conn.dialect.name == "sqlite":
        return _alone(conn, first) > 0 and bool(together(conn, *others))
    writes = (first, *others)
    return bool(conn.execute(_one(_shape(writes), True), _named(writes)).one()[0])


def _alone(conn: Connection, write: Write) -> int:
    many = write.rows[0] if len(write.rows) == 1 else write.rows
    return conn.execute(write.statement, many).rowcount


def _shape(writes: Sequence[Write]) -> _Shape:
    return tuple((write.statement, tuple(write.rows[0]), len(write.rows)) for write in writes)


def _named(writes: Sequence[Write]) -> dict[str, Any]:
    return {
        f"w{at}_{name}_{row}": value
        for at, write in enumerate(writes)
        for row, values in enumerate(write.rows)
        for name, value in values.items()
    }


@cache
def _one(writes: _Shape, depend: bool) -> TextClause:
    """In writing, since SQLAlchemy would take a composed statement apart anew for each execution."""
    updated = [statement.table for statement, _, _ in writes if isinstance(statement, Update)]
    if len(set(updated)) != len(updated):
        raise ValueError("two of these statements update one table, perhaps the same row")
    parts: list[str] = []
    constants: dict[str, Any] = {}
    for at, (statement, names, rows) in enumerate(writes):
        if isinstance(statement, Insert):
            compiled = _insert(statement, names, rows, depend and at > 0).compile(dialect=_DIALECT)
        elif depend and at > 0:
            compiled = statement.where(exists(select(literal_column("1")).select_from(_first))).compile(
                dialect=_DIALECT
            )
        else:
            compiled = statement.compile(dialect=_DIALECT)
        given = set(names) if isinstance(statement, Update) else None
        renamed = {}
        for bound, name in compiled.bind_names.items():
            new = f"w{at}_{name}_0" if given and name in given else f"w{at}_{name}"
            if given is not None and name not in given:
                constants[new] = bound.value
            # What follows a name is its type as `::TEXT`; without the blank that would be no name to `text`.
            renamed[name] = f":{new} "
        parts.append(f"w{at} AS ({compiled.string % renamed} RETURNING 1)")
    counts = ", ".join(f"(SELECT count(*) FROM w{at})" for at in range(len(parts)))  # noqa: S608
    return text(f"WITH {', '.join(parts)} SELECT {counts}").bindparams(**constants)


def _insert(statement: Insert, names: Sequence[str], rows: int, depends: bool) -> Insert:
    """Selects its rows, in their order, so that they can depend on what another part has hit."""
    columns = statement.table.c
    each = [select(*(bindparam(f"{name}_{row}", type_=columns[name].type) for name in names)) for row in range(rows)]
    if depends:
        each = [one.select_from(_first) for one in each]
    return statement.from_select(list(names), each[0] if rows == 1 else all_of(*each))
