"""What is planned for which moment: virtual time goes from one step to the next."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

Step = Callable[[int], None]


class Agenda:
    """Steps in the order of their moments (ms), and of one moment in the order in which they were planned."""

    def __init__(self, until: int) -> None:
        self._until = until
        self._steps: list[tuple[int, int, bool, Step]] = []
        self._planned = 0

    def plan(self, at: int, step: Step, *, of_a_call: bool = False) -> None:
        """Have `step(at)` done then. Nothing is planned for after the end but how calls end that have begun."""
        if of_a_call or at < self._until:
            self._planned += 1
            heapq.heappush(self._steps, (at, self._planned, of_a_call, step))

    def look(self, at: int) -> None:
        """Somebody may be free then: let there be a moment, after which the dispatcher looks."""
        self.plan(at, lambda _: None)

    def moments(self) -> Iterator[int]:
        """Every moment up to the end, when its steps are done."""
        while self._steps and self._steps[0][0] < self._until:
            now = self._steps[0][0]
            while self._steps and self._steps[0][0] == now:
                heapq.heappop(self._steps)[3](now)
            yield now

    def finish(self) -> None:
        """After the end: see the calls that are under way to theirs, and do nothing else."""
        while self._steps:
            now, _, of_a_call, step = heapq.heappop(self._steps)
            if of_a_call:
                step(now)
