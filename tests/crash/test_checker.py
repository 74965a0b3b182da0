"""The crash campaign's checker, on made-up books: a clean story accuses nobody, and each broken promise is named."""

from __future__ import annotations

import inspect

import pytest

from app.domain import moves
from bench.crash.checker import NOBODY_KNOWS, RULES, check
from bench.crash.history import Books, Ending, History, Report, Request, Row, Submission

NOW = 1_000_000_000
NOA, GIL = "0542345678", "0542345679"


def lead(name: str, state: str = "connected", **changes: object) -> Row:
    """A row of leads as the service leaves it."""
    over = state not in ("waiting", "dialing", "held")
    row: Row = {
        "id": name,
        "phone": f"+972 of {name}",
        "state": state,
        "attempt_id": None,
        "due_at": NOW if state == "waiting" else None,
        "expires_at": NOW + 60_000,
        "ended_at": NOW - 5_000 if over else None,
    }
    return row | changes


def attempt(name: str, of_lead: str, state: str = "ended", outcome: str | None = None, **changes: object) -> Row:
    """A row of attempts."""
    live = state in ("reserved", "sending", "placed", "unknown")
    row: Row = {
        "id": name,
        "lead_id": of_lead,
        "agent_id": "dana",
        "extension": "SIPdana1",
        "state": state,
        "outcome": outcome,
        "code": None,
        "why": None,
        "owner": "host:17:abc",
        "holds_agent": int(live),
        "look_at": NOW + 10_000 if live else None,
        "reserved_at": NOW - 20_000,
    }
    return row | changes


def call(name: str, of_lead: str, person: str = NOA, at: float = 10.0, **changes: object) -> Request:
    """A request that rang for two seconds, was talked over, and reported."""
    request = Request(
        at=at,
        person=person,
        lead=of_lead,
        attempt=name,
        extension="SIPdana1",
        kind="well",
        over_at=at + 2,
        outcome="connected",
        reports=[Report(1, at + 2, at + 2.1), Report(2, at + 2.2, at + 2.3)],
        expected_reports=2,
    )
    for field, value in changes.items():
        setattr(request, field, value)
    return request


def submission(name: str, person: str, *leads: str) -> Submission:
    return Submission(name, person, 1.0, 2.0 if leads else None, list(leads))


def story() -> History:
    """Noa talks at the first call. Gil's phone is not picked up, and rung again: then it is. Nobody is at fault."""
    return History(
        world="here",
        submissions=[submission("s1", NOA, "noa", "noa"), submission("s2", GIL, "gil"), submission("s3", "0541")],
        requests=[
            call("a1", "noa"),
            call("a2", "gil", GIL, 20.0, outcome="lead_no_answer"),
            call("a3", "gil", GIL, 30.0),
        ],
        books=Books(
            leads=[lead("noa"), lead("gil")],
            attempts=[
                attempt("a0", "noa", "lapsed"),
                attempt("a1", "noa", outcome="connected"),
                attempt("a2", "gil", outcome="lead_no_answer"),
                attempt("a3", "gil", outcome="connected"),
            ],
            agents=[{"id": "dana", "state": "available", "attempt_id": None}],
            spent=3,
            now=NOW,
        ),
    )


def accused(history: History) -> dict[str, list[str]]:
    """The rules that accuse somebody."""
    return {rule: words for rule, words in check(history).items() if words}


def row(history: History, name: str) -> Row:
    """A lead's, attempt's or agent's row."""
    books = history.books
    return next(row for row in (*books.leads, *books.attempts, *books.agents) if row["id"] == name)


def test_a_clean_story_accuses_nobody() -> None:
    history = story()
    assert set(check(history)) == {rule.name for rule in RULES}
    assert accused(history) == {}


def test_an_unknown_call_that_is_left_alone_accuses_nobody() -> None:
    """Its lead is dialing, its agent is held or let go, and nobody is called again."""
    history = story()
    row(history, "noa").update(state="dialing", ended_at=None, attempt_id="a1")
    row(history, "a1").update(state="unknown", outcome=None, look_at=NOW + 1_000, holds_agent=1)
    row(history, "dana").update(state="on_call", attempt_id="a1")
    history.requests[0].reports = []
    history.requests[0].expected_reports = 0
    assert accused(history) == {}


def test_a_call_that_was_refused_may_be_followed_by_another() -> None:
    history = story()
    history.requests[1] = call("a2", "gil", GIL, 20.0, rung=False, code=3, reports=[], expected_reports=0)
    row(history, "a2").update(state="refused", outcome=None, code=3)
    history.books.spent = 2
    assert accused(history) == {}


