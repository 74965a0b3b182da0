"""An answer of the provider is kept until the database takes it: what is provable must not become unknown."""

from __future__ import annotations

from typing import Any

from app.domain.answers import Answer, Placed, Refused
from app.domain.stories import Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import CallRequest, Telephony
from app.service.breaker import Breaker
from app.service.dispatcher import INSISTS, Dispatcher
from tests.service.conftest import House, Replica

WAITED_FOR_A_LOCK = 5.5  # seconds; a frozen replica holds its rows for ten


class Locked(Replica):
    """A store whose rows somebody else holds: the first `times` writes of an answer wait in vain."""

    times = 0

    async def settle(self, *args: Any, **kwargs: Any) -> Moved | None:
        if self.times:
            self.times -= 1
            clock: Any = self.clock
            clock.advance(WAITED_FOR_A_LOCK)
            raise StorageUnavailable("the rows are locked")
        return await super().settle(*args, **kwargs)


class Says(Telephony):
    """The provider, which always answers the same."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def place(self, call: CallRequest) -> Answer:
        return self.answer


async def _dialled(house: House, answer: Answer, times: int) -> tuple[str, str, str]:
    """Where attempt, lead and agent are after a dial whose answer could not be written so many times."""
    store = Locked(house.store.engine)
    store.times = times
    dispatcher = Dispatcher(
        store,
        Says(answer),
        house.rules,
        house.hub,
        house.metrics,
        Breaker(house.clock, None, Metrics()),
        owner="me",
        provider_timeout=8.0,
    )
    await house.floor.accept()
    claim = await house.floor.claim()
    await dispatcher.dial(claim, house.clock.monotonic())
    return await house.floor.states(claim)


async def test_an_answer_outlasts_two_waits_for_a_lock(house: House) -> None:
    assert await _dialled(house, Placed("c1"), 2) == ("placed", "dialing", "on_call")


async def test_a_refusal_outlasts_them_too_and_the_lead_goes_on_to_somebody_else(house: House) -> None:
    refused = Refused(3, "offline", "agent_offline")
    assert await _dialled(house, refused, 2) == ("refused", "waiting", "offline")


async def test_in_the_end_only_the_log_has_it_and_the_sweeper_settles_the_attempt(house: House) -> None:
    times = int(INSISTS / WAITED_FOR_A_LOCK) + 1
    assert await _dialled(house, Placed("c1"), times) == ("sending", "dialing", "reserved")
