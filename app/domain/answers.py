"""What can come of one request to the provider: four answers, and no fifth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider accepted the call. It says nothing about any phone having rung."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider said, readably, that there is no call. `code` is its ERRORCODE; None for an HTTP refusal.

    `rule` is what the refusal asks of us: try the next agent at once (and, for `agent_blocked`, tell
    operations), give up on the lead because the request itself is wrong, try once more later, or hold
    because the account, the address or something unknown is in the way.
    """

    code: int | None
    message: str
    rule: Literal["agent_offline", "agent_blocked", "request_wrong", "once_more", "configuration"]


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request provably never left this machine: nothing rang, it may be sent again.

    `ours`: it could not even be written down, and would not be the next time; it says nothing of the provider.
    """

    why: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something may be ringing. Never send again; wait for the provider's own account."""

    why: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The provider says that it hung up whatever was on the extension."""


Answer = Placed | Refused | NotSent | Unknown

HangUp = HungUp | Refused | NotSent | Unknown
