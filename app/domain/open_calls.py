"""Calls of ours that are not over, or whose end nobody has told: what the provider's accounts are held against."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.lead import Attempt


@dataclass(frozen=True, slots=True)
class OpenCall:
    """An attempt whose call may be on the line. Moments in milliseconds, or None.

    It is placed or unknown; or not answered yet (`sending`); or refused by an error of the provider's own, which proves
    the least of all refusals.
    """

    id: str
    lead_id: str
    agent_id: str
    site: str
    phone: str
    state: str
    extension: str
    first_leg: str
    call_id: str | None
    holds_agent: bool
    received_at: int
    sending_at: int | None
    placed_at: int | None
    unknown_at: int | None
    seen_at: int | None
    agent_ringing_at: int | None
    agent_answered_at: int | None
    line_looks: int


@dataclass(frozen=True, slots=True)
class UnheardCall:
    """An attempt whose end nobody has reported, with the number of its lead."""

    attempt: Attempt
    phone: str
