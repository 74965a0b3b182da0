"""A process that does nothing but be one of several on a database, and note all the time whether it is the one that
polls: to be stopped, killed, and read afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from app.store.engine import open_engine
from tests.server_process import Server, wait_until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0  # seconds
BACK_AGAIN = "the database notifies again"  # what app/store/wakeups.py writes


class Poller(Server):
    """`with Poller(url) as one:`; `noted` is what it believed, and when, by the clock that all processes share."""

    def __init__(self, database_url: str) -> None:
        super().__init__("poller")
        self._url = database_url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def command(self) -> list[str]:
        return ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.store.poller", self._url]

    def is_ready(self) -> bool:
        return bool(self.noted)

    def stands_still(self) -> float:
        """Stop it (SIGSTOP); the monotonic second from which on it surely does nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        process = psutil.Process(self.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, PATIENCE, "it stands still")
        return time.monotonic()

    def goes_on(self) -> None:
        """Let it run again (SIGCONT), and wait until it has a session again."""
        before = self.log.count(BACK_AGAIN)
        os.kill(self.pid, signal.SIGCONT)
        wait_until(lambda: self.log.count(BACK_AGAIN) > before, PATIENCE, "it has a session again")

    @property
    def noted(self) -> list[tuple[float, bool]]:
        """When it looked (monotonic seconds), and whether it polled then; without the line it is just writing."""
        lines = [line.split() for line in self.log.splitlines() if line.startswith("polls ")]
        return [(float(line[1]), line[2] == "1") for line in lines if len(line) == 3]

    @property
    def polls(self) -> bool:
        """What it believed last."""
        return self.noted[-1][1]

    def beliefs(self) -> list[tuple[float, float]]:
        """From when until when it believed, look after look without a break, that it polls."""
        found: list[tuple[float, float]] = []
        for believed, group in groupby(self.noted, key=lambda look: look[1]):
            moments = [at for at, _ in group]
            if believed:
                found.append((moments[0], moments[-1]))
        return found


def never_both(one: Poller, other: Poller) -> bool:
    """Whether there was no moment at which both believed that they poll."""
    return not any(a < d and c < b for a, b in one.beliefs() for c, d in other.beliefs())


async def note(database_url: str) -> None:
    """Write every ten milliseconds what is believed."""
    engine = open_engine(database_url, alone=False)
    await engine.start()
    while True:
        at = time.monotonic()  # before the look: standing still in between makes it older, never newer
        print(f"polls {at:.4f} {engine.polls:d}", flush=True)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(note(sys.argv[1]))
