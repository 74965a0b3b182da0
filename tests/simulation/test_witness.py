"""The witness is not blind: each thing that must not be is planted, and seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import structlog

from app.domain.answers import Placed
from app.domain.line import LineStatus
from app.metrics import Metrics
from app.ports import CallRequest
from tests.simulation.campaign import listening
from tests.simulation.database import Database
from tests.simulation.loop import Process
from tests.simulation.provider import Call, Sent
from tests.simulation.world import World

LEAD = """INSERT INTO leads (id, site, source, phone, phone_key, phone_kind, client_key, state, received_at, due_at,
    expires_at, deadline_at, ended_at, attempt_id, admitted, redials)
    VALUES (:id, 'sales', 'widget', '+97254', :number, 'mobile', 'c', :state, 0, :due, 9e15, 0, :ended, :attempt, 1,
    :redials)"""
ATTEMPT = """INSERT INTO attempts (id, lead_id, agent_id, extension, number, state, owner, holds_agent, look_at,
    reserved_at, sending_at, outcome)
    VALUES (:id, :lead, :agent, 'SIPdana', :number, :state, 'r1', :holds, :look, 0, 0, :outcome)"""
REQUEST = CallRequest(lead_id="lead", attempt_id="attempt", extension="SIPdana", lead_phone="+97254")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.close()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = World(6, database, Metrics())
    database.raw.execute("PRAGMA ignore_check_constraints = 1")
    database.raw.execute("PRAGMA foreign_keys = 0")
    indexes = database.raw.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'uq_%live%'").fetchall()
    for name, _ in indexes:
        database.raw.execute(f"DROP INDEX {name}")
    database.raw.execute("INSERT INTO agents (id, listed, state) VALUES ('dana', 1, 'available')")
    yield made
    made.loop.close()
    database.empty()
    for _, sql in indexes:
        database.raw.execute(sql)
    database.raw.execute("PRAGMA ignore_check_constraints = 0")
    database.raw.execute("PRAGMA foreign_keys = 1")


def lead(world: World, key: str = "lead", state: str = "dialing", **fields: object) -> None:
    given = {"due": None, "ended": None, "attempt": "attempt", "number": f"number of {key}", "redials": 0}
    _put(world, LEAD, {"id": key, "state": state, **given, **fields})


def attempt(world: World, key: str = "attempt", state: str = "placed", **fields: object) -> None:
    given = {"lead": "lead", "agent": "dana", "number": 1, "holds": 1, "look": 9e15, "outcome": None}
    _put(world, ATTEMPT, {"id": key, "state": state, **given, **fields})


def held(world: World, by: str | None = "attempt") -> None:
    _put(world, "UPDATE agents SET state = 'on_call', attempt_id = :by", {"by": by})


def budget(world: World, used: int) -> None:
    _put(world, "INSERT INTO budgets (span, starts_at, used) VALUES ('hour', 0, :used)", {"used": used})


PLANT: dict[str, Callable[..., None]] = {"lead": lead, "attempt": attempt, "held": held, "budget": budget}


def _put(world: World, statement: str, values: dict[str, object]) -> None:
    world._database.raw.execute(statement, values)


def seen(world: World) -> list[str]:
    """What the witness says of the rows as they are."""
    world.witness.committed("planted")
    return world.loop.mishaps


def test_what_is_as_it_should_be_is_no_mishap(world: World) -> None:
    lead(world)
    attempt(world)
    held(world)
    assert seen(world) == []


Plants = tuple[tuple[str, dict[str, object]], ...]
WRONG: dict[str, tuple[Plants, str]] = {
    "dialled without an attempt": ((("lead", {}),), "a lead is being dialled without"),
    "dialled with one that is over": (
        (("lead", {}), ("attempt", {"state": "ended", "holds": 0})),
        "a lead is being dialled without",
    ),
    "an attempt of a lead that waits": (
        (("lead", {"state": "waiting", "due": 1}), ("attempt", {"holds": 0})),
        "an attempt is live and its lead",
    ),
    "two attempts of one lead": (
        (("lead", {}), ("attempt", {}), ("attempt", {"key": "b", "number": 2, "holds": 0})),
        "a lead has two live",
    ),
    "two attempts with one agent": (
        (("lead", {}), ("attempt", {}), ("attempt", {"key": "b", "number": 2})),
        "an agent has two live attempts",
    ),
    "an attempt alone": ((("lead", {}), ("attempt", {})), "an attempt holds an agent who does not know it"),
    "an agent alone": ((("held", {}),), "an agent is held by an attempt that does not know it"),
    "two leads of one number": (
        tuple(("lead", {"key": key, "state": "held", "number": "one"}) for key in ("a", "b")),
        "a number has two live leads",
    ),
    "waiting for nothing": ((("lead", {"state": "waiting"}),), "a lead waits for no moment"),
    "held and due": ((("lead", {"state": "held", "due": 1}),), "a lead waits for no moment"),
    "over at no time": ((("lead", {"state": "connected"}),), "a lead has ended at no time"),
    "a negative counter": ((("lead", {"state": "held", "redials": -1}),), "a lead counts less than nothing"),
    "a negative budget": ((("budget", {"used": -1}),), "less than nothing was spent"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_rows_that_must_not_be_are_seen(world: World, wrong: str) -> None:
    plants, says = WRONG[wrong]
    for what, fields in plants:
        PLANT[what](world, **fields)
    found = seen(world)
    assert any(line.startswith(says) for line in found), found


def test_a_lead_that_is_over_and_comes_back_is_seen(world: World) -> None:
    add = "INSERT INTO events (at, lead_id, who, event, to_state) VALUES (0, 'lead', 'x', 'y', :to)"
    lead(world, state="waiting", due=1, attempt=None)
    for to in ("waiting", "connected", "waiting"):
        _put(world, add, {"to": to})
    assert "a lead went from connected to waiting" in seen(world)[0]


# -------------------------------------------------------------------------------------------------- at the door


def ask(world: World, request: CallRequest = REQUEST, call: Call | None = None) -> list[str]:
    """A request at the provider's door; it is in the book from then on, perhaps with a call."""
    sent = Sent(world.loop.time(), request, Process("r1"))
    world.witness._intended.setdefault(request.attempt_id, world.loop.time())
    world.witness.request(sent)
    sent.answer, sent.call = Placed("c"), call
    world.provider.book.append(sent)
    return world.loop.mishaps


