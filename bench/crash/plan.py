"""How many faults of which kind a campaign makes, and in which order: all of it drawn from a seed.

The seed repeats the plan, the provider's moods and the visitors; what the machine makes of them, no seed repeats.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from app.faults import POINTS

EngineName = Literal["sqlite", "postgresql"]

KILL: Final = "kill"  # SIGKILL at some moment
TERM: Final = "term"  # told to end, with SIGTERM
PAUSE: Final = "pause"  # SIGSTOP at some moment
STOP_AT_RANDOM: Final = 0.4  # share of the stops that come at some moment instead of at a point
# Between looking and acting a process is overtaken most harmfully: there it stands still three times as often.
LOOK_AND_ACT: Final = ("dispatch.after_reserve", "dispatch.after_intent", "sweep.before_settle")
# Which part of everything the engines get when both are asked; stops are for those whom others overtake meanwhile.
SHARES: Final[Mapping[EngineName, tuple[float, float]]] = {"sqlite": (0.4, 0.15), "postgresql": (0.6, 0.85)}
SOON: Final = 8  # fates that are drawn before one that was missed
# How far into a life a point may lie, in passages.
PASSAGES: Final[Mapping[str, int]] = {
    "start": 1,
    "intake": 3,
    "dispatch": 3,
    "report": 4,
    "report.before_apply": 8,
    "sweep": 2,
    "store": 48,
}


@dataclass(frozen=True, slots=True)
class Size:
    """What is asked of all engines together, and after how many minutes faults end whatever is left of it.

    `worlds` is how many databases of each engine there are at a time; `points` are those at which anything happens.
    """

    leads: int
    deaths: int  # at each named point
    stops: int
    database_restarts: int
    minutes: float
    worlds: int
    points: tuple[str, ...] = POINTS


LONG: Final = Size(leads=10_000, deaths=200, stops=500, database_restarts=200, minutes=45, worlds=3)
SHORT: Final = Size(leads=200, deaths=3, stops=12, database_restarts=6, minutes=2, worlds=2)


@dataclass(slots=True)
class Fate:
    """How a life is to end, or where it is to stand still: a point's name, or KILL, TERM, PAUSE. `missed`: how often
    a life was over before it got there."""

    where: str
    missed: int = 0

    def passage(self, rng: random.Random) -> int:
        """The passage of the point at which it happens: the earlier, the oftener it was missed."""
        most = PASSAGES.get(self.where) or PASSAGES[self.where.partition(".")[0]]
        return rng.randint(1, max(1, most >> self.missed))


@dataclass(slots=True)
class Deck:
    """Fates to be drawn: each kind once before any comes again. One that was missed comes again soon."""

    asked: Counter[str]
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)
    _left: list[Fate] = field(default_factory=list)

    def __post_init__(self) -> None:
        left = +self.asked
        while left:
            around = sorted(left)
            self.rng.shuffle(around)
            self._left += [Fate(where) for where in around]
            left -= Counter(around)
        self._left.reverse()  # drawn from the end

    @property
    def progress(self) -> float:
        """The part of it that is done, from 0 to 1."""
        total = self.asked.total()
        return min(1.0, sum(min(self.done[where], self.asked[where]) for where in self.asked) / total) if total else 1.0

    @property
    def left(self) -> int:
        """Fates that nobody holds."""
        return len(self._left)

    def draw(self) -> Fate | None:
        """The next one; None when none is left."""
        return self._left.pop() if self._left else None

    def put_back(self, fate: Fate, *, missed: bool = True) -> None:
        """It did not come to that."""
        fate.missed += missed
        self._left.insert(max(0, len(self._left) - SOON), fate)


@dataclass(slots=True)
class Plan:
    """One engine's part: `deaths` and `stops` to draw from, `leads` to send, and how often its database goes away."""

    engine: EngineName
    seed: int
    deaths: Deck
    stops: Deck
    leads: int
    database_restarts: int
    worlds: int

    def rng(self, *what: object) -> random.Random:
        """Chance for one purpose, the same for the same seed."""
        return random.Random(":".join(map(str, (self.seed, self.engine, *what))))

    @property
    def progress(self) -> float:
        """The part of the faults that is done, from 0 to 1."""
        return min(self.deaths.progress, self.stops.progress)


def make(size: Size, engines: list[EngineName], seed: int) -> list[Plan]:
    """Every engine's part; one engine alone has all of it."""
    whole = sum(SHARES[engine][0] for engine in engines)
    whole_stops = sum(SHARES[engine][1] for engine in engines)
    plans = []
    for engine in engines:
        part, stop_part = SHARES[engine][0] / whole, SHARES[engine][1] / whole_stops
        deaths = _share(size.deaths, part)
        # By the way: a quarter as many moments as there are points, and half of that told to end.
        asked = Counter(dict.fromkeys(size.points, deaths)) + Counter({KILL: deaths, TERM: _share(deaths, 0.5)})
        plans.append(
            Plan(
                engine=engine,
                seed=seed,
                deaths=Deck(asked, random.Random(f"{seed}:{engine}:deaths")),
                stops=Deck(_stops(_share(size.stops, stop_part), size.points), random.Random(f"{seed}:{engine}:stops")),
                leads=_share(size.leads, part),
                database_restarts=size.database_restarts if engine == "postgresql" else 0,
                worlds=size.worlds,
            )
        )
    return plans


def _stops(count: int, points: Sequence[str]) -> Counter[str]:
    at_moments = _share(count, STOP_AT_RANDOM)
    places = itertools.cycle((*(point for point in LOOK_AND_ACT * 2 if point in points), *points))
    return Counter({PAUSE: at_moments}) + Counter(itertools.islice(places, count - at_moments))


def _share(count: int, part: float) -> int:
    """A part, rounded up: what is asked of all together is not missed by rounding."""
    return math.ceil(round(count * part, 6))
