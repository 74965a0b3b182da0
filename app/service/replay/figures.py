"""What is counted of a day's account: results, guards, times, load, and open minutes without anybody."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.directory import Directory, Mode
from app.domain.phone import mask
from app.domain.shifts import Span, timetable
from app.domain.uncovered import common, minutes, nobody_there, open_spans
from app.service.replay.ledger import RESULTS, CallMade, Known, LeadEnd, Ledger

EXAMPLES: Final = 3  # numbers that are shown of a guard


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Seconds within which half, nine in ten, and all but one in a hundred of `many` were; None where none is known."""

    many: int
    p50: float | None
    p90: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """Until an agent was asked for, and until both talked."""

    to_request: Quantiles
    to_conversation: Quantiles


@dataclass(frozen=True, slots=True)
class GuardCount:
    """How many leads a guard spoke of in that mode; `examples` are masked numbers."""

    guard: str
    mode: Mode
    leads: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What one agent had, or all the lines to an IVR. `share` of all calls; `there`: minutes on shift."""

    id: str
    name: str
    calls: int
    share: float
    talk_minutes: float
    missed: int
    there: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly calls were spread over the people on shift. `deviation`: the standard one, as a part of the mean."""

    least: int
    most: int
    deviation: float


@dataclass(frozen=True, slots=True)
class SiteTime:
    """Open minutes of a site; of them without anybody on shift (`nobody` says when, in ms), and with leads that were
    due and nobody free for them (None where nobody knows)."""

    site: str
    open_minutes: float
    nobody_minutes: float
    nobody: tuple[Span, ...]
    waited_minutes: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one account. `fresh`: of leads that came while it was open, from when they came; `later`: of the
    others, from the opening or the set time."""

    results: dict[str, int]
    guards: tuple[GuardCount, ...]
    deadline_missed: int
    deadline_of: int
    promises: int
    put_off: int
    fresh: Times
    later: Times
    calls: int
    agents: tuple[Load, ...]
    spread: Spread | None
    sites: tuple[SiteTime, ...]
    longest_queue: int | None
    longest_queue_at: int | None
    known: Known

    @property
    def deadline_share(self) -> float | None:
        """Which part of the leads that were to be called had nobody by their deadline."""
        return self.deadline_missed / self.deadline_of if self.deadline_of else None


def figures(ledger: Ledger, directory: Directory, since: int, until: int) -> Figures:
    """Count. Leads are all that the account knows; calls and times are those that began in that time."""
    within = [lead for lead in ledger.leads if lead.request_at is not None and since <= lead.request_at < until]
    called = {lead.id for lead in within} | {lead.id for lead in ledger.leads if lead.promises}
    calls = [call for call in ledger.calls if since <= call.at < until]
    results = Counter(lead.result for lead in ledger.leads)
    agents = _load(calls, directory, since, until)
    return Figures(
        {name: results[name] for name in RESULTS},
        _guards(ledger.leads),
        sum(bool(lead.promises) for lead in ledger.leads),
        len(called),
        sum(lead.promises for lead in ledger.leads),
        ledger.put_off,
        _waited([lead for lead in within if lead.fresh]),
        _waited([lead for lead in within if not lead.fresh]),
        len(calls),
        agents,
        _spread([one for one in agents if one.there]),
        tuple(_times(ledger, directory, since, until)),
        ledger.longest[0] if ledger.longest else (0 if ledger.waited is not None else None),
        ledger.longest[1] if ledger.longest else None,
        ledger.known,
    )


def _waited(leads: Sequence[LeadEnd]) -> Times:
    return Times(
        _quantiles(_seconds(lead.origin, lead.request_at) for lead in leads),
        _quantiles(_seconds(lead.origin, lead.conversation_at) for lead in leads),
    )


def _seconds(since: int | None, moment: int | None) -> float | None:
    return None if since is None or moment is None else max(0, moment - since) / 1000


def _quantiles(found: Iterable[float | None]) -> Quantiles:
    """By nearest rank: each is a time that really was."""
    known = sorted(one for one in found if one is not None)
    p50, p90, p99 = (known[-(-len(known) * part // 100) - 1] if known else None for part in (50, 90, 99))
    return Quantiles(len(known), p50, p90, p99)


def _guards(leads: Sequence[LeadEnd]) -> tuple[GuardCount, ...]:
    found: dict[tuple[str, Mode], list[str]] = {}
    for lead in leads:
        for hit in dict.fromkeys(lead.hits):
            found.setdefault((hit.guard, hit.mode), []).append(mask(lead.phone))
    return tuple(
        GuardCount(guard, mode, len(phones), tuple(dict.fromkeys(phones))[:EXAMPLES])
        for (guard, mode), phones in sorted(found.items())
    )


def _load(calls: Sequence[CallMade], directory: Directory, since: int, until: int) -> tuple[Load, ...]:
    """Everybody in the file, then whoever else had a call."""
    shifts: dict[str | None, float] = {}
    rows = {agent.id: agent.name for agent in directory.people if agent.enabled}
    there = dict.fromkeys(rows, 0.0)
    for agent in directory.people:
        if agent.enabled:
            if agent.hours not in shifts:
                shifts[agent.hours] = minutes(open_spans(timetable(directory, agent.hours), since, until))
            there[agent.id] = shifts[agent.hours]
    of: dict[str, list[CallMade]] = {}
    for call in calls:
        site, line, _ = call.agent_id.partition("/ivr/")
        of.setdefault(f"{site} IVR" if line else site, []).append(call)
    rows |= {name: name for name in sorted(of) if name not in rows}
    return tuple(
        Load(
            name,
            shown,
            len(of.get(name, ())),
            len(of.get(name, ())) / len(calls) if calls else 0.0,
            sum(call.talk for call in of.get(name, ())) / 60,
            sum(call.missed for call in of.get(name, ())),
            there.get(name, 0.0),
        )
        for name, shown in rows.items()
    )


def _spread(agents: Sequence[Load]) -> Spread | None:
    counts = [one.calls for one in agents]
    if not any(counts):
        return None
    return Spread(min(counts), max(counts), statistics.pstdev(counts) / statistics.fmean(counts))


def _times(ledger: Ledger, directory: Directory, since: int, until: int) -> Iterable[SiteTime]:
    for site in directory.sites.values():
        opening = open_spans(timetable(directory, site.hours), since, until)
        nobody = nobody_there(directory, site, since, until)
        waited = None
        if ledger.waited is not None:
            waited = minutes(common(opening, list(ledger.waited.get(site.key, ()))))
        yield SiteTime(site.key, minutes(opening), minutes(nobody), tuple(nobody), waited)
