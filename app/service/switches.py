"""What this process knows of the switches: read from the store every second, and at once when another tells of a turn.

Leads fail open and money fails closed: while the store cannot be read, leads are taken as it was known last; before
a call is claimed, what is known must be fresh, also in a process that has just stood still.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from app.clock import to_iso
from app.domain.switches import SWITCHES, Switch, SwitchName
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Store

log = structlog.get_logger("leadring.switches")

EVERY: Final = 1.0  # seconds between looks when nobody tells
FRESH: Final = 1.5  # seconds for which a look is good enough to place a call by


class Switches:
    """`taking` and `dialling`, on until it is learned otherwise. `on_dialling` is called, on the loop, when calls may
    be placed again."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._known: Mapping[SwitchName, Switch] = dict.fromkeys(SWITCHES, Switch())
        self._learned_at = float("-inf")  # by the monotonic clock, when what is known was asked for
        self._told = asyncio.Event()
        # A look that began before a turn must not be learned after it.
        self._one_at_a_time = asyncio.Lock()
        self.on_dialling: Callable[[], None] = _nobody
        for name in SWITCHES:
            metrics.switch.labels(name).set(1)

    @property
    def known(self) -> Mapping[SwitchName, Switch]:
        """Both, as they were learned last."""
        return self._known

    @property
    def taking(self) -> bool:
        """Whether new leads are taken, as far as is known."""
        return self._known["taking"].on

    @property
    def dialling(self) -> bool:
        """Whether calls are placed, as far as is known; for one that is under way to its request."""
        return self._known["dialling"].on

    async def may_dial(self) -> bool:
        """Whether calls may be claimed now. StorageUnavailable when that had to be asked and could not be."""
        if self._store.clock.monotonic() - self._learned_at > FRESH:
            await self.look()
        return self.dialling

    def look_soon(self) -> None:
        """Another process has turned one: look now."""
        self._told.set()

    async def run(self) -> None:
        """Look every second, or sooner when told, until cancelled; a failing database only delays."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._told.wait()
            self._told.clear()
            try:
                await self.look()
            except StorageUnavailable as error:
                log.warning("switch.storage_unavailable", error=str(error))
            except Exception:
                # Without this loop nobody could switch this process off any more.
                log.exception("switch.failed")

    async def look(self) -> Mapping[SwitchName, Switch]:
        """Both as they stand now. StorageUnavailable."""
        async with self._one_at_a_time:
            asked_at = self._store.clock.monotonic()
            self._learn(await self._store.switches(), asked_at)
        return self._known

    async def turn(self, wanted: Mapping[SwitchName, bool], who: str, why: str | None) -> Mapping[SwitchName, Switch]:
        """Turn these, here at once and elsewhere within two seconds; both as they stand then. StorageUnavailable."""
        async with self._one_at_a_time:
            asked_at = self._store.clock.monotonic()
            self._learn(await self._store.turn(wanted, who, why), asked_at)
        return self._known

    def _learn(self, found: Mapping[SwitchName, Switch], asked_at: float) -> None:
        before, self._known, self._learned_at = self._known, found, asked_at
        for name, switch in found.items():
            if switch == before[name]:
                continue
            self._metrics.switch.labels(name).set(int(switch.on))
            tell = log.info if switch.on else log.warning
            tell(
                "switch.turned",
                switch=name,
                on=switch.on,
                since=to_iso(switch.since),
                who=switch.who,
                why=switch.why,
            )
        if self.dialling and not before["dialling"].on:
            self.on_dialling()


def _nobody() -> None:
    """Until somebody wants to know."""
