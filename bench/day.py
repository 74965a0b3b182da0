"""T12: a day of traffic in virtual time: what came of its leads, and how long the replay took.

Of the figures only the seconds of the replay are the machine's; all others are the seed's.
"""

from __future__ import annotations

import logging
import time

import structlog

from bench.figures import Figure, median, percentile
from bench.replay import replay
from bench.workbench import Workbench

SEED = 1


async def measure(bench: Workbench) -> list[Figure]:
    """The day's figures, and how long the replay took."""
    many, agents = int(bench.pick(2000, 150)), int(bench.pick(20, 4))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, cpu = time.monotonic(), time.process_time()
    try:
        day = await replay(bench.folder, many, agents, SEED)
    finally:
        structlog.reset_defaults()
    seconds, spent = time.monotonic() - began, time.process_time() - cpu
    ended = ", ".join(f"{count:,} {state}" for state, count in sorted(day.leads.items()))
    total = day.leads.total()
    calls = day.calls
    return [
        Figure(
            "T12",
            f"24 h replayed, {total:,} leads, {agents} agents, seed {SEED}: connected",
            "",
            f"{ended}",
            f"{day.leads['connected'] / total:.2f}",
        ),
        Figure(
            "T12",
            "  to the first agent who answers, p50 / p90, of who came in opening hours",
            "",
            f"{median(day.waits):.0f} / {percentile(day.waits, 0.9):.0f} s",
        ),
        Figure("T12", "  of them without an agent 40 s after they came", "", f"{day.late:,} of {day.in_hours:,}"),
        Figure("T12", "  of them told another time", "", f"{day.told:,} of {day.in_hours:,}"),
        Figure(
            "T12", "  without an agent by the time that they were told first", "", f"{day.broken:,} of {day.told:,}"
        ),
        Figure("T12", "  never rung in time", "", f"{day.leads['expired']:,}"),
        Figure("T12", "  calls an agent: least, median, most", "", f"{calls[0]}, {median(calls):.0f}, {calls[-1]}"),
        Figure("T12", "  unaccounted for", "0", str(day.unaccounted), met=day.unaccounted == 0),
        Figure("T12", f"  {day.ended_after / 3600:.1f} h took", "", f"{seconds:.1f} s ({spent:.1f} s of CPU)"),
    ]
