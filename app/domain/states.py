"""States and the moves between them: one table each, repeated by the database as CHECKs and conditional updates."""

from __future__ import annotations

from typing import Final

LEAD_LIVE: Final = ("waiting", "dialing", "held")
LEAD_FINAL: Final = ("connected", "exhausted", "expired", "cancelled", "failed", "spam")
LEAD_STATES: Final = LEAD_LIVE + LEAD_FINAL

ATTEMPT_LIVE: Final = ("reserved", "sending", "placed", "unknown")
ATTEMPT_OVER: Final = ("ended", "refused", "not_sent", "lapsed", "absent", "unresolved")
ATTEMPT_STATES: Final = ATTEMPT_LIVE + ATTEMPT_OVER

AGENT_STATES: Final = ("available", "reserved", "on_call", "wrap_up", "offline", "blocked")

OUTCOMES: Final = (
    "connected",
    "agent_no_answer",
    "lead_no_answer",
    "lead_busy",
    "lead_unreachable",
    "cancelled",
    "unreported",
)

# Why a lead waits, is held, or ended: the reason column. `waiting` reasons are a metric label.
WAITING_REASONS: Final = ("no_agent", "closed", "retry", "scheduled")

LEAD_MOVES: Final[dict[str, frozenset[str]]] = {
    # Exhausted from here: the record of its last call comes when it waits again, and corrects what was seen of it.
    "waiting": frozenset({"waiting", "connected", "dialing", "held", "exhausted", "cancelled", "expired", "failed"}),
    "dialing": frozenset({"waiting", "held", "connected", "exhausted", "cancelled", "expired", "failed"}),
    # A call of a lead that is held for the provider's refusal is on the line all the same.
    "held": frozenset({"waiting", "dialing", "connected", "exhausted", "cancelled", "expired", "spam"}),
    "spam": frozenset({"waiting"}),
    # Only the provider's late account reopens what had to be closed without one (unreported, unresolved).
    "exhausted": frozenset({"connected", "waiting", "exhausted"}),
    "failed": frozenset({"connected", "waiting", "exhausted"}),
    "connected": frozenset(),
    "expired": frozenset({"connected"}),
    "cancelled": frozenset({"connected"}),
}

ATTEMPT_MOVES: Final[dict[str, frozenset[str]]] = {
    "reserved": frozenset({"sending", "lapsed"}),
    # The provider's record may be faster than its answer, or come when nobody is left to hear the answer.
    "sending": frozenset({"placed", "refused", "not_sent", "unknown", "ended"}),
    "placed": frozenset({"placed", "ended"}),
    "unknown": frozenset({"unknown", "placed", "refused", "not_sent", "ended", "absent", "unresolved"}),
    "unresolved": frozenset({"ended"}),
    "absent": frozenset({"ended"}),
    "ended": frozenset({"ended"}),
    # An error of the provider's own, and yet the call is seen on the line, or reported.
    "refused": frozenset({"placed", "ended"}),
    "not_sent": frozenset(),
    "lapsed": frozenset(),
}


PRESENCES: Final = ("busy", "away")  # why an agent who is free by our books is not rung: the provider says so


def may_move(table: dict[str, frozenset[str]], old: str, new: str) -> bool:
    """Whether the table knows this move."""
    return new in table[old]
