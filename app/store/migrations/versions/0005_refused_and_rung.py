"""Calls that the provider refused with an error of its own are looked for on the line whatever their leads do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_leads_errors", table_name="leads")
    where = sa.text("state = 'refused' AND code = 2")
    op.create_index("ix_attempts_errors", "attempts", ["sending_at"], sqlite_where=where, postgresql_where=where)
