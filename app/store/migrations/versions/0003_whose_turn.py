"""Whose turn it is: a rank among due leads, the time that was promised, and whom not to ask again just yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leads", sa.Column("rank", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("leads", sa.Column("promised_at", sa.BigInteger(), nullable=True))
    op.add_column("leads", sa.Column("avoid_until", sa.BigInteger(), nullable=True))
    # What waits already is ranked like everything that comes after this. A deadline counts from when a lead is due.
    op.execute(
        "UPDATE leads SET rank = CASE WHEN reason = 'scheduled' THEN 0 WHEN reason = 'closed' THEN 3 "
        "WHEN reason = 'retry' AND lead_tries > 0 THEN 2 ELSE 1 END, "
        "deadline_at = CASE WHEN deadline_at < due_at THEN due_at + 40000 ELSE deadline_at END WHERE state = 'waiting'"
    )
    for old in ("ix_leads_due", "ix_leads_errors"):
        op.drop_index(old, table_name="leads")
    for name, columns, where in (
        ("ix_leads_due", ["site", "rank", "due_at"], "state = 'waiting'"),
        ("ix_leads_deadline", ["deadline_at"], "state = 'waiting' AND deadline_at > 0"),
        ("ix_leads_errors", ["attempt_id"], "errors > 0"),
    ):
        op.create_index(name, "leads", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
