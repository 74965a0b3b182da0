"""The life of a lead, told in order: each chapter is a whole service, a provider that rings nobody, and people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.clock import to_iso
from tests.clocks import START
from tests.crash.line import Line
from tests.crash.service_process import ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import CODE, PATIENCE, Story, eventually

# The columns of an attempt that say when something happened to its call.
MOMENTS = (
    *("reserved_at", "sending_at", "answered_at", "placed_at", "agent_ringing_at", "agent_answered_at"),
    *("lead_ringing_at", "connected_at", "ended_at"),
)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Monday noon at the office: Dana and Yossi are free, Dana is asked first."""
    with Story(tmp_path) as story:
        yield story


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Story]:
    """The same, but the provider has one second to answer."""
    with Story(tmp_path, timeout=1.0) as story:
        yield story


# ------------------------------------------------------------------------------------------------- chapter 1


def test_1_a_form_is_sent_the_agents_phone_rings_then_the_leads_and_they_talk(story: Story) -> None:
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert noa.told["outcome"] == "dialing"
    story.phone_of("dana").answer()
    noa.phone.answer()
    noa.phone.hangup()

    status = noa.sees("connected")
    assert (status["outcome"], status["agent_name"]) == ("connected", "Dana")
    assert story.rung_agents() == ["dana"]
    assert story.metric("leadring_leads_unaccounted") == 0


def test_1_every_moment_of_a_call_is_kept_apart(story: Story) -> None:
    """Asked for, accepted, agent's phone, agent, lead's phone, talking, over: eight times, not one "connected"."""
    story.agent_does("dana", answer="slow", seconds=60)
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.requests(1)
    assert noa.looks()["state"] == "dialing"

    story.let_time_pass(2)
    story.sandbox.clear_behaviour()  # the provider answers
    noa.hears("calling")
    eventually(lambda: story.attempts_of(noa)[0]["agent_ringing_at"] is not None, lambda: "Dana's phone rings")
    story.let_time_pass(5)
    story.phone_of("dana").answer()
    noa.hears("lead_ringing")
    story.let_time_pass(7)
    noa.phone.answer()
    eventually(lambda: story.attempts_of(noa)[0]["connected_at"] is not None, lambda: "they talk")
    assert noa.looks()["state"] == "dialing", "only the provider's record says how a call ended"
    story.let_time_pass(60)
    noa.phone.hangup()
    told = noa.sees("connected")["timeline"]

    (attempt,) = story.attempts_of(noa)
    moments = {name.removesuffix("_at"): (attempt[name] - START) / 1000 for name in attempt if name in MOMENTS}
    assert moments == {
        "reserved": 0,
        "sending": 0,
        "answered": 2,
        "placed": 2,
        "agent_ringing": 2,
        "agent_answered": 7,
        "lead_ringing": 7,
        "connected": 14,
        "ended": 74,
    }
    assert [(line["event"], line["at"]) for line in told] == [
        ("received", to_iso(START)),
        ("calling", to_iso(START + 2_000)),
        ("agent_ringing", to_iso(START + 2_000)),
        ("agent_answered", to_iso(START + 7_000)),
        ("lead_ringing", to_iso(START + 7_000)),
        ("connected", to_iso(START + 14_000)),
    ], "each moment is told once, when it was, and not again when the record comes"


def test_1_the_provider_is_asked_once_with_what_the_contract_says_and_nothing_else(tmp_path: Path) -> None:
    """Every value is a string, and the account code is in the body alone, never in an address or header."""
    with Line() as line, Story(tmp_path, provider=f"{line.url}/ForwardDialer/click2call.aspx") as story:
        line.mend(story.sandbox.url)
        noa = story.sends_the_form("Noa", "+972 54-234-5678", email="noa@example.com", message="Please call")
        noa.hears("calling")
        (attempt,) = story.attempts_of(noa)

        head, _, body = bytes(line.said).partition(b"\r\n\r\n")
        first, *headers = head.decode().split("\r\n")
        assert first == "POST /ForwardDialer/click2call.aspx HTTP/1.1"
        assert CODE not in head.decode()
        assert "content-type: application/json" in [header.lower() for header in headers]
        assert json.loads(body) == {
            "code": CODE,
            "action": "call",
            "phone": "SIPdana1",
            "target": "0542345678",
            "format": "json",
            "checkphonedevicestate": "true",
            "phonemaxdialtime": "20",
            "targetmaxdialtime": "30",
            "maxduration": "7200",
            "record": "false",
            "var_lead": noa.lead_id,
            "var_attempt": attempt["id"],
            "var_campaign": "spring",
        }
        assert len(story.sandbox.requests()) == 1


