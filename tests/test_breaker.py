"""The breaker with its clock, its question to the provider, and those who are told."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.domain.answers import Answer, Placed, Refused, Unknown
from app.metrics import Metrics
from app.service.breaker import SLOW, Breaker
from tests.clocks import ManualClock

PATIENCE = 5.0  # seconds until what a test waits for is taken never to come
PLACED = Placed("call-1")
DOWN = Unknown("HTTP 503")


class Provider:
    """Answers the question as told; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Callable[[], Awaitable[bool]] = self.well

    async def __call__(self) -> bool:
        self.asked += 1
        return await self.answer()

    async def well(self) -> bool:
        return True

    async def badly(self) -> bool:
        return False

    async def not_at_all(self) -> bool:
        raise ConnectionError("https://provider.example/?code=secret")


class Rig:
    """A breaker on a clock that stands still, its loop running."""

    def __init__(self, breaker: Breaker, clock: ManualClock, metrics: Metrics, loop: asyncio.Task[None]) -> None:
        self.breaker = breaker
        self.clock = clock
        self.loop = loop
        self.woken = 0
        self._metrics = metrics
        breaker.on_change = self._wake

    def _wake(self) -> None:
        self.woken += 1

    @property
    def gauge(self) -> float | None:
        return self._metrics.registry.get_sample_value("leadring_breaker_open")

    def dial(self, *answers: Answer) -> None:
        """Calls placed and answered at once, one after the other, as far as there is room."""
        for answer in answers:
            at = self.clock.monotonic()
            assert self.breaker.room(32) > 0
            self.breaker.taken(1, at)
            assert self.breaker.may_send(at)
            self.breaker.heard(answer, at)
            self.breaker.given_back(at)

    def time_passes(self, seconds: float) -> None:
        """And the dispatcher looks, as it does every second."""
        self.clock.advance(seconds)
        self.breaker.room(32)

    async def becomes(self, state: str) -> None:
        await eventually(lambda: self.breaker.state == state, f"{state}: {self.breaker.state}")


@contextlib.asynccontextmanager
async def running(probe: Callable[[], Awaitable[bool]] | None, *, deadline: float = PATIENCE) -> AsyncIterator[Rig]:
    clock, metrics = ManualClock(), Metrics()
    breaker = Breaker(clock, probe, metrics, jitter=lambda: 0.0, probe_deadline=deadline)
    loop = asyncio.create_task(breaker.run())
    try:
        yield Rig(breaker, clock, metrics, loop)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def rig(provider: Provider) -> AsyncIterator[Rig]:
    async with running(provider) as one:
        yield one


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


