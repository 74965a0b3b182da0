"""Callbacks by capacity: which slots a site can offer, and when a callback that was asked for is booked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

import structlog

from app.clock import to_iso
from app.directory import Directory, Site
from app.domain.lead import NewLead
from app.domain.slots import Booked, Plan
from app.errors import StorageUnavailable
from app.ports import Store
from app.service.callbacks import JUST_NOW
from app.service.rules import Rules

log = structlog.get_logger("leadring.slots")

KEPT_FOR: Final = 5.0  # seconds the slots of a site are told again without counting
PATIENCE: Final = 1.0  # seconds a form may wait for them; without them it can still ask for a call
DAY: Final = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class _Kept:
    directory: Directory
    until: float  # by the monotonic clock
    slots: tuple[str, ...]


class Slots:
    """What can be promised. It counts and reserves nothing: two who take the last place at once both get it."""

    def __init__(self, store: Store, rules: Rules, *, patience: float = PATIENCE) -> None:
        self._store = store
        self._rules = rules
        self._patience = patience
        self._kept: dict[str, _Kept] = {}
        self._counting: dict[str, asyncio.Lock] = {}

    async def offered(self, key: str) -> list[str]:
        """The moments that this site can offer now, as ISO 8601 in UTC; none while the leads cannot be counted."""
        site = self._rules.site(key)
        if site is None:
            return []
        kept = self._fresh(key)
        if kept is None:
            async with self._counting.setdefault(key, asyncio.Lock()):
                kept = self._fresh(key) or await self._count(site)
        return list(kept.slots)

    async def book(self, key: str, phone: str, wanted: int, *, leaving: int | None = None) -> int:
        """When a callback asked for at `wanted` will be: when the lead may be rung, at the first slot with room.

        A call that is wanted now stays now, and where there is no room in any slot the moment stays, too: a promise
        with a queue. `leaving` is when the lead that asks is due so far. Nobody is refused: where the leads cannot be
        counted, there is room.
        """
        now = self._store.clock.now()
        opening = self._rules.opening_for(key, phone)
        due = opening(wanted)
        site = self._rules.site(key)
        if site is None or due <= now + JUST_NOW:
            return due
        # From a day before: what does not fit then is still waiting. What waits now is not, by then.
        plan = self._plan(site, max(now, due - DAY * 1000), more_days=2)
        try:
            booked = await self._booked(plan, overdue=plan.since == now)
        except StorageUnavailable as error:
            log.warning("slots.not_counted", site=key, error=str(error))
            return due
        return opening(plan.book(due, booked if leaving is None else _without(booked, key, max(leaving, plan.since))))

    async def booked(self, new: NewLead) -> NewLead:
        """The lead as it came, or, when it asks for a callback, due when it will be called."""
        if new.reason != "scheduled" or new.hold is not None:
            return new
        later = await self.book(new.site, new.phone.e164, new.due_at) - new.due_at
        return replace(
            new, due_at=new.due_at + later, expires_at=new.expires_at + later, deadline_at=new.deadline_at + later
        )

    def _fresh(self, key: str) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None or kept.directory is not self._rules.directory:
            return None
        return kept if self._store.clock.monotonic() < kept.until else None

    async def _count(self, site: Site) -> _Kept:
        directory = self._rules.directory
        plan = self._plan(site, self._store.clock.now())
        found: list[int] = []
        try:
            async with asyncio.timeout(self._patience):
                found = plan.offered(await self._booked(plan, overdue=True))
        except (StorageUnavailable, TimeoutError) as error:
            log.warning("slots.not_counted", site=site.key, error=str(error) or "no answer in time")
        until = self._store.clock.monotonic() + KEPT_FOR
        self._kept[site.key] = kept = _Kept(directory, until, tuple(to_iso(moment) or "" for moment in found))
        return kept

    def _plan(self, site: Site, since: int, more_days: int = 0) -> Plan:
        directory = self._rules.directory
        return Plan(directory, site, since, directory.policy.slots_for // DAY + more_days)

    async def _booked(self, plan: Plan, *, overdue: bool) -> Booked:
        return await self._store.booked(list(plan.shares), plan.since, plan.until, overdue=overdue)


def _without(booked: Booked, key: str, moment: int) -> Booked:
    """The same with one lead less: one that moves does not stand in its own way."""
    ours = booked.get(key, {})
    return {**booked, key: {**ours, moment: ours[moment] - 1}} if moment in ours else booked
