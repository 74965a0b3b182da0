"""What PostgreSQL's and the driver's errors mean for a transaction: try again, give up for now, or our mistake.

SQLSTATEs are from the PostgreSQL manual, appendix A.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, Literal

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# The driver has no type information of its own.
asyncpg: Any = import_module("asyncpg")

Kind = Literal["conflict", "lost", "trouble"]

DATABASE_ERRORS: Final = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
READ_ONLY: Final = "25006"
DISK: Final = frozenset({"53100", "58030"})  # disk_full, io_error
# serialization_failure, deadlock_detected: the server has rolled back, the same again may succeed.
_CONFLICTS: Final = frozenset({"40001", "40P01"})
# admin_shutdown, crash_shutdown, idle_in_transaction_session_timeout, idle_session_timeout.
_LOST: Final = frozenset({"57P01", "57P02", "25P03", "57P05"})
# cannot_connect_now, query_canceled (statement_timeout), lock_not_available (lock_timeout),
# read_only_sql_transaction (a standby after a failover).
_TROUBLE: Final = frozenset({"57P03", "57014", "55P03", READ_ONLY})
_LOST_CLASSES: Final = frozenset({"08"})  # connection exceptions
# Insufficient resources (full disk, too many connections), system errors, invalid authorization, no such database.
_TROUBLE_CLASSES: Final = frozenset({"53", "58", "28", "3D"})


def sqlstate_of(error: BaseException) -> str | None:
    """The server's five characters; None when the server did not say."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return state if isinstance(state, str) else None


def kind_of(error: BaseException) -> Kind | None:
    """`conflict`: rolled back, try again; `lost`: the connection is gone; `trouble`: may pass; None: our mistake."""
    if isinstance(error, TimeoutError | PoolTimeoutError):
        return "trouble"
    if isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return "lost"
    state = sqlstate_of(error)
    if state is None:
        # The driver's own complaint; "another operation is in progress" and its like are our mistakes.
        return "lost" if _is_interface_error(error) and "closed" in str(error) else None
    if state in _CONFLICTS:
        return "conflict"
    if state in _LOST or state[:2] in _LOST_CLASSES:
        return "lost"
    if state in _TROUBLE or state[:2] in _TROUBLE_CLASSES:
        return "trouble"
    return None


def _is_interface_error(error: BaseException) -> bool:
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    return isinstance(cause, asyncpg.InterfaceError)


def without_values(error: IntegrityError) -> IntegrityError:
    """The same error without DETAIL, which repeats the row: names and phone numbers stay out of tracebacks."""
    if error.orig is not None:
        for part in (error.orig, error.orig.__cause__):
            if getattr(part, "detail", None):
                part.detail = None  # type: ignore[union-attr]
    return error