def test_a_lost_lead_is_reported() -> None:
    history = story()
    history.submissions.append(submission("s4", "0542345670", "never-stored"))
    assert accused(history) == {
        "acknowledged and lost": ["here: lead never-stored was acknowledged to submission s4 and is nowhere"]
    }


@pytest.mark.parametrize(
    ("state", "outcome", "because"),
    [
        ("unknown", None, "(junk) is unknown"),
        ("placed", None, "(junk) is placed"),
        ("ended", "connected", "(junk) is ended connected"),
        ("ended", "unreported", "(junk) is ended unreported"),
        ("ended", "lead_busy", "(junk) is ended lead_busy"),  # which the provider never said
        ("refused", None, "(junk) is refused"),  # no more than that
    ],
)
def test_a_second_call_without_a_licence_is_reported(state: str, outcome: str | None, because: str) -> None:
    history = story()
    history.requests[1].kind = "junk"
    row(history, "a2").update(state=state, outcome=outcome, code=2 if state == "refused" else None)
    assert f"here: {GIL} was called again by a3 although a2 {because}" in accused(history)["called twice"]


def test_a_second_call_before_the_first_was_reported_is_reported() -> None:
    """The row looks right in the end: only the provider knows which came first."""
    history = story()
    history.requests[1].reports = [Report(2, 30.5, 30.6)]
    history.requests[1].expected_reports = 1
    assert accused(history) == {
        "called twice": [f"here: {GIL} was called again by a3 although a2 was not reported lead_no_answer by then"]
    }


def test_a_refusal_that_nobody_heard_is_no_licence() -> None:
    """The process died with it in hand: for all that anybody could know, the telephone was ringing."""
    history = story()
    history.requests[1] = call("a2", "gil", GIL, 20.0, rung=False, code=3, reports=[], expected_reports=0)
    row(history, "a2").update(state="unknown", outcome=None, look_at=NOW + 1_000)
    assert "called twice" in accused(history)


def test_a_person_with_two_leads_is_called_twice_all_the_same() -> None:
    history = story()
    history.requests[2].lead = row(history, "a3")["lead_id"] = "gil-again"
    history.books.leads = [*history.books.leads, lead("gil-again", phone="+972 of gil")]
    history.requests[1].kind = "cut"
    row(history, "a2").update(state="unknown", outcome=None, look_at=NOW, holds_agent=0)
    found = accused(history)
    assert found["called twice"] == [f"here: {GIL} was called again by a3 although a2 (cut) is unknown"]
    assert found["one form, two leads"] == ["here: +972 of gil sent one form and is 2 leads"]


def test_a_submission_that_was_told_of_two_leads_is_reported() -> None:
    history = story()
    history.submissions[1].leads.append("noa")
    assert accused(history) == {"one form, two leads": ["here: submission s2 was told of 2 leads"]}


def test_an_attempt_that_sent_two_requests_is_reported() -> None:
    history = story()
    history.requests.append(call("a1", "noa", at=40.0))
    assert accused(history) == {"attempts with two requests": ["here: attempt a1 sent 2 requests"]}


def test_two_calls_at_once_on_one_agent_are_reported() -> None:
    """Also when a shorter one lies between the two."""
    history = story()
    history.requests[0].over_at = 25.0
    assert accused(history) == {
        "two calls at once on one agent": ["here: SIPdana1 was rung by a2 with 5.00 s left of the call of a1"]
    }
    history.requests[0].over_at = 31.5
    assert len(accused(history)["two calls at once on one agent"]) == 2
    for one in history.requests[1:]:
        one.extension = row(history, one.attempt)["extension"] = "SIPyossi2"
    assert accused(history) == {}


def test_a_request_that_rang_nobody_overlaps_with_nothing() -> None:
    history = story()
    history.requests[0].over_at = 25.0
    history.requests[1] = call("a2", "gil", GIL, 20.0, rung=False, code=3, reports=[], expected_reports=0)
    row(history, "a2").update(state="refused", outcome=None, code=3)
    history.books.spent = 2
    assert accused(history) == {}


@pytest.mark.parametrize("state", ["reserved", "lapsed", "not_sent"])
def test_a_request_that_the_books_deny_is_reported(state: str) -> None:
    history = story()
    row(history, "a1").update(state=state, outcome=None)
    assert accused(history)["requests nobody wrote down"] == [f"here: attempt a1 sent a request and is {state}"]


