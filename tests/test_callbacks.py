"""Callbacks and return calls, told as stories: a time is chosen and kept, and who rings us first is not rung."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import to_iso
from tests.story import ALWAYS_OPEN, DIRECTORY, Story, Visitor

ONE_AGENT_ONE_CALL = DIRECTORY.replace("[policy]", '[policy]\nslot = "30m"\ncall_takes = "30m"').replace(
    'name = "Yossi Cohen"', 'name = "Yossi Cohen"\nenabled = false'
)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Monday noon at the office: Dana and Yossi are free, Dana is asked first."""
    with Story(tmp_path) as story:
        yield story


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Story]:
    """Now, by the provider's clock and ours: the moments in its records, which are whole seconds, mean something."""
    with Story(tmp_path, directory=ALWAYS_OPEN, starts_at=int(time.time()) * 1000) as story:
        yield story


def everybody_is_on_the_phone(story: Story) -> None:
    for extension, agent, phone in (("SIPdana1", "dana", "0722776701"), ("SIPyossi2", "yossi", "0722776702")):
        story.sandbox.busy(extension, phone)
        story.agent_becomes_by_the_provider(agent, "busy")


def told(story: Story, visitor: Visitor) -> str:
    """The end of the lead's history, read aloud."""
    return story.explained(visitor).history[-1].text


def phones_in(story: Story, phone: str, extension: str = "SIPreception") -> None:
    """Somebody rings the company, is answered there, and hangs up; the provider tells it."""
    pushed = len(story.sandbox.cdr_log())
    story.sandbox.busy(extension, phone)
    story.sandbox.free(extension)
    story.sandbox.wait_for_cdr(pushed + 1)


# ------------------------------------------------------------------------------------------------- callbacks


def test_a_visitor_chooses_a_slot_and_is_called_then(tmp_path: Path) -> None:
    """Two choose the same one; the second is told the next, moves to a later one, and each is called at their time."""
    with Story(tmp_path, directory=ONE_AGENT_ONE_CALL) as story:
        slots = story.http.get("/v1/sites/main").json()["slots"]
        assert slots[0] == "2026-01-05T10:30:00.000Z"
        noa = story.sends_the_form("Noa", "054-234-5678", call_at=slots[0])
        gil = story.sends_the_form("Gil", "054-234-5679", call_at=slots[0])
        assert [who.told["outcome"] for who in (noa, gil)] == ["scheduled", "scheduled"]
        assert [who.told["expected_call_at"] for who in (noa, gil)] == slots[:2]
        moved = story.http.patch(gil.told["status_url"], json={"call_at": slots[4]})
        assert moved.json()["expected_call_at"] == slots[4] == gil.looks()["expected_call_at"]

        story.let_time_come("2026-01-05T12:29:59+02:00")
        assert story.nobody_is_due()
        story.let_time_come("2026-01-05T12:30:00+02:00")
        noa.hears("calling")
        story.phone_of("dana").answer()
        noa.phone.answer()
        noa.phone.hangup()
        noa.sees("connected")
        story.let_time_come("2026-01-05T14:29:59+02:00")
        assert story.nobody_is_due()
        story.let_time_come("2026-01-05T14:30:00+02:00")
        gil.hears("calling")
        refused = story.http.patch(gil.told["status_url"], json={"call_at": slots[6]})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert story.rung_agents() == ["dana", "dana"]


def test_a_visitor_who_waits_for_an_agent_may_choose_a_time_instead(story: Story) -> None:
    everybody_is_on_the_phone(story)
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert noa.told["outcome"] == "waiting"
    moved = story.http.patch(noa.told["status_url"], json={"call_at": "2026-01-05T15:00:00+02:00"})
    assert (moved.status_code, moved.json()["expected_call_at"]) == (200, "2026-01-05T13:00:00.000Z")
    story.sandbox.free("SIPdana1")
    story.agent_becomes_by_the_provider("dana", None)
    assert story.nobody_is_due()
    story.let_time_come("2026-01-05T15:00:00+02:00")
    noa.hears("calling")


