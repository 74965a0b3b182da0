"""One deadline per lead, spent across agents; and what the lead is told when it cannot be kept. Pure.

Moments are milliseconds, spans whole seconds.
"""

from __future__ import annotations

from typing import Final

LEAST_RING: Final = 10  # seconds; less is no chance to pick up
ROUND: Final = 300_000  # milliseconds: a promised time is a multiple of five minutes
WARNED: Final = 1_000  # milliseconds before the deadline at which the lead is told


def ring_time(ring_agent: int, deadline_at: int, now: int) -> int:
    """Seconds to ring an agent: what is left until the deadline, where that is a fair chance and less than usual.

    So the last agent who can still keep the promise is rung as long as it lasts. Once it is broken, everybody is rung
    in full.
    """
    left = (deadline_at - now) // 1000
    return left if LEAST_RING <= left < ring_agent else ring_agent


def promised(now: int, ahead: int, agents: int, *, call_takes: int, callback_after: int) -> int:
    """The time to promise a lead with `ahead` others before it and so many agents on shift.

    No sooner than `callback_after` seconds from now, rounded up: to be early is no broken promise, to be late is one.
    """
    rounds = ahead // max(1, agents) + 1
    at = now + max(callback_after, rounds * call_takes) * 1000
    return -(-at // ROUND) * ROUND
