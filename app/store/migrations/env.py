"""Alembic's entry: runs the steps on the connection, and in the transaction, that app/store/migrate.py opened."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.store.tables import metadata

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a constraint: steps use op.batch_alter_table, which makes the table anew.
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
