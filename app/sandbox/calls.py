"""What a call is made of: two legs, their states, and how they ended."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from .behaviour import Behaviour
from .clock import Timer
from .parameters import CallRequest

ISRAEL = ZoneInfo("Asia/Jerusalem")

LegState = Literal["waiting", "ringing", "talking", "ended"]


@dataclass
class Leg:
    """One side of a call. `status` is the provider's dial status (facts 2.3); times are epoch seconds."""

    side: Literal["agent", "lead"]
    number: str
    state: LegState = "waiting"
    status: str = ""
    cause: str = ""
    ignored: bool = False
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None

    @property
    def ring_seconds(self) -> float:
        if self.rang_at is None:
            return 0.0
        return (self.answered_at or self.ended_at or self.rang_at) - self.rang_at

    @property
    def talk_seconds(self) -> float:
        if self.answered_at is None or self.ended_at is None:
            return 0.0
        return self.ended_at - self.answered_at

    def end(self, status: str, now: float, cause: str = "") -> None:
        """The leg is over; the first reason given stays."""
        if self.state != "ended":
            self.state, self.status, self.cause, self.ended_at = "ended", status, cause, now


@dataclass
class Call:
    """One call. `behaviour` is its script; `ended_by`: agent, lead, terminate, network or maxduration."""

    call_id: str
    request: CallRequest
    behaviour: Behaviour
    agent: Leg
    lead: Leg
    started_at: float
    ended_at: float | None = None
    ended_by: str = ""
    timers: list[Timer] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.ended_at is None

    def as_json(self) -> dict[str, object]:
        """The call as the sandbox's own API and page show it."""
        return {
            "call_id": self.call_id,
            "live": self.live,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "ended_by": self.ended_by,
            "variables": self.request.variables,
            "record": self.request.record,
            "caller_name": self.request.target_caller_name,
            "agent": _leg_json(self.agent, self.request.phone_max_dial_time),
            "lead": _leg_json(self.lead, self.request.target_max_dial_time),
        }


def _leg_json(leg: Leg, max_dial_time: int) -> dict[str, object]:
    return {
        "number": leg.number,
        "state": leg.state,
        "status": leg.status,
        "cause": leg.cause,
        "ignored": leg.ignored,
        "rang_at": leg.rang_at,
        "answered_at": leg.answered_at,
        "ended_at": leg.ended_at,
        "max_dial_time": max_dial_time,
    }


def new_call_id(now: float) -> str:
    """32 characters: Israel's wall clock, then hex; the shape of real ids (facts 1.6)."""
    return datetime.fromtimestamp(now, ISRAEL).strftime("%Y%m%d%H%M%S") + secrets.token_hex(9)
