"""Why this agent and none of the others, told as stories: the whole service, with the sandbox as the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.directory import parse_directory
from app.service.explanation import Chosen
from tests.story import DIRECTORY, Story, Visitor

THREE = (
    DIRECTORY.replace('routing = "priority"', 'routing = "longest_idle"')
    + """
[[agents]]
id = "gil"
name = "Gil Katz"
extension = "SIPgil3"
"""
)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Monday noon at the office: Dana, Yossi and Gil; whoever has been idle for longest is asked first."""
    with Story(tmp_path, directory=THREE) as story:
        yield story


def choice(story: Story, visitor: Visitor, number: int = -1) -> Chosen:
    return story.explained(visitor).choices[number]


def why_not(story: Story, visitor: Visitor, number: int = -1) -> list[str]:
    return [one.text for one in choice(story, visitor, number).others]


def test_from_the_first_ring_to_the_talk_every_choice_says_why(story: Story) -> None:
    """Dana is on another call, Yossi does not pick up, Gil talks; and it stays true when the file changes."""
    story.sandbox.busy("SIPdana1", "0722776701")
    story.agent_becomes_by_the_provider("dana", "busy")
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("calling")
    story.phone_of("yossi").decline()
    story.requests(2)
    story.phone_of("gil").answer()
    noa.phone.answer()
    noa.phone.hangup()
    noa.sees("connected")

    assert choice(story, noa, 0).why == "idle for longest (no call yet); 2 were free"
    assert why_not(story, noa, 0) == [
        "Gil Katz (no call yet): the same, but later in leadring.toml",
        "Dana Levi: on the phone, by Voicenter's account",
    ]
    assert list(choice(story, noa, 0).attempt) == [
        "Yossi Cohen's phone was to ring for 20 s; 40 s were left of the deadline",
        "Yossi Cohen did not answer, by Voicenter's record",
        "then Gil Katz, at once",
    ]
    assert choice(story, noa, 1).why == "the only one who was free"
    assert why_not(story, noa, 1) == [
        "Yossi Cohen: wraps up until 12:00:30",
        "Dana Levi: on the phone, by Voicenter's account",
    ]
    assert choice(story, noa, 1).attempt[-1] == "connected, by Voicenter's record"

    story.desk.rules.replace(parse_directory(THREE.replace("Dana Levi", "Dana Levi-Cohen").replace("gil", "gila")))
    after = story.explained(noa)
    assert after.choices[1].name == "gil", "who left the file has no name any more, and is still who it was"
    assert after.choices[0].others[1].text == "Dana Levi-Cohen: on the phone, by Voicenter's account"
    assert after.summary.endswith("connected, with gil, 12:00:00")


def test_an_agent_who_is_offline_costs_nothing_and_is_said_to_be(story: Story) -> None:
    story.agent_does("dana", answer="refuse", errorcode=3)
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("agent_ringing")
    first, second = story.explained(noa).choices
    assert first.attempt[1].startswith("the provider refused: Dana Levi's extension is offline (")
    assert first.attempt[2] == "then Yossi Cohen, at once"
    assert [one.text for one in second.others] == [
        "Gil Katz (no call yet): the same, but later in leadring.toml",
        "Dana Levi: refused by Voicenter as offline, left alone until 12:01:00",
    ]


def test_who_waits_is_told_of_with_everybody_who_does_not_take_it(story: Story) -> None:
    async def pause() -> None:
        await story.desk.store.pause("gil", None, "dentist")

    assert story._loop is not None
    asyncio.run_coroutine_threadsafe(pause(), story._loop).result(10)
    first = story.sends_the_form("Noa", "054-234-5678")
    first.hears("agent_ringing")
    second = story.sends_the_form("Gal", "054-234-5679")
    second.hears("agent_ringing")
    third = story.sends_the_form("Tal", "054-234-5670")
    found = story.explained(third)
    assert found.next.what == "dialled as soon as an agent is free"
    assert found.waiting is not None
    assert [one.text for one in found.waiting.agents] == [
        "Dana Levi, Yossi Cohen: on a call",
        "Gil Katz: paused until resumed (dentist)",
    ]
    assert why_not(story, second) == ["Dana Levi: on a call", "Gil Katz: paused until resumed (dentist)"]
