"""`python -m bench.crash.launcher`: starts `python -m app …` again and again without paying for imports each time.

A start costs a second of CPU for libraries alone, and a campaign has thousands. So this process imports them once,
forgets everything of the service itself, and forks: each child imports the service anew and runs it as its main
program, with its own environment, folder, log and, if asked for, a wall clock that is wrong by whole seconds.

Orders come as lines of JSON on standard input (`start`, `signal`), reports go out likewise on standard output
(`pid`, `event`: started, stopped, continued, ended). When the input ends, or we die, so do the children.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import runpy
import select
import signal
import sys
import time
from typing import Any

# Everything that `python -m app serve` imports on either engine.
SERVICE = ("app.main", "app.cli", "app.operations", "app.serving", "app.store.postgres", "app.voicenter.cdr", "redis")
# Libraries that it imports later, at its start.
LATER = (
    "anyio._backends._asyncio",
    "holidays.countries",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
PR_SET_PDEATHSIG = 1


def preload() -> None:
    """Import what the service needs, and forget the service: only the libraries stay."""
    for name in (*SERVICE, *LATER):
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
        del sys.modules[name]


class Launcher:
    """Forks on orders and tells what becomes of the children. `serve` returns None, or the order of a new child."""

    def __init__(self) -> None:
        self._children: set[int] = set()
        self._awake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    def serve(self) -> dict[str, Any] | None:
        """Work until the input ends."""
        rest = b""
        while True:
            ready, _, _ = select.select([sys.stdin.fileno(), self._awake], [], [])
            if self._awake in ready:
                os.read(self._awake, 4096)
                self._report_children()
            if sys.stdin.fileno() in ready:
                data = os.read(sys.stdin.fileno(), 65536)
                if not data:
                    return None
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    if "signal" in order:
                        self._signal(order["pid"], order["signal"])
                    elif self._fork(order["number"]):
                        return dict(order)

    def end_all(self) -> None:
        """Nobody is left behind."""
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _fork(self, number: int) -> bool:
        """True in the child."""
        us = os.getpid()
        pid = os.fork()
        if pid:
            self._children.add(pid)
            _say({"number": number, "pid": pid, "event": "started"})
            return False
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._awake)
        os.close(self._waker)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != us:
            os._exit(1)
        return True

    def _signal(self, pid: int, number: int) -> None:
        if pid in self._children:  # not waited for yet, so the number is still its own
            os.kill(pid, number)

    def _report_children(self) -> None:
        while self._children:
            pid, status, used = os.wait4(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if pid == 0:
                return
            if os.WIFSTOPPED(status):
                _say({"pid": pid, "event": "stopped"})
            elif os.WIFCONTINUED(status):
                _say({"pid": pid, "event": "continued"})
            else:
                self._children.discard(pid)
                seconds = round(used.ru_utime + used.ru_stime, 3)
                _say({"pid": pid, "event": "ended", "status": os.waitstatus_to_exitcode(status), "cpu": seconds})


def become(order: dict[str, Any]) -> None:
    """Turn this fresh child into `python -m app …`; returns or raises SystemExit as that does."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for here, there in ((null, 0), (log, 1), (log, 2)):
        os.dup2(here, there)
    os.close(null)
    os.close(log)
    if order["skew"]:
        _set_clock_wrong(order["skew"])
    sys.argv = ["leadring", *order["arguments"]]
    runpy.run_module("app", run_name="__main__", alter_sys=True)


def _set_clock_wrong(seconds: int) -> None:
    right, right_ns = time.time, time.time_ns
    vars(time).update(time=lambda: right() + seconds, time_ns=lambda: right_ns() + seconds * 1_000_000_000)


def _say(report: dict[str, Any]) -> None:
    os.write(sys.stdout.fileno(), json.dumps(report).encode() + b"\n")


def main() -> None:
    """Ready when the first line was written."""
    preload()
    _say({"event": "ready"})
    launcher = Launcher()
    try:
        order = launcher.serve()
    except BaseException:
        launcher.end_all()
        raise
    if order is None:
        launcher.end_all()
    else:
        become(order)


if __name__ == "__main__":
    main()
