"""Slots: the moments at which a callback can be promised, by how many calls the agents on shift can take. Pure.

The day is cut where the site's clock on the wall shows a multiple of `slot`, and where the site opens and closes. Leads
that are due fill the slot in which they are; who does not fit goes on into the next one, as the line will. It is a
plan and no reservation: nobody's agent is kept free for it. Moments are epoch milliseconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from app.directory import Agent, Directory, Site, may_take
from app.domain.clock_marks import Marks, time_of_day
from app.domain.hours import zone
from app.domain.shifts import Shifts, next_open, timetable

MOST_OFFERED: Final = 60
COARSER: Final = (30, 60, 120, 240, 360)  # minutes: where there are too many, only every so many are offered
_MINUTE: Final = 60_000

Booked = Mapping[str, Mapping[int, int]]
"""How many leads of each site are due at which moment."""


@dataclass(frozen=True, slots=True)
class Slot:
    """From `start` up to, not including, `end`; `room` is how many more calls fit. `whole`: not cut, nor begun."""

    start: int
    end: int
    room: int
    whole: bool


class Plan:
    """The slots of one site from a moment on, for so many days on which it is open."""

    def __init__(self, directory: Directory, site: Site, since: int, days: int) -> None:
        policy = directory.policy
        week = timetable(directory, site.hours)
        self._marks = Marks(zone(week.timezone), policy.slot * 1000)
        self._call = policy.call_takes * 1000
        self.since = since
        able = _able(directory, site)
        self._open = next_open(week, since, days) if able else []
        self._shifts = [
            (many, Shifts(timetable(directory, name), since, self.until))
            for name, many in Counter(agent.hours for agent in able).items()
        ]
        self.shares: Mapping[str, Fraction] = _shares(directory, able)
        """The sites whose leads count here, and how much: the part of their agents who are this site's, too."""

    @property
    def until(self) -> int:
        """Where the last slot ends: leads due later do not count."""
        return self._open[-1][1] if self._open else self.since

    def slots(self, booked: Booked) -> Iterator[Slot]:
        """All slots in order, full ones too. Leads due before the beginning fill the first."""
        unit = math.lcm(*(share.denominator for share in self.shares.values()))  # a whole call, counted in parts of one
        due = sorted(
            (moment, many * int(self.shares[site] * unit))
            for site, moments in booked.items()
            if site in self.shares
            for moment, many in moments.items()
        )
        waiting = heard = 0
        for start, end, whole in self._pieces():
            while heard < len(due) and due[heard][0] < end:
                waiting += due[heard][1]
                heard += 1
            left = self._capacity(start, end) * unit - waiting
            yield Slot(start, end, max(0, left // unit), whole)
            waiting = max(0, -left)

    def offered(self, booked: Booked) -> list[int]:
        """The beginnings that can be offered, at least one slot from now, at most 60.

        Where more have room, only those on the half hour are left, else those on the hour, and so on: people want
        to choose a day, not a minute.
        """
        first = self.since + self._marks.step
        free = [slot.start for slot in self.slots(booked) if slot.whole and slot.room and slot.start >= first]
        if len(free) <= MOST_OFFERED:
            return free
        clock = [(start, time_of_day(start, self._marks.clock)) for start in free]
        for minutes in COARSER:
            found = [start for start, time in clock if time % (minutes * _MINUTE) == 0]
            if len(found) <= MOST_OFFERED:
                break
        return found[:MOST_OFFERED]

    def book(self, wanted: int, booked: Booked) -> int:
        """`wanted`, when there is room for it, else the next slot that has some; `wanted` when none has."""
        for slot in self.slots(booked):
            if slot.end > wanted and slot.room:
                return max(wanted, slot.start)
        return wanted

    def _pieces(self) -> Iterator[tuple[int, int, bool]]:
        for opens, closes in self._open:
            start = max(opens, self.since)
            mark = self._marks.before(start)
            while start < closes:
                after = self._marks.after(mark)
                end = min(after, closes)
                yield start, end, start == mark and end - start >= self._marks.step
                start, mark = end, after

    def _capacity(self, start: int, end: int) -> int:
        """How many calls fit: for each agent who is there all the time as many as go into it, and at least one."""
        agents = sum(many for many, shifts in self._shifts if shifts.cover(start, end))
        return agents * max(1, (end - start) // self._call)


def _able(directory: Directory, site: Site) -> list[Agent]:
    return [agent for agent in directory.agents.values() if may_take(site, agent)]


def _shares(directory: Directory, able: Iterable[Agent]) -> dict[str, Fraction]:
    ours = {agent.id for agent in able}
    found: dict[str, Fraction] = {}
    for site in directory.sites.values():
        theirs = {agent.id for agent in _able(directory, site)}
        if ours & theirs:
            found[site.key] = Fraction(len(ours & theirs), len(theirs))
    return found
