"""A day's visitors and what happens on their telephones, drawn from a seed: the same seed, the same day."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

SECOND: Final = 1000
HOUR: Final = 3_600_000
# How many come in each hour of the day, by local time: a trickle at night, a peak in the morning, less at lunch, a
# second wave in the evening.
CURVE: Final = (1, 0.6, 0.4, 0.3, 0.3, 0.6, 1.5, 3, 6, 9, 10, 9, 6.5, 5, 6, 7, 7.5, 7, 6.5, 7, 6.5, 5, 3.5, 2)
TWICE: Final = 0.02  # press the button a second time
AGENT_ANSWERS: Final = 0.95
LEAD_ANSWERS: Final = 0.72
LEAD_BUSY: Final = 0.06
TALK_MEDIAN: Final = 150.0  # seconds
TALK_SPREAD: Final = 0.8  # of the logarithm: one call in ten takes three times as long


@dataclass(frozen=True, slots=True)
class Arrival:
    """A visitor presses Send at `at` (milliseconds since the day began)."""

    at: int
    phone: str


@dataclass(frozen=True, slots=True)
class Course:
    """How a call goes: seconds until the agent answers (None: never), then the lead, then talks."""

    agent_after: int | None
    lead_after: int | None
    talk: int
    lead_status: str


def arrivals(many: int, seed: int) -> list[Arrival]:
    """So many visitors in one day, in order; some come again within the minute."""
    chance = random.Random(f"arrivals {seed}")
    hours = chance.choices(range(24), CURVE, k=many)
    found = [
        Arrival(round((hour + chance.random()) * HOUR), f"054-{2_000_000 + n:07d}") for n, hour in enumerate(hours)
    ]
    again = [
        Arrival(one.at + round(chance.uniform(1, 40) * SECOND), one.phone) for one in found if chance.random() < TWICE
    ]
    return sorted([*found, *again], key=lambda one: (one.at, one.phone))


def course(seed: int, phone: str, number: int) -> Course:
    """How the `number`-th call to this phone goes, whoever makes it and whenever."""
    chance = random.Random(f"{seed} {phone} {number}")
    agent = chance.randint(2, 9) if chance.random() < AGENT_ANSWERS else None
    drawn, rings, talk = (
        chance.random(),
        chance.randint(3, 18),
        chance.lognormvariate(math.log(TALK_MEDIAN), TALK_SPREAD),
    )
    if drawn < LEAD_ANSWERS:
        return Course(agent, rings, max(5, round(talk)), "ANSWER")
    return Course(agent, None, 0, "BUSY" if drawn < LEAD_ANSWERS + LEAD_BUSY else "NOANSWER")
