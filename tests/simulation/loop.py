"""An event loop for several simulated processes: time jumps to the next timer, and a seed decides whose turn it is.

Each process has a queue of its own, which runs in order, as in a real one; between processes there is no order but the
seed's. A process that is killed never runs again: no `finally`, no `except CancelledError`, as under SIGKILL. One that
stands still runs nothing while its timers go on, as under SIGSTOP.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Timer = tuple[float, int, asyncio.TimerHandle]


class Process:
    """One process of the simulation: what it is about to do, and its timers. `weight`: how often it gets its turn."""

    def __init__(self, name: str, weight: float = 1.0) -> None:
        self.name = name
        self.weight = weight
        self.alive = True
        self.still = False
        self.in_flight = 0  # operations whose answer it waits for
        self.ready: deque[asyncio.Handle] = deque()
        self.timers: list[Timer] = []

    def __repr__(self) -> str:
        return f"<{self.name}>"


PROCESS: contextvars.ContextVar[Process] = contextvars.ContextVar("process")


class Stuck(Exception):
    """Nobody has anything to do, now or later, and what was waited for has not come."""


class Mishap(AssertionError):
    """Something happened that must not happen, whatever the seed."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs on one thread; what needs sockets, signals or threads is not implemented.

    `world` is the process of everything that is not the service.

    `hasten` is asked whenever nobody has anything to do before `until` (seconds of `time()`), and says up to which
    moment time goes: that one, or a later one.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._now = 0.0
        self._serial = 0
        self._tasks: list[asyncio.Task[Any]] = []  # a killed process's too: what is forgotten runs its `finally`
        self._closed = False
        self._running = False
        self.steps = 0
        self.world = Process("world")
        self.world_context = contextvars.copy_context()
        self.world_context.run(PROCESS.set, self.world)
        self.processes: list[Process] = [self.world]
        self.mishaps: list[str] = []
        self.hasten: Callable[[float], float] = lambda until: until

    # -------------------------------------------------------------------------------------------- processes

    def process(self, name: str, weight: float = 1.0) -> Process:
        """A new one."""
        made = Process(name, weight)
        self.processes.append(made)
        return made

    def spawn(self, process: Process, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Have `process` do this work."""
        context = contextvars.copy_context()
        context.run(PROCESS.set, process)
        return self.create_task(work, name=name, context=context)

    def kill(self, process: Process) -> None:
        """It never runs again, not even its clean-up."""
        process.alive = False
        process.in_flight = 0
        process.ready.clear()
        process.timers.clear()
        self.processes.remove(process)

    def _process_of(self, context: contextvars.Context | None) -> Process:
        if context is None:
            return PROCESS.get(self.world)
        return context.get(PROCESS, self.world)

    # --------------------------------------------------------------------------------------------- the loop

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until `main`, which belongs to the world, is done; Mishap at the first, Stuck when nothing goes on."""
        self._running = True
        asyncio._set_running_loop(self)
        try:
            task = self.spawn(self.world, main, "main")
            while not task.done() and not self.mishaps:
                self._step()
            if self.mishaps:
                raise Mishap(self.mishaps[0])
            return task.result()
        finally:
            asyncio._set_running_loop(None)
            self._running = False

    def _step(self) -> None:
        runnable = [one for one in self.processes if one.ready and not one.still]
        if not runnable:
            self._pass_time()
            return
        process = runnable[0] if len(runnable) == 1 else self._whose_turn(runnable)
        handle = process.ready.popleft()
        if not handle.cancelled():
            self.steps += 1
            handle._run()

    def _whose_turn(self, runnable: list[Process]) -> Process:
        drawn = self._chance.random() * sum([one.weight for one in runnable])
        for process in runnable:
            drawn -= process.weight
            if drawn < 0:
                break
        return process

    def _pass_time(self) -> None:
        until = min((one.timers[0][0] for one in self.processes if one.timers), default=None)
        if until is None:
            raise Stuck(f"nothing is to be done at {self._now:.3f} s")
        self._now = max(self._now, self.hasten(until) if until > self._now else until)
        for process in self.processes:
            while process.timers and process.timers[0][0] <= self._now:
                _, _, handle = heapq.heappop(process.timers)
                if not handle.cancelled():
                    process.ready.append(handle)

    def next_timer(self, process: Process) -> float:
        """When a process wants to be woken next; infinity for never."""
        while process.timers and process.timers[0][2].cancelled():
            heapq.heappop(process.timers)
        return process.timers[0][0] if process.timers else float("inf")

    def hold_up(self, process: Process, until: float, seconds: float) -> None:
        """Its timers up to then come so much later, as on a machine that is busy with others."""
        process.timers = [
            (until + seconds if when <= until else when, serial, handle) for when, serial, handle in process.timers
        ]
        heapq.heapify(process.timers)

    def close(self) -> None:
        """Forget everything; what is still waiting never goes on."""
        self._closed = True
        for process in self.processes:
            process.ready.clear()
            process.timers.clear()
        for task in self._tasks:
            work = task.get_coro()
            if not task.done() and work is not None:
                work.close()
        self._tasks.clear()

    # ---------------------------------------------------------------------------------- what asyncio asks for

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        process = self._process_of(context)
        if process.alive and not self._closed:
            process.ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        process = self._process_of(context)
        if process.alive and not self._closed:
            self._serial += 1
            heapq.heappush(process.timers, (when, self._serial, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Whatever nobody caught is a mishap; that tasks of a killed process are never finished is none."""
        if self._closed or context.get("message") == "Task was destroyed but it is pending!":
            return
        self.mishaps.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed
