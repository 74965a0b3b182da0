"""The dispatcher when things are late: its own process, the provider's answer, the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.domain.answers import Placed, Refused, Unknown
from app.domain.lead import Claim
from app.domain.stories import Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Answer, CallRequest, Telephony
from app.service.breaker import Breaker
from app.service.dispatcher import INSIST, STALE_INTENT, Dispatcher
from app.service.sweeper import Sweeper
from app.store.tables import attempts, leads
from tests.service.conftest import House, Replica


async def _nothing() -> None:
    """What mostly happens while the provider thinks."""


class Provider(Telephony):
    """Does something else first, then answers; `asked` are the calls it was asked for."""

    def __init__(self, answer: Answer, meanwhile: Callable[[], Awaitable[object]] = _nothing) -> None:
        self.answer = answer
        self.meanwhile = meanwhile
        self.asked: list[CallRequest] = []

    async def place(self, call: CallRequest) -> Answer:
        self.asked.append(call)
        await self.meanwhile()
        return self.answer


class Slow(Replica):
    """A store that takes its time: `sending` seconds for the intent, and `away` seconds until anything is settled."""

    sending = 0.0
    away = 0.0

    def _passes(self, seconds: float) -> None:
        self.engine.clock.advance(seconds)  # type: ignore[attr-defined]  # a clock that stands still otherwise

    async def begin_sending(self, claim: Claim, owner: str, lease: int, ring_agent: int | None = None) -> bool:
        self._passes(self.sending)
        return await super().begin_sending(claim, owner, lease)

    async def settle(self, *args: Any) -> Moved | None:
        if self.away > 0:
            self.away -= 10
            self._passes(10)
            raise StorageUnavailable("restarting")
        return await super().settle(*args)


@pytest.fixture
def store(house: House) -> Slow:
    return Slow(house.store.engine)


def a_dispatcher(house: House, store: Replica, provider: Telephony, breaker: Breaker | None = None) -> Dispatcher:
    return Dispatcher(
        store,
        provider,
        house.rules,
        house.hub,
        house.metrics,
        breaker or Breaker(house.clock, None, Metrics()),
        owner="me",
        provider_timeout=8.0,
        switches=house.switches,
    )


async def dialled(house: House, store: Replica, provider: Telephony) -> Claim:
    """A lead that was claimed and dialled, however that went."""
    await house.floor.accept()
    claim = await house.floor.claim()
    await a_dispatcher(house, store, provider).dial(claim, house.clock.monotonic())
    return claim


# ------------------------------------------------------------------------------------------ a process that was late


@pytest.mark.parametrize(("seconds", "leaves"), [(STALE_INTENT, True), (STALE_INTENT + 0.1, False)])
async def test_a_request_that_was_meant_to_leave_long_ago_does_not(
    house: House, store: Slow, seconds: float, leaves: bool
) -> None:
    """The process stood still between intent and request: nobody may be rung now, and the lead is tried again."""
    store.sending = seconds
    provider = Provider(Placed("c1"))
    claim = await dialled(house, store, provider)
    assert bool(provider.asked) is leaves
    assert (await house.floor.states(claim))[:2] == (("placed", "dialing") if leaves else ("not_sent", "waiting"))


async def test_a_reservation_that_was_taken_over_is_not_sent(house: House, store: Slow) -> None:
    provider = Provider(Placed("c1"))
    await house.floor.accept()
    claim = await house.floor.claim()
    house.clock.advance(5)
    await house.floor.silence(claim)
    await a_dispatcher(house, store, provider).dial(claim, house.clock.monotonic())
    assert provider.asked == []


# --------------------------------------------------------------------------------------------- an answer that was late


@pytest.mark.parametrize(
    ("answer", "states"),
    [
        (Placed("c1"), ("placed", "dialing", "on_call")),
        (Refused(3, "offline", "agent_offline"), ("refused", "waiting", "offline")),
    ],
)
async def test_an_answer_that_comes_after_everybody_gave_up_on_it_still_counts(
    house: House, answer: Answer, states: tuple[str, str, str]
) -> None:
    async def gives_up() -> None:
        house.clock.advance(60)
        sweeper = Sweeper(house.store, house.rules, house.dispatcher, house.hub, house.metrics)
        assert await sweeper.settle_overdue() == 1

    claim = await dialled(house, house.store, Provider(answer, gives_up))
    assert await house.floor.states(claim) == states


# ------------------------------------------------------------------------------------------ a database that was away


async def test_an_answer_is_written_as_soon_as_the_database_is_back(house: House, store: Slow) -> None:
    """A database restarts within half a minute: the lead goes to the next agent instead of waiting for the log."""
    store.away = 30
    claim = await dialled(house, store, Provider(Refused(3, "offline", "agent_offline")))
    assert await house.floor.states(claim) == ("refused", "waiting", "offline")


async def test_an_answer_is_given_up_on_when_the_database_stays_away(house: House, store: Slow) -> None:
    store.away = INSIST + 20
    claim = await dialled(house, store, Provider(Placed("c1")))
    assert (await house.floor.states(claim))[0] == "sending", "the sweeper will find it"


# ------------------------------------------------------------------------------------------- a provider that fails


async def test_nobody_is_taken_while_the_provider_fails(house: House) -> None:
    """Leads wait and are due; no agent is reserved, and no attempt becomes unknown."""
    breaker = Breaker(house.clock, None, Metrics())
    dispatcher = a_dispatcher(house, house.store, Provider(Placed("c1")), breaker)
    for _ in range(5):
        breaker.heard(Unknown("HTTP 503"), house.clock.monotonic())
    await house.floor.accept()
    assert not await dispatcher.round()
    assert await house.floor.rows(attempts) == []
    (lead,) = await house.floor.rows(leads)
    assert (lead["state"], lead["due_at"]) == ("waiting", house.clock.now())
