"""Chapters of a lead whose own evening is earlier than the office's: nobody is rung out of the hours at home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story import DIRECTORY, Story, eventually

# Monday noon at the office is ten in the morning in London, where nobody is to be rung after 11:05.
WINDOW = '\n[hours.decent]\nmon-sun = ["09:00-11:05"]\n'
TOML = (DIRECTORY + WINDOW).replace("[policy]", '[policy]\ndialing_window = "decent"\ncountries = ["IL", "GB"]', 1)
LONDON = "+44 20 7946 0958"
TOMORROW = "2026-01-06T09:00:00.000Z"


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Monday noon at the office: Dana and Yossi are free, Dana is asked first."""
    with Story(tmp_path, directory=TOML) as story:
        yield story


def test_who_does_not_answer_is_tried_again_in_its_own_hours(story: Story) -> None:
    """The first retry is due in ten minutes and the window closes in five: it is for the next morning, in London."""
    story.let_time_come("2026-01-05T13:00:00+02:00")
    story.agent_does("dana", agent="answer")
    story.sandbox.set_behaviour("442079460958", lead="busy")
    ann = story.sends_the_form("Ann", LONDON)
    ann.hears("lead_busy")
    assert ann.sees("waiting")["expected_call_at"] == TOMORROW
    assert story.lead_is(ann)["reason"] == "closed"

    story.let_time_pass(3600)
    assert story.nobody_is_due()
    story.sandbox.set_behaviour("442079460958", lead="answer")
    story.let_time_come("2026-01-06T10:59:59+02:00")
    assert story.nobody_is_due()
    story.let_time_come("2026-01-06T11:00:01+02:00")
    eventually(lambda: len(story.rung_agents()) == 2, lambda: f"rung: {story.rung_agents()}")


def test_who_waits_in_line_past_its_own_hours_is_not_rung_when_somebody_is_free(story: Story) -> None:
    story.agent_does("dana", agent="answer", lead="answer")
    story.agent_does("yossi", agent="answer", lead="answer")
    story.let_time_come("2026-01-05T13:00:00+02:00")
    talking = [story.sends_the_form("Eve", "+44 20 7946 0111"), story.sends_the_form("Bob", "+44 20 7946 0222")]
    story.requests(2)
    ann = story.sends_the_form("Ann", LONDON)
    assert ann.told["outcome"] == "waiting"

    story.let_time_pass(300)
    eventually(lambda: ann.looks()["expected_call_at"] == TOMORROW, lambda: f"put off: {ann.looks()}")
    for visitor in talking:
        visitor.phone.hangup()
        visitor.sees("connected")
    story.let_time_pass(30)
    assert story.nobody_is_due()
    assert story.rung_agents() == ["dana", "yossi"]
    assert story.metric("leadring_leads_unaccounted") == 0

    story.let_time_come("2026-01-06T11:00:01+02:00")
    ann.sees("dialing")
    story.requests(3)
    assert story.rung_agents() == ["dana", "yossi", "dana"]
