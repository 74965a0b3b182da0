"""Processes of the service as the campaign handles them: started by the launcher, signalled, and watched."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.child import ROOT

READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class LauncherDied(Exception):
    """Without it nothing can be started or watched: the campaign is over."""


class Process:
    """One process. `stopped` is set while it stands still; `ended` has its exit code, negative for a signal."""

    def __init__(self, launcher: Launcher, pid: int) -> None:
        self.pid = pid
        self.stopped = asyncio.Event()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._launcher = launcher

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""
        self._launcher.tell({"signal": int(number), "pid": self.pid})

    async def end(self) -> int:
        """Kill it, whatever it is doing; its exit code, which is another one when it had ended already."""
        self.signal(signal.SIGKILL)
        return await asyncio.shield(self.ended)


class Launcher:
    """`async with Launcher(folder) as launcher:`; its processes are gone when it is.

    `cpu_seconds` is what those used that have ended.
    """

    def __init__(self, folder: Path) -> None:
        self.cpu_seconds = 0.0
        self._log = folder / "launcher.log"
        self._numbers = itertools.count(1)
        self._ordered: dict[int, asyncio.Future[Process]] = {}
        self._processes: dict[int, Process] = {}
        self._child: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        wrapper = ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []
        with self._log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *[*wrapper, sys.executable, "-m", "bench.crash.launcher"],
                cwd=ROOT,
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the campaign, which then stops in order
            )
        assert self._child.stdout is not None
        async with asyncio.timeout(READY_SECONDS):
            if not await self._child.stdout.readline():
                raise LauncherDied(self._log.read_text(errors="replace")[-2000:])
        self._reading = asyncio.create_task(self._read(self._child.stdout))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
            await self._child.wait()
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def start(
        self, arguments: Sequence[str], *, env: Mapping[str, str], folder: Path, log: Path, skew: int = 0
    ) -> Process:
        """`python -m app ARGUMENTS` in that environment and nothing more of ours; it has begun, no more is said."""
        number = next(self._numbers)
        self._ordered[number] = asyncio.get_running_loop().create_future()
        self.tell(
            {
                "number": number,
                "arguments": list(arguments),
                "env": dict(env),
                "folder": str(folder),
                "log": str(log),
                "skew": skew,
            }
        )
        return await self._ordered[number]

    def tell(self, order: Mapping[str, Any]) -> None:
        """One order to the launcher; LauncherDied when it is gone."""
        if self._child is None or self._child.stdin is None or self._child.stdin.is_closing():
            raise LauncherDied(self._log.read_text(errors="replace")[-2000:])
        self._child.stdin.write(json.dumps(order).encode() + b"\n")

    async def _read(self, reports: asyncio.StreamReader) -> None:
        while line := await reports.readline():
            self._hear(json.loads(line))
        gone = LauncherDied(self._log.read_text(errors="replace")[-2000:])
        for process in self._processes.values():
            process.ended.set_result(-signal.SIGKILL)  # with it
        for order in self._ordered.values():
            if not order.done():
                order.set_exception(gone)

    def _hear(self, report: Mapping[str, Any]) -> None:
        pid = report["pid"]
        match report["event"]:
            case "started":
                process = self._processes[pid] = Process(self, pid)
                waiting = self._ordered.pop(report["number"])
                if waiting.done():  # nobody waits for it any more; at the very end it is gone with the launcher
                    with contextlib.suppress(LauncherDied):
                        process.signal(signal.SIGKILL)
                else:
                    waiting.set_result(process)
            case "stopped":
                self._processes[pid].stopped.set()
            case "continued":
                self._processes[pid].stopped.clear()
            case "ended":
                self.cpu_seconds += report["cpu"]
                self._processes.pop(pid).ended.set_result(report["status"])
