"""Days for replays: one generated at random from a seed, and the verbs to write one by hand.

The generated day is made by a desk of its own, not by the code that is tested: leads come, whoever is free longest is
called, and who is closed out waits for the morning.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.directory import Directory, parse_directory
from app.domain.past_day import Deed, PastCall, PastDay, PastLead

JERUSALEM: Final = ZoneInfo("Asia/Jerusalem")
THURSDAY: Final = date(2026, 11, 26)
FRIDAY: Final = date(2026, 11, 27)
SECOND: Final = 1000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000

OFFICE: Final = """
[policy]
timezone = "Asia/Jerusalem"
{policy}
[guards]
{guards}
[hours.office]
sun-thu = ["09:00-18:00"]
fri = ["09:00-12:30"]
[hours.mornings]
sun-thu = ["09:00-13:00"]
fri = ["09:00-12:30"]
[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
hours = "office"
"""
AGENT: Final = """
[[agents]]
id = "{id}"
name = "{name}"
extension = "SIP{id}"
hours = "{hours}"
"""


def clock(hour: int, minute: int = 0, second: float = 0, *, day: date = THURSDAY) -> int:
    """Epoch milliseconds of that time in Jerusalem, on the Thursday unless told."""
    return int(datetime.combine(day, time(hour, minute), JERUSALEM).timestamp() * 1000) + round(second * 1000)


def toml(
    agents: dict[str, str] | tuple[str, ...] = ("dana", "yossi"), *, policy: str = "", guards: str = "", more: str = ""
) -> str:
    """A file with one site and these agents, by id their hours (`office`)."""
    of = agents if isinstance(agents, dict) else dict.fromkeys(agents, "office")
    listed = "".join(AGENT.format(id=name, name=name.title(), hours=hours) for name, hours in of.items())
    return OFFICE.format(policy=policy, guards=guards) + listed + more


def directory(
    agents: dict[str, str] | tuple[str, ...] = ("dana", "yossi"), *, policy: str = "", guards: str = "", more: str = ""
) -> Directory:
    """The same, read."""
    return parse_directory(toml(agents, policy=policy, guards=guards, more=more))


def phone(number: int) -> str:
    """An Israeli mobile."""
    return f"+97254{number:07}"


def a_call(agent: str, at: int, outcome: str | None = "connected", **fields: Any) -> PastCall:
    """A call that the agent took after 5 s and the lead after 8, and talked for a minute; or as told."""
    ring, answer, talk = fields.pop("ring", 5), fields.pop("answer", 8), fields.pop("talk", 60)
    missed = outcome == "agent_no_answer"
    lasts = 20 if missed else ring + answer + (talk if outcome == "connected" else 0)
    given: dict[str, Any] = {
        "agent_id": agent,
        "first_leg": "agent",
        "state": "ended" if outcome else "placed",
        "outcome": outcome,
        "away": None,
        "reserved_at": at,
        "sending_at": at,
        "agent_answered_at": None,
        "connected_at": at + (ring + answer) * SECOND if outcome == "connected" else None,
        "ended_at": at + (lasts + 4) * SECOND if outcome else None,
        "left_at": None,
        "leg1_ring": 20 if missed else ring,
        "leg1_talk": None,
        "leg2_status": None if missed else {"connected": "ANSWER", "lead_busy": "BUSY"}.get(outcome or "", "NOANSWER"),
        "leg2_ring": None if missed else answer,
        "leg2_talk": talk if outcome == "connected" else None,
    }
    return PastCall(**(given | fields))


def a_lead(number: int, at: int, *calls: PastCall, deeds: tuple[Deed, ...] = (), **fields: Any) -> PastLead:
    """A lead of `main` with that number; it ended with its last call, or waits when it has none."""
    last = calls[-1] if calls else None
    ended = last is not None and last.outcome == "connected"
    given: dict[str, Any] = {
        "id": f"lead-{number:05}-{at}",
        "site": "main",
        "phone": phone(number),
        "phone_key": f"key-{number}",
        "asked_language": "",
        "received_at": at,
        "state": "connected" if ended else "waiting",
        "reason": None if ended else "no_agent",
        "due_at": None if ended else at,
        "deadline_at": at + 40 * SECOND,
        "ended_at": last.ended_at if ended and last is not None else None,
        "calls": calls,
        "deeds": deeds,
    }
    return PastLead(**(given | fields))


def a_day(*leads: PastLead, since: int | None = None, until: int | None = None, **fields: Any) -> PastDay:
    """The Thursday, or the time that is told."""
    start = clock(0) if since is None else since
    end = clock(0, day=FRIDAY) if until is None else until
    return PastDay(start, end, tuple(sorted(leads, key=lambda lead: lead.received_at)), **fields)


def held(at: int, guard: str, who: str = "guard") -> Deed:
    return Deed(at, "held", who, guard)


def did(at: int, event: str, who: str = "lead", why: str | None = None) -> Deed:
    return Deed(at, event, who, why)


def generated(many: int, agents: tuple[str, ...], seed: int = 7) -> PastDay:
    """A Thursday on which so many leads come, and these agents work from nine to six."""
    return _Desk(many, agents, seed).day()


class _Desk:
    """A desk as simple as one can be: first come, first served, by whoever has been free for longest."""

    def __init__(self, many: int, agents: tuple[str, ...], seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a day to replay, no secret
        self._many = many
        self._free_at = dict.fromkeys(agents, clock(9))
        self._misses = {agent: self._random.uniform(0.02, 0.2) for agent in agents}
        self._leads: dict[str, PastLead] = {}
        self._latest: dict[int, PastLead] = {}  # by number, as it came
        self._numbers = 0
        self._due: list[tuple[int, str]] = []

    def day(self) -> PastDay:
        weights = [0] * 7 + [1, 3, 9, 9, 9, 9, 6, 6, 8, 8, 7, 5, 3, 2, 2, 1, 1]
        hours = self._random.choices(range(24), weights, k=self._many)
        for moment in sorted(clock(hour) + self._random.randrange(HOUR) for hour in hours):
            self._work(moment)
            self._come(moment)
        self._work(clock(18))
        return a_day(*(self._evening(lead) for lead in self._leads.values()))

    def _come(self, moment: int) -> None:
        known = self._numbers
        number = self._random.randint(1, known) if known and self._random.random() < 0.05 else known + 1
        earlier = self._latest.get(number)
        if earlier is not None and (earlier := self._leads[earlier.id]).ended_at is None:
            self._change(earlier, deeds=(*earlier.deeds, did(moment, "joined", "widget")))
            return
        self._numbers = max(known, number)
        if earlier is not None and moment - earlier.received_at < 10 * MINUTE:
            fields = {"state": "held", "reason": "cooldown", "due_at": None}
            lead = a_lead(number, moment, deeds=(held(moment, "cooldown"),), **fields)
        else:
            open_ = clock(9) <= moment < clock(18)
            lead = a_lead(number, moment, deeds=() if open_ else (did(moment, "scheduled", "intake", "closed"),))
            heapq.heappush(self._due, (max(moment, clock(9)), lead.id))
        self._leads[lead.id] = self._latest[number] = lead

    def _work(self, until: int) -> None:
        """Call whom somebody is free for before that."""
        while self._due:
            agent = min(self._free_at, key=lambda name: self._free_at[name])
            at = max(self._free_at[agent], self._due[0][0])
            if at >= min(until, clock(18)):
                return
            due, lead_id = heapq.heappop(self._due)
            self._call(self._leads[lead_id], agent, at, due)

    def _call(self, lead: PastLead, agent: str, at: int, due: int) -> None:
        if at - due > 39 * SECOND and not lead.calls:
            lead = self._change(lead, deeds=(*lead.deeds, did(due + 39 * SECOND, "promised", "sweeper")))
        call = self._dial(agent, at)
        ended = call.ended_at or at
        self._free_at[agent] = ended + 30 * SECOND
        lead = self._change(lead, calls=(*lead.calls, call))
        rung = sum(one.outcome != "agent_no_answer" for one in lead.calls)
        if call.outcome == "connected" or rung > 3:
            state, reason = ("connected", None) if call.outcome == "connected" else ("exhausted", call.outcome)
            self._change(lead, state=state, reason=reason, due_at=None, ended_at=ended)
            return
        waits = 0 if call.outcome == "agent_no_answer" else (10 * MINUTE, HOUR, 4 * HOUR)[rung - 1]
        heapq.heappush(self._due, (ended + waits, lead.id))

    def _evening(self, lead: PastLead) -> PastLead:
        """Who was not called to an end is due in the morning."""
        if lead.state != "waiting":
            return lead
        due = clock(9, day=FRIDAY)
        return replace(lead, reason="closed", due_at=due, deadline_at=due + 40 * SECOND)

    def _change(self, lead: PastLead, **values: Any) -> PastLead:
        self._leads[lead.id] = changed = replace(lead, **values)
        return changed

    def _dial(self, agent: str, at: int) -> PastCall:
        chance = self._random
        if chance.random() < self._misses[agent]:
            return a_call(agent, at, "agent_no_answer")
        outcome = chance.choices(["connected", "lead_no_answer", "lead_busy"], [75, 20, 5])[0]
        answer = {"connected": chance.randint(3, 20), "lead_no_answer": 30, "lead_busy": 1}[outcome]
        talk = max(5, round(chance.lognormvariate(4.8, 0.8)))
        return a_call(agent, at, outcome, ring=chance.randint(2, 15), answer=answer, talk=talk)
