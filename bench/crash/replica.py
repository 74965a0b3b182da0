"""One replica: it lives, meets its fate, and lives again on the same port, until the campaign lets it be."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.faults import POINTS
from bench.crash import wire
from bench.crash.history import Ending, History
from bench.crash.plan import KILL, PAUSE, TERM, Fate, Plan
from bench.crash.ports import Port
from bench.crash.processes import Launcher, Process

LIFE: Final = 12.0  # seconds after its start after which a life that met nothing is ended
STARTS_WITHIN: Final = 60.0  # seconds
MOMENT: Final = (0.3, 4.0)  # seconds of a life, start included, after which something comes from outside
# Seconds it stands still: longer than a reservation lasts (5 s), and one in five times longer than a request (12 s).
STANDS: Final = (5.3, 14.0)
ENDS_WITHIN: Final = 20.0  # seconds after SIGTERM: drain, and whatever a crowded machine adds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replica lives: its folder (configuration, log), its environment, and how wrong its wall clock is."""

    folder: Path
    env: Mapping[str, str]
    skew: int = 0


class Replica:
    """`lives` runs it from fate to fate; `rests` runs it without any. Either ends its process when cancelled."""

    def __init__(
        self,
        name: str,
        place: Place,
        launcher: Launcher,
        plan: Plan,
        history: History,
        is_down: Callable[[float], bool],
        rng: random.Random,
    ) -> None:
        """`is_down(since)`: whether the database was away at any time since then."""
        self.name = name
        self.port = Port()
        self.log = place.folder / f"{name}.log"
        self.starts = 0
        self._place = place
        self._launcher = launcher
        self._plan = plan
        self._history = history
        self._is_down = is_down
        self._rng = rng
        self._process: Process | None = None
        self._began = 0.0
        self._log_before = 0  # bytes of the log that are of earlier lives
        self._is_over = False

    async def lives(self) -> None:
        """One life after the other, until no fate is left; then it lives on unharmed."""
        while True:
            fate, stop = self._plan.deaths.draw(), self._draw_stop()
            if fate is None and stop is None:
                await self.rests()
                return
            try:
                await self._life(fate, stop)
            finally:
                await self._bury()

    async def rests(self) -> None:
        """Runs without a fault until it is told to end, or cancelled."""
        try:
            while not self._is_over:
                process = await self._start([])
                await asyncio.shield(process.ended)
                await self._judge(process)
        finally:
            await self._bury()

    async def answers(self) -> None:
        """Until it does, whichever process it is by then; or for a minute."""
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            if self._process is not None and await self._until_it_answers(self._process):
                return
            await asyncio.sleep(0.1)

    async def end(self) -> None:
        """Told to end, and given the time for it; it does not come again."""
        self._is_over = True
        if self._process is not None:
            await self._tell_to_end(self._process)

    def _draw_stop(self) -> Fate | None:
        """Stops are spread over the lives that are still to come."""
        lives = max(1, self._plan.deaths.left)
        if self._plan.stops.left and self._rng.random() < self._plan.stops.left / lives:
            return self._plan.stops.draw()
        return None

    # ------------------------------------------------------------------------------------------------ a life

    async def _life(self, fate: Fate | None, stop: Fate | None) -> None:
        armed = [f"{one.where}@{one.passage(self._rng)}" for one in (fate,) if one is not None and one.where in POINTS]
        armed += [f"{one.where}@{one.passage(self._rng)}:stop" for one in (stop,) if one and one.where in POINTS]
        process = await self._start(armed)
        stood_still = stop is not None and await self._stands_still(process, stop)
        serves = fate is not None and fate.where != KILL and await self._until_it_answers(process)
        await _either(process.ended, LIFE if fate is not None and fate.where in POINTS else self._rng.uniform(*MOMENT))
        met = _was_killed(process) or (fate is not None and fate.where == KILL)
        if fate is not None and fate.where == TERM and serves and not process.ended.done():
            await self._tell_to_end(process)
            met = True
        if fate is not None and met:
            self._plan.deaths.done[fate.where] += 1
        elif fate is not None:
            self._plan.deaths.put_back(fate)
        if stop is not None and not stood_still:
            self._plan.stops.put_back(stop)
        if process.ended.done() and not _was_killed(process):
            await self._judge(process, stood_still=stood_still)

    async def _stands_still(self, process: Process, stop: Fate) -> bool:
        """Wait for it to stand still, or make it; let it stand for longer than a lease; False when it died first."""
        standing = asyncio.create_task(process.stopped.wait())
        try:
            if stop.where == PAUSE:
                await _either(process.ended, self._rng.uniform(*MOMENT))
                process.signal(signal.SIGSTOP)
            else:
                await self._until_it_answers(process)
            either: list[asyncio.Future[Any]] = [standing, process.ended]
            await asyncio.wait(either, timeout=LIFE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            standing.cancel()
        if not process.stopped.is_set() or process.ended.done():
            return False
        await asyncio.sleep(self._rng.uniform(*STANDS))
        process.signal(signal.SIGCONT)
        process.stopped.clear()  # as it will be told in a moment
        self._plan.stops.done[stop.where] += 1
        return True

    async def _until_it_answers(self, process: Process) -> bool:
        """Whether it does; False when it ended or stood still before, or a minute has passed."""
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and not process.ended.done() and not process.stopped.is_set():
            if await wire.answers(self.port.number):
                return True
            await asyncio.sleep(0.1)
        return False

    async def _tell_to_end(self, process: Process) -> None:
        """SIGTERM; how it ended is remembered, unless the database was away meanwhile."""
        asked = time.monotonic()
        process.signal(signal.SIGTERM)
        await asyncio.wait([process.ended], timeout=ENDS_WITHIN)
        status = process.ended.result() if process.ended.done() else None
        if not self._is_down(asked - ENDS_WITHIN):
            now = time.time_ns() // 1_000_000
            lived = int((time.monotonic() - self._began) * 1000)
            self._history.endings.append(Ending(process.pid, now - lived, now, status))

    async def _start(self, armed: list[str]) -> Process:
        env = dict(self._place.env)
        if armed:
            env |= {"LEADRING_FAULTS_ALLOWED": "yes", "LEADRING_FAULT": ",".join(armed)}
        self.starts += 1
        self._began = time.monotonic()
        self._log_before = self.log.stat().st_size if self.log.exists() else 0
        self._process = await self._launcher.start(
            ["serve", "--port", str(self.port.number)],
            env=env,
            folder=self._place.folder,
            log=self.log,
            skew=self._place.skew,
        )
        return self._process

    async def _bury(self) -> None:
        process, self._process = self._process, None
        if process is not None and not process.ended.done():
            await process.end()

    async def _judge(self, process: Process, *, stood_still: bool = False) -> None:
        """A process that ends by itself has an excuse only when it could not start, for want of its database."""
        if process.ended.result() == 0:
            return
        lines = self.log.read_bytes()[self._log_before :].decode(errors="replace").splitlines()
        why = " / ".join(line[-300:] for line in lines[-2:])
        excused = stood_still or self._is_down(self._began - 1) or "PostgreSQL (TimeoutError)" in why
        if not excused or _had_started(lines):
            self._history.strange.append(f"{self.name} ended by itself with {process.ended.result()}: {why}")
        await asyncio.sleep(0.3)


def _had_started(lines: list[str]) -> bool:
    """Whether a process says among these lines, all of them its own, that it serves."""
    return any(line.startswith("{") and json.loads(line).get("event") == "started" for line in lines)


def _was_killed(process: Process) -> bool:
    return process.ended.done() and process.ended.result() == -signal.SIGKILL


async def _either(ended: asyncio.Future[int], seconds: float) -> None:
    """Until it has ended, or for so long."""
    await asyncio.wait([ended], timeout=seconds)
