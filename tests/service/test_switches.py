"""What a process does with the switches: nothing is claimed while dialling is off, whoever turned it, and it finds out
by itself; what is under way goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from structlog.testing import capture_logs

from app.domain.answers import Answer, Placed
from app.domain.switches import Switch, SwitchName
from app.errors import StorageUnavailable
from app.ports import CallRequest, Telephony
from app.service.breaker import Breaker
from app.service.dispatcher import Dispatcher
from app.service.switches import FRESH, Switches
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from tests.service.conftest import House
from tests.web.service import eventually


@pytest.fixture
async def elsewhere(house: House, sqlite_url: str) -> AsyncIterator[SqlStore]:
    """Another process on the same database, such as a command."""
    engine = open_engine(sqlite_url, house.clock, allow_shared=True)
    await engine.start()
    yield SqlStore(engine)
    await engine.close()


async def off(house: House, **wanted: bool) -> None:
    await house.switches.turn(wanted or {"dialling": False}, "operator", "why")  # type: ignore[arg-type]


async def state_of(house: House, lead_id: str) -> str:
    return str((await house.floor.lead(lead_id))["state"])


async def test_while_dialling_is_off_nothing_is_claimed_and_leads_wait(house: House) -> None:
    await off(house)
    new = await house.floor.accept()
    assert not await house.dispatcher.round()
    assert await state_of(house, new.lead_id) == "waiting"
    assert await house.store.open_calls() == []
    assert house.switches.taking


async def test_when_it_is_on_again_the_dispatcher_is_woken_and_they_are_dialled(house: House) -> None:
    house.switches.on_dialling = house.dispatcher.wake
    await off(house)
    new = await house.floor.accept()
    await house.dispatcher.round()
    assert house.dispatcher.woken == 0
    await off(house, dialling=True)
    assert house.dispatcher.woken == 1
    told = house.told(new.lead_id)
    await house.dispatcher.round()
    assert await state_of(house, new.lead_id) == "dialing"
    await eventually(told, "its request leaves")
    await house.dispatcher.drain(5)
    assert [call.state for call in await house.store.open_calls()] == ["placed"]


async def test_turning_taking_wakes_nobody(house: House) -> None:
    house.switches.on_dialling = house.dispatcher.wake
    await off(house, taking=False)
    await off(house, taking=True)
    assert house.dispatcher.woken == 0


async def test_who_waits_for_a_round_is_told_that_nobody_was_claimed(house: House) -> None:
    """Intake asks so, and answers `waiting`."""
    await off(house)
    asked = asyncio.create_task(house.dispatcher.claimed_now())
    await eventually(lambda: house.dispatcher.woken == 1, "the dispatcher is asked")
    await house.dispatcher.round()
    assert await asked == set()


async def test_a_reservation_that_was_not_sent_yet_is_let_go_of(house: House) -> None:
    """Claimed a moment before the switch: the agent is free again at once, the lead waits."""
    await house.floor.accept()
    claim = await house.floor.claim()
    await off(house)
    await house.dispatcher.dial(claim, house.clock.monotonic())
    assert await house.floor.states(claim) == ("lapsed", "waiting", "available")


async def test_a_call_that_is_under_way_goes_on_and_its_answer_is_recorded(house: House) -> None:
    class Slow(Telephony):
        """Takes the call after the switch was turned."""

        async def place(self, call: CallRequest) -> Answer:
            await off(house)
            return Placed("call")

    dispatcher = Dispatcher(
        house.store,
        Slow(),
        house.rules,
        house.hub,
        house.metrics,
        Breaker(house.clock, None, house.metrics),
        owner="me",
        provider_timeout=8.0,
        switches=house.switches,
    )
    await house.floor.accept()
    claim = await house.floor.claim()
    await dispatcher.dial(claim, house.clock.monotonic())
    assert await house.floor.states(claim) == ("placed", "dialing", "on_call")


async def test_before_a_claim_what_is_known_must_be_fresh(house: House, elsewhere: SqlStore) -> None:
    """A process that stood still claims nothing by what it knew before, however its own loops come to run again."""
    new = await house.floor.accept()
    await house.switches.look()
    await elsewhere.turn({"dialling": False}, "operator", None)
    house.clock.advance(FRESH + 0.1)
    assert not await house.dispatcher.round()
    assert await state_of(house, new.lead_id) == "waiting"
    assert not house.switches.dialling


async def test_a_claim_that_cannot_ask_does_not_dial(house: House) -> None:
    """Money fails closed; leads are taken as it was known last."""
    await house.floor.accept()
    await house.switches.look()

    async def gone() -> Mapping[SwitchName, Switch]:
        raise StorageUnavailable

    house.store.switches = gone  # type: ignore[method-assign]
    house.clock.advance(FRESH + 0.1)
    with pytest.raises(StorageUnavailable):
        await house.dispatcher.round()
    assert await house.store.open_calls() == []
    assert house.switches.taking


async def test_it_looks_by_itself_within_two_seconds_and_at_once_when_told(house: House, elsewhere: SqlStore) -> None:
    loop = asyncio.create_task(house.switches.run())
    try:
        await elsewhere.turn({"taking": False}, "operator", None)
        await eventually(lambda: not house.switches.taking, "it is seen", seconds=2.0)
        await elsewhere.turn({"taking": True}, "operator", None)
        house.switches.look_soon()
        await eventually(lambda: house.switches.taking, "it is seen", seconds=0.9)
    finally:
        loop.cancel()


async def test_it_goes_on_looking_when_a_look_fails(house: House) -> None:
    looks: list[int] = []

    async def broken() -> Mapping[SwitchName, Switch]:
        looks.append(1)
        if len(looks) == 1:
            raise StorageUnavailable
        if len(looks) == 2:
            raise ValueError("a row that nobody can read")
        return {"taking": Switch(on=False), "dialling": Switch()}

    house.store.switches = broken  # type: ignore[method-assign]
    with capture_logs() as logs:
        loop = asyncio.create_task(house.switches.run())
        try:
            for _ in range(3):
                seen = len(looks)
                house.switches.look_soon()
                await eventually(lambda seen=seen: len(looks) > seen, "it looks")  # type: ignore[misc]
            await eventually(lambda: not house.switches.taking, "the third look is learned")
        finally:
            loop.cancel()
    assert [entry["event"] for entry in logs] == ["switch.storage_unavailable", "switch.failed", "switch.turned"]


async def test_a_look_that_began_before_a_turn_is_not_learned_after_it(house: House) -> None:
    """Otherwise what was just switched off would be on again until the next look."""
    before = await house.store.switches()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Mapping[SwitchName, Switch]:
        begun.set()
        await go_on.wait()
        return before

    house.store.switches = slow  # type: ignore[method-assign]
    look = asyncio.create_task(house.switches.look())
    await begun.wait()
    turn = asyncio.create_task(house.switches.turn({"taking": False}, "operator", None))
    await asyncio.wait({turn}, timeout=0.5)  # it has the time to be through, if it does not wait for the look
    go_on.set()
    await asyncio.gather(look, turn)
    assert not house.switches.taking


async def test_a_turn_is_told_once_in_the_log_and_shown_by_the_gauge(house: House) -> None:
    assert house.counted("leadring_switch", switch="taking") == 1
    with capture_logs() as logs:
        await off(house, taking=False)
        await house.switches.look()
        await off(house, taking=True)
    assert [(entry["log_level"], entry["switch"], entry["on"]) for entry in logs] == [
        ("warning", "taking", False),
        ("info", "taking", True),
    ]
    assert logs[0]["event"] == "switch.turned"
    assert (logs[0]["who"], logs[0]["why"], logs[0]["since"]) == ("operator", "why", "2026-01-05T10:00:00.000Z")
    assert house.counted("leadring_switch", switch="taking") == 1
    await off(house)
    assert house.counted("leadring_switch", switch="dialling") == 0
    assert house.metrics.registry.get_sample_value("leadring_switch", {"switch": "dialling"}) == 0


async def test_a_process_that_starts_knows_before_it_dials(house: House) -> None:
    await off(house)
    fresh = Switches(house.store, house.metrics)
    assert not await fresh.may_dial()
