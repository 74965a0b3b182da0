"""The table of a campaign, and the same as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.crash.campaign import Result
from bench.crash.checker import RULES
from bench.crash.history import History
from bench.crash.plan import KILL, PAUSE, TERM, EngineName

Line = tuple[str, dict[EngineName, int], int | None]  # what, how many on each engine, how many were asked for

OTHERS: Final = {
    "postgresql": "PostgreSQL shut down at once and started again",
    "redis killed": "Redis killed and started empty",
    "redis hung": "Redis stood still for 2 s",
    "door shut": "provider refused connections for a while",
}


def text(result: Result) -> str:
    """Everything that happened, and the verdicts."""
    parts = [
        _table("faults", result, _faults(result)),
        _table("load", result, _load(result)),
        _table("verdict", result, _verdicts(result)),
        f"seed {result.seed}: {result.starts} lives of replicas in {result.seconds:.0f} s; settled after "
        + ", ".join(f"{history.settled_after or 0:.1f} s ({history.world})" for _, history in result.histories)
        + f"; CPU: replicas {result.cpu_seconds['replicas']:.0f} s, we {result.cpu_seconds['ourselves']:.0f} s; "
        f"our slowest turn {result.slowest_turn:.2f} s",
    ]
    if result.surprises:
        parts.append("tracebacks in the logs:\n" + "\n".join(f"  {n} x {what}" for what, n in result.surprises.items()))
    if result.missing:
        parts.append("not reached within the time: " + "; ".join(result.missing))
    if result.proves_nothing:
        parts.append("THIS PROVES NOTHING: " + "; ".join(result.proves_nothing))
    if result.violations:
        shown = result.violations[:40]
        parts.append("BROKEN:\n" + "\n".join(f"  {words}" for words in shown))
        if len(shown) < len(result.violations):
            parts.append(f"  … and {len(result.violations) - len(shown)} more, in the JSON")
    return "\n\n".join(parts)


def write(path: Path, result: Result, machine: dict[str, str]) -> None:
    """The same as JSON, with every accusation."""
    found: dict[str, Any] = {
        "machine": machine,
        "seed": result.seed,
        "asked": asdict(result.size),
        "seconds": round(result.seconds, 1),
        "lives": result.starts,
        "slowest_turn": round(result.slowest_turn, 3),
        "cpu_seconds": result.cpu_seconds,
        "settled_after": {history.world: history.settled_after for _, history in result.histories},
        "faults": {name: counts for name, counts, _ in _faults(result)},
        "load": {name: counts for name, counts, _ in _load(result)},
        "verdicts": {name: counts for name, counts, _ in _verdicts(result)},
        "missing": result.missing,
        "proves_nothing": result.proves_nothing,
        "violations": result.violations,
        "tracebacks": dict(result.surprises),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _faults(result: Result) -> list[Line]:
    plans = {plan.engine: plan for plan in result.plans}
    lines: list[Line] = []
    for where, words in [
        *((point, f"killed at {point}") for point in result.size.points),
        (KILL, "killed at some moment"),
        (TERM, "told to end (SIGTERM)"),
    ]:
        counts = {engine: plan.deaths.done[where] for engine, plan in plans.items()}
        lines.append((words, counts, sum(plan.deaths.asked[where] for plan in plans.values())))
    points = {engine: plan.stops.done.total() - plan.stops.done[PAUSE] for engine, plan in plans.items()}
    moments = {engine: plan.stops.done[PAUSE] for engine, plan in plans.items()}
    asked = sum(plan.stops.asked.total() for plan in plans.values())
    at_moments = sum(plan.stops.asked[PAUSE] for plan in plans.values())
    lines.append(("stood still past a lease, at a named point", points, asked - at_moments))
    lines.append(("stood still past a lease, at some moment", moments, at_moments))
    for name, words in OTHERS.items():
        wanted = sum(plan.database_restarts for plan in plans.values()) if name == "postgresql" else None
        counts = {engine: done[name] for engine, done in result.done.items()}
        if any(counts.values()) or wanted:
            lines.append((words, counts, wanted))
    return lines


def _load(result: Result) -> list[Line]:
    by_engine = {plan.engine: [h for engine, h in result.histories if engine == plan.engine] for plan in result.plans}
    counts = {engine: sum((_counted(h) for h in histories), Counter[str]()) for engine, histories in by_engine.items()}
    names = list(dict.fromkeys(name for found in counts.values() for name in sorted(found)))
    order = ["leads sent", "… acknowledged", "… never acknowledged", "requests", "… that rang", "persons called again"]
    names = order + [name for name in names if name not in order]
    asked = {"… acknowledged": result.size.leads}
    return [(name, {engine: found[name] for engine, found in counts.items()}, asked.get(name)) for name in names]


def _counted(history: History) -> Counter[str]:
    acked = sum(bool(one.leads) for one in history.submissions)
    found = Counter(
        {
            "leads sent": len(history.submissions),
            "… acknowledged": acked,
            "… never acknowledged": len(history.submissions) - acked,
            "requests": len(history.requests),
            "… that rang": sum(call.rung for call in history.requests),
            "persons called again": sum(n > 1 for n in Counter(call.person for call in history.requests).values()),
            "reports taken": sum(report.acked_at is not None for call in history.requests for report in call.reports),
        }
    )
    for call in history.requests:
        found[f"… answered: {call.kind}"] += 1
    for one in history.submissions:
        for heard, count in one.heard.items():
            found[f"visitors heard {heard}"] += count
    for lead in history.books.leads:
        found[f"leads in the end {lead['state']}"] += 1
    for attempt in history.books.attempts:
        found[f"attempts in the end {attempt['state']}"] += 1
    return found


def _verdicts(result: Result) -> list[Line]:
    return [
        (rule.name, {engine: len(found[rule.name]) for engine, found in result.verdicts.items()}, 0) for rule in RULES
    ]


def _table(head: str, result: Result, lines: Sequence[Line]) -> str:
    engines = [plan.engine for plan in result.plans]
    rows = [(head, *engines, "together", "target" if head == "verdict" else "asked")]
    for name, counts, asked in lines:
        numbers = [counts.get(engine, 0) for engine in engines]
        rows.append((name, *(f"{n:,}" for n in numbers), f"{sum(numbers):,}", "" if asked is None else f"{asked:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    )
