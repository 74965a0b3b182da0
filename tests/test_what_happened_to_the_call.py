"""What happened to the call, told as stories: what the provider's accounts say, and what is made of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.story import ALWAYS_OPEN, DIRECTORY, Story, eventually


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Monday noon at the office: Dana and Yossi are free, Dana is asked first; the provider has a second to answer."""
    with Story(tmp_path, timeout=1.0) as story:
        yield story


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Story]:
    """Now, by the provider's clock and ours; the office is always open, and no call is reported by itself."""
    with Story(tmp_path, timeout=1.0, directory=ALWAYS_OPEN, starts_at=int(time.time() * 1000)) as story:
        story.sandbox.set_behaviour("*", cdr="none")
        yield story


def state_of(story: Story, visitor: Any, number: int = 0) -> str:
    attempts = story.attempts_of(visitor)
    return str(attempts[number]["state"]) if len(attempts) > number else ""


def told(story: Story, visitor: Any) -> list[str]:
    """The lead's history, read aloud."""
    return [line.text for line in story.explained(visitor).history]


def three_looks_into_the_call_log(story: Story, visitor: Any, number: int = 0) -> None:
    """5, 15 and 30 minutes pass, and the call log knows of no such call."""
    for looks, seconds in enumerate((301, 601, 901), 1):
        story.let_time_pass(seconds)
        eventually(
            lambda n=looks: (  # type: ignore[misc]
                story.attempts_of(visitor)[number]["log_looks"] == n or state_of(story, visitor, number) == "absent"
            ),
            lambda: str(story.attempts_of(visitor)),
        )
    assert state_of(story, visitor, number) == "absent"


# ------------------------------------------------------------------------------------------------ presence


def test_a_busy_agent_costs_a_lead_no_time(story: Story) -> None:
    story.sandbox.busy("SIPdana1")
    story.agent_becomes_by_the_provider("dana", "busy")
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert noa.told["outcome"] == "dialing"
    story.requests(1)
    assert story.rung_agents() == ["yossi"]
    story.sandbox.free("SIPdana1")
    story.agent_becomes_by_the_provider("dana", None)
    gil = story.sends_the_form("Gil", "054-234-5679")
    gil.hears("calling")
    assert story.rung_agents() == ["yossi", "dana"]


def test_a_lead_waits_while_everybody_is_on_the_phone_and_is_rung_when_somebody_hangs_up(story: Story) -> None:
    story.sandbox.busy("SIPdana1", "0722776701")
    story.sandbox.busy("SIPyossi2", "0722776702")
    story.agent_becomes_by_the_provider("dana", "busy")
    story.agent_becomes_by_the_provider("yossi", "busy")
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert noa.told["outcome"] == "waiting"
    story.sandbox.free("SIPyossi2")
    noa.hears("calling")
    assert story.rung_agents() == ["yossi"]


def test_who_is_at_lunch_is_not_rung_and_who_is_logged_out_is_as_the_file_says(tmp_path: Path) -> None:
    story_with = DIRECTORY.replace("[policy]", '[policy]\nlogged_out = "away"')
    for directory, extensions in ((DIRECTORY, ["yossi"]), (story_with, ["yossi"])):
        folder = tmp_path / str(len(directory))
        folder.mkdir()
        with Story(folder, directory=directory) as story:
            story.sandbox.login("SIPdana1", 3 if directory is DIRECTORY else 2)
            story.agent_becomes_by_the_provider("dana", "away")
            story.sends_the_form("Noa", "054-234-5678").hears("calling")
            assert story.rung_agents() == extensions


def test_logged_out_is_free_where_nobody_ever_logs_in(story: Story) -> None:
    for extension in ("SIPdana1", "SIPyossi2"):
        story.sandbox.login(extension, 2)
    story.line_is_believed()
    story.sends_the_form("Noa", "054-234-5678").hears("calling")
    assert story.rung_agents() == ["dana"]


def test_an_empty_answer_takes_nobody_away_and_is_visible(story: Story) -> None:
    story.sandbox.busy("SIPdana1")
    story.agent_becomes_by_the_provider("dana", "busy")
    story.sandbox.set_behaviour("active_calls", answer="empty")
    eventually(lambda: "not seen" in story.http.get("/readyz").text, lambda: story.http.get("/readyz").text)
    assert story.http.get("/readyz").json()["status"] == "warn"
    assert (story.metric('leadring_presence_doubts_total{reason="blind"}') or 0) > 0
    story.let_time_pass(31)  # what was told before has run out: our own books decide alone
    story.sends_the_form("Noa", "054-234-5678").hears("calling")
    assert story.rung_agents() == ["dana"]


