"""The database's clock, read without asking the database: replicas with skewed wall clocks agree on due times.

Replicas an hour apart never doubled a call, but half of their leads stalled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.clock import Clock, Millis, SystemClock
from app.errors import StorageUnavailable

TRIES = 3


class DatabaseClock:
    """now() is this machine's monotonic clock plus an offset measured against the server; its wall is not used."""

    def __init__(self, local: Clock | None = None) -> None:
        self._local = local or SystemClock()
        self._offset: float | None = None
        self._error = 0.0  # milliseconds by which it may be off: half of the trip that it was read from

    async def measure(self, ask: Callable[[], Awaitable[float]]) -> None:
        """Ask the server's time (milliseconds since the epoch) and keep the answer that came back quickest.

        The server's reading lies somewhere within the round trip, so the error is at most half of it. What was known
        before stays as long as a slower trip does not contradict it: on a busy machine trips take long, and the
        replicas' clocks would drift apart by as much.
        """
        best: tuple[float, float] | None = None
        for _ in range(TRIES):
            before = self._local.monotonic() * 1000
            theirs = await ask()
            after = self._local.monotonic() * 1000
            found = (after - before, theirs - (before + after) / 2)
            best = found if best is None else min(best, found)
        if best is None:
            return
        error, offset = best[0] / 2, best[1]
        if self._offset is None or error <= self._error or abs(offset - self._offset) > error:
            self._offset, self._error = offset, error

    def now(self) -> Millis:
        """Milliseconds since the epoch by the server; StorageUnavailable before the first measurement."""
        if self._offset is None:
            raise StorageUnavailable("the database's clock is not known yet")
        return int(self._local.monotonic() * 1000 + self._offset)

    def monotonic(self) -> float:
        """Seconds of this machine that only ever grow."""
        return self._local.monotonic()
