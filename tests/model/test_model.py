"""The promises P1 to P6 hold after every step of every life that can be thought of.

MODEL_EXAMPLES in the environment asks for so many lives instead of the few of the suite, and for others each time.
"""

from __future__ import annotations

import os
from typing import ClassVar

from hypothesis import HealthCheck, settings

from app.directory import Policy
from tests.model.ledgers import InMemory, InTheStore
from tests.model.machine import Dispatching, Ledger
from tests.simulation.database import Database

_MANY = os.environ.get("MODEL_EXAMPLES")


def _lives(few: int, steps: int) -> settings:
    return settings(
        max_examples=int(_MANY or few),
        stateful_step_count=steps,
        derandomize=_MANY is None,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class InMemoryLife(Dispatching):
    """The pure rules alone."""

    def open_ledger(self, policy: Policy) -> Ledger:
        return InMemory(self.clock, policy)


class StoredLife(Dispatching):
    """The real statements, held against the books in memory after every step."""

    database: ClassVar[Database | None] = None

    def open_ledger(self, policy: Policy) -> Ledger:
        if StoredLife.database is None:
            StoredLife.database = Database()
        return InTheStore(self.clock, policy, StoredLife.database)


TestTheRules = InMemoryLife.TestCase
TestTheRules.settings = _lives(150, 60)
TestTheStore = StoredLife.TestCase
TestTheStore.settings = _lives(40, 50)