def test_a_request_of_an_attempt_that_is_nowhere_or_another_ones_is_reported() -> None:
    history = story()
    history.requests[0].attempt = "a9"
    history.requests[2].extension = "SIPyossi2"
    assert accused(history)["requests nobody wrote down"] == [
        "here: attempt a9 sent a request and is nowhere",
        "here: attempt a3 sent a request for gil on SIPyossi2, and is of another",
    ]


UNACCOUNTED: list[tuple[str, dict[str, object], str]] = [
    ("noa", {"state": "dialing", "ended_at": None}, "lead noa is dialing without an attempt that is under way"),
    (
        "noa",
        {"state": "dialing", "ended_at": None, "attempt_id": "a1"},
        "lead noa is dialing without an attempt that is under way",
    ),
    ("noa", {"state": "waiting", "due_at": None}, "lead noa waits, never due, and nobody takes it"),
    ("noa", {"state": "waiting", "due_at": NOW - 20_000}, "lead noa waits, due for 20 s, and nobody takes it"),
    ("noa", {"state": "held", "expires_at": None}, "lead noa is held for ever"),
    ("noa", {"state": "failed", "ended_at": None}, "lead noa is failed since never"),
    ("a1", {"state": "unknown", "look_at": NOW - 20_000}, "attempt a1 is unknown, and nobody looks at it"),
    ("a1", {"state": "placed", "look_at": NOW}, "attempt a1 is placed, and its lead has gone on without it"),
    ("dana", {"state": "on_call", "attempt_id": "a1"}, "agent dana is on_call with a call that is over"),
]


@pytest.mark.parametrize(("name", "changes", "words"), UNACCOUNTED)
def test_what_nothing_will_ever_move_again_is_reported(name: str, changes: dict[str, object], words: str) -> None:
    history = story()
    row(history, name).update(changes)
    assert f"here: {words}" in accused(history)["unaccounted"]


def test_what_the_service_itself_counts_as_unaccounted_is_reported() -> None:
    history = story()
    history.gauge = 2.0
    assert accused(history) == {"unaccounted": ["here: the service itself counts 2 unaccounted"]}


def test_what_did_not_settle_in_time_is_reported() -> None:
    history = story()
    history.open_after = ["attempt a1 is sending"]
    assert accused(history) == {"open past lease and sweep": ["here: attempt a1 is sending"]}


def test_a_report_that_was_taken_and_is_not_on_its_attempt_is_reported() -> None:
    history = story()
    row(history, "a1").update(state="unknown", outcome=None, look_at=NOW, holds_agent=0)
    words = "here: attempt a1 was reported connected, which was taken, and is unknown"
    assert accused(history)["reports taken and forgotten"] == [words]
    history.requests[0].reports[1].acked_at = None  # half of it was never taken: nobody may rely on that
    assert "reports taken and forgotten" not in accused(history)


def test_a_call_too_much_or_too_little_on_the_account_is_reported() -> None:
    history = story()
    history.books.spent = 4
    words = "here: 4 calls are counted against the cap, and 3 were made"
    assert accused(history) == {"calls miscounted against the cap": [words]}


def test_an_orderly_end_that_left_a_call_behind_or_never_came_is_reported() -> None:
    history = story()
    row(history, "a1").update(why=NOBODY_KNOWS)
    assert accused(history) == {}, "the process was killed"
    history.endings = [
        Ending(17, NOW - 30_000, NOW - 1_000, 0),
        Ending(18, NOW - 30_000, NOW - 1_000, None),
        Ending(19, NOW - 30_000, NOW - 1_000, -9),
    ]
    assert accused(history)["left behind by an orderly end"] == [
        "here: process 18 was told to end and did not",
        "here: process 19 was told to end and ended with -9",
        "here: attempt a1 was left behind by a process that was told to end",
    ]
    history.endings = [Ending(17, NOW - 10_000, NOW - 1_000, 0)]
    assert accused(history) == {}, "another process, which later had the same number"


def test_an_answer_without_excuse_is_reported() -> None:
    history = story()
    history.strange = ["submission s1 heard 500 None, Retry-After None"]
    assert list(accused(history)) == ["answers and ends without excuse"]


def test_it_knows_what_the_service_writes_down_when_a_sender_went_silent() -> None:
    assert f'"{NOBODY_KNOWS}"' in inspect.getsource(moves)