# --------------------------------------------------------------------------------------- unknown attempts


@pytest.mark.parametrize("answer", ["cut", "half", "garbage", "hang"])
def test_an_unknown_call_that_is_on_the_line_is_confirmed(story: Story, answer: str) -> None:
    story.agent_does("dana", answer=answer, rings=True)
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: state_of(story, noa) == "placed", lambda: str(story.attempts_of(noa)))
    assert story.attempts_of(noa)[0]["call_id"]
    assert any("on the line after all" in line for line in told(story, noa))
    noa.hears("calling")
    story.phone_of("dana").answer()
    noa.phone.answer()
    noa.phone.hangup()
    noa.sees("connected")
    assert story.rung_agents() == ["dana"]


def test_three_looks_that_find_nothing_ring_nobody_again_and_at_last_the_agent_is_free(story: Story) -> None:
    story.sandbox.login("SIPdana1", 1)  # the provider knows the extension, so it would show a call on it
    story.agent_does("dana", answer="garbage", rings=False)
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: state_of(story, noa) == "unknown", lambda: str(story.attempts_of(noa)))
    for seconds, looks in ((2, 1), (8, 2), (20, 3)):
        story.agent_becomes("dana", "on_call")
        story.let_time_pass(seconds)
        eventually(lambda n=looks: story.attempts_of(noa)[0]["line_looks"] == n, lambda: str(story.attempts_of(noa)))  # type: ignore[misc]
    story.agent_becomes("dana", "on_call")
    story.sandbox.login("SIPyossi2", 3)  # the account changes, so it is no old one
    story.let_time_pass(31)  # and no phone of that call can ring any more
    story.agent_becomes("dana", "available")
    assert story.nobody_is_due()
    assert noa.looks()["state"] == "dialing"
    assert story.rung_agents() == ["dana"]


def test_an_error_of_the_providers_own_is_repeated_only_when_nothing_is_on_the_line(story: Story) -> None:
    story.agent_does("dana", answer="refuse", errorcode=2, rings=True)
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: state_of(story, noa) == "placed", lambda: str(story.attempts_of(noa)))
    assert noa.looks()["state"] == "dialing"
    story.let_time_pass(20)
    assert story.nobody_is_due()
    assert story.rung_agents() == ["dana"]


def test_an_error_after_which_nothing_rings_is_repeated_once(story: Story) -> None:
    story.agent_does("dana", answer="refuse", errorcode=2, rings=False)
    story.agent_does("yossi", answer="refuse", errorcode=2, rings=False)
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: story.lead_is(noa)["state"] == "waiting", lambda: str(story.lead_is(noa)))
    story.let_time_pass(10)
    story.requests(2)
    eventually(lambda: story.lead_is(noa)["state"] == "held", lambda: str(story.lead_is(noa)))
    assert len(story.rung_agents()) == 2


# ------------------------------------------------------------------------------------------------ call log


def test_a_call_that_nobody_reported_is_found_in_the_call_log(today: Story) -> None:
    story = today
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.phone_of("dana").answer()
    noa.phone.answer()
    noa.hears("connected")  # both are seen talking; nothing is decided from it
    noa.phone.hangup()
    story.agent_becomes("dana", "available")  # the call has left the line; no report came
    assert noa.looks()["state"] == "dialing"
    story.let_time_pass(121)
    assert noa.sees("connected")["outcome"] == "connected"
    attempt = story.attempts_of(noa)[0]
    assert None not in (attempt["leg1_at"], attempt["leg2_at"]), "both legs' times are known"
    assert story.rung_agents() == ["dana"]


def test_an_unknown_call_is_found_in_the_call_log_when_the_line_is_dead(today: Story) -> None:
    story = today
    story.line_is_dead()
    story.agent_does("dana", answer="garbage", rings=True, cdr="none")
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: state_of(story, noa) == "unknown", lambda: str(story.attempts_of(noa)))
    story.phone_of("dana").answer()
    noa.phone.answer()
    noa.phone.hangup()
    story.let_time_pass(301)
    assert noa.sees("connected")["outcome"] == "connected"