async def eventually(true: Callable[[], bool], what: str) -> None:
    """Until this holds; an AssertionError that names it after PATIENCE."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while not true():
        assert asyncio.get_running_loop().time() < until, f"never: {what}"
        await asyncio.sleep(0)


def events(lines: list[Any]) -> list[tuple[str, str]]:
    return [(line["log_level"], line["event"]) for line in lines]


async def test_closed_until_five_failures_in_a_row(rig: Rig) -> None:
    assert (rig.breaker.state, rig.breaker.room(32), rig.gauge) == ("closed", 32, 0)
    rig.dial(*[DOWN] * 4)
    assert (rig.breaker.state, rig.breaker.room(32)) == ("closed", 32)
    rig.dial(DOWN)
    assert rig.breaker.is_open
    assert (rig.breaker.room(32), rig.gauge) == (0, 1)
    # Monday 10:00 UTC and ten seconds
    assert rig.breaker.state == "open until 2026-01-05T10:00:10.000Z"


async def test_the_whole_way_back_is_told_once_per_change(rig: Rig, provider: Provider, lines: list[Any]) -> None:
    rig.dial(*[DOWN] * 5)
    rig.time_passes(10)
    await rig.becomes("trying")
    assert (provider.asked, rig.woken, rig.breaker.room(32), rig.gauge) == (1, 1, 1, 0)
    rig.dial(PLACED)
    assert (rig.breaker.state, rig.woken, rig.breaker.room(32)) == ("closed", 2, 32)
    assert events(lines) == [("error", "breaker.opened"), ("info", "breaker.trying"), ("info", "breaker.closed")]
    assert lines[0]["seconds"] == 10.0
    assert lines[0]["reason"] == "5 failures in a row; the last: HTTP 503"


async def test_the_provider_is_not_asked_before_the_time_is_up(rig: Rig, provider: Provider) -> None:
    rig.dial(*[DOWN] * 5)
    rig.time_passes(9.9)
    for _ in range(20):
        await asyncio.sleep(0)
    assert provider.asked == 0
    rig.time_passes(0.2)
    await eventually(lambda: provider.asked == 1, "asked")


async def test_opening_wakes_the_loop_that_nothing_wakes_while_closed(rig: Rig, provider: Provider) -> None:
    await asyncio.sleep(0)  # the loop waits without end
    rig.dial(*[DOWN] * 5)
    rig.clock.advance(10)
    await eventually(lambda: provider.asked == 1, "asked")


async def test_the_timer_alone_asks_when_nobody_looks(provider: Provider) -> None:
    clock = ManualClock()
    breaker = Breaker(clock, provider, Metrics(), jitter=lambda: 0.0)
    for _ in range(5):
        breaker.heard(DOWN, clock.monotonic())
    clock.advance(9.99)
    loop = asyncio.create_task(breaker.run())
    await asyncio.sleep(0)  # the loop sleeps from now on, for 10 ms
    clock.advance(0.01)
    await eventually(lambda: provider.asked == 1, "asked")
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


@pytest.mark.parametrize("how", ["badly", "not_at_all"])
async def test_a_bad_answer_to_the_question_holds_calls_back_for_longer(
    rig: Rig, provider: Provider, lines: list[Any], how: str
) -> None:
    provider.answer = getattr(provider, how)
    rig.dial(*[DOWN] * 5)
    rig.time_passes(10)
    await rig.becomes("open until 2026-01-05T10:00:30.000Z")
    assert (provider.asked, rig.woken, rig.gauge) == (1, 0, 1)
    assert events(lines)[-1] == ("warning", "breaker.still_open")
    assert lines[-1]["seconds"] == 20.0
    assert "secret" not in repr(lines), "an error's words may hold the URL, and that the account code"
    provider.answer = provider.well
    rig.time_passes(20)
    await rig.becomes("trying")


async def test_a_question_that_is_never_answered_is_not_believed_for_ever(
    rig: Rig, provider: Provider, lines: list[Any]
) -> None:
    provider.answer = provider.badly
    rig.dial(*[DOWN] * 5)
    for asked, seconds in enumerate([10, 20, 40, 80, 160, 300], 1):
        rig.time_passes(seconds)
        await eventually(lambda asked=asked: provider.asked == asked, "asked")  # type: ignore[misc]
    await rig.becomes("trying")
    assert events(lines)[-1] == ("warning", "breaker.probe_disbelieved")
    rig.dial(PLACED)
    assert rig.breaker.state == "closed"


async def test_a_question_that_hangs_is_a_bad_answer(provider: Provider) -> None:
    hanging = asyncio.Event()
    provider.answer = hanging.wait
    async with running(provider, deadline=0.02) as rig:
        rig.dial(*[DOWN] * 5)
        rig.time_passes(10)
        await rig.becomes("open until 2026-01-05T10:00:30.000Z")


async def test_the_end_of_the_service_interrupts_the_question(rig: Rig, provider: Provider) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang() -> bool:
        asked.set()
        return await never.wait()

    provider.answer = hang
    rig.dial(*[DOWN] * 5)
    rig.time_passes(10)
    await asyncio.wait_for(asked.wait(), 5)
    rig.loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rig.loop


async def test_in_half_open_exactly_one_leaves_and_its_failure_opens_for_longer(rig: Rig, lines: list[Any]) -> None:
    rig.dial(*[DOWN] * 5)
    rig.time_passes(10)
    await rig.becomes("trying")
    at = rig.clock.monotonic()
    assert [rig.breaker.room(32), rig.breaker.room(32)] == [1, 1], "asking uses nothing up"
    rig.breaker.taken(1, at)
    assert rig.breaker.room(32) == 0
    rig.breaker.heard(DOWN, at)
    assert rig.breaker.state == "open until 2026-01-05T10:00:30.000Z"
    assert [event for _, event in events(lines)] == ["breaker.opened", "breaker.trying", "breaker.opened"]
    assert lines[-1]["reason"] == "the call tried failed: HTTP 503"


async def test_a_trial_that_falls_silent_makes_room_again(rig: Rig, lines: list[Any]) -> None:
    rig.dial(*[DOWN] * 5)
    rig.time_passes(10)
    await rig.becomes("trying")
    rig.breaker.taken(1, rig.clock.monotonic())
    rig.time_passes(60)
    await eventually(lambda: rig.woken == 2, "the dispatcher is told")
    assert rig.breaker.room(32) == 1
    assert events(lines)[-1] == ("warning", "breaker.trial_silent")


async def test_a_trial_given_back_makes_room_at_once(rig: Rig) -> None:
    rig.dial(*[DOWN] * 5)
    rig.time_passes(10)
    await rig.becomes("trying")
    at = rig.clock.monotonic()
    rig.breaker.taken(1, at)
    rig.breaker.given_back(at)
    assert (rig.breaker.room(32), rig.woken) == (1, 2)


async def test_what_was_under_way_when_it_opened_changes_nothing(rig: Rig) -> None:
    early = rig.clock.monotonic()
    rig.breaker.taken(20, early)
    rig.clock.advance(1)
    rig.dial(*[DOWN] * 5)
    state = rig.breaker.state
    assert not rig.breaker.may_send(early)
    late: list[Answer] = [PLACED, *[DOWN] * 20]
    for answer in late:
        rig.breaker.heard(answer, early)
    assert rig.breaker.state == state
    rig.time_passes(10)
    await rig.becomes("trying")
    rig.breaker.heard(PLACED, early)
    assert rig.breaker.state == "trying"


async def test_a_shut_door_is_known_after_three(rig: Rig) -> None:
    rig.dial(*[Refused(None, "HTTP 403", "configuration")] * 3)
    assert rig.breaker.is_open


async def test_without_a_question_to_ask_the_time_alone_lets_one_through() -> None:
    async with running(None) as rig:
        rig.dial(*[DOWN] * 5)
        rig.time_passes(10)
        await rig.becomes("trying")
        assert rig.breaker.room(32) == 1


async def test_five_calls_without_an_answer_hold_the_others_back_before_their_deadline(rig: Rig) -> None:
    """A provider that hangs would take every free agent along, one after the other."""
    early = rig.clock.monotonic()
    rig.breaker.taken(5, early)
    rig.time_passes(SLOW)
    assert rig.breaker.room(32) == 32, "slow is not silent"
    rig.time_passes(0.1)
    assert rig.breaker.room(32) == 0
    assert rig.breaker.state == "closed"
    woken = rig.woken
    rig.breaker.heard(PLACED, early)
    rig.breaker.given_back(early)
    assert rig.woken == woken + 1, "the dispatcher is told"
    assert rig.breaker.room(32) == 32


async def test_calls_that_were_answered_count_for_nothing(rig: Rig) -> None:
    rig.dial(*[PLACED] * 20)
    rig.time_passes(60)
    assert rig.breaker.room(32) == 32


async def test_rounds_that_claim_nothing_leave_nothing_behind(rig: Rig) -> None:
    """A process that idles for a night has not grown by a place for each second of it."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(5000):
            rig.time_passes(1.0)
            rig.breaker.taken(0, rig.clock.monotonic())
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000, "bytes for 5000 rounds"
