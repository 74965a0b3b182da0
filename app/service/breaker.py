"""Holds calls back while the provider fails, so that an outage makes no attempt *unknown* and no lead is lost to it.

The rules are in app/domain/breaker.py; here are the clock, the question to the provider, and who is told.
The question rings nobody (who is on the line, who is there). Where it cannot be asked, because no such
address is set, or goes unanswered for long, the time alone lets one call through: one attempt is risked each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from app.clock import Clock, to_iso
from app.domain import breaker as rules
from app.domain.answers import Answer
from app.domain.breaker import Closed, HalfOpen, Open, State
from app.metrics import Metrics

log = structlog.get_logger("leadring.breaker")

PROBE_DEADLINE: Final = 5.0  # seconds
# Seconds without an answer after which a call counts against the provider before its deadline is up: one that hangs
# would otherwise take every free agent along.
SLOW: Final = 4.0


class Breaker:
    """Asked before calls are claimed and before each leaves, told every answer. One per process.

    `probe` is the question: True when the provider answered it well, within `probe_deadline` seconds. Moments
    are the clock's monotonic seconds. `on_change` is called, on the loop, whenever there is room again.
    """

    def __init__(
        self,
        clock: Clock,
        probe: Callable[[], Awaitable[bool]] | None,
        metrics: Metrics,
        *,
        jitter: Callable[[], float] = random.random,
        probe_deadline: float = PROBE_DEADLINE,
    ) -> None:
        self._clock = clock
        self._probe = probe
        self._metrics = metrics
        self._jitter = jitter
        self._probe_deadline = probe_deadline
        self._state: State = Closed()
        self._look = asyncio.Event()
        self._under_way: Counter[float] = Counter()
        self._withheld = False
        self.on_change: Callable[[], None] = _nobody
        metrics.breaker.set(0)

    # --------------------------------------------------------------------------------------- what it says

    @property
    def is_open(self) -> bool:
        """No call may leave."""
        return isinstance(self._state, Open)

    @property
    def state(self) -> str:
        """For a person: `closed`, `open until <time>`, or `trying`."""
        match self._state:
            case Closed():
                return "closed"
            case HalfOpen():
                return "trying"
            case Open(until=until):
                left = max(0.0, until - self._clock.monotonic())
                return f"open until {to_iso(self._clock.now() + round(left * 1000))}"

    def room(self, most: int) -> int:
        """How many calls may be claimed now: 0, 1 or `most`. Asking uses nothing up."""
        now = self._clock.monotonic()
        due = rules.due_at(self._state)
        if due is not None and now >= due:
            self._look.set()  # somebody has a call to place, and the time is up: do not wait for the timer
        unanswered = sum(calls for since, calls in self._under_way.items() if now - since > SLOW)
        self._withheld = isinstance(self._state, Closed) and unanswered >= rules.IN_A_ROW
        return 0 if self._withheld else rules.room(self._state, most, now)

    def may_send(self, asked_at: float) -> bool:
        """Whether a call claimed of the room asked for at `asked_at` may still leave."""
        return rules.may_send(self._state, asked_at)

    # ------------------------------------------------------------------------------------- what it is told

    def taken(self, calls: int, asked_at: float) -> None:
        """So many calls were claimed of the room that `room` gave at `asked_at`."""
        if calls:
            self._under_way[asked_at] += calls
        self._become(rules.taken(self._state, calls, asked_at))

    def given_back(self, asked_at: float) -> None:
        """A claimed call is over, with or without an answer of the provider."""
        self._under_way[asked_at] -= 1
        if self._under_way[asked_at] <= 0:
            del self._under_way[asked_at]
        self._let_go(asked_at)
        if self._withheld:
            self.on_change()

    def heard(self, answer: Answer, asked_at: float) -> None:
        """The provider's answer to a call claimed of the room asked for at `asked_at`."""
        self._become(rules.heard(self._state, answer, asked_at, self._clock.monotonic(), self._jitter()))

    # ------------------------------------------------------------------------------------------- the loop

    async def run(self) -> None:
        """Asks the provider when it is time, until cancelled. While closed nothing wakes it."""
        while True:
            self._look.clear()
            due = rules.due_at(self._state)
            left = None if due is None else due - self._clock.monotonic()
            if left is not None and left <= 0:
                await self._overdue()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._look.wait()

    async def _overdue(self) -> None:
        match self._state:
            case Open():
                good = await self._ask()
                self._become(rules.probed(self._state, good, self._clock.monotonic(), self._jitter()))
                if not good and not self.is_open:
                    log.warning("breaker.probe_disbelieved")
            case HalfOpen(trial=float(trial)):
                log.warning("breaker.trial_silent", seconds=rules.TRIAL_BOUND)
                self._let_go(trial)

    async def _ask(self) -> bool:
        if self._probe is None:
            return True
        try:
            async with asyncio.timeout(self._probe_deadline):
                return await self._probe()
        except Exception as error:  # noqa: BLE001 - however the question fails, the provider has not answered it
            # Its kind alone: the words of an HTTP error may hold the URL, and that the account code.
            log.warning("breaker.probe_failed", error=type(error).__name__)
            return False

    def _let_go(self, asked_at: float) -> None:
        self._become(rules.given_back(self._state, asked_at))

    def _become(self, new: State) -> None:
        old, self._state = self._state, new
        if new == old:
            return
        match new:
            case Open(until=until, reason=reason):
                seconds = round(until - self._clock.monotonic(), 1)
                if isinstance(old, Open):
                    log.warning("breaker.still_open", reason=reason, seconds=seconds)
                else:
                    log.error("breaker.opened", reason=reason, seconds=seconds)
            case HalfOpen() if isinstance(old, Open):
                log.info("breaker.trying")
            case Closed() if isinstance(old, HalfOpen):
                log.info("breaker.closed")
        self._metrics.breaker.set(1 if self.is_open else 0)
        if rules.due_at(new) != rules.due_at(old):
            self._look.set()
        # As if no time passed: what makes room is a change of state.
        if rules.room(new, 2, rules.NEVER) > rules.room(old, 2, rules.NEVER):
            self.on_change()


def _nobody() -> None:
    """Until somebody wants to know."""
