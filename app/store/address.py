"""Where the database is: `LEADRING_DATABASE_URL`, read once and never repeated in a message (it has a password)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import ConfigurationError

CONNECT_SECONDS = 3.0
COMMAND_SECONDS = 10.0

# What every PostgreSQL session of ours runs with, whatever the server's defaults are.
SESSION = {
    "application_name": "leadring",
    # "Committed" means flushed: an accepted lead is on disk (design P1).
    "synchronous_commit": "on",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    # A replica that was frozen in the middle of a transaction must not keep its agent and lead rows locked.
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
    "jit": "off",
}


def parse(database_url: str) -> URL:
    """The address in its parts; ConfigurationError when it is not one of ours."""
    try:
        url = make_url(database_url)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        # Not chained: the cause repeats the address, and with it the password.
        del error
        backend = ""
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise ConfigurationError(
            ["LEADRING_DATABASE_URL must look like sqlite:///leadring.db or postgresql://user:pass@host/db"]
        )
    return url.set(drivername="sqlite" if backend == "sqlite" else "postgresql")


def sqlite_path(url: URL) -> Path:
    """The database file; ConfigurationError for a database in memory or unknown parameters."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigurationError(["LEADRING_DATABASE_URL: SQLite needs a plain file, as in sqlite:///leadring.db"])
    if url.query or url.host:
        raise ConfigurationError(
            ["LEADRING_DATABASE_URL: sqlite:///relative/path or sqlite:////absolute/path, without host or parameters"]
        )
    return Path(url.database)


def postgres_options(url: URL) -> dict[str, Any]:
    """Keyword arguments of `asyncpg.connect`; ConfigurationError for parameters that are not understood.

    Understood are libpq's `sslmode`, `application_name`, `host` (a socket directory) and `connect_timeout`
    (seconds).
    """
    session = dict(SESSION)
    options: dict[str, Any] = {
        "host": url.host,
        "port": url.port or 5432,
        "user": url.username,
        "password": url.password,
        "database": url.database,
        "timeout": CONNECT_SECONDS,
        "command_timeout": COMMAND_SECONDS,
        "server_settings": session,
    }
    for name, value in url.query.items():
        text = value if isinstance(value, str) else value[-1]
        match name:
            case "sslmode":
                options["ssl"] = text
            case "application_name":
                session["application_name"] = text
            case "host":
                options["host"] = text
            case "connect_timeout" if text.isdigit() and int(text) > 0:
                options["timeout"] = float(text)
            case _:
                raise ConfigurationError([f"LEADRING_DATABASE_URL: the parameter {name!r} is not understood"])
    # None would make the driver look into the environment of the process: only the address counts.
    return {name: value for name, value in options.items() if value is not None}
