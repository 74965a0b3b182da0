"""A lead's history read aloud: on one clock, in words that say what a person has to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.directory import Directory, parse_directory
from app.domain.lead import Event, Lead
from app.domain.stories import LeadStory
from app.service.explain import explain

NOON = 1767607200000  # Monday 2026-01-05, 12:00 in Jerusalem
TOML = """
[[sites]]
key = "main"
origins = ["https://x.example"]
[[sites]]
key = "back"
origins = ["https://x.example"]
first = "lead"
[[sites]]
key = "service"
origins = ["https://x.example"]
ivr = "0722776772"
[[agents]]
id = "dana"
name = "Dana"
extension = "SIPdana1"
"""
LEAD = Lead(
    id="lead-1",
    site="main",
    source="widget",
    phone="+972542345678",
    name="Noa",
    message="",
    language="he",
    state="waiting",
    reason="no_agent",
    outcome=None,
    received_at=NOON,
    due_at=NOON,
    expires_at=None,
    ended_at=None,
    attempt_id=None,
    attempts=0,
    lead_tries=0,
    agent_misses=0,
    send_failures=0,
    errors=0,
    avoid_agent=None,
    asked_language="",
    redials=0,
    deadline_at=NOON + 40_000,
    promised_at=None,
    rank=1,
    avoid_until=None,
    admitted=True,
)


@pytest.fixture(scope="module")
def directory() -> Directory:
    return parse_directory(TOML)


def event(word: str, why: str | None = None, *, after: int = 0, agent: str | None = "dana") -> Event:
    return Event(NOON + after, word, "somebody", "attempt-1", agent, why)


def aloud(directory: Directory, *history: Event, lead: Lead = LEAD, ahead: int = 0) -> list[str]:
    return explain(LeadStory(lead, None, None, list(history), ahead), directory)


def test_a_report_is_read_on_the_policys_clock_and_its_price_has_a_unit(directory: Directory) -> None:
    why = "leg 2 (lead) ANSWER, began 2026-01-05T10:00:03.000Z, talked 61 s, price 24"
    (line, _) = aloud(directory, event("reported", why))
    assert line == (
        "2026-01-05 12:00:00  the provider reported: leg 2 (lead) ANSWER, began 12:00:03, talked 61 s, price 24 agorot"
    )


@pytest.mark.parametrize("why", ["leg 1 (agent) ANSWER, began sometimeZ, price", "no reason given", "price of bread"])
def test_a_report_that_is_written_otherwise_is_read_as_it_is(directory: Directory, why: str) -> None:
    assert aloud(directory, event("reported", why))[0].endswith(f"the provider reported: {why}")


def test_a_report_of_a_call_to_an_ivr_does_not_speak_of_an_agent(directory: Directory) -> None:
    told = aloud(directory, event("reported", "leg 2 (agent) VOEND", agent="service/ivr/1"))
    assert told[0].endswith("leg 2 (IVR) VOEND")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("provider", "held: Voicenter refused (Account is blocked); a person decides"),
        ("absent", "held: no account of Voicenter knows this call; a person decides"),
        ("ended", "held: ended by an operator; not rung again until released"),
        ("cooldown", "held by the guard cooldown: a person decides"),
    ],
)
def test_why_a_lead_is_held_is_said_in_words(directory: Directory, why: str, words: str) -> None:
    told = aloud(directory, event("refused", "Account is blocked"), event("held", why))
    assert told[1].endswith(words)


def test_a_wait_that_is_over_in_the_same_second_is_left_out(directory: Directory) -> None:
    missed, wait = event("agent_no_answer"), event("waiting", "no_agent")
    quick = aloud(directory, missed, wait, event("reserved", after=400))
    slow = aloud(directory, missed, wait, event("reserved", after=5000))
    retry = aloud(directory, missed, event("waiting", "retry"), event("reserved", after=400))
    assert [len(lines) for lines in (quick, slow, retry)] == [3, 4, 4]


def test_whose_phone_rings_first_is_said_where_it_is_the_leads(directory: Directory) -> None:
    assert aloud(directory, event("reserved"))[0].endswith("reserved for Dana")
    back = aloud(directory, event("reserved"), lead=replace(LEAD, site="back"))
    assert back[0].endswith("reserved for Dana; the lead is rung first")


def test_the_place_in_the_queue_is_said_in_words(directory: Directory) -> None:
    assert aloud(directory)[-1] == "next: dialled as soon as an agent is free; first in line"
    assert aloud(directory, ahead=3)[-1] == "next: dialled as soon as an agent is free; 3 before it"