def a_call(request: CallRequest = REQUEST, *, ends: float = 60.0, talked: bool = False) -> Call:
    """A call that the agent took half a minute before its end."""
    phases: tuple[tuple[float, LineStatus], ...] = ((ends - 30.0, "talking"),)
    return Call("c", request, 0.0, 0, ends, phases, (("ANSWER", 9), ("ANSWER", 9)), talked)


def test_a_request_for_a_lead_that_is_dialled_is_no_mishap(world: World) -> None:
    lead(world)
    attempt(world, state="sending")
    assert ask(world) == []


def test_a_request_before_its_intent_is_seen(world: World) -> None:
    assert "before its intent" in ask(world)[0]


def test_a_second_request_of_one_attempt_is_seen(world: World) -> None:
    lead(world)
    attempt(world, state="sending")
    ask(world)
    assert "one attempt sent two requests" in ask(world)[0]


@pytest.mark.parametrize(
    ("other", "call", "says"),
    [
        ({"lead_phone": "+97255"}, {}, "an agent is asked for who is on a call of ours"),
        ({"extension": "SIPyossi"}, {}, "somebody is dialled who is on a call of ours"),
        ({}, {"ends": -1.0, "talked": True}, "somebody who has talked with us is dialled again"),
    ],
)
def test_a_request_beside_what_is_in_the_book_is_seen(
    world: World, other: dict[str, str], call: dict[str, float | bool], says: str
) -> None:
    lead(world)
    attempt(world, state="sending")
    attempt(world, "before", "ended", number=2, holds=0, look=None, outcome="lead_no_answer")
    ask(world, replace(REQUEST, attempt_id="before", **other), a_call(replace(REQUEST, **other), **call))  # type: ignore[arg-type]
    found = ask(world)
    assert any(line.startswith(says) for line in found), found


