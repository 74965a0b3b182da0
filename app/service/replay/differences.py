"""What a changed file would have changed, in sentences; and what a replay of it cannot know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from app.directory import Directory
from app.domain.past_day import PastDay
from app.domain.uncovered import in_words, without
from app.service.replay.figures import Figures, Quantiles, SiteTime
from app.service.replay.habits import LEAST_CALLS, Habits

# From where on a difference is worth a sentence: so much of the old figure, and at least so many.
PART: Final = 0.1
LEAST_SECONDS: Final = 1.0
LEAST_MINUTES: Final = 5.0
LEAST_CALLS_MORE: Final = 5
LEAST_QUEUE: Final = 3
NAMES: Final = 5  # of agents, in one sentence
_RESULTS: Final = {
    "connected": "would be connected",
    "exhausted": "would be given up after all tries",
    "expired": "would expire without a call",
    "joined": "would join a lead that is still open",
    "waiting": "would still wait at the end",
}
_MODES: Final = {"observe": "noticed", "hold": "held", "refuse": "refused"}


def differences(new: Figures, old: Figures, new_file: Directory, old_file: Directory) -> list[str]:
    """Sentences about the new file beside the old one, what costs leads first; none where nothing differs."""
    return [
        *_guards(new, old),
        *_results(new, old),
        *_deadline(new, old),
        *_times(new, old),
        *_sites(new, old, new_file, old_file),
        *_queue(new, old),
        *_load(new, old),
    ]


def notes(day: PastDay, directory: Directory, habits: Habits) -> list[str]:
    """What to know about a replay of this file on that day."""
    return [*_unknown_sites(day, directory), *_agents(day, directory, habits), *_no_calls(habits)]


def _count(many: int, one: str) -> str:
    """ "1 lead", "3 leads"."""
    return f"{many} {one}{'' if many == 1 else 's'}"


def _more(new: int, old: int, one: str = "lead") -> str:
    return f"{_count(abs(new - old), one)} {'more' if new > old else 'fewer'}"


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _guards(new: Figures, old: Figures) -> Iterator[str]:
    counts = [{(one.guard, one.mode): one.leads for one in figures.guards} for figures in (new, old)]
    for key in sorted(counts[0].keys() | counts[1].keys()):
        now, before = counts[0].get(key, 0), counts[1].get(key, 0)
        if now != before:
            guard, mode = key
            yield f"{_more(now, before)} would be {_MODES[mode]} by {guard} ({now} instead of {before})"
    if new.put_off != old.put_off:
        than = f"({new.put_off} instead of {old.put_off})"
        yield f"calls_per_number would put off {_more(new.put_off, old.put_off)} to the next day {than}"


def _results(new: Figures, old: Figures) -> Iterator[str]:
    for name, words in _RESULTS.items():
        now, before = new.results[name], old.results[name]
        if now != before:
            yield f"{_more(now, before)} {words} ({now} instead of {before})"


def _deadline(new: Figures, old: Figures) -> Iterator[str]:
    now, before = new.deadline_missed, old.deadline_missed
    if now != before:
        yield f"{_more(now, before)} would have nobody by the deadline ({now} instead of {before})"


def _times(new: Figures, old: Figures) -> Iterator[str]:
    pairs: tuple[tuple[str, Quantiles, Quantiles], ...] = (
        ("for the call", new.fresh.to_request, old.fresh.to_request),
        ("for the conversation", new.fresh.to_conversation, old.fresh.to_conversation),
        ("for the call from the opening or the set time on", new.later.to_request, old.later.to_request),
    )
    for words, after, before in pairs:
        for part, now, then in (("half", after.p50, before.p50), ("nine in ten", after.p90, before.p90)):
            if now is not None and then is not None and _matters(now, then, LEAST_SECONDS):
                yield f"{part} would wait up to {_length(now)} {words}, instead of {_length(then)}"


def _sites(new: Figures, old: Figures, new_file: Directory, old_file: Directory) -> Iterator[str]:
    then = {one.site: one for one in old.sites}
    for now in new.sites:
        before = then.get(now.site)
        if before is None:
            yield f"{now.site} is a site that only the new file has"
            continue
        clock = _clock(new_file, now.site)
        for span in without(list(now.nobody), list(before.nobody)):
            yield f"{now.site}: {in_words(span, clock)} has nobody"
        yield from _covered(now, before, new_file, old_file)
        after, until_now = now.waited_minutes, before.waited_minutes
        if after is not None and until_now is not None and _matters(after, until_now, LEAST_MINUTES):
            instead = f"for {after:.0f} minutes instead of {until_now:.0f}"
            yield f"{now.site}: leads would wait with nobody free {instead}"
    for site in then.keys() - {one.site for one in new.sites}:
        yield f"{site} is a site that the new file does not have"


def _covered(now: SiteTime, before: SiteTime, new_file: Directory, old_file: Directory) -> Iterator[str]:
    """Holes that are closed: by somebody who is there, or because the site is."""
    clock = _clock(new_file, now.site)
    for span in without(list(before.nobody), list(now.nobody)):
        yield f"{now.site}: {in_words(span, clock)} is no hole any more"


def _clock(directory: Directory, site: str) -> str:
    hours = directory.sites[site].hours
    return directory.hours[hours].timezone if hours is not None else directory.policy.timezone


def _queue(new: Figures, old: Figures) -> Iterator[str]:
    now, before = new.longest_queue, old.longest_queue
    if now is not None and before is not None and _matters(now, before, LEAST_QUEUE):
        yield f"at most {_count(now, 'lead')} would be due at once, instead of {before}"


def _load(new: Figures, old: Figures) -> Iterator[str]:
    then = {one.id: one.calls for one in old.agents}
    for agent in new.agents:
        before = then.get(agent.id, 0)
        if _matters(agent.calls, before, LEAST_CALLS_MORE):
            yield f"{agent.name} would have {_more(agent.calls, before, 'call')} ({agent.calls} instead of {before})"


def _matters(now: float, before: float, least: float) -> bool:
    return abs(now - before) >= max(least, PART * before)


def _unknown_sites(day: PastDay, directory: Directory) -> Iterator[str]:
    lost = Counter(lead.site for lead in day.all if lead.site not in directory.sites)
    for site, many in sorted(lost.items()):
        yield f"{_count(many, 'lead')} of site {site}, which the file does not have: not replayed"


def _agents(day: PastDay, directory: Directory, habits: Habits) -> Iterator[str]:
    had = Counter(call.agent_id for lead in day.all for call in lead.calls)
    for name, many in sorted(had.items()):
        if name not in directory.agents and "/" not in name:
            yield f"{name}, who had {_count(many, 'call')} that day, is not in the file"
    if not habits.knows_calls:
        return
    few = [agent.id for agent in directory.people if agent.enabled and habits.calls_of(agent.id) < LEAST_CALLS]
    if few:
        names = ", ".join(few[:NAMES]) + (f" and {len(few) - NAMES} others" if len(few) > NAMES else "")
        yield f"{names} had fewer than {LEAST_CALLS} calls that day: taken to pick up as all do"


def _no_calls(habits: Habits) -> Iterator[str]:
    if not habits.knows_calls:
        yield "no call of that day is kept: agents are taken to pick up after 5 s, leads after 10 s, to talk 3 minutes"
