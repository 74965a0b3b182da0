"""The promises P1 to P6 hold after every step of every life that can be thought of.

MODEL_EXAMPLES in the environment asks for so many lives instead of the few of the suite, and for others each time;
MODEL_SHRINK=no leaves a life that fails as it was found, which is quicker.
"""

from __future__ import annotations

import os
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings

from app.directory import Policy
from tests.model.ledgers import InMemory, InTheStore
from tests.model.machine import Dispatching, Ledger
from tests.simulation.database import Database

_MANY = os.environ.get("MODEL_EXAMPLES")
_SHRINK = os.environ.get("MODEL_SHRINK") != "no"


def _lives(few: int, steps: int) -> settings:
    return settings(
        max_examples=int(_MANY or few),
        stateful_step_count=steps,
        derandomize=_MANY is None,
        database=None,
        deadline=None,
        phases=[phase for phase in Phase if _SHRINK or phase not in (Phase.shrink, Phase.explain)],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class InMemoryLife(Dispatching):
    """The pure rules alone."""

    def open_ledger(self, policy: Policy, limit: int) -> Ledger:
        return InMemory(self.clock, policy, limit)


class StoredLife(Dispatching):
    """The real statements, held against the books in memory after every step."""

    database: ClassVar[Database | None] = None

    def open_ledger(self, policy: Policy, limit: int) -> Ledger:
        if StoredLife.database is None:
            StoredLife.database = Database()
        return InTheStore(self.clock, policy, limit, StoredLife.database)


TestTheRules = InMemoryLife.TestCase
TestTheRules.settings = _lives(150, 60)
TestTheStore = StoredLife.TestCase
TestTheStore.settings = _lives(40, 50)
