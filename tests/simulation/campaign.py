"""Many worlds, one after the other or in several processes, and what came of them."""

from __future__ import annotations

import contextlib
import gc
import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, MutableMapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from app.metrics import Metrics
from tests.simulation.database import Database
from tests.simulation.world import Outcome, World

COLLECT_EVERY: Final = 10  # worlds
CHUNK: Final = 50  # seeds that a process takes at once
MOST_FAILURES: Final = 10  # after which a campaign ends
ROOT: Final = Path(__file__).resolve().parent.parent.parent


@dataclass
class Summary:
    """What a campaign has seen. `cpu` in seconds, over all processes."""

    worlds: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    schedules: set[str] = field(default_factory=set)
    histories: set[str] = field(default_factory=set)
    steps: int = 0
    leads: int = 0
    requests: int = 0
    lasted: float = 0.0
    cpu: float = 0.0
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.worlds += 1
        if outcome.failure is not None:
            self.failures.append((outcome.seed, outcome.failure))
        self.schedules.add(outcome.schedule)
        self.histories.add(outcome.history)
        self.steps += outcome.steps
        self.leads += outcome.leads
        self.requests += outcome.requests
        self.lasted += outcome.lasted
        self.happened.update(outcome.happened)

    def join(self, other: Summary) -> None:
        self.worlds += other.worlds
        self.failures += other.failures
        self.schedules |= other.schedules
        self.histories |= other.histories
        self.steps += other.steps
        self.leads += other.leads
        self.requests += other.requests
        self.lasted += other.lasted
        self.cpu += other.cpu
        self.happened.update(other.happened)


class Ear:
    """Hears the service's log: a traceback in it is a failure that some loop has caught, and so a mishap."""

    def __init__(self) -> None:
        self.world: World | None = None

    def __call__(self, _logger: Any, level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self.hear(level, str(line.get("event")), line.get("exc_info"), line)
        raise structlog.DropEvent

    def hear(self, level: str, event: str, error: Any, line: MutableMapping[str, Any]) -> None:
        if self.world is None:
            return
        if error:
            self.world.loop.mishaps.append(f"{event}: {type(caught := sys.exc_info()[1]).__name__}: {caught}")
        self.world.witness.tell(f"{level}: {event}", line)


class _Handler(logging.Handler):
    def __init__(self, ear: Ear) -> None:
        super().__init__(logging.WARNING)
        self._ear = ear

    def emit(self, record: logging.LogRecord) -> None:
        self._ear.hear(record.levelname.lower(), record.getMessage(), record.exc_info, {})


@contextlib.contextmanager
def listening(*, tell: bool) -> Iterator[Ear]:
    """The log is heard by an ear instead of being written, for as long as this lasts."""
    ear = Ear()
    before = structlog.get_config()
    handler, logger = _Handler(ear), logging.getLogger("leadring")
    structlog.configure(
        processors=[ear],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if tell else logging.ERROR),
        cache_logger_on_first_use=False,
    )
    logger.addHandler(handler)
    try:
        yield ear
    finally:
        logger.removeHandler(handler)
        structlog.configure(**before)


def outcomes(seeds: Iterable[int], *, tell: bool = False) -> Iterator[Outcome]:
    """The worlds of these seeds, one after the other."""
    database, metrics = Database(), Metrics()
    collecting = gc.isenabled()
    try:
        with listening(tell=tell) as ear:
            for number, seed in enumerate(seeds):
                # A world is a knot that only the collector undoes: once in a while is enough, and a fifth quicker.
                gc.disable()
                ear.world = world = World(seed, database, metrics, tell=tell)
                yield world.live()
                ear.world = None
                if number % COLLECT_EVERY == 0:
                    gc.collect()
    finally:
        if collecting:
            gc.enable()
        database.close()


def summary_of(seeds: Iterable[int], failures: int = MOST_FAILURES) -> Summary:
    """All of them together, or as many as it takes until so many have failed."""
    began, found = time.process_time(), Summary()
    for outcome in outcomes(seeds):
        found.add(outcome)
        if len(found.failures) >= failures:
            break
    found.cpu = time.process_time() - began
    return found


def campaign(
    first: int, many: int, *, processes: int, seconds: float, failures: int = MOST_FAILURES
) -> Iterator[Summary]:
    """What is known so far, again and again, until all seeds are done, the time is up or so many have failed."""
    ends = time.monotonic() + seconds
    chunks = iter(range(first, first + many, CHUNK))
    total = Summary()
    with ProcessPoolExecutor(processes) as pool:
        running: set[Future[Summary]] = set()
        while True:
            while len(running) < processes and time.monotonic() < ends and len(total.failures) < failures:
                start = next(chunks, None)
                if start is None:
                    break
                running.add(pool.submit(summary_of, range(start, min(start + CHUNK, first + many)), failures))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                total.join(one.result())
            yield total


def commit() -> str:
    """The revision of the code under test, with a mark where files were changed since."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def how_to_replay(seed: int, failure: str) -> str:
    """What a person needs to see it again."""
    return (
        f"seed {seed} on commit {commit()}: {failure}\n"
        f"  to see what happened: python -m tests.simulation --seed {seed} --story"
    )
