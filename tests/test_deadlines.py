"""One deadline per lead, spent across agents, and told when it breaks; nobody is rung out of the blue afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import to_iso
from tests.clocks import START
from tests.story import DIRECTORY, Story, eventually

MISSED = 'leadring_deadlines_missed_total{site="main"}'


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Monday noon; a person by forty seconds, ring by ring of twenty."""
    with Story(tmp_path, directory=DIRECTORY.replace("[policy]", '[policy]\ndeadline = "35s"')) as story:
        yield story


@pytest.fixture
def long_story(tmp_path: Path) -> Iterator[Story]:
    """The same, where time may leap without anybody being taken to have stood still."""
    policy = '[policy]\ndeadline = "35s"\nfresh_for = "2h"'
    with Story(tmp_path, directory=DIRECTORY.replace("[policy]", policy)) as story:
        yield story


def all_are_talking(story: Story) -> None:
    """Both agents are on calls of other leads."""
    for name, phone in (("Ada", "054-111-1111"), ("Ben", "054-222-2222")):
        visitor = story.sends_the_form(name, phone)
        story.phone_of("dana" if name == "Ada" else "yossi").answer()
        visitor.phone.answer()
        visitor.hears("connected")


def test_when_nobody_is_free_in_time_the_lead_is_told_when_and_is_called_before_that(story: Story) -> None:
    all_are_talking(story)
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert (noa.told["outcome"], noa.told["expected_call_at"]) == ("waiting", None)
    story.let_time_pass(33)
    assert noa.looks()["expected_call_at"] is None, "the promise may still be kept"
    story.let_time_pass(1)
    noa.hears("promised")
    # Ten minutes from 12:00:34 on, rounded up to five.
    status = noa.looks()
    assert (status["state"], status["expected_call_at"]) == ("waiting", to_iso(START + 15 * 60_000))
    assert story.metric(MISSED) == 1

    story.phone_of("dana").hangup()
    story.agent_becomes("dana", "wrap_up")
    story.let_time_pass(31)
    assert noa.sees("dialing")["expected_call_at"] is None
    story.requests(3)
    assert story.rung_agents() == ["dana", "yossi", "dana"]


def test_a_promise_that_breaks_is_told_anew_and_counted_once(long_story: Story) -> None:
    story = long_story
    all_are_talking(story)
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.let_time_pass(35)
    noa.hears("promised")
    for minutes, told in ((15, 25), (25, 35)):
        story.let_time_pass((START + minutes * 60_000 - story.clock.now()) / 1000)
        eventually(
            lambda told=told: noa.looks()["expected_call_at"] == to_iso(START + told * 60_000),  # type: ignore[misc]
            lambda: f"told anew: {noa.looks()}",
        )
    assert story.metric(MISSED) == 1


def test_silent_agents_spend_one_deadline_and_the_last_one_rings_as_long_as_it_lasts(story: Story) -> None:
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("calling")
    story.let_time_pass(20)
    story.phone_of("dana").decline()
    assert [(asked["phone"], asked["params"]["phonemaxdialtime"]) for asked in story.requests(2)] == [
        ("SIPdana1", "20"),
        ("SIPyossi2", "15"),
    ]
    story.let_time_pass(15)
    story.phone_of("yossi").decline()
    noa.hears("promised")
    assert story.nobody_is_due(), "Dana and Yossi wrap up, and who has just missed it is not asked at once again"


def test_whoever_waited_through_an_outage_is_held_and_who_comes_after_it_is_called(story: Story) -> None:
    all_are_talking(story)
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.phone_of("dana").hangup()
    story.agent_becomes("dana", "wrap_up")
    assert story.nobody_is_due()
    story.let_time_pass(16 * 60)  # the whole machine was asleep, say
    eventually(lambda: bool(story.lead_is(noa)["state"] == "held"), lambda: f"held: {story.lead_is(noa)}")
    assert story.lead_is(noa)["reason"] == "outage"
    assert noa.looks()["state"] == "waiting", "which only operations see"
    ben = story.sends_the_form("Ben", "054-333-3333")
    assert ben.told["outcome"] == "dialing"
