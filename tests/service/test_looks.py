"""Questions about the line are spaced, and who waits for the same question shares its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from app.ports import ExtensionNow, Presence
from app.service.looks import APART, Looks

SPACE = 0.05  # seconds
PATIENCE = 5.0


class Provider(Presence):
    """Answers each question with its number; `slow`: only when it is told to."""

    def __init__(self) -> None:
        self.asked_at: list[float] = []
        self.answered_at: list[float] = []
        self.slow = False
        self.may_answer = asyncio.Event()

    async def look(self) -> Sequence[ExtensionNow] | None:
        self.asked_at.append(asyncio.get_running_loop().time())
        number = len(self.asked_at)
        if self.slow:
            await self.may_answer.wait()
        self.answered_at.append(asyncio.get_running_loop().time())
        return [ExtensionNow(str(number), "in")]


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def looks(provider: Provider) -> AsyncIterator[Looks]:
    made = Looks(provider, apart=SPACE)
    yield made
    await made.close()


def number(answer: Sequence[ExtensionNow] | None) -> int:
    assert answer is not None
    return int(answer[0].extension)


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0)


def test_five_seconds_lie_between_two_questions_unless_told_otherwise() -> None:
    """Facts 3.2: closer together the provider answers stale."""
    assert APART >= 5.0


async def test_the_first_question_waits_for_nothing(provider: Provider) -> None:
    looks = Looks(provider, apart=3600)
    async with asyncio.timeout(PATIENCE):
        assert number(await looks.look()) == 1
    await looks.close()


async def test_questions_are_never_closer_together_than_told(looks: Looks, provider: Provider) -> None:
    assert [number(await looks.look()) for _ in range(4)] == [1, 2, 3, 4]
    gaps = [later - earlier for earlier, later in zip(provider.asked_at, provider.asked_at[1:], strict=False)]
    assert min(gaps) >= SPACE * 0.99, gaps


async def test_who_asks_while_a_question_waits_for_its_turn_shares_it(looks: Looks, provider: Provider) -> None:
    await looks.look()
    answers = await asyncio.gather(*(looks.look() for _ in range(20)))
    assert {number(answer) for answer in answers} == {2}
    assert len(provider.asked_at) == 2


async def test_who_asks_after_a_question_left_gets_a_later_answer(looks: Looks, provider: Provider) -> None:
    """What is on its way may have been answered before the asker's own deed."""
    provider.slow = True
    first = asyncio.create_task(looks.look())
    await eventually(lambda: len(provider.asked_at) == 1)
    second = asyncio.create_task(looks.look())
    provider.may_answer.set()
    assert number(await first) == 1
    assert number(await second) == 2
    assert provider.asked_at[1] - provider.answered_at[0] >= SPACE * 0.99, "counted from the answer"


@pytest.mark.parametrize("when", ["waiting for its turn", "being answered"])
async def test_an_asker_who_gives_up_takes_the_answer_from_nobody(looks: Looks, provider: Provider, when: str) -> None:
    await looks.look()
    provider.slow = True
    hasty, patient = (asyncio.create_task(looks.look()) for _ in range(2))
    await asyncio.sleep(0)
    if when == "being answered":
        await eventually(lambda: len(provider.asked_at) == 2)
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    provider.may_answer.set()
    assert number(await patient) == 2


async def test_a_question_whose_only_asker_gave_up_counts_for_the_space_to_the_next(
    looks: Looks, provider: Provider
) -> None:
    await looks.look()
    hasty = asyncio.create_task(looks.look())
    await asyncio.sleep(0)
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    await eventually(lambda: len(provider.asked_at) == 2)
    assert number(await looks.look()) == 3
    assert provider.asked_at[2] - provider.asked_at[1] >= SPACE * 0.99


async def test_closing_ends_what_waits_and_what_is_being_answered(provider: Provider) -> None:
    looks = Looks(provider, apart=3600)
    provider.slow = True
    answered = asyncio.create_task(looks.look())
    await eventually(lambda: len(provider.asked_at) == 1)
    waiting = asyncio.create_task(looks.look())
    await asyncio.sleep(0)
    await looks.close()
    found = await asyncio.gather(answered, waiting, return_exceptions=True)
    assert [type(one) for one in found] == [asyncio.CancelledError] * 2
    assert len(provider.asked_at) == 1
