"""A day of traffic, replayed in virtual time through the service's own rooms, on SQLite.

Time goes from one thing that happens to the next: a visitor, an answer, a record, the end of a wrap-up, a lead that
falls due. The provider is a fake that says yes and reports both legs when a call is over. The same seed gives the same
day.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from app.clock import from_datetime
from app.directory import Directory, parse_directory
from app.metrics import Metrics
from app.ports import Answer, CallRequest, Placed
from app.service.breaker import Breaker
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.intake import Intake
from app.service.outcomes import Outcomes
from app.service.rules import Rules
from app.service.slots import Slots
from app.service.submission import Submission
from app.service.sweeper import Sweeper
from app.service.switches import Switches
from app.service.tokens import Tokens
from app.store import migrate
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from app.voicenter.cdr import read_call_records
from bench import traffic
from bench.books import SqliteBooks
from bench.figures import CannotMeasure
from bench.hangups import push
from bench.stub import Call
from bench.traffic import SECOND, Arrival, Course
from tests.clocks import ManualClock

MIDNIGHT: Final = from_datetime(datetime(2026, 1, 4, 22, tzinfo=UTC))  # in Jerusalem, a Monday
TICK: Final = 15  # seconds between two sweeps while somebody is on shift
WRAP_UP: Final = 30
RING_AGENT: Final = 20
RING_LEAD: Final = 30
REPORTED_AFTER: Final = 3  # seconds after a call's end
TURN: Final = 1  # milliseconds between the two records of a call
LONGEST: Final = 4 * 24 * traffic.HOUR  # until then everything that began on the day has ended

Happening = Callable[[], Awaitable[object]]


class ByHand(Dispatcher):
    """Without its loop: who wants to know what a round claims has one made."""

    async def claimed_now(self) -> set[str]:
        asked = asyncio.ensure_future(super().claimed_now())
        await asyncio.sleep(0)  # it stands in line now
        await asyncio.shield(self.round())
        return await asked


@dataclass
class Seen:
    """What the fake provider saw: when agents answered and leads talked, by lead, and each agent's calls."""

    agent_answered: dict[str, int] = field(default_factory=dict)
    connected: dict[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    busy_until: dict[str, int] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    rung_during_calls: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Day:
    """What came of it: leads by their last state, times in seconds, calls an agent from least to most.

    All between speaks of those who came while the site was open, `in_hours` of them: `waits` to the first agent who
    answers; `late`: no agent had answered when the deadline was over, counted from when they came; `told`: before any
    agent had answered they were told another time; `broken`: of these, nobody had answered by the time they were told.
    """

    leads: Counter[str]
    waits: list[float]
    late: int
    told: int
    broken: int
    in_hours: int
    calls: list[int]
    unaccounted: int
    ended_after: float


class Replay:
    """One day on one database file."""

    def __init__(self, file: Path, many: int, agents: int, seed: int, tick: int) -> None:
        self.clock = ManualClock(MIDNIGHT)
        self.engine = open_engine(f"sqlite:///{file}", self.clock)
        self.books = SqliteBooks(file)
        self.store = SqlStore(self.engine)
        self.rules = Rules(directory(agents))
        self.seen = Seen()
        self._seed = seed
        self._tick = tick * SECOND
        self._arrivals = traffic.arrivals(many, seed)
        self._happenings: list[tuple[int, int, Happening]] = []
        self._numbers = itertools.count()
        hub, metrics = Hub(), Metrics()
        breaker = Breaker(self.clock, None, metrics)
        jitter = random.Random(seed).random
        switches = Switches(self.store, metrics)
        self.dispatcher = ByHand(
            self.store,
            self,
            self.rules,
            hub,
            metrics,
            breaker,
            owner="day",
            provider_timeout=12,
            switches=switches,
            jitter=jitter,
        )
        slots = Slots(self.store, self.rules)
        self.intake = Intake(self.store, self.rules, self.dispatcher, hub, Tokens("day"), metrics, switches, slots)
        self.outcomes = Outcomes(self.store, read_call_records, self.rules, self.dispatcher, hub, metrics)
        self.sweeper = Sweeper(self.store, self.rules, self.dispatcher, hub, metrics)

    async def run(self) -> Day:
        """From midnight until the last lead of the day has ended."""
        await self.engine.start()
        try:
            await self.store.sync_agents(list(self.rules.directory.agents))
            for arrival in self._arrivals:
                self._at(MIDNIGHT + arrival.at, partial(self._arrives, arrival))
            while (moment := await self._next()) is not None:
                if moment > MIDNIGHT + LONGEST:
                    raise CannotMeasure(f"days later leads are {await self.books.rows(_STATES)}")
                await self._until(moment)
            return await self._told()
        finally:
            await self.engine.close()

    # ------------------------------------------------------------------------------------------------ time

    def _at(self, moment: int, what: Happening) -> None:
        heapq.heappush(self._happenings, (moment, next(self._numbers), what))

    async def _next(self) -> int | None:
        """When something happens next; None when nothing will."""
        now = self.clock.now()
        due = await self.store.next_due(list(self.rules.directory.sites))
        moments = [due] if due is not None else []
        if self._happenings:
            moments.append(self._happenings[0][0])
        elif due is None and not await self.books.rows(_OPEN):
            return None
        if not moments or self.rules.anybody_on_shift(now):
            moments.append(now + self._tick)
        return max(now, min(moments))

    async def _until(self, moment: int) -> None:
        """Let time pass until then, and have the service do what it does by itself."""
        self.clock.advance((moment - self.clock.now()) / 1000)
        if self._happenings and self._happenings[0][0] <= moment:
            _, _, what = heapq.heappop(self._happenings)
            await what()
        else:
            await self.sweeper.sweep()
        await self._quiet()

    async def _quiet(self) -> None:
        """Rounds, and the dials that they begin, until there is nothing more to do at this moment."""
        while True:
            more = await self.dispatcher.round()
            dials = [task for task in asyncio.all_tasks() if task.get_name().startswith("dial ")]
            if dials:
                await asyncio.gather(*dials)
            elif not more:
                return

    # ------------------------------------------------------------------------------------ visitors and calls

    async def _arrives(self, arrival: Arrival) -> None:
        fields = {"phone": arrival.phone, "name": "Noa Levi", "message": "Please call me.", "language": "en"}
        await self.intake.submit(Submission(fields, "widget", "192.0.2.1"))

    async def place(self, call: CallRequest) -> Answer:
        """The provider's part: yes, and then what the seed says."""
        now, seen = self.clock.now(), self.seen
        if seen.busy_until.get(call.extension, 0) > now:
            seen.rung_during_calls.append(call.extension)
        goes = traffic.course(self._seed, call.lead_phone, seen.tries[call.lead_id])
        seen.tries[call.lead_id] += 1
        seen.calls[call.extension] += 1
        placed = Call(
            now / 1000, call.lead_id, call.attempt_id, call.extension, call.lead_phone, f"day-{call.attempt_id}"
        )
        over = now + _length(goes) * SECOND
        seen.busy_until[call.extension] = over
        if goes.agent_after is not None:
            answered = now + goes.agent_after * SECOND
            seen.agent_answered.setdefault(call.lead_id, answered)
            if goes.lead_after is not None:
                seen.connected.setdefault(call.lead_id, answered + goes.lead_after * SECOND)
        reported = over + REPORTED_AFTER * SECOND
        for turn, body in enumerate(_records(placed, goes)):
            self._at(reported + turn * TURN, partial(self.outcomes.keep, body))
        self._at(reported + 2 * TURN + WRAP_UP * SECOND, _nothing)
        return Placed(placed.call_id)

    # --------------------------------------------------------------------------------------------- afterwards

    async def _told(self) -> Day:
        if self.seen.rung_during_calls:
            raise CannotMeasure(f"agents were rung during a call: {self.seen.rung_during_calls[:3]}")
        rows = await self.books.rows("SELECT id, state, received_at FROM leads")
        # The deadline of a lead moves on with each promise, so the row does not tell what was promised first.
        promises = {lead: (at, promised) for lead, at, promised in await self.books.rows(_FIRST_TOLD)}
        leads = Counter(state for _, state, _ in rows)
        if leads["connected"] != len(self.seen.connected):
            raise CannotMeasure(f"{len(self.seen.connected)} leads talked, and yet they are {dict(leads)}")
        site = next(iter(self.rules.directory.sites.values()))
        came = {lead: received for lead, _, received in rows if self.rules.is_open(site, received)}
        answered = self.seen.agent_answered
        deadline = self.rules.policy.deadline * SECOND
        told = {
            lead: promised
            for lead, (at, promised) in promises.items()
            if lead in came and answered.get(lead, NEVER) > at
        }
        return Day(
            leads=leads,
            waits=[(answered[lead] - at) / 1000 for lead, at in came.items() if lead in answered],
            late=sum(answered.get(lead, NEVER) > at + deadline for lead, at in came.items()),
            told=len(told),
            broken=sum(answered.get(lead, NEVER) > promised for lead, promised in told.items()),
            in_hours=len(came),
            calls=sorted(self.seen.calls[agent.extension] for agent in self.rules.directory.agents.values()),
            unaccounted=(await self.store.gauges()).unaccounted,
            ended_after=(self.clock.now() - MIDNIGHT) / 1000,
        )


NEVER: Final = 2**62
_FIRST_TOLD: Final = """
SELECT lead_id, at, CAST(why AS INTEGER) FROM events
WHERE id IN (SELECT min(id) FROM events WHERE event = 'promised' GROUP BY lead_id)
"""
_STATES: Final = "SELECT state, count(*) FROM leads GROUP BY 1"
_OPEN: Final = "SELECT 1 FROM leads WHERE state IN ('waiting', 'dialing', 'held') LIMIT 1"


async def _nothing() -> None:
    """Somebody's wrap-up is over: the round that follows finds them."""


def _length(goes: Course) -> int:
    """Seconds from the request to the end of the call."""
    if goes.agent_after is None:
        return RING_AGENT
    return goes.agent_after + (RING_LEAD if goes.lead_after is None else goes.lead_after + goes.talk)


def _records(call: Call, goes: Course) -> list[str]:
    began = round(call.at)
    if goes.agent_after is None:
        return [push(call, 1, "NOANSWER", 0, RING_AGENT, began=began).decode()]
    both = _length(goes) - goes.agent_after
    lead = RING_LEAD if goes.lead_after is None else goes.lead_after
    return [
        push(call, 1, "ANSWER", both, goes.agent_after, began=began).decode(),
        push(call, 2, goes.lead_status, goes.talk, lead, began=began + goes.agent_after).decode(),
    ]


def directory(agents: int) -> Directory:
    """One site, open from eight to eight; two shifts of agents."""
    people = "".join(
        f'\n[[agents]]\nid = "agent{n}"\nname = "Agent {n}"\nextension = "SIPday{n}"\n'
        f'hours = "{"late" if n % 5 < 2 else "early"}"\n'
        for n in range(agents)
    )
    return parse_directory(f"""
[policy]
timezone = "Asia/Jerusalem"
wrap_up = "{WRAP_UP}s"
ring_agent = "{RING_AGENT}s"
ring_lead = "{RING_LEAD}s"
assume_call = "2h"
[guards]
cooldown = "off"
calls = {{ mode = "hold", per_hour = 1000, per_day = 10000 }}
[hours.open]
mon-sun = ["08:00-20:00"]
[hours.early]
mon-sun = ["08:00-16:00"]
[hours.late]
mon-sun = ["12:00-20:00"]
[[sites]]
key = "main"
name = "Example Ltd"
hours = "open"
language = "en"
{people}""")


async def replay(folder: Path, many: int, agents: int, seed: int, tick: int = TICK) -> Day:
    """The day on a new database in `folder`."""
    file = folder / f"day-{time.monotonic_ns()}.db"
    await asyncio.to_thread(migrate.upgrade, f"sqlite:///{file}")
    return await Replay(file, many, agents, seed, tick).run()
