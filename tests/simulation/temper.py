"""What a seed makes of its world: how the provider, the database, the people and fate behave in it.

Each kind of trouble is on in some worlds only: where everything goes wrong at once, one trouble hides the other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

DAY_STARTS = 1_767_607_200_000  # 2026-01-05 10:00 UTC, a Monday; noon in Jerusalem
CLOSES_AFTER = 600.0  # seconds from then until the office closes for lunch, at ten past twelve
OPENS_AFTER = 3600.0  # seconds from then until it opens again, at one
WINDOWS = (300.0, 3900.0)  # seconds from then until nobody may be rung, and may be again, where there is a window

DIRECTORY = """
[policy]
timezone = "Asia/Jerusalem"
ring_agent = "20s"
ring_lead = "30s"
max_duration = "10m"
wrap_up = "{wrap_up}s"
assume_call = "5m"
expire_after = "30m"
retry_lead = {retry_lead}
routing = "{routing}"
pause_after_misses = {pause_after_misses}
pause_for = "5m"
sticky = "{sticky}"
redial_absent = {redial_absent}
logged_out = "{logged_out}"
calls_per_number = {calls_per_number}
callback_after = "2m"
{window}
[guards]
cooldown = {{ mode = "{cooldown}", per_phone = ["2/1 hours"] }}
calls = {{ mode = "hold", per_hour = {per_hour}, per_day = 600 }}

[hours.office]
mon-fri = ["09:00-12:10", "13:00-18:00"]
[hours.decent]
mon-fri = ["09:00-12:05", "13:05-20:00"]

[[sites]]
key = "main"
name = "Main"
hours = "office"
language = "en"
[[sites]]
key = "sales"
name = "Sales"
skills = ["sales"]
language = "en"
first = "{first}"
"""
AGENT = """
[[agents]]
id = "{name}"
name = "{name}"
extension = "SIP{name}"
skills = {skills}
"""
NAMES = ("dana", "yossi", "noa", "amir")


@dataclass(frozen=True, slots=True)
class Temper:
    """Chances are from 0 to 1, times in seconds of the world."""

    directory: str
    replicas: int
    agents: tuple[str, ...]
    slow: tuple[float, ...]  # how often each replica gets its turn
    leads: int
    arrivals: float  # within this time
    phones: int  # different ones among the leads
    starts_early: float  # before the office closes
    # the way to the database
    database_delay: float
    database_spike: float
    refused: float
    lost: float
    again: float
    # the provider
    answer_weights: dict[str, float]
    answer_delay: float
    agent_answers: float
    lead_answers: float
    record_weights: dict[str, float]
    record_delay: float
    forgetful: float  # our variables do not come back
    log_delay: float
    log_blind: float
    line_blind: float
    line_lag: float
    line_hides_ringing: bool
    line_tells_start: bool
    # what happens
    kills: int
    stops: int
    freezes: int
    outages: int
    provider_outages: int
    blind_times: int
    clock_steps: int
    second_pollers: int
    outside_calls: int
    breaks: int
    persons: int  # deeds of operators and visitors on leads and agents
    # how time passes where nothing happens
    quiet: float
    jump: float
    watchful: bool  # no faster than the line is looked at while there is a call on it


ANSWERS = (
    "placed",
    "slow",
    "cut",
    "lost",
    "junk",
    "offline",
    "blocked",
    "wrong",
    "error",
    "lying error",
    "closed",
    "not sent",
)
RECORDS = ("once", "twice", "never", "out of order", "one leg", "both at once", "in other words")


def temper_of(chance: random.Random) -> Temper:
    """One world's."""

    def sometimes(share: float, value: float) -> float:
        """In that share of the worlds a chance up to this value, otherwise none."""
        return chance.random() * value if chance.random() < share else 0.0

    def times(share: float, most: int) -> int:
        return chance.randint(1, most) if chance.random() < share else 0

    agents = NAMES[: chance.choice((2, 3, 3, 4))]
    text = DIRECTORY.format(
        wrap_up=chance.choice((0, 5, 30)),
        retry_lead=chance.choice(('["2m", "10m"]', '["1m"]', "[]")),
        routing=chance.choice(("longest_idle", "round_robin", "priority", "weighted")),
        pause_after_misses=chance.choice((0, 0, 2)),
        sticky=chance.choice(("0s", "0s", "24h")),
        redial_absent=chance.choice(("false", "true")),
        logged_out=chance.choice(("free", "away")),
        cooldown=chance.choice(("off", "hold")),
        per_hour=chance.choice((120, 120, 120, 6)),
        first=chance.choice(("agent", "agent", "lead")),
        calls_per_number=chance.choice((6, 6, 2)),
        window='dialing_window = "decent"' if chance.random() < 0.2 else "",
    )
    for place, name in enumerate(agents):
        text += AGENT.format(name=name, skills='["sales"]' if place % 2 == 0 else "[]")
    replicas = chance.choice((1, 2, 2, 2, 3))
    return Temper(
        directory=text,
        replicas=replicas,
        agents=agents,
        slow=tuple(chance.choice((1.0, 1.0, 0.2, 0.02)) for _ in range(replicas)),
        leads=chance.randint(2, 9),
        arrivals=chance.choice((1.0, 60.0, 300.0, 900.0)),
        phones=chance.randint(3, 10),
        starts_early=chance.choice((30.0, 300.0, 600.0)),
        database_delay=chance.choice((0.0, 0.0, 0.0, 0.02)),
        database_spike=sometimes(0.3, 0.05),
        refused=sometimes(0.3, 0.05),
        lost=sometimes(0.3, 0.03),
        again=sometimes(0.3, 0.2),
        answer_weights={
            "placed": chance.choice((20.0, 6.0, 2.0)),
            **{name: sometimes(0.3, 2.0) for name in ANSWERS[1:]},
        },
        answer_delay=chance.choice((0.05, 0.5, 3.0)),
        agent_answers=chance.choice((1.0, 0.8, 0.4)),
        lead_answers=chance.choice((0.9, 0.5, 0.2)),
        record_weights={"once": chance.choice((10.0, 2.0)), **{name: sometimes(0.4, 2.0) for name in RECORDS[1:]}},
        record_delay=chance.choice((0.5, 10.0, 90.0)),
        forgetful=sometimes(0.3, 1.0),
        log_delay=chance.choice((5.0, 60.0, 500.0)),
        log_blind=chance.choice((0.0, 0.0, 0.0, 0.3, 0.7, 1.0)),
        line_blind=chance.choice((0.0, 0.0, 0.3, 1.0)),
        line_lag=chance.choice((0.0, 1.0, 4.0)),
        line_hides_ringing=chance.random() < 0.3,
        line_tells_start=chance.random() < 0.7,
        kills=times(0.5, 4),
        stops=times(0.3, 2),
        freezes=times(0.4, 3),
        outages=times(0.3, 2),
        provider_outages=times(0.3, 2),
        blind_times=times(0.3, 3),
        clock_steps=times(0.25, 2),
        second_pollers=times(0.3, 2),
        outside_calls=times(0.5, 3),
        breaks=times(0.3, 2),
        persons=times(0.6, 6),
        quiet=1.1 if chance.random() < 0.1 else 0.0,
        jump=chance.choice((60.0, 600.0, 600.0, 600.0)),
        watchful=chance.random() < 0.2,
    )
