"""A replay as people read it: what happened beside what would have, and sentences about what matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.clock import to_datetime
from app.domain.hours import zone
from app.domain.past_day import PastDay
from app.domain.uncovered import in_words
from app.service.replay.figures import Figures, Load, Quantiles, SiteTime
from app.service.replay.habits import Lags

WIDE: Final = 34
COLUMN: Final = 20
UNKNOWN: Final = "–"
HOLES: Final = 5  # of a site that are read out
_RESULTS: Final = {
    "connected": "connected",
    "exhausted": "given up after all tries",
    "expired": "expired without a call",
    "cancelled": "cancelled, or phoned in",
    "failed": "failed",
    "spam": "spam",
    "held": "held for a person",
    "refused": "refused at the door",
    "joined": "joined a lead that was open",
    "waiting": "waiting at the end",
    "dialing": "being called at the end",
    "no_site": "of a site that the file has not",
}
_MODES: Final = {"observe": "noticed by {}", "hold": "held by {}", "refuse": "refused by {}"}


@dataclass(frozen=True, slots=True)
class Column:
    """One account under its name: the record's, or a file's."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told of one replay; the last column is the file that it is about."""

    day: PastDay
    timezone: str
    seed: int
    columns: tuple[Column, ...]
    differences: tuple[str, ...] | None  # None: there is nothing to compare with
    notes: tuple[str, ...]
    lags: Lags

    @property
    def again(self) -> int:
        """How often a number with a live lead was sent again."""
        return sum(deed.event == "joined" for lead in self.day.all for deed in lead.deeds)


def read_aloud(report: Report) -> Iterator[str]:
    """The lines, in order."""
    yield from _title(report)
    yield ""
    yield _row("", [column.name for column in report.columns])
    yield from _results(report)
    yield from _guards(report)
    yield from _times(report)
    yield from _sites(report)
    yield ""
    yield from _agents(report)
    for title, sentences in (("what differs", report.differences), ("to know", report.notes or None)):
        if sentences is not None:
            yield ""
            yield f"{title}:"
            yield from (f"  {sentence}" for sentence in sentences or ("nothing that matters",))


def _title(report: Report) -> Iterator[str]:
    day, known, lags = report.day, report.columns[-1].figures.known, report.lags
    when = in_words((day.since, day.until), report.timezone)
    yield f"{when} ({report.timezone}): {len(day.leads)} leads came in"
    yield f"sent again while open: {report.again}; open from before: {len(day.open_before)}"
    agents = f"{known.picked_up} agents ({known.picked_up_drawn} drawn)"
    leads = f"{known.answered} leads ({known.answered_drawn} drawn)"
    yield f"in the replay rang: {agents}, {leads}; the rest as in the record; seed {report.seed}"
    missed, over, told = (f"{lag / 1000:.0f} s" for lag in (lags.missed, lags.over, lags.told))
    yield f"as on that day: a miss is known after {missed}, the end of a call after {over}, how it went after {told}"


def _row(name: str, cells: Sequence[str], more: str = "") -> str:
    return f"{name:<{WIDE}}{''.join(f'{cell:>{COLUMN}}' for cell in cells)}{'  ' + more if more else ''}".rstrip()


def _each(report: Report, of: Callable[[Figures], str]) -> list[str]:
    return [of(column.figures) for column in report.columns]


def _results(report: Report) -> Iterator[str]:
    for name, words in _RESULTS.items():
        found = [column.figures.results[name] for column in report.columns]
        if any(found) or name == "connected":
            yield _row(words, [str(many) for many in found])


def _guards(report: Report) -> Iterator[str]:
    counts = [{(one.guard, one.mode): one for one in column.figures.guards} for column in report.columns]
    for guard, mode in sorted({key for found in counts for key in found}):
        cells = [str(found[guard, mode].leads) if (guard, mode) in found else "0" for found in counts]
        last = next((found[guard, mode] for found in reversed(counts) if (guard, mode) in found), None)
        examples = ", ".join(last.examples) if last is not None else ""
        yield _row(f"  {_MODES[mode].format(guard)}", cells, examples)
    if any(column.figures.put_off for column in report.columns):
        yield _row("  put off by calls_per_number", _each(report, lambda one: str(one.put_off)))


