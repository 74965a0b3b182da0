"""What a form may say of the wait before it asks: how long it usually is, and whether everybody is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog

from app.directory import Directory
from app.domain.usual_wait import DAYS, usual_wait
from app.errors import StorageUnavailable
from app.ports import Store
from app.service.rules import Rules
from app.service.switches import Switches

T = TypeVar("T")

log = structlog.get_logger("leadring.usual_wait")

MEASURED_FOR: Final = 60.0  # seconds a figure is said again without measuring
SEEN_FOR: Final = 2.0  # seconds that who is free, and who waits, is taken to stand
PATIENCE: Final = 1.0  # seconds a form may wait for either
_DAY: Final = 86_400_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Wait:
    """`within`: the seconds to say, None where there is nothing to promise. `busy`: open, and nobody is free."""

    within: int | None = None
    busy: bool = False


@dataclass(frozen=True, slots=True)
class _Now:
    """Whether somebody could take the site's next lead, and since when its longest waiting lead is due."""

    free: bool
    oldest_due: int | None


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    directory: Directory
    until: float  # by the monotonic clock
    value: T


class UsualWait:
    """The measured promise. It is hidden whenever it would break: rather nothing is said than something wrong."""

    def __init__(self, store: Store, rules: Rules, switches: Switches, *, patience: float = PATIENCE) -> None:
        self._store = store
        self._rules = rules
        self._switches = switches
        self._patience = patience
        self._measured: dict[str, _Kept[int | None]] = {}
        self._seen: dict[str, _Kept[_Now]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def of(self, key: str) -> Wait:
        """For a form of this site now; nothing is said where it is closed, unknown, or cannot be counted just now."""
        now = self._store.clock.now()
        site = self._rules.site(key)
        if site is None or not self._switches.taking or not self._rules.is_open(site, now):
            return Wait()
        try:
            async with asyncio.timeout(self._patience), self._asking.setdefault(key, asyncio.Lock()):
                seen = await self._kept(self._seen, key, SEEN_FOR, self._look)
                if not seen.free or not self._switches.dialling:
                    return Wait(busy=True)
                within = await self._kept(self._measured, key, MEASURED_FOR, self._measure)
        except (StorageUnavailable, TimeoutError) as error:
            log.warning("usual_wait.not_counted", site=key, error=str(error) or "no answer in time")
            return Wait()
        if within is not None and seen.oldest_due is not None and now - seen.oldest_due > within * 1000:
            return Wait()
        return Wait(within)

    async def _kept(self, kept: dict[str, _Kept[T]], key: str, lasts: float, ask: Callable[[str], Awaitable[T]]) -> T:
        directory = self._rules.directory
        known = kept.get(key)
        if known is None or known.directory is not directory or self._store.clock.monotonic() >= known.until:
            value = await ask(key)
            known = kept[key] = _Kept(directory, self._store.clock.monotonic() + lasts, value)
        return known.value

    async def _look(self, key: str) -> _Now:
        now = self._store.clock.now()
        able = {agent.id for agent in self._rules.roster(now).eligible(key)}
        states = await self._store.agent_states()
        free = any(agent in able and state.at(now) == "available" for agent, state in states.items())
        return _Now(free, await self._store.oldest_due(key))

    async def _measure(self, key: str) -> int | None:
        waits = await self._store.waits(key, self._store.clock.now() - DAYS * _DAY)
        return usual_wait(waits, self._rules.policy.deadline)
