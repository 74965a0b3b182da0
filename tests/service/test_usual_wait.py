"""The promise is hidden when it would break, is cheap to ask for, and never keeps a form waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest

from app.directory import parse_directory
from app.domain.stories import AgentState
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.service.rules import Rules
from app.service.switches import Switches
from app.service.usual_wait import MEASURED_FOR, SEEN_FOR, UsualWait, Wait
from tests.clocks import START, ManualClock

TOML: Final = """
[hours.office]
sun-thu = ["09:00-18:00"]
[[sites]]
key = "main"
origins = ["https://x.example"]
hours = "office"
[[agents]]
id = "dana"
extension = "SIPdana1"
"""


class Leads:
    """A store that knows how long people waited. `fails`, or `hangs` until it is let go."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.waited: list[int | None] = [12_000] * 20
        self.oldest: int | None = None
        self.state = "available"
        self.looks = self.measurements = 0
        self.fails = False
        self.hangs: asyncio.Event | None = None

    async def agent_states(self) -> Mapping[str, AgentState]:
        self.looks += 1
        if self.fails:
            raise StorageUnavailable("gone")
        if self.hangs is not None:
            await self.hangs.wait()
        return {"dana": AgentState("dana", True, self.state, None, False, None, None, 0)}

    async def oldest_due(self, site: str) -> int | None:
        return self.oldest

    async def waits(self, site: str, since: int) -> list[int | None]:
        self.measurements += 1
        assert since == self.clock.now() - 7 * 86_400_000
        return self.waited


@pytest.fixture
def leads() -> Leads:
    return Leads()


@pytest.fixture
def rules() -> Rules:
    return Rules(parse_directory(TOML))


@pytest.fixture
def usual(leads: Leads, rules: Rules) -> UsualWait:
    store: Any = leads
    return UsualWait(store, rules, Switches(store, Metrics()), patience=0.05)


async def test_it_is_hidden_as_soon_as_somebody_has_waited_longer(usual: UsualWait, leads: Leads) -> None:
    leads.oldest = START - 15_000
    assert await usual.of("main") == Wait(15), "just as long is not longer"
    leads.clock.advance(0.001)
    assert await usual.of("main") == Wait()
    leads.oldest = None
    leads.clock.advance(SEEN_FOR)
    assert await usual.of("main") == Wait(15)


async def test_who_asks_again_costs_nothing(usual: UsualWait, leads: Leads) -> None:
    """Also when a crowd asks at once."""
    assert set(await asyncio.gather(*(usual.of("main") for _ in range(50)))) == {Wait(15)}
    assert (leads.looks, leads.measurements) == (1, 1)
    leads.clock.advance(SEEN_FOR)
    await usual.of("main")
    assert (leads.looks, leads.measurements) == (2, 1)
    leads.clock.advance(MEASURED_FOR)
    await usual.of("main")
    assert (leads.looks, leads.measurements) == (3, 2)


async def test_a_changed_file_is_heard_at_once(usual: UsualWait, leads: Leads, rules: Rules) -> None:
    await usual.of("main")
    rules.replace(parse_directory(TOML.replace("[hours.office]", '[policy]\ndeadline = "10s"\n[hours.office]')))
    assert await usual.of("main") == Wait(), "15 seconds are past the new deadline"


@pytest.mark.parametrize("state", ["on_call", "wrap_up", "offline", "blocked"])
async def test_with_nobody_free_it_is_busy(usual: UsualWait, leads: Leads, state: str) -> None:
    leads.state = state
    assert await usual.of("main") == Wait(busy=True)
    assert leads.measurements == 0


async def test_closed_is_not_busy_and_nothing_is_asked(usual: UsualWait, leads: Leads) -> None:
    leads.clock.advance(12 * 3600)
    assert await usual.of("main") == Wait()
    assert await usual.of("no such site") == Wait()
    assert leads.looks == 0


async def test_a_failing_or_hanging_database_costs_the_figure_alone(usual: UsualWait, leads: Leads) -> None:
    leads.fails = True
    assert await usual.of("main") == Wait()
    leads.fails, leads.hangs = False, asyncio.Event()
    assert await usual.of("main") == Wait()
    leads.hangs = None
    assert await usual.of("main") == Wait(15)
