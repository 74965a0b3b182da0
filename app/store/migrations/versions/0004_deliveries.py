"""What form builders' webhooks brought: the body, encrypted, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

VERDICTS = (
    "kept", "to_fetch", "lead", "duplicate", "test", "refused", "no_phone", "unreadable", "not_taking", "not_fetched",
    "failed",
)  # fmt: skip


def upgrade() -> None:
    known = ", ".join(f"'{verdict}'" for verdict in VERDICTS)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("lead_id", sa.Text(), nullable=True),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(f"verdict IN ({known})", name=op.f("ck_deliveries_verdict")),
        sa.CheckConstraint(
            "(verdict IN ('kept', 'to_fetch')) = (look_at IS NOT NULL)", name=op.f("ck_deliveries_look_at")
        ),
        sa.CheckConstraint(
            "(verdict IN ('lead', 'duplicate')) = (lead_id IS NOT NULL)", name=op.f("ck_deliveries_lead_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_key", "deliveries", ["source", "key", "received_at"])
    op.create_index("ix_deliveries_received", "deliveries", ["received_at"])
    for name, column in (("ix_deliveries_look", "look_at"), ("ix_deliveries_lead", "lead_id")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "deliveries", [column], sqlite_where=where, postgresql_where=where)
    where = sa.text("body IS NOT NULL")
    op.create_index(
        "ix_deliveries_body", "deliveries", ["source", "received_at"], sqlite_where=where, postgresql_where=where
    )