@pytest.mark.parametrize(
    ("state", "outcome", "allowed"),
    [
        ("refused", None, True),
        ("not_sent", None, True),
        ("ended", "lead_no_answer", True),
        ("ended", "connected", False),
        ("ended", "unreported", False),
        ("absent", None, False),
        ("unresolved", None, False),
        ("unknown", None, False),
    ],
)
def test_a_second_request_for_a_lead_is_seen_unless_the_first_is_over(
    world: World, state: str, outcome: str | None, allowed: bool
) -> None:
    lead(world)
    attempt(world, state="sending")
    attempt(world, "before", state, number=2, holds=0, look=None, outcome=outcome)
    found = ask(world)
    assert any("dialled again" in line for line in found) is not allowed, found


@pytest.mark.parametrize(("known_at", "allowed"), [(4, False), (6, True)])
@pytest.mark.parametrize("how", ["placed", "ended"])
def test_a_repeat_is_seen_if_the_refused_call_was_known_to_be_one_when_its_intent_was_written(
    world: World, how: str, known_at: int, allowed: bool
) -> None:
    lead(world)
    attempt(world, state="sending")
    attempt(world, "before", how, number=2, holds=0, look=None, outcome="connected" if how == "ended" else None)
    known: dict[str, object] = {"at": known_at, "code": 2}
    _put(world, f"UPDATE attempts SET code = :code, {how}_at = :at WHERE id = 'before'", known)  # noqa: S608
    _put(world, "UPDATE attempts SET sending_at = 5 WHERE id = :id", {"id": "attempt"})
    found = ask(world)
    assert any("is known to be on the line" in line for line in found) is not allowed, found


@pytest.mark.parametrize(("astray", "allowed"), [(0, False), (60_000, True)])
def test_a_sighting_of_a_call_that_never_was_is_seen_unless_nothing_tells_it_from_another_one(
    world: World, astray: int, allowed: bool
) -> None:
    """A clock that is off, and two requests between the same phones, one of which rang although it was refused."""
    lead(world)
    attempt(world, state="refused", holds=0, look=None)
    attempt(world, "before", "refused", number=2, holds=0, look=None)
    _put(world, "UPDATE attempts SET code = 2, seen_at = 5 WHERE id = :id", {"id": "attempt"})
    rang = a_call(replace(REQUEST, attempt_id="before"))
    rang.disowned, rang.remembers = True, False
    world.provider.book += [Sent(0.0, rang.request, Process("r1"), call=rang), Sent(1.0, REQUEST, Process("r1"))]
    world.provider.temper = replace(world.provider.temper, line_tells_start=True)
    world.witness.astray = astray
    world.witness.at_the_end(100)
    assert any("that never was" in line for line in world.loop.mishaps) is not allowed, world.loop.mishaps


# ---------------------------------------------------------------------------------------------------- promises


def test_a_promise_that_is_not_on_disk_is_seen(world: World) -> None:
    world.witness.acknowledge("visitor 1", "nowhere")
    assert "is not on disk" in world.loop.mishaps[0]


def test_two_answers_to_one_submission_are_seen(world: World) -> None:
    for key in ("a", "b"):
        lead(world, key, "held")
        world.witness.acknowledge("visitor 1", key)
    assert "one submission was told two leads" in world.loop.mishaps[0]


def test_a_traceback_in_the_log_is_a_mishap(world: World) -> None:
    with listening(tell=False) as ear:
        ear.world = world
        try:
            raise ValueError("caught by a loop")
        except ValueError:
            structlog.get_logger("leadring.test").exception("loop.failed")
    assert world.loop.mishaps == ["loop.failed: ValueError: caught by a loop"]