# ------------------------------------------------------------------------------------------------- chapter 2


def test_2_when_nobody_is_free_the_lead_waits_in_line_and_is_rung_when_somebody_is(story: Story) -> None:
    story.agent_does("dana", agent="answer", lead="answer")
    story.agent_does("yossi", agent="answer", lead="answer")
    noa = story.sends_the_form("Noa", "054-234-5678")
    gil = story.sends_the_form("Gil", "054-234-5679")
    story.requests(2)
    story.let_time_pass(1)
    tal = story.sends_the_form("Tal", "054-234-5680")
    story.let_time_pass(1)
    dor = story.sends_the_form("Dor", "054-234-5681")

    assert [who.told["outcome"] for who in (noa, gil, tal, dor)] == ["dialing", "dialing", "waiting", "waiting"]
    assert [who.looks()["position"] for who in (tal, dor)] == [1, 2]
    assert story.nobody_is_due()

    gil.hears("agent_answered")
    gil.phone.hangup()
    gil.sees("connected")
    assert story.nobody_is_due(), "Yossi has not finished his notes"
    story.let_time_pass(30)
    tal.sees("dialing")
    assert dor.looks()["position"] == 1
    assert story.rung_agents() == ["dana", "yossi", "yossi"]


# ------------------------------------------------------------------------------------------------- chapter 3


def test_3_a_lead_at_night_is_called_when_the_office_opens(story: Story) -> None:
    story.let_time_come("2026-01-05T20:00:00+02:00")
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert (noa.told["outcome"], noa.told["expected_call_at"]) == ("scheduled", "2026-01-06T07:00:00.000Z")
    assert noa.looks()["expected_call_at"] == "2026-01-06T07:00:00.000Z"

    story.let_time_come("2026-01-06T08:59:59+02:00")
    assert story.nobody_is_due()
    story.let_time_come("2026-01-06T09:00:01+02:00")
    noa.hears("calling")
    assert story.rung_agents() == ["dana"]


# -------------------------------------------------------------------------------------------- chapters 4 to 7


def test_4_an_agent_who_is_offline_costs_nothing_the_next_one_is_rung_at_once(story: Story) -> None:
    story.phone_of("dana").offline()
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("calling")

    assert story.rung_agents() == ["dana", "yossi"]
    assert [(one["state"], one["code"]) for one in story.attempts_of(noa)] == [("refused", 3), ("placed", None)]
    assert story.metric('leadring_agents{state="offline"}') == 1
    story.let_time_pass(60)
    story.agent_becomes("dana", "available")


def test_5_a_blocked_extension_is_passed_over_and_its_agent_is_marked(story: Story) -> None:
    story.agent_does("dana", answer="refuse", errorcode=4)
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("calling")

    assert story.rung_agents() == ["dana", "yossi"]
    assert [(one["state"], one["code"]) for one in story.attempts_of(noa)] == [("refused", 4), ("placed", None)]
    assert story.metric('leadring_agents{state="blocked"}') == 1
    assert story.metric('leadring_provider_refusals_total{code="4"}') == 1


def test_6_a_request_the_provider_calls_wrong_fails_visibly_and_is_not_repeated(story: Story) -> None:
    story.agent_does("dana", answer="refuse", errorcode=1)
    noa = story.sends_the_form("Noa", "054-234-5678")
    assert noa.sees("failed")["timeline"][-1]["event"] == "failed"

    assert story.lead_is(noa)["reason"] == "request_wrong"
    assert story.metric('leadring_provider_refusals_total{code="1"}') == 1
    story.agent_becomes("dana", "available")
    story.let_time_pass(3600)
    assert story.nobody_is_due()
    assert story.rung_agents() == ["dana"]


def test_7_an_agent_who_does_not_answer_is_followed_by_another_one(story: Story) -> None:
    story.agent_does("dana", agent="no_answer", agent_after=0.02)
    noa = story.sends_the_form("Noa", "054-234-5678")
    story.requests(2)
    assert story.rung_agents() == ["dana", "yossi"]
    first, second = story.attempts_of(noa)
    assert (first["outcome"], second["outcome"]) == ("agent_no_answer", None)
    assert story.lead_is(noa)["lead_tries"] == 0, "her own phone never rang"


