"""What the provider's own accounts say: presence on the agents, both legs' times and the questions on the attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added one by one and without CHECKs, which costs the same however many rows there are.
    op.add_column("leads", sa.Column("asked_language", sa.Text(), server_default="", nullable=False))
    op.add_column("leads", sa.Column("redials", sa.Integer(), server_default="0", nullable=False))
    op.add_column("attempts", sa.Column("first_leg", sa.Text(), server_default="agent", nullable=False))
    for moment in ("unknown_at", "seen_at", "ask_at", "hung_up_at"):
        op.add_column("attempts", sa.Column(moment, sa.BigInteger(), nullable=True))
    for count in ("line_looks", "log_looks", "log_misses"):
        op.add_column("attempts", sa.Column(count, sa.Integer(), server_default="0", nullable=False))
    for leg in ("leg1", "leg2"):
        op.add_column("attempts", sa.Column(f"{leg}_at", sa.BigInteger(), nullable=True))
        op.add_column("attempts", sa.Column(f"{leg}_ring", sa.Integer(), nullable=True))
    # What is under way is followed like everything that begins after this.
    op.execute("UPDATE attempts SET unknown_at = sending_at, ask_at = sending_at + 300000 WHERE state = 'unknown'")
    op.execute("UPDATE attempts SET ask_at = placed_at + 120000 WHERE state = 'placed'")
    op.create_index(
        "ix_attempts_ask",
        "attempts",
        ["ask_at"],
        sqlite_where=sa.text("ask_at IS NOT NULL"),
        postgresql_where=sa.text("ask_at IS NOT NULL"),
    )
    op.create_index(
        "ix_leads_errors",
        "leads",
        ["attempt_id"],
        sqlite_where=sa.text("state = 'waiting' AND errors > 0"),
        postgresql_where=sa.text("state = 'waiting' AND errors > 0"),
    )
    op.add_column("agents", sa.Column("misses", sa.Integer(), server_default="0", nullable=False))
    op.add_column("agents", sa.Column("presence", sa.Text(), nullable=True))
    op.add_column("agents", sa.Column("presence_until", sa.BigInteger(), nullable=True))
