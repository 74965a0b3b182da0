"""Who watches which lead: streams wait here until the lead changes. Hints only; the store has the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Watch:
    """One watcher of one lead."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        self.changed = asyncio.Event()


class Hub:
    """Wakes the watchers of a lead. Belongs to one event loop."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """The service is going down: streams should end."""
        return self._closed

    def __len__(self) -> int:
        return sum(len(watches) for watches in self._watches.values())

    def watch(self, lead_id: str) -> Watch:
        watch = Watch()
        self._watches.setdefault(lead_id, set()).add(watch)
        if self._closed:
            watch.changed.set()
        return watch

    def unwatch(self, lead_id: str, watch: Watch) -> None:
        watches = self._watches.get(lead_id)
        if watches is not None:
            watches.discard(watch)
            if not watches:
                del self._watches[lead_id]

    def changed(self, lead_ids: Iterable[str]) -> None:
        for lead_id in lead_ids:
            for watch in self._watches.get(lead_id, ()):
                watch.changed.set()

    def close(self) -> None:
        """Wake every stream for good, so that none of them holds up a shutdown."""
        self._closed = True
        for watches in self._watches.values():
            for watch in watches:
                watch.changed.set()
