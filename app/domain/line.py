"""What the provider says is on the line now: extensions, who is logged in, and their calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LineStatus = Literal["ringing", "dialing", "talking"]


@dataclass(frozen=True, slots=True)
class LineCall:
    """A call on an extension. `status` None: a word we do not know. `attempt_id`: our own variable come back.

    `phone` is the other side's number, in digits. `raw_time`: when it began by the provider's clock, in seconds, as
    doubtful as that of a record (facts 2.6).
    """

    call_id: str | None
    attempt_id: str | None
    phone: str | None
    status: LineStatus | None
    raw_time: int | None = None


@dataclass(frozen=True, slots=True)
class ExtensionNow:
    """What the provider says of one extension. `login`: its user is in, out or on a break; None: not told."""

    extension: str
    login: Literal["in", "out", "break"] | None
    calls: tuple[LineCall, ...] = ()
