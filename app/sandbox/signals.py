"""One thing happened, and everybody who waits for it goes on."""

import asyncio


class Signal:
    """Wakes all waiters at each `fire`; after `close` nobody waits any more."""

    def __init__(self) -> None:
        self.count = 0
        self.closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Wake everybody who waits now."""
        self.count += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def close(self) -> None:
        """Wake everybody, for the last time."""
        self.closed = True
        self.fire()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for the next `fire`, at most `seconds`; False when the time was up first."""
        if self.closed:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True
