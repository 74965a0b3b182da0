"""How agents and leads behaved that day. What is known of a lead's own calls is taken, the rest is drawn.

A draw depends on the seed, the lead and how many calls it has had, and on nothing else: two files that are replayed
with one seed meet the same people, so that what differs is due to the files.
"""

from __future__ import annotations

import hashlib
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from app.directory import Agent
from app.domain.moves import BLOCKED_FOR, OFFLINE_FOR, SECOND, TAKEN
from app.domain.past_day import Away, PastCall, PastDay

T = TypeVar("T")

LEAST_CALLS: Final = 5  # of an agent, to draw from his own; else from everybody's
LONGEST_LAG: Final = 600_000  # milliseconds; what is longer was no lag
_AWAY_FOR: Final[dict[Away, int]] = {"agent_offline": OFFLINE_FOR * SECOND, "agent_blocked": BLOCKED_FOR * SECOND}


@dataclass(frozen=True, slots=True)
class PickUp:
    """What an agent did when his phone rang; `ring`: seconds until he took it."""

    took: bool
    ring: int = 0


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a lead did when its phone rang: an outcome, as far as it was the lead's. Seconds until then, and of talk.

    `talk` is None where it would have talked, and nobody knows how long.
    """

    outcome: str
    ring: int = 0
    talk: int | None = 0


@dataclass(frozen=True, slots=True)
class _Absence:
    since: int
    until: int
    why: Away


@dataclass(frozen=True, slots=True)
class Lags:
    """How long it took to be known (ms): that an agent missed a call, that one is over, and how it went."""

    missed: int = 10_000
    over: int = 10_000
    told: int = 10_000


# On a day of which no call is kept.
USUAL_PICK_UP: Final = PickUp(True, 5)
USUAL_TALK: Final = 180
USUAL_REACTION: Final = Reaction("connected", 10, USUAL_TALK)


class Habits:
    """What the calls of a day tell of its people; asked for one call at a time."""

    def __init__(self, day: PastDay, seed: int) -> None:
        self._seed = seed
        self._pick_ups: dict[tuple[str, str], list[PickUp]] = defaultdict(list)  # by lead and agent
        self._reactions: dict[str, list[Reaction]] = defaultdict(list)  # by lead
        self._of_agent: dict[str, list[PickUp]] = defaultdict(list)
        self._first: list[Reaction] = []
        self._again: list[Reaction] = []
        calls = [call for lead in day.all for call in lead.calls]
        for lead in day.all:
            for call in lead.calls:
                self._read(lead.id, call)
        self._people = _sorted(one for name, found in self._of_agent.items() if not _is_line(name) for one in found)
        self._lines = _sorted(one for name, found in self._of_agent.items() if _is_line(name) for one in found)
        self._own = {name: _sorted(found) for name, found in self._of_agent.items() if len(found) >= LEAST_CALLS}
        pools = (self._first, self._again)
        self._talks = sorted(one.talk for pool in pools for one in pool if one.outcome == "connected" and one.talk)
        self._pools = [sorted((self._with_talk(one, 0.5) for one in pool), key=_worth) for pool in pools]
        self._gone = _absences(calls)
        self.lags = _lags(calls)
        self.knows_calls = bool(self._people or self._lines)

    def calls_of(self, agent_id: str) -> int:
        """How many calls of that day tell whether this agent picks up."""
        return len(self._of_agent.get(agent_id, ()))

    def away(self, agent_id: str, now: int) -> Away | None:
        """Why the provider would have refused to ring this agent then, by what it said that day."""
        spans = self._gone.get(agent_id, [])
        place = bisect_right(spans, now, key=lambda one: one.since) - 1
        return spans[place].why if place >= 0 and now < spans[place].until else None

    def pick_up(self, lead_id: str, agent: Agent, nth: int, number: int) -> tuple[PickUp, bool]:
        """What the agent does, called for this lead for the nth time (from 0) at its attempt `number`; and whether
        that is known and not drawn."""
        known = self._pick_ups.get((lead_id, agent.id), ())
        if nth < len(known):
            return known[nth], True
        if agent.line_of is not None:
            return _pick(self._lines, 0.0) or PickUp(True), True  # an IVR always does
        pool = self._own.get(agent.id) or self._people
        return _pick(pool, self._draw(lead_id, "agent", number)) or USUAL_PICK_UP, False

    def reaction(self, lead_id: str, nth: int) -> tuple[Reaction, bool]:
        """What the lead does when its phone rings for the nth time (from 0); and whether that is known."""
        known = self._reactions.get(lead_id, ())
        if nth < len(known):
            return self._with_talk(known[nth], self._draw(lead_id, "talk", nth)), True
        first, again = self._pools
        pool = (again or first) if nth else (first or again)
        return _pick(pool, self._draw(lead_id, "lead", nth)) or USUAL_REACTION, False

    def _with_talk(self, reaction: Reaction, at: float) -> Reaction:
        if reaction.talk is not None:
            return reaction
        return replace(reaction, talk=_pick(self._talks, at) or USUAL_TALK)

    def _draw(self, lead_id: str, what: str, nth: int) -> float:
        """A number from 0 up to 1, always the same for the same question."""
        digest = hashlib.blake2b(f"{self._seed} {lead_id} {what} {nth}".encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / 2**56

    def _read(self, lead_id: str, call: PastCall) -> None:
        pick_up, reaction = pick_up_of(call), reaction_of(call)
        if pick_up is not None:
            self._pick_ups[lead_id, call.agent_id].append(pick_up)
            self._of_agent[call.agent_id].append(pick_up)
        if reaction is not None:
            known = self._reactions[lead_id]
            (self._again if known else self._first).append(reaction)
            known.append(reaction)


def pick_up_of(call: PastCall) -> PickUp | None:
    """What the agent did in that call; None where his phone did not ring, or nobody told."""
    lead_first = call.first_leg == "lead"
    if call.outcome == "agent_no_answer":
        return PickUp(False)
    if call.outcome not in (("connected",) if lead_first else TAKEN):
        return None
    told = call.leg2_ring if lead_first else call.leg1_ring
    seen = (call.agent_answered_at - call.began_at) // SECOND if call.agent_answered_at and not lead_first else None
    return PickUp(True, next((ring for ring in (told, seen) if ring is not None), USUAL_PICK_UP.ring))


def reaction_of(call: PastCall) -> Reaction | None:
    """What the lead did in that call; None where its phone did not ring, or nobody told."""
    if call.first_leg == "lead":
        ring, talk = call.leg1_ring or 0, call.leg2_talk or call.leg1_talk
        reached = call.outcome in ("connected", "agent_no_answer")
    else:
        ring, talk = call.leg2_ring or 0, call.leg2_talk
        # Who talked too briefly was reached all the same.
        reached = call.outcome == "connected" or (call.leg2_status == "ANSWER" and bool(talk))
    if reached:
        return Reaction("connected", ring, talk if call.outcome != "agent_no_answer" else None)
    if call.outcome in ("lead_no_answer", "lead_busy", "lead_unreachable"):
        return Reaction(call.outcome, ring)
    return None


def _sorted(pick_ups: Iterable[PickUp]) -> list[PickUp]:
    """The quickest first, the missed ones last: so one draw means much the same of every agent."""
    return sorted(pick_ups, key=lambda one: (not one.took, one.ring))


def _worth(reaction: Reaction) -> tuple[bool, str, int, int]:
    return reaction.outcome != "connected", reaction.outcome, reaction.talk or 0, reaction.ring


def _pick(pool: Sequence[T], at: float) -> T | None:
    return pool[int(at * len(pool))] if pool else None


def _is_line(agent_id: str) -> bool:
    return "/" in agent_id


def _absences(calls: Iterable[PastCall]) -> dict[str, list[_Absence]]:
    """By agent, when the provider refused to ring him: from refusal to refusal, and a while longer."""
    spans: dict[str, list[_Absence]] = defaultdict(list)
    rung_since: set[str] = set()
    for call in sorted(calls, key=lambda one: one.reserved_at):
        found = spans[call.agent_id]
        if call.away is not None:
            now = _Absence(call.reserved_at, call.reserved_at + _AWAY_FOR[call.away], call.away)
            if found and found[-1].why == now.why and call.agent_id not in rung_since:
                found[-1] = replace(found[-1], until=now.until)
            else:
                found.append(now)
            rung_since.discard(call.agent_id)
        elif pick_up_of(call) is not None:
            rung_since.add(call.agent_id)
    return spans


def _lags(calls: Iterable[PastCall]) -> Lags:
    missed: list[int] = []
    over: list[int] = []
    told: list[int] = []
    for call in calls:
        if call.first_leg == "lead" or call.leg1_ring is None or call.ended_at is None:
            continue
        end = call.began_at + (call.leg1_ring + (call.leg2_ring or 0) + (call.leg2_talk or 0)) * SECOND
        if call.outcome == "agent_no_answer":
            missed.append(call.ended_at - end)
        elif call.outcome in TAKEN:
            over.append((call.left_at or call.ended_at) - end)
            told.append(call.ended_at - end)
    usual = Lags()
    for name, found in (("missed", missed), ("over", over), ("told", told)):
        if found:
            usual = replace(usual, **{name: min(max(0, int(statistics.median(found))), LONGEST_LAG)})
    return usual