def test_a_call_in_no_account_of_the_provider_is_absent_and_a_person_decides(today: Story) -> None:
    story = today
    story.agent_does("dana", answer="garbage", rings=False)
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: state_of(story, noa) == "unknown", lambda: str(story.attempts_of(noa)))
    three_looks_into_the_call_log(story, noa)
    lead = story.lead_is(noa)
    assert (lead["state"], lead["reason"]) == ("held", "absent")
    assert noa.looks()["state"] == "waiting"
    assert story.rung_agents() == ["dana"]
    assert story.metric("leadring_leads_unaccounted") == 0


def test_where_the_file_allows_it_an_absent_call_is_placed_once_more_and_only_once(tmp_path: Path) -> None:
    again = ALWAYS_OPEN.replace("[policy]", "[policy]\nredial_absent = true").replace('"60m"\nrouting', '"3h"\nrouting')
    with Story(tmp_path, timeout=1.0, directory=again, starts_at=int(time.time() * 1000)) as story:
        story.agent_does("dana", answer="garbage", rings=False)
        story.agent_does("yossi", answer="garbage", rings=False)
        noa = story.sends_the_form("Noa", "054-234-5678")
        eventually(lambda: state_of(story, noa) == "unknown", lambda: str(story.attempts_of(noa)))
        three_looks_into_the_call_log(story, noa)
        eventually(lambda: len(story.attempts_of(noa)) == 2, lambda: str(story.attempts_of(noa)))
        eventually(lambda: state_of(story, noa, 1) == "unknown", lambda: str(story.attempts_of(noa)))
        three_looks_into_the_call_log(story, noa, 1)
        assert [one["state"] for one in story.attempts_of(noa)] == ["absent", "absent"]
        assert (story.lead_is(noa)["state"], story.lead_is(noa)["reason"]) == ("held", "absent")


# ------------------------------------------------------------------------------------- recording and times


def test_recording_cost_and_both_legs_times_are_in_the_leads_history(tmp_path: Path) -> None:
    recorded = ALWAYS_OPEN.replace("[policy]", "[policy]\nrecord = true")
    with Story(tmp_path, directory=recorded, starts_at=int(time.time() * 1000)) as story:
        noa = story.sends_the_form("Noa", "054-234-5678")
        story.phone_of("dana").answer()
        noa.phone.answer()
        noa.phone.hangup()
        noa.sees("connected")
        eventually(lambda: story.attempts_of(noa)[0]["leg1_at"] is not None, lambda: str(story.attempts_of(noa)))
        (attempt,) = story.attempts_of(noa)
        assert attempt["recording"].startswith("https://")
        assert attempt["price"] is not None
        assert abs(attempt["leg2_at"] - story.clock.now()) < 60_000, "Israel's wall clock became a moment"
        heard = [line for line in told(story, noa) if "reported" in line]
        assert len(heard) == 2
        assert "recording https://" in " ".join(heard)
        assert "recording" not in noa.looks().__repr__(), "not for the visitor"


# --------------------------------------------------------------------------------------- the kinds of call


def test_a_site_may_ring_the_lead_first(tmp_path: Path) -> None:
    lead_first = DIRECTORY.replace('key = "main"\n', 'key = "main"\nfirst = "lead"\n')
    with Story(tmp_path, directory=lead_first) as story:
        noa = story.sends_the_form("Noa", "054-234-5678")
        (request,) = story.requests(1)
        assert (request["phone"], request["target"]) == ("0542345678", "SIPdana1")
        noa.phone.answer()
        story.phone_of("dana").answer()
        story.phone_of("dana").hangup()
        assert noa.sees("connected")["agent_name"] == "Dana"


def test_a_lead_who_picked_up_to_nobody_is_not_rung_again_in_the_same_minute(tmp_path: Path) -> None:
    lead_first = DIRECTORY.replace('key = "main"\n', 'key = "main"\nfirst = "lead"\n')
    with Story(tmp_path, directory=lead_first) as story:
        noa = story.sends_the_form("Noa", "054-234-5678")
        noa.phone.answer()
        story.phone_of("dana").decline()
        noa.sees("waiting")
        lead = story.lead_is(noa)
        assert (lead["reason"], lead["due_at"]) == ("retry", story.clock.now() + 600_000)
        assert len(story.sandbox.requests()) == 1


