"""Named crash points, for the tests that kill a real process exactly there.

`LEADRING_FAULT` is not a setting of the service: it is read once, only by a process started with
`LEADRING_FAULTS_ALLOWED=yes` as well, and names one point. Everywhere else `point` costs one comparison.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "intake.before_accept",
    "intake.after_accept",
    "dispatch.after_reserve",
    "dispatch.after_intent",
    "dispatch.request_sent",
    "dispatch.before_record",
)

_armed: str | None = None


def arm(name: str | None) -> None:
    """Make the process die at `name`; ValueError when there is no such point. None disarms."""
    global _armed
    if name is not None and name not in POINTS:
        raise ValueError(f"no crash point {name!r}; there are: {', '.join(POINTS)}")
    _armed = name


def point(name: str) -> None:
    """Die here, now, without any clean-up (SIGKILL to ourselves), when this point is armed."""
    if _armed is not None and _armed == name:
        os.kill(os.getpid(), signal.SIGKILL)
