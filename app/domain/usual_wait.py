"""How long people usually wait for their telephone to ring, as it may be said to the next one. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

DAYS: Final = 7  # that are looked back on
FEWEST: Final = 20  # leads without which nothing is said
SHARE: Final = 0.8  # of the leads waited no longer
STEPS: Final = ((30, 5), (60, 10), (300, 30))  # up to so many seconds, rounded up to a multiple of so many
LONG_STEP: Final = 60


def usual_wait(waits: Sequence[int | None], deadline: int) -> int | None:
    """Seconds within which four out of five telephones rang, rounded up.

    `waits` in milliseconds, None for a telephone that never rang. None when there were too few, or when it is longer
    than the policy's `deadline` (seconds), which is what was promised.
    """
    if len(waits) < FEWEST:
        return None
    ordered = sorted(math.inf if wait is None else wait for wait in waits)
    usual = ordered[math.ceil(SHARE * len(ordered)) - 1]
    if usual > deadline * 1000:
        return None
    found = rounded_up(usual / 1000)
    return found if found <= deadline else None


def rounded_up(seconds: float) -> int:
    """To the next step that is said aloud, at least the smallest: 23 is 25, 61 is 90, 301 is 360."""
    step = next((step for most, step in STEPS if seconds <= most), LONG_STEP)
    return max(1, math.ceil(seconds / step)) * step
