"""Slots are cheap to ask for, and a database that does not answer costs neither the form nor the callback."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from app.clock import to_iso
from app.directory import parse_directory
from app.errors import StorageUnavailable
from app.service.rules import Rules
from app.service.slots import KEPT_FOR, Slots
from tests.clocks import START, ManualClock

# Monday noon in Jerusalem; one agent, one call a slot.
TOML: Final = """
[policy]
slot = "30m"
call_takes = "30m"
[hours.office]
sun-thu = ["09:00-18:00"]
[[sites]]
key = "main"
origins = ["https://x.example"]
hours = "office"
[[sites]]
key = "other"
origins = ["https://x.example"]
agents = ["yossi"]
[[agents]]
id = "dana"
extension = "SIPdana1"
[[agents]]
id = "yossi"
extension = "SIPyossi2"
hours = "office"
enabled = false
"""
MINUTE: Final = 60_000


class Leads:
    """A store that knows when leads are due, and how often it was asked. `fails`, or `hangs` until it is let go."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.due: dict[str, dict[int, int]] = {}
        self.asked: list[tuple[list[str], int, bool]] = []
        self.fails = False
        self.hangs: asyncio.Event | None = None

    async def booked(
        self, sites: Sequence[str], since: int, until: int, *, overdue: bool
    ) -> Mapping[str, Mapping[int, int]]:
        self.asked.append((list(sites), since, overdue))
        if self.fails:
            raise StorageUnavailable("away")
        if self.hangs is not None:
            await self.hangs.wait()
        return self.due


def at(minutes: int) -> int:
    return START + minutes * MINUTE


@pytest.fixture
def leads() -> Leads:
    return Leads()


@pytest.fixture
def slots(leads: Leads) -> Slots:
    store: Any = leads
    return Slots(store, Rules(parse_directory(TOML)), patience=0.05)


async def test_the_leads_are_counted_once_for_everybody_who_asks_within_some_seconds(
    leads: Leads, slots: Slots
) -> None:
    first = await asyncio.gather(*(slots.offered("main") for _ in range(50)))
    assert leads.asked == [(["main"], START, True)]
    assert first[0][0] == to_iso(at(30))
    leads.due = {"main": {at(30): 1}}
    leads.clock.advance(KEPT_FOR - 0.1)
    assert await slots.offered("main") == first[0]
    leads.clock.advance(0.1)
    assert (await slots.offered("main"))[0] == to_iso(at(60))
    assert len(leads.asked) == 2


async def test_a_clock_that_is_set_back_keeps_nothing_longer(leads: Leads, slots: Slots) -> None:
    await slots.offered("main")
    leads.clock.set_wall(START - 3_600_000)
    leads.clock.advance(KEPT_FOR)
    assert (await slots.offered("main"))[0] == "2026-01-05T10:00:00.000Z"


async def test_another_directory_makes_other_slots_at_once(leads: Leads) -> None:
    store: Any = leads
    rules = Rules(parse_directory(TOML))
    slots = Slots(store, rules)
    assert (await slots.offered("main"))[0] == to_iso(at(30))
    rules.replace(parse_directory(TOML.replace('slot = "30m"', 'slot = "2h"')))
    assert (await slots.offered("main"))[0] == to_iso(at(120))


async def test_sites_are_kept_apart_and_one_that_does_not_exist_has_none(leads: Leads, slots: Slots) -> None:
    assert await slots.offered("unheard of") == []
    assert leads.asked == []
    assert await slots.offered("main")
    assert await slots.offered("other") == [], "its only agent is not enabled"


async def test_leads_that_cannot_be_counted_are_no_slots_for_a_while(leads: Leads, slots: Slots) -> None:
    leads.fails = True
    assert await slots.offered("main") == []
    leads.fails = False
    assert await slots.offered("main") == [], "asking again at once would only add to the trouble"
    leads.clock.advance(KEPT_FOR)
    assert await slots.offered("main")


async def test_a_database_that_hangs_is_asked_once_and_holds_nobody_up(leads: Leads, slots: Slots) -> None:
    leads.hangs = asyncio.Event()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(slots.offered("main") for _ in range(10))) == [[]] * 10
    assert len(leads.asked) == 1


async def test_where_the_leads_cannot_be_counted_a_callback_is_booked_as_asked(leads: Leads, slots: Slots) -> None:
    leads.due = {"main": {at(60): 1}}
    assert await slots.book("main", "+972541234567", at(60)) == at(90)
    leads.fails = True
    assert await slots.book("main", "+972541234567", at(60)) == at(60)
    assert await slots.book("main", "+972541234567", at(720)) == at(21 * 60), "the hours are known all the same"


async def test_who_is_overdue_now_counts_for_today_and_not_for_next_week(leads: Leads, slots: Slots) -> None:
    await slots.book("main", "+972541234567", at(60))
    week = at(7 * 24 * 60)
    await slots.book("main", "+972541234567", week)
    assert [(since, overdue) for _, since, overdue in leads.asked] == [(START, True), (week - 86_400_000, False)]


async def test_a_lead_that_moves_is_not_in_its_own_way(leads: Leads, slots: Slots) -> None:
    """Also one that is overdue, which counts as due now."""
    leads.due = {"main": {START: 1, at(60): 1}}
    assert await slots.book("main", "+972541234567", at(70)) == at(90)
    assert await slots.book("main", "+972541234567", at(70), leaving=at(60)) == at(70)
    assert await slots.book("main", "+972541234567", at(20)) == at(30)
    assert await slots.book("main", "+972541234567", at(20), leaving=at(-10)) == at(20)
    assert await slots.book("main", "+972541234567", at(70), leaving=at(65)) == at(90), (
        "not one of those that were counted"
    )


async def test_a_call_that_is_wanted_now_is_not_counted_for(leads: Leads, slots: Slots) -> None:
    leads.due = {"main": {START: 9}}
    assert await slots.book("main", "+972541234567", START) == START
    assert await slots.book("main", "+972541234567", at(1)) == at(1)
    assert leads.asked == []
    assert await slots.book("gone since", "+972541234567", at(60)) == at(60)
