"""What a call is made of: two legs, their states, and how they ended."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from .behaviour import Behaviour, phone_key
from .clock import Timer
from .parameters import CallRequest

ISRAEL = ZoneInfo("Asia/Jerusalem")

Side = Literal["agent", "lead"]
LegState = Literal["waiting", "ringing", "talking", "ended"]


@dataclass
class Leg:
    """One side of a call. `status` is the provider's dial status (facts 2.3); times are epoch seconds."""

    side: Side
    number: str
    state: LegState = "waiting"
    status: str = ""
    cause: str = ""
    ignored: bool = False
    held: bool = False
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
    """One call. `first`: whose phone is leg 1; `incoming`: somebody else's call, which nobody asked for here.

    `behaviour` is its script; `ended_by`: agent, lead, terminate, network, maxduration, or elsewhere (whoever made
    an incoming call). `second_id` is the id under which its second record may come.
    """

    call_id: str
    second_id: str
    request: CallRequest
    behaviour: Behaviour
    agent: Leg
    lead: Leg
    started_at: float
    first: Side = "agent"
    incoming: bool = False
    ended_at: float | None = None
    ended_by: str = ""
    timers: list[Timer] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.ended_at is None

    @property
    def leg1(self) -> Leg:
        return self.agent if self.first == "agent" else self.lead

    @property
    def leg2(self) -> Leg:
        return self.lead if self.first == "agent" else self.agent

    @property
    def connected_at(self) -> float | None:
        """When the second leg was answered, and both could talk."""
        return self.leg2.answered_at

    def leg_of(self, number: str) -> Leg:
        """The leg with that number."""
        return self.agent if phone_key(self.agent.number) == phone_key(number) else self.lead

    def other(self, leg: Leg) -> Leg:
        return self.lead if leg is self.agent else self.agent

    def max_dial_time(self, leg: Leg) -> int:
        """How long that leg may ring, seconds."""
        return self.request.phone_max_dial_time if leg is self.leg1 else self.request.target_max_dial_time

    def as_json(self) -> dict[str, object]:
        """The call as the sandbox's own API and page show it."""
        request = self.request
        return {
            "call_id": self.call_id,
            "live": self.live,
            "first": self.first,
            "incoming": self.incoming,
            "started_at": self.started_at,
            "connected_at": self.connected_at,
            "ended_at": self.ended_at,
            "ended_by": self.ended_by,
            "variables": request.variables,
            "language": request.language,
            "record": request.record,
            "caller_name": request.target_caller_name if self.first == "agent" else request.phone_caller_name,
            "caller_id": request.target_caller_id if self.first == "agent" else request.phone_caller_id,
            "agent": _leg_json(self.agent, self.max_dial_time(self.agent)),
            "lead": _leg_json(self.lead, self.max_dial_time(self.lead)),
        }


def _leg_json(leg: Leg, max_dial_time: int) -> dict[str, object]:
    return {
        "number": leg.number,
        "state": leg.state,
        "status": leg.status,
        "cause": leg.cause,
        "ignored": leg.ignored,
        "held": leg.held,
        "rang_at": leg.rang_at,
        "answered_at": leg.answered_at,
        "ended_at": leg.ended_at,
        "max_dial_time": max_dial_time,
    }


def new_call_id(now: float) -> str:
    """32 characters: Israel's wall clock, then hex; the shape of real ids (facts 1.6)."""
    return datetime.fromtimestamp(now, ISRAEL).strftime("%Y%m%d%H%M%S") + secrets.token_hex(9)
