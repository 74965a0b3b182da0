"""The tables: one schema for both engines. The promises live here as CHECKs and partial unique indexes.

Moments are BIGINT milliseconds since the epoch; flags are SMALLINT 0/1; maps are JSON text. What each unique
index prevents is said beside it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

from app.domain import deliveries as delivery_words
from app.domain import states

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


# An autoincrementing key that SQLite really increments and PostgreSQL makes 64 bits wide.
_serial = BigInteger().with_variant(Integer(), "sqlite")

leads = Table(
    "leads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("phone_key", Text, nullable=False),
    Column("phone_kind", Text, nullable=False),
    Column("client_key", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("message", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default=""),
    Column("consent", Text, nullable=False, server_default=""),
    Column("consent_text", Text, nullable=False, server_default=""),
    Column("extra", Text, nullable=False, server_default="{}"),
    Column("attribution", Text, nullable=False, server_default="{}"),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("outcome", Text),
    Column("received_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("deadline_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("attempt_id", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lead_tries", Integer, nullable=False, server_default="0"),
    Column("agent_misses", Integer, nullable=False, server_default="0"),
    Column("send_failures", Integer, nullable=False, server_default="0"),
    Column("errors", Integer, nullable=False, server_default="0"),
    Column("avoid_agent", Text),
    Column("admitted", SmallInteger, nullable=False),
    Column("asked_language", Text, nullable=False, server_default=""),
    Column("redials", Integer, nullable=False, server_default="0"),
    Column("rank", SmallInteger, nullable=False, server_default="1"),
    Column("promised_at", BigInteger),
    Column("avoid_until", BigInteger),
    CheckConstraint(_one_of("state", states.LEAD_STATES), name="state"),
    # A waiting lead is always due at some time: nothing can wait forever unseen.
    CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="due"),
    CheckConstraint(
        f"({_one_of('state', states.LEAD_FINAL)}) = (ended_at IS NOT NULL)",
        name="ended",
    ),
    CheckConstraint("state <> 'dialing' OR attempt_id IS NOT NULL", name="dialing"),
)
# One phone number has at most one live lead: prevents two calls to one person at a time.
Index(
    "uq_leads_live_phone",
    leads.c.phone_key,
    unique=True,
    sqlite_where=text("state IN ('waiting', 'dialing', 'held')"),
    postgresql_where=text("state IN ('waiting', 'dialing', 'held')"),
)
# The claim: the next due lead of each rank of a site, flat however many wait.
Index(
    "ix_leads_due",
    leads.c.site,
    leads.c.rank,
    leads.c.due_at,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
# The sweeper: whom to tell the truth, because nobody was free by then.
Index(
    "ix_leads_deadline",
    leads.c.deadline_at,
    # Its second half says nothing new; it keeps the index from being taken for other questions about what waits.
    sqlite_where=text("state = 'waiting' AND deadline_at > 0"),
    postgresql_where=text("state = 'waiting' AND deadline_at > 0"),
)
# The sweeper: who must not be rung any more.
Index(
    "ix_leads_expires",
    leads.c.expires_at,
    sqlite_where=text("state IN ('waiting', 'held')"),
    postgresql_where=text("state IN ('waiting', 'held')"),
)
# Gauges: what is open, by state and reason.
Index(
    "ix_leads_open",
    leads.c.state,
    leads.c.reason,
    sqlite_where=text("state IN ('waiting', 'dialing', 'held')"),
    postgresql_where=text("state IN ('waiting', 'dialing', 'held')"),
)
# The cool-down: how often this number was admitted lately.
Index("ix_leads_phone", leads.c.phone_key, leads.c.received_at)
Index("ix_leads_received", leads.c.received_at)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lead_id", Text, ForeignKey("leads.id"), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("why", Text),
    Column("code", Integer),
    Column("owner", Text, nullable=False),
    Column("holds_agent", SmallInteger, nullable=False),
    Column("look_at", BigInteger),
    Column("reserved_at", BigInteger, nullable=False),
    Column("sending_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("placed_at", BigInteger),
    Column("agent_ringing_at", BigInteger),
    Column("agent_answered_at", BigInteger),
    Column("lead_ringing_at", BigInteger),
    Column("connected_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("call_id", Text),
    Column("leg1_status", Text),
    Column("leg1_talk", Integer),
    Column("leg2_status", Text),
    Column("leg2_talk", Integer),
    Column("recording", Text),
    Column("price", Text),
    Column("first_leg", Text, nullable=False, server_default="agent"),
    Column("unknown_at", BigInteger),
    Column("seen_at", BigInteger),
    Column("ask_at", BigInteger),
    Column("hung_up_at", BigInteger),
    Column("line_looks", Integer, nullable=False, server_default="0"),
    Column("log_looks", Integer, nullable=False, server_default="0"),
    Column("log_misses", Integer, nullable=False, server_default="0"),
    Column("leg1_at", BigInteger),
    Column("leg1_ring", Integer),
    Column("leg2_at", BigInteger),
    Column("leg2_ring", Integer),
    CheckConstraint(_one_of("state", states.ATTEMPT_STATES), name="state"),
    CheckConstraint(f"outcome IS NULL OR {_one_of('outcome', states.OUTCOMES)}", name="outcome"),
    CheckConstraint("(state = 'ended') = (outcome IS NOT NULL)", name="ended"),
    CheckConstraint(
        f"holds_agent = 0 OR {_one_of('state', states.ATTEMPT_LIVE)}",
        name="holds_agent",
    ),
    # No attempt is live without somebody who will look at it again.
    CheckConstraint(
        f"({_one_of('state', states.ATTEMPT_LIVE)}) = (look_at IS NOT NULL)",
        name="look_at",
    ),
    # The intent is on disk before the request leaves.
    CheckConstraint("state IN ('reserved', 'lapsed') OR sending_at IS NOT NULL", name="sending"),
)
# An agent has at most one live attempt, across all replicas.
Index(
    "uq_attempts_live_agent",
    attempts.c.agent_id,
    unique=True,
    sqlite_where=text("holds_agent = 1"),
    postgresql_where=text("holds_agent = 1"),
)
# A lead has at most one live attempt: prevents dialling somebody who may be ringing already.
Index(
    "uq_attempts_live_lead",
    attempts.c.lead_id,
    unique=True,
    sqlite_where=text("state IN ('reserved', 'sending', 'placed', 'unknown')"),
    postgresql_where=text("state IN ('reserved', 'sending', 'placed', 'unknown')"),
)
Index("uq_attempts_number", attempts.c.lead_id, attempts.c.number, unique=True)
# The sweeper: whose time is up.
Index(
    "ix_attempts_look",
    attempts.c.look_at,
    sqlite_where=text("look_at IS NOT NULL"),
    postgresql_where=text("look_at IS NOT NULL"),
)
# CDR matching.
Index(
    "ix_attempts_call",
    attempts.c.call_id,
    sqlite_where=text("call_id IS NOT NULL"),
    postgresql_where=text("call_id IS NOT NULL"),
)
Index("ix_attempts_extension", attempts.c.extension, attempts.c.reserved_at)
# The line watch: what the provider refused with an error of its own, and may be on the line all the same.
Index(
    "ix_attempts_errors",
    attempts.c.sending_at,
    sqlite_where=text("state = 'refused' AND code = 2"),
    postgresql_where=text("state = 'refused' AND code = 2"),
)
# The call log: which calls nobody has reported, and when to ask for them.
Index(
    "ix_attempts_ask",
    attempts.c.ask_at,
    sqlite_where=text("ask_at IS NOT NULL"),
    postgresql_where=text("ask_at IS NOT NULL"),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("listed", SmallInteger, nullable=False),  # the place in leadring.toml from 1; 0: not there any more
    Column("state", Text, nullable=False),
    Column("until", BigInteger),
    Column("attempt_id", Text),
    Column("idle_since", BigInteger, nullable=False, server_default="0"),
    Column("assigned_at", BigInteger, nullable=False, server_default="0"),
    Column("paused", SmallInteger, nullable=False, server_default="0"),
    Column("paused_until", BigInteger),
    Column("pause_reason", Text),
    Column("misses", Integer, nullable=False, server_default="0"),
    Column("presence", Text),
    Column("presence_until", BigInteger),
    CheckConstraint(_one_of("state", states.AGENT_STATES), name="state"),
    CheckConstraint("(state IN ('reserved', 'on_call')) = (attempt_id IS NOT NULL)", name="reserved"),
)

# The history: who moved what, when and why. Rows are only ever added.
events = Table(
    "events",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("lead_id", Text, nullable=False),
    Column("attempt_id", Text),
    Column("agent_id", Text),
    Column("who", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text),
    Column("why", Text),
    sqlite_autoincrement=True,
)
Index("ix_events_lead", events.c.lead_id, events.c.id)

# One row a submission id: the claim on it, what it said, and the answer that was given.
submissions = Table(
    "submissions",
    metadata,
    Column("site", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("lead_id", Text, nullable=False),
    Column("answer", Text),
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_submissions_created", submissions.c.created_at)

# Calls spent against a cap, one row a clock hour or day: the money cap, exact under concurrency.
budgets = Table(
    "budgets",
    metadata,
    Column("span", Text, primary_key=True),
    Column("starts_at", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False),
    CheckConstraint("used >= 0", name="used"),
)

# What the provider reported, word for word, before anybody made sense of it.
cdrs = Table(
    "cdrs",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("received_at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt_id", Text),
    Column("tries", Integer, nullable=False, server_default="0"),
    CheckConstraint("state IN ('kept', 'applied', 'stranger', 'unreadable')", name="state"),
    sqlite_autoincrement=True,
)
Index(
    "ix_cdrs_kept",
    cdrs.c.tries,
    cdrs.c.id,
    sqlite_where=text("state = 'kept'"),
    postgresql_where=text("state = 'kept'"),
)

# What form builders' webhooks brought, sealed, and what became of it. A row outlives its body: by it a delivery that
# comes again is known, and a lead's deliveries are found when the person is to be forgotten.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False, server_default=""),
    Column("body", Text),
    Column("verdict", Text, nullable=False),
    Column("why", Text),
    Column("lead_id", Text),
    Column("look_at", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("repeats", Integer, nullable=False, server_default="0"),
    CheckConstraint(_one_of("verdict", delivery_words.VERDICTS), name="verdict"),
    # What is not settled is looked at again: nothing that was stored is ever left lying.
    CheckConstraint(f"({_one_of('verdict', delivery_words.OPEN)}) = (look_at IS NOT NULL)", name="look_at"),
    CheckConstraint("(verdict IN ('lead', 'duplicate')) = (lead_id IS NOT NULL)", name="lead_id"),
)
# A delivery that comes again.
Index("ix_deliveries_key", deliveries.c.source, deliveries.c.key, deliveries.c.received_at)
Index("ix_deliveries_received", deliveries.c.received_at)
Index(
    "ix_deliveries_look",
    deliveries.c.look_at,
    sqlite_where=text("look_at IS NOT NULL"),
    postgresql_where=text("look_at IS NOT NULL"),
)
Index(
    "ix_deliveries_lead",
    deliveries.c.lead_id,
    sqlite_where=text("lead_id IS NOT NULL"),
    postgresql_where=text("lead_id IS NOT NULL"),
)
# Bodies to be forgotten.
Index(
    "ix_deliveries_body",
    deliveries.c.source,
    deliveries.c.received_at,
    sqlite_where=text("body IS NOT NULL"),
    postgresql_where=text("body IS NOT NULL"),
)

# Small things that must outlive the process: the made secret key.
meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
