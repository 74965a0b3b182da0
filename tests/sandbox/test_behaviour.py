"""Scripts: who is asked first, how often, and what is not accepted."""

import pytest

from app.sandbox import Behaviour
from app.sandbox.behaviour import BehaviourBook

from .conftest import Caller


def test_the_extension_speaks_first_for_the_agent_and_the_number_for_the_lead() -> None:
    book = BehaviourBook(Behaviour(agent="manual", lead="manual", talk=9))
    book.set("SIPdana1", Behaviour(agent="busy", lead="busy"))
    book.set("0501234567", Behaviour(agent="answer", lead="answer"))
    found = book.take("SIPdana1", "972501234567")
    assert (found.agent, found.lead, found.talk) == ("busy", "answer", 9)


def test_a_script_for_two_times_is_used_up_after_two() -> None:
    book = BehaviourBook()
    book.set("*", Behaviour(answer="refuse", times=2))
    assert [book.take("a", "b").answer for _ in range(3)] == ["refuse", "refuse", None]


def test_what_was_set_is_forgotten_and_the_default_stays() -> None:
    book = BehaviourBook(Behaviour(agent="answer"))
    book.set("*", Behaviour(agent="busy"))
    book.clear("*")
    assert book.take("a", "b").agent == "answer"
    book.set("a", Behaviour(agent="busy"))
    book.clear()
    assert book.take("a", "b").agent == "answer"


def test_the_star_does_not_speak_for_active_calls() -> None:
    book = BehaviourBook()
    book.set("*", Behaviour(answer="hang"))
    book.set("roster", Behaviour(answer="cut"))
    assert (book.take_api("active_calls").answer, book.take_api("roster").answer) == (None, "cut")


@pytest.mark.parametrize(
    "wrong",
    [{"agent": "sleeps"}, {"answer": "late"}, {"talk": -1}, {"status": 99}, {"times": 0}, {"cdr": "leg3"}],
    ids=str,
)
async def test_a_script_with_a_mistake_is_refused(caller: Caller, wrong: dict[str, object]) -> None:
    assert (await caller.http.put("/sandbox/behaviour", json={"key": "*", **wrong})).status_code == 422
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Behaviour(**wrong)  # type: ignore[arg-type]


async def test_scripts_are_set_shown_and_deleted_over_http(caller: Caller) -> None:
    body = {"key": "SIPdana1", "agent": "decline", "agent_after": 0.5}
    assert (await caller.http.put("/sandbox/behaviour", json=body)).status_code == 204
    shown = (await caller.http.get("/sandbox/behaviour")).json()
    assert shown == {"SIPdana1": {"agent": "decline", "agent_after": 0.5}}
    assert (await caller.http.delete("/sandbox/behaviour")).status_code == 204
    assert (await caller.http.get("/sandbox/behaviour")).json() == {}