def test_7_who_missed_a_lead_is_not_rung_again_for_it_while_another_is_free(story: Story) -> None:
    """Dana is always asked first, but not by somebody whom she has just missed."""
    noa = story.sends_the_form("Noa", "054-234-5678")
    gil = story.sends_the_form("Gil", "054-234-5679")
    gil.hears("calling")
    story.phone_of("yossi").answer()
    gil.phone.answer()
    noa.hears("calling")
    story.phone_of("dana").decline()
    noa.hears("agent_no_answer")
    gil.phone.hangup()
    gil.sees("connected")
    assert story.nobody_is_due(), "both are busy with their notes"

    story.let_time_pass(30)
    story.requests(3)
    assert story.rung_agents() == ["dana", "yossi", "yossi"]


# ------------------------------------------------------------------------------------------------- chapter 8


def test_8_a_lead_who_does_not_answer_is_tried_by_schedule_and_then_no_more(story: Story) -> None:
    story.agent_does("dana", agent="answer")
    story.sandbox.set_behaviour("0542345678", lead="busy")
    noa = story.sends_the_form("Noa", "054-234-5678")
    noa.hears("lead_busy")
    assert noa.sees("waiting")["expected_call_at"] == to_iso(story.clock.now() + 600_000)

    story.sandbox.set_behaviour("0542345678", lead="no_answer", lead_after=0.02)
    story.let_time_pass(599)
    assert story.nobody_is_due()
    story.let_time_pass(1)
    noa.hears("lead_no_answer")
    assert noa.sees("waiting")["expected_call_at"] == to_iso(story.clock.now() + 3_600_000)

    story.let_time_pass(3600)
    assert noa.sees("exhausted")["outcome"] == "lead_no_answer"
    story.let_time_pass(86_400)
    assert story.nobody_is_due()
    assert story.rung_agents() == ["dana"] * 3


# ------------------------------------------------------------------------------------------- chapters 9 to 11


def test_9_a_silent_provider_leaves_an_unknown_call_that_only_its_own_account_settles(impatient: Story) -> None:
    story = impatient
    story.line_is_dead()
    story.agent_does("dana", answer="hang")
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: story.attempts_of(noa)[0]["state"] == "unknown", lambda: "the attempt is unknown")
    assert story.metric("leadring_attempts_unknown") == 1
    story.agent_becomes("dana", "on_call")

    story.let_time_pass(299)
    assert story.nobody_is_due()
    story.agent_becomes("dana", "on_call")
    story.let_time_pass(1)
    story.agent_becomes("dana", "available")
    assert story.nobody_is_due(), "the agent is free again, but nobody may call this lead twice"
    assert noa.looks()["state"] == "dialing"

    story.phone_of("dana").answer()  # it did ring, all this time
    noa.phone.answer()
    noa.phone.hangup()
    noa.sees("connected")
    assert story.rung_agents() == ["dana"]
    assert story.metric("leadring_attempts_unknown") == 0


def test_10_a_provider_that_is_down_was_asked_nothing_so_it_is_asked_again_and_again(tmp_path: Path) -> None:
    with Line() as line, Story(tmp_path, provider=f"{line.url}/ForwardDialer/click2call.aspx") as story:
        noa = story.sends_the_form("Noa", "054-234-5678")
        _waits_after_failures(story, noa.lead_id, 1)
        story.agent_becomes("dana", "available")
        story.let_time_pass(1.9)
        assert story.nobody_is_due()
        story.let_time_pass(0.7)
        _waits_after_failures(story, noa.lead_id, 2)

        line.mend(story.sandbox.url)
        story.let_time_pass(9.9)
        assert story.nobody_is_due()
        story.let_time_pass(2.7)
        noa.hears("calling")
        assert [one["state"] for one in story.attempts_of(noa)] == ["not_sent", "not_sent", "placed"]
        assert story.rung_agents() == ["dana"]


