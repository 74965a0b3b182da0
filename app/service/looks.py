"""Questions to the provider about the line, spaced: closer together than five seconds it answers stale (facts 3.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from app.ports import ExtensionNow, Presence

APART: Final = 5.0  # seconds between two questions


class Looks(Presence):
    """The one way of this process to the active calls. Who asks while a question waits for its turn shares it.

    `ever_answered`: a question has been answered in this process's life.
    """

    def __init__(self, presence: Presence, *, apart: float = APART) -> None:
        self._presence = presence
        self._apart = apart
        self._turn = asyncio.Lock()
        self._last = float("-inf")
        self.ever_answered = False
        self._waiting: asyncio.Task[Sequence[ExtensionNow] | None] | None = None
        self._asking: set[asyncio.Task[Sequence[ExtensionNow] | None]] = set()

    async def look(self) -> Sequence[ExtensionNow] | None:
        """What is on the line after this moment, as soon as it may be asked."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._ask())
            self._asking.add(self._waiting)
            self._waiting.add_done_callback(self._asking.discard)
        return await asyncio.shield(self._waiting)

    async def close(self) -> None:
        """Give up what is being asked."""
        asking = list(self._asking)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self) -> Sequence[ExtensionNow] | None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(max(0.0, self._last + self._apart - loop.time()))
            self._waiting = None  # whoever comes from here on wants to know what is true later
            try:
                told = await self._presence.look()
                self.ever_answered = self.ever_answered or told is not None
                return told
            finally:
                self._last = loop.time()