# ----------------------------------------------------------------------------------------------- phoning in


def test_who_waits_and_phones_in_is_not_called_any_more(story: Story) -> None:
    everybody_is_on_the_phone(story)
    noa, gil = story.sends_the_form("Noa", "054-234-5678"), story.sends_the_form("Gil", "054-234-5679")
    assert [who.told["outcome"] for who in (noa, gil)] == ["waiting", "waiting"]
    story.let_time_pass(10)
    phones_in(story, "0542345678")
    assert noa.sees("cancelled")["timeline"][-1]["event"] == "phoned_in"
    assert story.lead_is(noa)["reason"] == "phoned_in"
    assert told(story, noa) == "phoned in and talked with the agent for 1 s: not called any more"
    assert story.explained(noa).next.what == "nothing; it is over (cancelled)"

    story.sandbox.free("SIPdana1")
    gil.hears("calling")
    story.sandbox.free("SIPyossi2")
    story.agent_becomes_by_the_provider("yossi", None)
    assert story.nobody_is_due()
    assert [request["target"] for request in story.requests(1)] == ["0542345679"]
    assert story.metric("leadring_leads_unaccounted") == 0


def test_who_phones_in_and_gets_nobody_is_called(story: Story) -> None:
    everybody_is_on_the_phone(story)
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.let_time_pass(10)
    story.sandbox.busy("SIPreception", "0542345678", "ringing")
    story.sandbox.free("SIPreception")
    story.sandbox.wait_for_cdr(1)
    assert noa.looks()["state"] == "waiting"
    story.sandbox.free("SIPdana1")
    noa.hears("calling")


def test_who_did_not_answer_and_rings_back_is_not_rung_again(story: Story) -> None:
    """They see the missed call and ring the company; Dana, who had called them, takes it."""
    story.agent_does("dana", agent="answer")
    story.sandbox.set_behaviour("0542345678", lead="no_answer", lead_after=0.02)
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("lead_no_answer")
    noa.sees("waiting")
    story.let_time_pass(60)
    phones_in(story, "0542345678", "SIPdana1")
    noa.sees("cancelled")
    assert "phoned in and talked with Dana Levi" in told(story, noa)
    story.let_time_pass(3600)
    assert story.nobody_is_due()
    assert story.rung_agents() == ["dana"]


def test_our_own_calls_are_nobody_who_phoned_in(story: Story) -> None:
    """The lead is talked to and hangs up, and both legs' records come: connected, by our call alone."""
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.phone_of("dana").answer()
    noa.phone.answer()
    noa.phone.hangup()
    noa.sees("connected")
    assert "phoned_in" not in {line["event"] for line in noa.looks()["timeline"]}


def test_who_phoned_first_and_asked_for_a_callback_afterwards_is_called(today: Story) -> None:
    """The record of that call comes when the callback is promised already; its time tells which was first."""
    today.sandbox.set_cdr(delay=0.5)
    today.sandbox.busy("SIPreception", "0542345678")
    today.sandbox.free("SIPreception")
    today.let_time_pass(30)
    noa = today.sends_the_form("Noa", "054-234-5678", call_at=to_iso(today.clock.now() + 7_200_000) or "")
    today.let_time_pass(90)
    today.sandbox.wait_for_cdr(1)
    assert noa.looks()["state"] == "waiting"


def test_who_asked_for_a_callback_and_phones_in_before_it_is_not_called(today: Story) -> None:
    """By the moments in the record, which are Israel's wall clock."""
    noa = today.sends_the_form("Noa", "054-234-5678", call_at=to_iso(today.clock.now() + 7_200_000) or "")
    today.let_time_pass(20)
    phones_in(today, "0542345678")
    noa.sees("cancelled")
