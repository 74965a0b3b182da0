"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("listed", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("idle_since", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('reserved', 'on_call')) = (attempt_id IS NOT NULL)", name=op.f("ck_agents_reserved")
        ),
        sa.CheckConstraint(
            "state IN ('available', 'reserved', 'on_call', 'wrap_up', 'offline', 'blocked')",
            name=op.f("ck_agents_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
    )
    op.create_table(
        "budgets",
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_budgets_used")),
        sa.PrimaryKeyConstraint("span", "starts_at", name=op.f("pk_budgets")),
    )
    op.create_table(
        "cdrs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("state IN ('kept', 'applied', 'stranger', 'unreadable')", name=op.f("ck_cdrs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cdrs")),
        sa.UniqueConstraint("digest", name=op.f("uq_cdrs_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_cdrs_kept",
        "cdrs",
        ["tries", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'kept'"),
        postgresql_where=sa.text("state = 'kept'"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_lead", "events", ["lead_id", "id"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("phone_key", sa.Text(), nullable=False),
        sa.Column("phone_kind", sa.Text(), nullable=False),
        sa.Column("client_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("consent", sa.Text(), server_default="", nullable=False),
        sa.Column("consent_text", sa.Text(), server_default="", nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.Column("attribution", sa.Text(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lead_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("agent_misses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("send_failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("errors", sa.Integer(), server_default="0", nullable=False),
        sa.Column("avoid_agent", sa.Text(), nullable=True),
        sa.Column("admitted", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name=op.f("ck_leads_due")),
        sa.CheckConstraint(
            "(state IN ('connected', 'exhausted', 'expired', 'cancelled', 'failed', 'spam')) = (ended_at IS NOT NULL)",
            name=op.f("ck_leads_ended"),
        ),
        sa.CheckConstraint("state <> 'dialing' OR attempt_id IS NOT NULL", name=op.f("ck_leads_dialing")),
        sa.CheckConstraint(
            "state IN ('waiting', 'dialing', 'held', 'connected', 'exhausted', 'expired', 'cancelled', 'failed', 'spam')",  # noqa: E501
            name=op.f("ck_leads_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    op.create_index(
        "ix_leads_due",
        "leads",
        ["site", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_leads_expires",
        "leads",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'held')"),
        postgresql_where=sa.text("state IN ('waiting', 'held')"),
    )
    op.create_index(
        "ix_leads_open",
        "leads",
        ["state", "reason"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'dialing', 'held')"),
        postgresql_where=sa.text("state IN ('waiting', 'dialing', 'held')"),
    )
    op.create_index("ix_leads_phone", "leads", ["phone_key", "received_at"], unique=False)
    op.create_index("ix_leads_received", "leads", ["received_at"], unique=False)
    op.create_index(
        "uq_leads_live_phone",
        "leads",
        ["phone_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'dialing', 'held')"),
        postgresql_where=sa.text("state IN ('waiting', 'dialing', 'held')"),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "submissions",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "key", name=op.f("pk_submissions")),
    )
    op.create_index("ix_submissions_created", "submissions", ["created_at"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("holds_agent", sa.SmallInteger(), nullable=False),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("sending_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("placed_at", sa.BigInteger(), nullable=True),
        sa.Column("agent_ringing_at", sa.BigInteger(), nullable=True),
        sa.Column("agent_answered_at", sa.BigInteger(), nullable=True),
        sa.Column("lead_ringing_at", sa.BigInteger(), nullable=True),
        sa.Column("connected_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("leg1_status", sa.Text(), nullable=True),
        sa.Column("leg1_talk", sa.Integer(), nullable=True),
        sa.Column("leg2_status", sa.Text(), nullable=True),
        sa.Column("leg2_talk", sa.Integer(), nullable=True),
        sa.Column("recording", sa.Text(), nullable=True),
        sa.Column("price", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'ended') = (outcome IS NOT NULL)", name=op.f("ck_attempts_ended")),
        sa.CheckConstraint(
            "(state IN ('reserved', 'sending', 'placed', 'unknown')) = (look_at IS NOT NULL)",
            name=op.f("ck_attempts_look_at"),
        ),
        sa.CheckConstraint(
            "holds_agent = 0 OR state IN ('reserved', 'sending', 'placed', 'unknown')",
            name=op.f("ck_attempts_holds_agent"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('connected', 'agent_no_answer', 'lead_no_answer', 'lead_busy', 'lead_unreachable', 'cancelled', 'unreported')",  # noqa: E501
            name=op.f("ck_attempts_outcome"),
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'lapsed') OR sending_at IS NOT NULL", name=op.f("ck_attempts_sending")
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'sending', 'placed', 'unknown', 'ended', 'refused', 'not_sent', 'lapsed', 'absent', 'unresolved')",  # noqa: E501
            name=op.f("ck_attempts_state"),
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_attempts_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(
        "ix_attempts_call",
        "attempts",
        ["call_id"],
        unique=False,
        sqlite_where=sa.text("call_id IS NOT NULL"),
        postgresql_where=sa.text("call_id IS NOT NULL"),
    )
    op.create_index("ix_attempts_extension", "attempts", ["extension", "reserved_at"], unique=False)
    op.create_index(
        "ix_attempts_look",
        "attempts",
        ["look_at"],
        unique=False,
        sqlite_where=sa.text("look_at IS NOT NULL"),
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index(
        "uq_attempts_live_agent",
        "attempts",
        ["agent_id"],
        unique=True,
        sqlite_where=sa.text("holds_agent = 1"),
        postgresql_where=sa.text("holds_agent = 1"),
    )
    op.create_index(
        "uq_attempts_live_lead",
        "attempts",
        ["lead_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('reserved', 'sending', 'placed', 'unknown')"),
        postgresql_where=sa.text("state IN ('reserved', 'sending', 'placed', 'unknown')"),
    )
    op.create_index("uq_attempts_number", "attempts", ["lead_id", "number"], unique=True)
