"""A call as it is asked for, and as the provider accounts for it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.directory_types import First


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call to place: rings `extension` and `lead_phone`, the one named by `first` first.

    Times are whole seconds; None leaves the provider's default. `options` are further provider options by
    their own names, where `phone…` speaks of the agent's leg and `target…` of the lead's, whichever rings first.
    `variables` are sent beside `lead_id` and `attempt_id`, and come back in the CDR. `language` is what the lead asked
    for, for recorded announcements; an option of that name wins.
    """

    lead_id: str
    attempt_id: str
    extension: str
    lead_phone: str  # E.164 with its plus sign
    login_code: str | None = None
    ring_agent: int | None = None
    ring_lead: int | None = None
    max_duration: int | None = None
    record: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    first: First = "agent"
    language: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The provider's final account of one leg (a CDR), read tolerant; raw text is kept beside it.

    `leg` is 1 (agent) or 2 (lead), None when the record does not say. Seconds are whole. `attempt_id` and
    `lead_id` are our own variables come back. `raw_time` is the provider's `time`, not trusted (facts 2.6).
    """

    call_id: str | None
    original_call_id: str | None
    leg: Literal[1, 2] | None
    type: str
    status: str
    talk_seconds: int | None
    ring_seconds: int | None
    agent_leg_status: str | None
    extension: str | None
    phone: str | None
    attempt_id: str | None
    lead_id: str | None
    recording: str | None
    price: str | None
    raw_time: int | None
    started_at: int | None = None  # epoch ms, where the record says it unmistakably
    ivr: bool = False  # speaks of the IVR's or queue's side of a call
    incoming: bool = False  # somebody phoned us: surely no call of ours; `phone` is whose
    agent_reached: bool | None = None  # an incoming call came to an agent; None where that is not told
