"""The dispatcher while the database is away: what the provider has answered is not forgotten."""

from __future__ import annotations

from typing import Any

from app.domain.answers import Refused
from app.domain.stories import Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Answer, CallRequest, Telephony
from app.service.breaker import Breaker
from app.service.dispatcher import INSIST, Dispatcher
from tests.service.conftest import House, Replica


class Refusing(Telephony):
    async def place(self, call: CallRequest) -> Answer:
        return Refused(3, "offline", "agent_offline")


class Restarting(Replica):
    """A store that cannot settle anything for a while; each try takes ten seconds."""

    away = 0.0

    async def settle(self, *args: Any) -> Moved | None:
        if self.away > 0:
            self.away -= 10
            self.engine.clock.advance(10)  # type: ignore[attr-defined]
            raise StorageUnavailable("restarting")
        return await super().settle(*args)


async def _dials(house: House, away: float) -> tuple[str, str, str]:
    """Attempt, lead and agent after a dial that was refused, when the database was away for so many seconds."""
    store = Restarting(house.store.engine)
    store.away = away
    breaker = Breaker(house.clock, None, Metrics())
    dispatcher = Dispatcher(
        store,
        Refusing(),
        house.rules,
        house.hub,
        house.metrics,
        breaker,
        owner="me",
        provider_timeout=8.0,
        switches=house.switches,
    )
    await house.floor.accept()
    claim = await house.floor.claim()
    await dispatcher.dial(claim, house.clock.monotonic())
    return await house.floor.states(claim)


async def test_an_answer_is_written_as_soon_as_the_database_is_back(house: House) -> None:
    """A database restarts within half a minute: the lead goes to the next agent instead of waiting for the log."""
    assert await _dials(house, 30) == ("refused", "waiting", "offline")


async def test_an_answer_is_given_up_on_when_the_database_stays_away(house: House) -> None:
    assert (await _dials(house, INSIST + 20))[0] == "sending", "the sweeper will find it"