def _times(report: Report) -> Iterator[str]:
    yield _row("nobody by the deadline", _each(report, _deadline))
    yield _row("times told instead", _each(report, lambda one: str(one.promises)))
    yield _row("to the call, p50 / p90 / p99", _each(report, lambda one: _three(one.fresh.to_request)))
    yield _row("to the conversation, p50 / p90", _each(report, lambda one: _two(one.fresh.to_conversation)))
    if any(column.figures.later.to_request.many for column in report.columns):
        yield _row("from opening or set time: the call", _each(report, lambda one: _three(one.later.to_request)))
        yield _row("  the conversation, p50 / p90", _each(report, lambda one: _two(one.later.to_conversation)))


def _deadline(figures: Figures) -> str:
    share = figures.deadline_share
    return f"{figures.deadline_missed}" + (f" ({share:.0%})" if share is not None else "")


def _seconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if value < 100:
        return f"{value:.0f}s"
    return f"{value / 60:.0f}m" if value < 6000 else f"{value / 3600:.1f}h"


def _three(of: Quantiles) -> str:
    return UNKNOWN if not of.many else f"{_seconds(of.p50)} {_seconds(of.p90)} {_seconds(of.p99)}"


def _two(of: Quantiles) -> str:
    return UNKNOWN if not of.many else f"{_seconds(of.p50)} {_seconds(of.p90)}"


def _sites(report: Report) -> Iterator[str]:
    keys = list(dict.fromkeys(one.site for column in report.columns for one in column.figures.sites))
    for key in keys:
        found = [next((one for one in column.figures.sites if one.site == key), None) for column in report.columns]
        yield _row(f"{key}: open minutes", [_minutes(one, lambda it: it.open_minutes) for one in found])
        yield _row("  nobody on shift", [_minutes(one, lambda it: it.nobody_minutes) for one in found])
        yield _row("  leads due, nobody free", [_minutes(one, lambda it: it.waited_minutes) for one in found])
        last = found[-1]
        for span in last.nobody[:HOLES] if last is not None else ():
            yield f"    {in_words(span, report.timezone)} has nobody"
        if last is not None and len(last.nobody) > HOLES:
            yield f"    and {len(last.nobody) - HOLES} more times"
    yield _row("most leads due at once", _each(report, lambda one: _longest(one, report.timezone)))


def _minutes(of: SiteTime | None, which: Callable[[SiteTime], float | None]) -> str:
    found = which(of) if of is not None else None
    return UNKNOWN if found is None else f"{found:.0f}"


def _longest(figures: Figures, timezone: str) -> str:
    if figures.longest_queue is None:
        return UNKNOWN
    at = figures.longest_queue_at
    return f"{figures.longest_queue}" + (f" ({to_datetime(at).astimezone(zone(timezone)):%H:%M})" if at else "")


def _agents(report: Report) -> Iterator[str]:
    yield _row("calls, share / talk / missed", [""] * len(report.columns))
    names = {one.id: one.name for column in report.columns for one in column.figures.agents}
    for agent, name in names.items():
        found = [next((one for one in column.figures.agents if one.id == agent), None) for column in report.columns]
        yield _row(f"  {name}"[:WIDE], [_load(one) for one in found])
    yield _row("  all", [f"{column.figures.calls}" for column in report.columns])
    yield _row("  fewest to most, deviation", _each(report, _spread))


def _load(of: Load | None) -> str:
    if of is None:
        return UNKNOWN
    return f"{of.calls} {of.share:>4.0%} {of.talk_minutes:>4.0f}m {of.missed:>3}"


def _spread(figures: Figures) -> str:
    spread = figures.spread
    return UNKNOWN if spread is None else f"{spread.least}-{spread.most}, {spread.deviation:.0%}"
