"""A floor on a real SQLite store, with the services around it that the provider's accounts are put to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from app.domain.answers import Answer, Placed
from app.metrics import Metrics
from app.ports import CallRequest, Telephony
from app.service.breaker import Breaker
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.rules import Rules
from app.service.switches import Switches
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from tests.clocks import ManualClock
from tests.store.engines import clock, sqlite_template, sqlite_url
from tests.store.leads_for_tests import Floor
from tests.store.soundness import assert_sound

__all__ = ["clock", "sqlite_template", "sqlite_url"]


class Replica(SqlStore):
    """A store whose process may be one of several; `polling`: it is the one that asks the provider.

    `looked`: how often that was wanted to be known.
    """

    polling = True
    looked = 0

    def polls(self) -> bool:
        self.looked += 1
        return self.polling


class Silence(Telephony):
    """Takes every call; nothing rings."""

    async def place(self, call: CallRequest) -> Answer:
        return Placed(f"call of {call.attempt_id}")


class Bell(Dispatcher):
    """Counts how often it was woken."""

    woken = 0

    def wake(self) -> None:
        self.woken += 1
        super().wake()


@dataclass
class House:
    """A service without a front door: dana and yossi at work, and what is told about them."""

    floor: Floor
    store: Replica
    clock: ManualClock
    rules: Rules
    dispatcher: Bell
    hub: Hub
    metrics: Metrics
    switches: Switches

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def told(self, lead_id: str) -> Callable[[], bool]:
        """Whether whoever watches this lead from now on was told of a change."""
        return self.hub.watch(lead_id).changed.is_set


@pytest.fixture
async def house(sqlite_url: str, clock: ManualClock) -> AsyncIterator[House]:
    engine = open_engine(sqlite_url, clock)
    await engine.start()
    store = Replica(engine)
    floor = await Floor(store, clock).open()
    rules, hub, metrics = Rules(floor.directory), Hub(), Metrics()
    breaker = Breaker(clock, None, metrics)
    switches = Switches(store, metrics)
    dispatcher = Bell(
        store, Silence(), rules, hub, metrics, breaker, owner="me", provider_timeout=8.0, switches=switches
    )
    try:
        yield House(floor, store, clock, rules, dispatcher, hub, metrics, switches)
        await assert_sound(store)
    finally:
        await engine.close()
