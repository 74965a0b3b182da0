"""`python -m bench.sampler OUT MODULE ARGS…`: runs a module and, from SIGUSR1 on, samples where its CPU goes.

Every sample is weighted by the CPU that the thread has used since the last one, by its own clock, so that a
thread that waits counts for nothing. The interpreter's lock is asked for almost without patience: with the usual
5 ms only the places that give it up by themselves would be seen. OUT gets functions by inclusive and own share.
"""

from __future__ import annotations

import re
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY = 0.004  # seconds between samples
LINES = 90
SWITCH = 0.00002  # seconds until the lock's holder is asked for it


class Sampler(threading.Thread):
    """Collects until `finish`."""

    def __init__(self) -> None:
        super().__init__(name="bench-sampler", daemon=True)
        self.own: Counter[str] = Counter()
        self.inclusive: Counter[str] = Counter()
        self.threads: Counter[str] = Counter()
        self.ours: Counter[str] = Counter()  # by the innermost function of the service
        self.go = threading.Event()
        self._over = threading.Event()
        self._cpu: dict[int, int] = {}
        self._began = 0

    def run(self) -> None:
        self.go.wait()
        sys.setswitchinterval(SWITCH)
        self._began = time.process_time_ns()
        frames = sys._current_frames()
        self._cpu = {ident: _clock(ident) for ident in frames}
        while not self._over.wait(EVERY):
            frames = sys._current_frames()
            for thread in threading.enumerate():
                if thread.ident is not None and thread is not self and thread.ident in frames:
                    self._note(re.sub(r"\d+", "", thread.name), self._spent(thread.ident), frames[thread.ident])

    def _spent(self, ident: int) -> int:
        """Nanoseconds of CPU since the last look."""
        now = _clock(ident)
        before = self._cpu.get(ident, 0)
        self._cpu[ident] = now
        return now - before

    def _note(self, thread: str, weight: int, frame: FrameType | None) -> None:
        if not weight:
            return
        self.threads[thread] += weight
        seen: set[str] = set()
        leaf = deepest = True
        while frame is not None:
            name = _name(frame)
            if leaf:
                self.own[name] += weight
                leaf = False
            if deepest and name.startswith("app/"):
                self.ours[name] += weight
                deepest = False
            if name not in seen:
                seen.add(name)
                self.inclusive[name] += weight
            frame = frame.f_back

    def finish(self, out: Path) -> None:
        """Stop, and write the tables."""
        self._over.set()
        total = sum(self.threads.values()) or 1
        whole = time.process_time_ns() - self._began
        lines = [f"CPU of the process {whole / 1e9:.2f} s, of it sampled {total / 1e9:.2f} s (shares are of these)"]
        for title, counted in (
            ("threads", self.threads),
            ("innermost of ours", self.ours),
            ("inclusive", self.inclusive),
            ("own", self.own),
        ):
            lines += ["", title]
            lines += [f"{weight * 100 / total:6.2f} %  {name}" for name, weight in counted.most_common(LINES)]
        out.write_text("\n".join(lines) + "\n")


def _clock(ident: int) -> int:
    try:
        return time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
    except OSError:
        return 0  # the thread has ended meanwhile


def _name(frame: FrameType) -> str:
    path = frame.f_code.co_filename
    for root in ("/site-packages/", "/lib/python3.", "/app/"):
        if root in path:
            path = path.rpartition(root)[2] if root != "/app/" else "app/" + path.rpartition(root)[2]
            break
    return f"{path} {frame.f_code.co_qualname}"


def main() -> None:
    """Run the module named on the command line under the sampler."""
    out, module, *arguments = sys.argv[1:]
    sampler = Sampler()
    sampler.start()
    signal.signal(signal.SIGUSR1, lambda number, frame: sampler.go.set())
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sampler.go.set()
        sampler.finish(Path(out))


if __name__ == "__main__":
    main()
