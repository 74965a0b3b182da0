"""A child process on cores of its choice: started, watched until ready, measured, gone when the benchmark ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.figures import CannotMeasure

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 25.0


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def output_of(*command: str, seconds: float) -> str:
    """What a short-lived `command`, run in the checkout, prints; CannotMeasure when it fails or takes longer."""
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(seconds):
            out, _ = await process.communicate()
    except TimeoutError as error:
        raise CannotMeasure(f"{command[1:3]} took more than {seconds:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise CannotMeasure(f"{command[1:3]} ended with {process.returncode}")
    return out.decode()


class Child:
    """`command` on those `cores`, as a context manager. It dies with us, however we die."""

    def __init__(
        self, command: Sequence[str], cores: Collection[int], folder: Path, env: Mapping[str, str], name: str
    ) -> None:
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self.started_at = 0.0
        self.ready_after = 0.0
        self._command = [*command, "--port", str(self.port)]
        self._cores = cores
        self._folder = folder
        self._env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "PYTHONPATH": str(ROOT), **env}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise CannotMeasure("the process does not run")
        return self._process.pid

    async def __aenter__(self) -> Self:
        # prctl(2) by setpriv: the child is killed when we die without saying so.
        wrapper = ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []
        with self.log.open("ab") as log:
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here while it starts
                [*wrapper, *self._command],
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        os.sched_setaffinity(self._process.pid, self._cores)
        try:
            await self._until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None and error is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # killed then; how it ends is for the tests
                await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it at once; does nothing when it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    async def _until_ready(self) -> None:
        deadline = self.started_at + START_SECONDS
        while not await self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise CannotMeasure(f"{self.log.stem} did not start:\n{self.tail()}")
            await asyncio.sleep(0.01)
        self.ready_after = time.monotonic() - self.started_at

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            return b" 200 " in await reader.readline()
        except OSError:
            return False
        finally:
            writer.close()

    def tail(self) -> str:
        """The end of what it has printed."""
        return self.log.read_text(errors="replace")[-2000:]

    def memory(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far: `all`, and of it the `loop` (the main thread)."""
        process = psutil.Process(self.pid)
        times = process.cpu_times()
        loop = next((t.user_time + t.system_time for t in process.threads() if t.id == self.pid), 0.0)
        return {"all": times.user + times.system, "loop": loop}