@pytest.mark.parametrize("first", ["lead", "agent"])
def test_a_site_may_connect_its_leads_to_an_ivr_over_so_many_lines(tmp_path: Path, first: str) -> None:
    with_ivr = DIRECTORY.replace('key = "main"\n', f'key = "main"\nivr = "0722776772"\nlines = 2\nfirst = "{first}"\n')
    with Story(tmp_path, directory=with_ivr) as story:
        story.sandbox.set_behaviour("0722776772", agent="answer", lead="answer")
        visitors = [story.sends_the_form(f"Visitor {n}", f"054-234-567{n}") for n in (1, 2, 3)]
        requests = story.requests(2)
        assert [who.told["outcome"] for who in visitors] == ["dialing", "dialing", "waiting"], "two lines, two calls"
        legs = [(request["phone"], request["target"]) for request in requests]
        wanted = [(f"054234567{n}", "0722776772") for n in (1, 2)]
        assert sorted(legs) == (wanted if first == "lead" else sorted((b, a) for a, b in wanted))
        assert visitors[0].looks()["agent_name"] is None


# ---------------------------------------------------------------------------------------------- the breaker

SIX_AGENTS = ALWAYS_OPEN + "".join(
    f'\n[[agents]]\nid = "agent{n}"\nname = "Agent {n}"\nextension = "SIPagent{n}"\npriority = {n + 3}\n'
    for n in range(1, 7)
)


def test_while_the_provider_is_down_leads_wait_and_no_call_becomes_unknown(tmp_path: Path) -> None:
    """Five calls are lost to the outage; the next leads take no agent, and a question that rings nobody ends it."""
    with Story(tmp_path, directory=SIX_AGENTS) as story:
        story.sandbox.login("SIPdana1", 1)
        story.line_is_believed()
        story.line_is_dead()
        story.sandbox.set_behaviour("*", answer="http_error", status=500)
        for n in range(5):
            story.sends_the_form(f"Visitor {n}", f"054-234-567{n}")
        story.requests(5)
        eventually(lambda: story.metric("leadring_breaker_open") == 1, lambda: story.http.get("/readyz").text)
        assert "calls are held back" in story.http.get("/readyz").text

        late = [story.sends_the_form(f"Late {n}", f"054-234-568{n}") for n in range(3)]
        assert [who.told["outcome"] for who in late] == ["waiting"] * 3
        for _ in range(4):
            story.let_time_pass(15)
            eventually(lambda: story.metric("leadring_breaker_open") == 1, lambda: "still open")
        assert [story.attempts_of(who) for who in late] == [[], [], []], "no agent was taken, nothing was asked"
        assert len(story.sandbox.requests()) == 5

        story.sandbox.clear_behaviour()

        def it_is_back() -> bool:
            story.let_time_pass(30)  # again and again: a question of before may still be on its way
            return story.metric("leadring_breaker_open") == 0

        def everybody_is_called() -> bool:
            story.let_time_pass(1)  # a reservation may have lapsed while time flew
            return all("calling" in [line["event"] for line in who.looks()["timeline"]] for who in late)

        eventually(it_is_back, lambda: story.http.get("/readyz").text)
        eventually(everybody_is_called, lambda: str([story.attempts_of(who) for who in late]))
        assert story.metric("leadring_breaker_open") == 0
        assert len(story.sandbox.requests()) == 8


# ------------------------------------------------------------------------------------------------ hanging up


def test_who_has_a_call_ended_stops_the_lead_until_a_person_releases_it(story: Story) -> None:
    """Otherwise the next agent, and then the lead, would ring in the same second."""
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.sandbox.wait_for_ringing("SIPdana1")
    done = story.hangs_up("SIPdana1")
    assert done.result == "hung_up", done
    eventually(lambda: story.lead_is(noa)["state"] == "held", lambda: str(story.lead_is(noa)))
    assert story.lead_is(noa)["reason"] == "ended"
    assert [request["action"] for request in story.sandbox.requests()] == ["call", "terminate"]
    assert story.lead_is(noa)["agent_misses"] == 0


def test_a_call_that_is_not_ours_is_not_ended_unless_forced(story: Story) -> None:
    story.sandbox.busy("SIPdana1")
    assert story.hangs_up("SIPdana1").result == "not_ours"
    assert story.hangs_up("SIPyossi2").result in ("nothing_there", "cannot_look")
    assert story.hangs_up("SIPdana1", force=True).result == "hung_up"
