"""Every hot statement finds its rows by an index, as the engines themselves explain it, among many old leads.

What is explained is what the store's functions really execute: their statements are overheard, not repeated here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from sqlalchemy import Connection, event

from app.directory import CallCap, Cooldown, Rate
from app.domain.deliveries import NewDelivery
from app.domain.guards import Cap, NumberCap
from app.domain.lead import Attempt, Lead
from app.domain.moves import Move
from app.domain.priority import RANKS
from app.domain.stories import KeptCdr
from app.store import (
    agents,
    attempts,
    bookings,
    cdrs,
    claims,
    deliveries,
    dialing_windows,
    dossiers,
    gauges,
    intake,
    leads,
    meta,
    number_caps,
    phoned_in,
    promises,
    refusals,
    sightings,
    unheard,
    waits,
)
from app.store.reports import REPORTABLE
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, Floor, a_directory, a_lead, a_record, a_term, leg

OLD: Final = 5000  # finished leads, each with an attempt
WAITING: Final = 300
AGENTS: Final = 200
CAPS: Final = (Cap("hour", START, 1000, START + HOUR), Cap("day", START, 1000, START + 24 * HOUR))
COOLDOWN: Final = Cooldown("hold", (Rate(1, 600), Rate(3, 86_400)))
# At most some hundred rows: reading them all is the quick way. The others are parts of statements with a LIMIT each.
# `2`: as many constant rows, of the two caps.
SMALL: Final = {"agents", "budgets", "meta", "CONSTANT", "2", "rate_0", "rate_1"} | {
    f"{part}_{rank}" for part in ("first", "before") for rank in RANKS
}

_SERIES: Final = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, {many})) ",
}
# How many rows, the table's columns, and each row's values; `i` counts from 1.
_FILL: Final = (
    (
        OLD,
        "leads (id, site, source, phone, phone_key, phone_kind, client_key, state, received_at, ended_at, deadline_at,"
        " admitted, attempts, attempt_id)",
        "'old' || i, 'main', 'widget', '+9725', 'k' || i, 'mobile', 'c', 'connected', {now} - 1000 * i, {now}, {now},"
        " 1, 1, 'call' || i",
    ),
    (
        OLD,
        "attempts (id, lead_id, agent_id, extension, number, state, outcome, owner, holds_agent, reserved_at,"
        " sending_at, call_id)",
        "'call' || i, 'old' || i, 'agent' || (i % 200), 'SIPagent' || (i % 200), 1, 'ended', 'connected', 'me', 0,"
        " {now} - 1000 * i, {now}, 'c' || i",
    ),
    (OLD, "events (at, lead_id, who, event, to_state)", "{now}, 'old' || i, 'x', 'x', 'connected'"),
    (OLD, "cdrs (received_at, digest, body, state)", "{now}, 'd' || i, 'b', 'applied'"),
    (OLD, "submissions (site, key, fingerprint, lead_id, created_at)", "'main', 'k' || i, 'f', 'old' || i, {now}"),
    (
        OLD,
        "deliveries (id, source, key, received_at, verdict, lead_id, body)",
        "'delivery' || i, 'shop', 'k' || i, {now} - 1000 * i, 'lead', 'old' || i, 'sealed'",
    ),
    (
        WAITING,
        "leads (id, site, source, phone, phone_key, phone_kind, client_key, state, reason, received_at, due_at,"
        " expires_at, deadline_at, admitted)",
        "'new' || i, 'main', 'widget', '+9725', 'w' || i, 'mobile', 'c', 'waiting', 'no_agent', {now}, {now} + i,"
        " {now} + 3600000, {now}, 1",
    ),
    (WAITING, "events (at, lead_id, who, event, to_state)", "{now}, 'new' || i, 'x', 'x', 'waiting'"),
)


@pytest.fixture
async def crowded(floor: Floor) -> Floor:
    """Two hundred agents, thousands of leads that are over, hundreds that wait; one call on the line."""

    def fill(conn: Connection) -> None:
        for many, into, values in _FILL:
            series = _SERIES[conn.dialect.name].format(many=many)
            conn.exec_driver_sql(" ".join(("INSERT INTO", into, series, "SELECT", values.format(now=START), "FROM n")))

    await floor.store.engine.write(fill)
    await floor.open(a_directory(*(f"agent{number}" for number in range(AGENTS))))
    floor.calls, floor.caps = CallCap("hold", 1000, 1000), CAPS
    if floor.store.engine.dialect == "postgresql":
        await floor.store.engine.write(lambda conn: conn.exec_driver_sql("ANALYZE"))
    return floor


class Overheard:
    """What was executed, with its parameters; and how the engine would find the rows."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.executed: list[tuple[str, Any]] = []

    def hear(self, conn: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if not statement.startswith(("EXPLAIN", "SAVEPOINT", "RELEASE")):
            self.executed.append((statement, parameters))

    def plans(self) -> Iterator[tuple[str, str]]:
        """Statement and plan, one by one."""
        prefix = "EXPLAIN QUERY PLAN " if self._conn.dialect.name == "sqlite" else "EXPLAIN "
        for statement, parameters in self.executed:
            # Of many rows of parameters, the first speaks for all.
            one = parameters[0] if isinstance(parameters, list) else parameters
            rows = self._conn.exec_driver_sql(prefix + statement, one).all()
            yield statement, "\n".join(str(row[-1]) for row in rows)


@contextlib.contextmanager
def overhearing(conn: Connection) -> Iterator[Overheard]:
    ear = Overheard(conn)
    event.listen(conn, "before_cursor_execute", ear.hear)
    try:
        yield ear
    finally:
        event.remove(conn, "before_cursor_execute", ear.hear)


async def plans_of(floor: Floor, step: Callable[[Connection], object]) -> dict[str, str]:
    """The plans of all statements that this step executes, by statement."""

    def run(conn: Connection) -> dict[str, str]:
        with overhearing(conn) as ear:
            step(conn)
        return dict(ear.plans())

    return await floor.store.engine.write(run)


def scanned(plan: str) -> set[str]:
    """The tables that a plan reads from end to end, without any index."""
    whole = re.findall(r"Seq Scan on (\w+)", plan)
    whole += [name for name, rest in re.findall(r"\bSCAN (\w+)(.*)", plan) if "USING" not in rest]
    return set(whole)


async def lines(floor: Floor) -> dict[str, Callable[[Connection], object]]:
    """Everything that runs for each lead, each answer, each record and each sweep."""
    claim = await floor.dial(new=a_lead(due_at=START - 1, submission_id="s", fingerprint="f"))
    terms = claims.ClaimTerms(floor.roster(), "me", 5000, floor.calls, CAPS, 32)
    floor.clock.advance(0.01)
    now = floor.now
    (waiting,), _ = await floor.claim_all(most=1)
    (seen,) = await floor.store.open_calls()

    def settle(conn: Connection) -> object:
        def decide(attempt: Attempt, lead: Lead) -> Move:
            return Move("ended", "lead_busy", lead="waiting", due_at=now, agent="available", refund=True, event="x")

        return attempts.settle(conn, claim.attempt.id, REPORTABLE, decide, "x", now, lambda _: CAPS)

    await floor.store.keep_cdr("pushed")
    delivery = NewDelivery("new", "shop", "k7", True, "text/plain", "sealed", "kept", now)
    known = a_lead(claim.lead.phone, submission_id="s", fingerprint="f")
    return {
        "accept": lambda conn: intake.accept(conn, a_lead(), COOLDOWN, floor.calls, CAPS, now),
        "accept, a twin": lambda conn: intake.accept(conn, a_lead(phone_key="w7"), COOLDOWN, floor.calls, CAPS, now),
        "accept, again": lambda conn: intake.accept(conn, known, COOLDOWN, floor.calls, CAPS, now),
        "remember the answer": lambda conn: intake.remember_answer(conn, "main", "s", "{}"),
        "claim": lambda conn: claims.claim(conn, terms, now + 5),
        "last agents": lambda conn: claims.last_agents(conn, [waiting.lead], 0),
        "begin sending": lambda conn: attempts.begin_sending(conn, waiting, "me", now, 5000),
        "match by variable": lambda conn: cdrs.match(conn, a_record(attempt_id=claim.attempt.id), now),
        "match by call": lambda conn: cdrs.match(conn, a_record(call_id="c77"), now),
        "match by number": lambda conn: cdrs.match(conn, a_record(extension="SIPagent7", phone="0500000000"), now),
        "note a leg": lambda conn: cdrs.note_leg(conn, claim.attempt, leg(1, "ANSWER", claim.attempt), now),
        "open calls": sightings.open_calls,
        "refused calls": lambda conn: refusals.with_refused(conn, now - HOUR),
        "note a refused call": lambda conn: refusals.note_refuted(conn, seen, "c9", now, now + HOUR),
        "the last to ring": lambda conn: refusals.was_the_last_to_ring(conn, claim.attempt),
        "known calls": lambda conn: sightings.known_calls(conn, ["c7", "c8"]),
        "note a sighting": lambda conn: sightings.note(conn, seen, "talking", now, now + HOUR, now + HOUR),
        "note a look at the line": lambda conn: sightings.note_look(conn, claim.attempt.id),
        "calls that are over": lambda conn: sightings.over(conn, [claim.attempt.id, "call7"], now, 0),
        "note presence": lambda conn: sightings.note_presence(
            conn, {"agent7": "busy", "agent8": "away", "agent9": "free"}, now, now + 30_000
        ),
        "unheard calls": lambda conn: unheard.due(conn, now + HOUR),
        "note a look at the log": lambda conn: unheard.note_look(
            conn, claim.attempt.id, now + HOUR, looked=True, missed=True
        ),
        "whose call": lambda conn: unheard.whose(conn, "call7", "c8"),
        "settle": settle,
        "keep a record": lambda conn: cdrs.keep(conn, "body", now),
        "kept records": cdrs.kept,
        "put a record back": lambda conn: cdrs.put_back(conn, KeptCdr(7, "b", now), now, failed=True),
        "looks": lambda conn: attempts.looks(conn, now + HOUR),
        "expire": lambda conn: leads.expire(conn, START + 2, 5),
        "rung out": lambda conn: number_caps.rung_out(conn, ["new1", "new2"], 6, START),
        "late": lambda conn: promises.late(conn, START + 2, now, 5),
        "promise": lambda conn: promises.promise(conn, "new297", now + HOUR, now + 2 * HOUR, now, now),
        "put off": lambda conn: leads.put_off(conn, "main", a_term(START + HOUR), START + 1),
        "due numbers": lambda conn: dialing_windows.due(conn, "main", now + 100, 50),
        "put off a number": lambda conn: dialing_windows.put_off(conn, ["new297"], a_term(now + HOUR), now + HOUR),
        "hold a number": lambda conn: dialing_windows.hold(conn, ["new296"], now + HOUR),
        "next due": lambda conn: leads.next_due(conn, ["main", "sales"], now + 100),
        "story": lambda conn: leads.story(conn, "new300", now),
        "dossier": lambda conn: dossiers.read(conn, "new300", NumberCap(6, START, lambda _: a_term(now)), now),
        "cancel": lambda conn: leads.cancel(conn, "new299", "visitor", now),
        "release": lambda conn: leads.release(conn, "new298", "operator", a_term(now), now),
        "booked": lambda conn: bookings.booked(conn, ["main", "sales"], now, now + 5, overdue=False),
        "booked, with the overdue": lambda conn: bookings.booked(conn, ["main"], now, now + 5, overdue=True),
        "waits": lambda conn: waits.waits(conn, "main", START - HOUR),
        "oldest due": lambda conn: waits.oldest_due(conn, "main", now + 100),
        "phoned in": lambda conn: phoned_in.note(conn, "pushed", a_record(call_id="x"), "w7", None, 0, now + HOUR),
        "newest leads": lambda conn: leads.listed(conn, (), 50),
        "gauges": lambda conn: gauges.read(conn, now),
        "end pauses": lambda conn: attempts.end_pauses(conn, now),
        "abandon": lambda conn: attempts.abandon_others(conn, "another", now),
        "agents": agents.states,
        "keep a delivery": lambda conn: deliveries.keep(conn, delivery, now),
        "accept a delivery": lambda conn: intake.accept(
            conn, a_lead(delivery="delivery7"), COOLDOWN, floor.calls, CAPS, now
        ),
        "settle a delivery": lambda conn: deliveries.settle(conn, "delivery7", "test", None, None),
        "next delivery": deliveries.next_look,
        "due deliveries": lambda conn: deliveries.take_due(conn, now + HOUR, 60_000),
        "forget deliveries": lambda conn: deliveries.forget(conn, {"shop": 86400}, now),
        "forget submissions": lambda conn: meta.forget_submissions(conn, START - 1000),
    }


# The index that each of these was made for.
NAMED: Final = {
    "accept": {"ix_leads_phone"},
    "claim": {"ix_leads_due"},
    "last agents": {"ix_leads_phone"},
    "looks": {"ix_attempts_look"},
    "next due": {"ix_leads_due"},
    "booked": {"ix_leads_due"},
    "booked, with the overdue": {"ix_leads_due"},
    "waits": {"ix_leads_received", "uq_attempts_number", "ix_events_lead"},
    "oldest due": {"ix_leads_due"},
    "put off": {"ix_leads_due"},
    "due numbers": {"ix_leads_due"},
    "expire": {"ix_leads_expires"},
    "rung out": {"ix_leads_phone"},
    "late": {"ix_leads_deadline"},
    "kept records": {"ix_cdrs_kept"},
    "match by call": {"ix_attempts_call"},
    "refused calls": {"ix_attempts_errors"},
    "the last to ring": {"uq_attempts_number"},
    "known calls": {"ix_attempts_call"},
    "unheard calls": {"ix_attempts_ask"},
    "whose call": {"ix_attempts_call"},
    "match by number": {"ix_attempts_extension"},
    "story": {"ix_events_lead"},
    "dossier": {"ix_events_lead", "uq_attempts_number"},
    "phoned in": {"uq_leads_live_phone"},
    "newest leads": {"ix_leads_received"},
    "keep a delivery": {"ix_deliveries_key"},
    "due deliveries": {"ix_deliveries_look"},
    "forget deliveries": {"ix_deliveries_received"},
    "forget submissions": {"ix_submissions_created"},
}


async def test_every_hot_statement_finds_its_rows_by_an_index(crowded: Floor) -> None:
    """None reads a big table from end to end, and those that have an index of their own use it."""
    problems = []
    for name, step in (await lines(crowded)).items():
        plans = await plans_of(crowded, step)
        assert plans, name
        problems += [f"{name}: {sql}\n{plan}" for sql, plan in plans.items() if scanned(plan) - SMALL]
        everything = "\n".join(plans.values())
        problems += [
            f"{name}: {index} is not used\n{plans}" for index in NAMED.get(name, ()) if index not in everything
        ]
    assert not problems, "\n\n".join(problems)


async def test_a_claim_reads_no_more_waiting_leads_than_it_takes(crowded: Floor) -> None:
    """Flat however many wait: the due query stops after as many rows as there are free agents to serve."""
    terms = claims.ClaimTerms(crowded.roster(), "me", 5000, crowded.calls, CAPS, 8)

    def run(conn: Connection) -> list[tuple[str, Any]]:
        with overhearing(conn) as ear:
            made = claims.claim(conn, terms, START + WAITING)
        assert len(made.claims) == 8
        return ear.executed

    executed = await crowded.store.engine.write(run)
    looked = [(sql, values) for sql, values in executed if "due_at <=" in sql]
    assert len(looked) == 1  # nobody here can serve the other site
    for sql, values in looked:
        assert "LIMIT" in sql
        assert 8 in (values if isinstance(values, tuple) else values.values())


def test_a_scan_is_told_from_a_search() -> None:
    assert scanned("SCAN leads") == {"leads"}
    assert scanned("SCAN leads USING INDEX ix_leads_received\nSEARCH agents USING INDEX x (id=?)") == set()
    assert scanned("Update on leads\n  ->  Seq Scan on leads  (cost=0.00..1.01 rows=1)") == {"leads"}
    assert scanned("Index Scan using ix on leads\n  ->  Bitmap Heap Scan on events") == set()
