"""The service, but at one crash point it stands still (SIGSTOP) instead of dying, the first time it gets there.

As a virtual machine that is paused, at the worst moment: `python -m tests.crash.standing_still POINT serve …`.
"""

from __future__ import annotations

import os
import signal
import sys

from app import cli, faults


def stand_still_at(chosen: str) -> None:
    """Replace the crash points by ones that stop the process once, at `chosen`; ValueError for an unknown one."""
    if chosen not in faults.POINTS:
        raise ValueError(f"no crash point {chosen!r}; there are: {', '.join(faults.POINTS)}")
    been_there = False

    def point(name: str) -> None:
        nonlocal been_there
        if name == chosen and not been_there:
            been_there = True
            os.kill(os.getpid(), signal.SIGSTOP)

    faults.point = point


if __name__ == "__main__":
    stand_still_at(sys.argv.pop(1))
    cli.main()
