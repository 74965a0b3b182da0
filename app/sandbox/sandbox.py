"""One sandbox: its phones, calls, scripts and memory. The HTTP routes and tests both speak to this object."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from .behaviour import Behaviour, BehaviourBook
from .calls import Call
from .cdr_push import CdrOptions, CdrPush, Pushed
from .clock import Clock, RealClock
from .engine import Engine
from .journal import Journal, Received
from .phones import Phones
from .signals import Signal


class Sandbox:
    """Everything a sandbox knows. All methods belong to the event loop that serves it."""

    def __init__(
        self,
        *,
        code: str,
        cdr: CdrOptions,
        behaviour: Behaviour | None,
        extensions: Sequence[str] | Mapping[str, str] | None,
        clock: Clock | None,
    ) -> None:
        self.code = code
        self.clock: Clock = clock or RealClock()
        self.changed = Signal()
        self.released = Signal()
        self._cdr_at_start = cdr
        self.phones = Phones(extensions)
        self.book = BehaviourBook(behaviour)
        self.journal = Journal()
        self.cdr = CdrPush(cdr, self.clock, self.phones, self.changed)
        self.engine = Engine(self.clock, self.phones, self.changed.fire, self.cdr.call_ended)

    def set_behaviour(self, key: str, behaviour: Behaviour) -> None:
        """Script an extension, a number, `*`, `active_calls` or `roster`."""
        self.book.set(key, behaviour)

    def clear_behaviour(self, key: str | None = None) -> None:
        """Back to the default, and let go of every request that still hangs."""
        self.book.clear(key)
        self.released.fire()

    def receive(self, received: Received) -> None:
        """Remember a request and wake whoever waits for it."""
        self.journal.add(received)
        self.changed.fire()

    def requests(self, api: str | None = "click2call") -> list[Received]:
        """What was received so far, oldest first."""
        return self.journal.of(api)

    @property
    def calls(self) -> list[Call]:
        """All calls, oldest first."""
        return list(self.engine.calls)

    async def wait_until(self, enough: Callable[[], bool], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until that holds, looked at after every change; raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not enough():
                if self.changed.closed:
                    raise RuntimeError("the sandbox is closed")
                await self.changed.wait()

    async def wait_for_requests(
        self,
        n: int,
        timeout: float = 10.0,  # noqa: ASYNC109 - the deadline is part of the question
        api: str | None = "click2call",
    ) -> list[Received]:
        """Wait until `n` requests have come in; raises TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: len(self.journal.of(api)) >= n, timeout)
        return self.journal.of(api)

    async def wait_for_calls_ended(self, n: int, timeout: float = 10.0) -> list[Call]:  # noqa: ASYNC109
        """Wait until `n` calls are over; raises TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: len(self._over()) >= n, timeout)
        return self._over()

    async def wait_for_cdr(self, n: int, timeout: float = 10.0) -> list[Pushed]:  # noqa: ASYNC109
        """Wait until `n` tries to push a record were made; raises TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: len(self.cdr.log) >= n, timeout)
        return list(self.cdr.log)

    def _over(self) -> list[Call]:
        return [call for call in self.engine.calls if not call.live]

    def reset(self) -> None:
        """As new: no calls, no requests, default behaviour, all phones online, CDR options of the start."""
        self.engine.reset()
        self.cdr.forget()
        self.cdr.options = self._cdr_at_start
        self.phones.reset()
        self.journal.clear()
        self.clear_behaviour()
        self.changed.fire()

    def release_all(self) -> None:
        """Let go of everything that waits, for good: hanging requests, event streams."""
        self.released.close()
        self.changed.close()

    async def close(self) -> None:
        """End all calls without a word and give up undelivered records."""
        self.release_all()
        self.engine.reset()
        await self.cdr.stop()