def _waits_after_failures(story: Story, lead_id: str, failures: int) -> None:
    def row() -> dict[str, Any]:
        return story.books.rows(f"SELECT * FROM leads WHERE id = '{lead_id}'")[0]  # noqa: S608

    eventually(lambda: row()["send_failures"] == failures and row()["state"] == "waiting", lambda: str(row()))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"answer": "cut"}, id="cuts the line"),
        pytest.param({"answer": "half"}, id="cuts its answer in two"),
        pytest.param({"answer": "garbage"}, id="answers with something else"),
        pytest.param({"answer": "http_error", "status": 500}, id="answers 500"),
        pytest.param({"answer": "drip", "seconds": 1.0}, id="answers a byte a second"),
        pytest.param({"answer": "huge", "megabytes": 50.0}, id="answers 50 megabytes"),
    ],
)
def test_11_whatever_else_the_provider_does_nobody_is_asked_for_twice(impatient: Story, answer: dict[str, Any]) -> None:
    story = impatient
    story.line_is_dead()
    story.agent_does("dana", **answer)
    noa = story.sends_the_form("Noa", "054-234-5678")
    eventually(lambda: story.attempts_of(noa)[0]["state"] == "unknown", lambda: str(story.attempts_of(noa)))
    story.agent_becomes("dana", "on_call")

    story.let_time_pass(300)
    story.agent_becomes("dana", "available")
    assert story.nobody_is_due()
    story.let_time_pass(1800)
    assert noa.sees("failed")["timeline"][-1]["event"] == "failed"
    assert story.lead_is(noa)["reason"] == "unresolved"
    assert story.rung_agents() == ["dana"]
    assert story.metric("leadring_leads_unaccounted") == 0


# ------------------------------------------------------------------------------------------ chapters 12 and 13


def test_12_twins_become_one_lead_and_one_call(story: Story) -> None:
    """A double click is the same submission twenty times at once; a doubter sends the form again."""
    form = {"name": "Noa", "phone": "054-234-5678", "submission_id": "click-1"}
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: story.post(form), range(20)))
        others = list(pool.map(lambda n: story.post({**form, "submission_id": f"again-{n}"}), range(20)))

    first = story.post(form)
    assert first.status_code == 202
    for answer in answers:
        assert answer.status_code == 202 or answer.json()["code"] == "in_flight"
        assert answer.status_code == 409 or answer.json() == first.json()
    assert {(other.status_code, other.json()["outcome"]) for other in others} == {(202, "duplicate")}
    assert {other.json()["lead_id"] for other in others} == {first.json()["lead_id"]}
    assert story.post({**form, "name": "Somebody else"}).json()["code"] == "idempotency_mismatch"
    story.requests(1)
    assert story.nobody_is_due()
    assert story.rung_agents() == ["dana"]


def test_13_a_visitor_may_take_the_request_back_until_a_phone_rings(story: Story) -> None:
    noa, gil, tal = (story.sends_the_form(f"Visitor {n}", f"054-234-567{n}") for n in (1, 2, 3))
    assert tal.cancels().json()["state"] == "cancelled"
    refused = noa.cancels()
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")

    for who, agent in ((noa, "dana"), (gil, "yossi")):
        story.phone_of(agent).answer()
        who.phone.answer()
        who.phone.hangup()
        who.sees("connected")
    story.let_time_pass(30)
    assert story.nobody_is_due()
    assert tal.looks()["state"] == "cancelled"
    assert len(story.requests(2)) == 2


# ------------------------------------------------------------------------------------------------ chapter 14


def test_14_a_killed_service_comes_back_loses_nobody_and_calls_nobody_twice() -> None:
    """One lead is talking, one is being asked for, one waits: SIGKILL, and everybody's day goes on."""
    with RunningSandbox(code=CODE) as sandbox, ServiceProcess(sandbox.click2call_url) as service:
        sandbox.set_cdr(url=service.cdr_url)
        sandbox.set_behaviour("SIPyossi2", answer="hang")
        with service.client() as browser:
            noa, gil, tal = (service.sends_the_form(browser, f"054-234-567{n}") for n in (1, 2, 3))
            noa.hears("calling")
            sandbox.wait_for_requests(2, PATIENCE)
            sandbox.phone("SIPdana1").answer()
            sandbox.phone("0542345671").answer()

            service.kill()
            service.restart()
            sandbox.phone("0542345671").hangup()
            noa.sees("connected")
            tal.hears("calling")
            assert gil.looks()["state"] == "dialing", "his phone may be about to ring"
            sandbox.phone("SIPyossi2").answer()
            sandbox.phone("0542345672").answer()
            sandbox.phone("0542345672").hangup()
            gil.sees("connected")

        assert [request["target"] for request in sandbox.requests()] == [
            "0542345671",
            "0542345672",
            "0542345673",
        ]
        assert service.metric("leadring_leads_unaccounted") == 0
        assert "Traceback" not in service.log
