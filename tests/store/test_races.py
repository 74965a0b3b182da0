"""Many at once: the promises hold by the database, not by luck. Real tasks, engines and processes, both engines."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, func, insert, or_, select, text

from app.directory import CallCap, Cooldown, Rate
from app.domain.answers import NotSent, Placed
from app.domain.guards import Cap
from app.domain.lead import Claim
from app.store import budgets, claims
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from app.store.tables import agents, attempts, leads, submissions
from app.store.tables import budgets as budgets_table
from tests.clocks import START, ManualClock
from tests.store.leads_for_tests import HOUR, Floor, a_directory, a_lead, leg

PHONE = "+972541234567"
MANY = 200
HOLD = CallCap("hold", None, None)
# SQLite has one writer and one process: what these are about cannot happen there.
ON_POSTGRES = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


@pytest.fixture
async def floors(floor: Floor, store_url: str, clock: ManualClock) -> AsyncIterator[list[Floor]]:
    """Replicas: three engines on one PostgreSQL; the one process that SQLite allows."""
    async with contextlib.AsyncExitStack() as stack:
        found = [floor]
        if floor.store.engine.dialect == "postgresql":
            for _ in range(2):
                engine = open_engine(store_url, clock)
                await engine.start()
                stack.push_async_callback(engine.close)
                found.append(Floor(SqlStore(engine), clock))
        yield found


@pytest.fixture(autouse=True)
async def no_deadlocks(floor: Floor) -> AsyncIterator[None]:
    """PostgreSQL had no deadlock to break: each costs a second of somebody's waiting."""
    before = await deadlocks(floor)
    yield
    assert await deadlocks(floor) == before


async def deadlocks(floor: Floor) -> int:
    def count(conn: Connection) -> int:
        if conn.dialect.name == "sqlite":
            return 0
        conn.execute(text("SELECT pg_stat_force_next_flush()"))
        found: int = conn.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        ).scalar_one()
        return found

    return await floor.store.engine.write(count)


async def together(doing: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """All of these at once; the first that fails fails the test."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for one in doing:
            group.create_task(one())  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ accept


async def test_of_200_leads_of_one_number_one_is_stored_and_the_others_join(floors: list[Floor]) -> None:
    found = await asyncio.gather(
        *(
            floors[number % len(floors)].accept(a_lead(PHONE, submission_id=f"k{number}", fingerprint="f"))
            for number in range(MANY)
        )
    )
    assert collections.Counter(one.kind for one in found) == {"new": 1, "duplicate": MANY - 1}
    assert len({one.lead_id for one in found}) == 1
    assert (len(await floors[0].rows(leads)), len(await floors[0].rows(submissions))) == (1, MANY)


async def test_a_submission_that_comes_200_times_is_stored_once(floors: list[Floor]) -> None:
    async def submit(floor: Floor) -> str:
        accepted = await floor.accept(a_lead(PHONE, submission_id="k", fingerprint="f"))
        if accepted.kind == "new":
            await floor.store.remember_answer("main", "k", "the answer")
        return accepted.kind

    kinds = collections.Counter(await asyncio.gather(*(submit(floors[number % len(floors)]) for number in range(MANY))))
    assert kinds["new"] == 1
    assert kinds["in_flight"] + kinds["replay"] == MANY - 1
    assert len(await floors[0].rows(leads)) == 1


async def test_one_submission_id_with_two_contents_is_stored_once(floors: list[Floor]) -> None:
    found = await asyncio.gather(
        *(
            floors[number % len(floors)].accept(a_lead(submission_id="k", fingerprint=f"content {number % 2}"))
            for number in range(40)
        )
    )
    kinds = collections.Counter(one.kind for one in found)
    assert (kinds["new"], kinds["in_flight"], kinds["mismatch"]) == (1, 19, 20)
    assert len(await floors[0].rows(leads)) == 1


@pytest.mark.parametrize("rate", [1, 3])
async def test_the_cooldown_is_exact_however_many_come_at_once(floors: list[Floor], rate: int) -> None:
    """Whoever gets in leaves at once, so that nobody can join and everybody is counted."""
    cooldown = Cooldown("refuse", (Rate(rate, 600),))
    admitted: list[str] = []

    async def come_and_go(floor: Floor) -> None:
        for _ in range(5):
            accepted = await floor.accept(a_lead(PHONE), cooldown)
            if accepted.kind == "new":
                admitted.append(accepted.lead_id)
                await floor.store.cancel(accepted.lead_id, "visitor")

    await together([lambda floor=floor: come_and_go(floor) for floor in floors * 10])  # type: ignore[misc]
    assert len(admitted) == rate


# ------------------------------------------------------------------------------------------------ claims


async def serve(floor: Floor, owner: str, journal: list[tuple[str, str]], *, fail_every: int = 0) -> None:
    """Claim, send and settle until nobody is left to call now; every claim goes into the journal.

    Claims go past the store's tolerance for the belt: an index that has to refuse fails the test.
    """
    while True:
        terms = claims.ClaimTerms(floor.roster(), owner, 5000, floor.calls, floor.caps, 4)
        found = await floor.store.engine.write(claims.claim, terms, floor.now)
        if not found.claims and not found.held and not await floor.store.engine.read(_left_to_call, floor.now):
            return
        for claim in found.claims:
            journal.append((claim.lead.id, claim.attempt.agent_id))
            await one_call(floor, claim, owner, refused=bool(fail_every) and len(journal) % fail_every == 0)


def _left_to_call(conn: Connection, now: int) -> int:
    due = or_(leads.c.state == "dialing", leads.c.due_at <= now)
    return conn.execute(select(func.count()).select_from(leads).where(due)).scalar_one()


async def one_call(floor: Floor, claim: Claim, owner: str, *, refused: bool) -> None:
    assert await floor.send(claim, owner)
    if refused:
        await floor.answer(claim, NotSent("refused"))
        return
    await floor.answer(claim, Placed(claim.attempt.id))
    await floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=1))


async def prepared(floors: list[Floor], leads_: int, agents_: int, caps: tuple[Cap, ...] = ()) -> None:
    """So many due leads, so many agents without wrap-up, the same rules for every replica."""
    directory = a_directory(*(f"agent{number}" for number in range(agents_)), wrap_up=0)
    await floors[0].open(directory)
    await asyncio.gather(*(floors[0].accept() for _ in range(leads_)))
    for floor in floors:
        floor.directory, floor.caps, floor.calls = directory, caps, HOLD


async def test_six_dispatchers_share_five_agents_and_nobody_is_called_twice(floors: list[Floor]) -> None:
    await prepared(floors, leads_=60, agents_=5)
    journal: list[tuple[str, str]] = []
    await together([lambda n=n: serve(floors[n % len(floors)], f"d{n}", journal) for n in range(6)])  # type: ignore[misc]
    assert len(journal) == 60
    assert len({lead for lead, _ in journal}) == 60
    assert {row["state"] for row in await floors[0].rows(leads)} == {"connected"}
    assert len({agent for _, agent in journal}) == 5


async def test_what_is_sent_again_is_sent_again_once(floors: list[Floor]) -> None:
    """Requests that never left go back, and settle beside other rounds without losing or doubling anything."""
    await prepared(floors, leads_=30, agents_=5)
    journal: list[tuple[str, str]] = []
    for _ in range(8):
        await together(
            [lambda n=n: serve(floors[n % len(floors)], f"d{n}", journal, fail_every=4) for n in range(6)]  # type: ignore[misc]
        )
        floors[0].clock.advance(60)
    rows = await floors[0].rows(attempts)
    assert len(rows) == len(journal)
    ended = collections.Counter(row["lead_id"] for row in rows if row["state"] == "ended")
    assert (len(ended), set(ended.values())) == (30, {1})


@pytest.mark.parametrize(("hour", "day"), [(17, 1000), (1000, 17)])
async def test_a_budget_of_17_calls_is_17_calls_for_eight_dispatchers(floors: list[Floor], hour: int, day: int) -> None:
    caps = Cap("hour", START, hour, START + HOUR), Cap("day", START, day, START + 24 * HOUR)
    await prepared(floors, leads_=60, agents_=10, caps=caps)
    journal: list[tuple[str, str]] = []
    await together([lambda n=n: serve(floors[n % len(floors)], f"d{n}", journal) for n in range(8)])  # type: ignore[misc]
    assert len(journal) == 17
    assert {row["span"]: row["used"] for row in await floors[0].rows(budgets_table)} == {"hour": 17, "day": 17}
    states = collections.Counter((row["state"], row["reason"]) for row in await floors[0].rows(leads))
    assert states == {("connected", None): 17, ("held", "calls"): 43}


async def test_calls_given_back_and_calls_taken_do_not_wait_for_each_other_in_a_circle(floors: list[Floor]) -> None:
    """Refunds and spendings touch the same two rows, by far more than once: no deadlock, and the sum is right."""
    caps = Cap("hour", START, 500, START + HOUR), Cap("day", START, 500, START + 24 * HOUR)
    await prepared(floors, leads_=48, agents_=8, caps=caps)
    journal: list[tuple[str, str]] = []
    for _ in range(6):
        await together(
            [lambda n=n: serve(floors[n % len(floors)], f"d{n}", journal, fail_every=2) for n in range(6)]  # type: ignore[misc]
        )
        floors[0].clock.advance(60)
    called = len([row for row in await floors[0].rows(attempts) if row["state"] == "ended"])
    assert called < len(journal)
    assert {row["span"]: row["used"] for row in await floors[0].rows(budgets_table)} == {"hour": called, "day": called}


# ---------------------------------------------------------------------------------------------- settling


async def test_one_attempt_is_settled_once_by_whoever_comes_first(floors: list[Floor]) -> None:
    claim = await floors[0].dial()
    found = await asyncio.gather(
        *(floors[number % len(floors)].report(leg(2, "NOANSWER", claim.attempt)) for number in range(20))
    )
    assert sum(len(moved) for moved in found) == 1
    assert (await floors[0].lead(claim.lead.id))["lead_tries"] == 1


async def test_an_answer_and_a_sweep_at_once_leave_one_truth(floors: list[Floor]) -> None:
    await floors[0].open(a_directory(*(f"agent{number}" for number in range(10))))
    for _ in range(10):
        await floors[0].accept()
    found, _ = await floors[0].claim_all()
    for floor in floors:
        floor.directory = floors[0].directory
    for claim in found:
        await floors[0].send(claim)
    await together(
        [
            step
            for claim in found
            for step in (
                lambda claim=claim: floors[0].answer(claim, Placed(claim.attempt.id)),
                lambda claim=claim: floors[-1].silence(claim),
            )
        ]
    )
    for claim in found:
        assert (await floors[0].attempt(claim))["state"] in ("placed", "ended")


async def test_legs_reported_at_once_end_connected(floors: list[Floor]) -> None:
    """Facts 2.4: labels may look odd; an answered leg wins over an unanswered one, whoever commits last."""
    await floors[0].open(a_directory(*(f"agent{number}" for number in range(20))))
    for number in range(20):
        claim = await floors[0].dial(Placed(f"c{number}"))
        await asyncio.gather(
            floors[0].report(leg(2, "ANSWER", claim.attempt, talk_seconds=9)),
            floors[-1].report(leg(2, "NOANSWER", claim.attempt)),
            floors[-1].report(leg(1, "ANSWER", claim.attempt)),
        )
        row = await floors[0].attempt(claim)
        assert (row["outcome"], row["leg2_status"], row["leg1_status"]) == ("connected", "ANSWER", "ANSWER")


@contextlib.asynccontextmanager
async def locked(url: str, sql: str) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Somebody else holds the rows that this statement locks; gives a wait for so many who stand behind them."""
    connect: Any = asyncpg.connect  # the driver has no type information
    holder, watcher = await connect(url), await connect(url)

    async def blocked(count: int) -> None:
        async with asyncio.timeout(20):
            while await watcher.fetchval(_BLOCKED) < count:
                pass

    try:
        async with holder.transaction():
            await holder.fetch(sql)
            yield blocked
    finally:
        await holder.close()
        await watcher.close()


_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@ON_POSTGRES
async def test_a_stale_look_at_a_call_does_not_overwrite_an_answered_leg(floors: list[Floor], store_url: str) -> None:
    """Both reports have looked before either writes: the row they meet is the one that counts."""
    claim = await floors[0].dial()
    async with locked(store_url, "SELECT id FROM attempts FOR UPDATE") as blocked:
        answer = asyncio.create_task(floors[1].report(leg(2, "ANSWER", claim.attempt, talk_seconds=9)))
        await blocked(1)
        nothing = asyncio.create_task(floors[2].report(leg(2, "NOANSWER", claim.attempt)))
        await blocked(2)
    await asyncio.gather(answer, nothing)
    row = await floors[0].attempt(claim)
    assert (row["outcome"], row["leg2_status"]) == ("connected", "ANSWER")


@ON_POSTGRES
async def test_a_refund_takes_the_budget_s_rows_in_the_order_of_a_claim(floors: list[Floor], store_url: str) -> None:
    """Wherever the rows lie in the table: the other order would be a deadlock, and a second of waiting."""
    caps = Cap("hour", START, 9, START + HOUR), Cap("day", START, 9, START + 24 * HOUR)

    def lie_the_wrong_way_round(conn: Connection) -> None:
        for span in ("day", "hour"):
            conn.execute(insert(budgets_table), {"span": span, "starts_at": START, "used": 5})

    await floors[0].store.engine.write(lie_the_wrong_way_round)
    async with locked(store_url, "SELECT used FROM budgets WHERE span = 'hour' FOR UPDATE") as blocked:
        spend = asyncio.create_task(floors[1].store.engine.write(budgets.spend, caps))
        await blocked(1)
        refund = asyncio.create_task(floors[2].store.engine.write(budgets.refund, caps))
        await blocked(2)
    await asyncio.gather(spend, refund)
    assert {row["used"] for row in await floors[0].rows(budgets_table)} == {5}


@ON_POSTGRES
async def test_a_replica_that_starts_does_not_wait_for_agents_whom_a_frozen_one_holds(
    floors: list[Floor], store_url: str
) -> None:
    """It has nothing to write about them, as long as the list is what it was."""
    await floors[0].open(a_directory("dana", "yossi"))
    async with locked(store_url, "SELECT id FROM agents FOR UPDATE"), asyncio.timeout(4):
        await floors[1].open(a_directory("dana", "yossi"))
    await floors[1].open(a_directory("yossi", "dana"))
    assert {row["id"]: row["listed"] for row in await floors[0].rows(agents)} == {"yossi": 1, "dana": 2}


# --------------------------------------------------------------------------------------------- processes

_DISPATCHER = """
import asyncio, json, sys
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from tests.clocks import ManualClock
from tests.store.leads_for_tests import Floor, a_directory
from tests.store.test_races import serve

async def main(url, name):
    clock = ManualClock()
    engine = open_engine(url, clock)
    await engine.start()
    floor = Floor(SqlStore(engine), clock, a_directory(*(f"agent{n}" for n in range(5)), wrap_up=0))
    journal = []
    print("ready", flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(serve(floor, f"{name}.{n}", journal) for n in range(3)))
    await engine.close()
    print(json.dumps(journal))

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def running(program: str, arguments: Sequence[tuple[str, ...]]) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes of this program, each after it has said that it is ready; gone afterwards."""
    with contextlib.ExitStack() as stack:
        found = []
        for given in arguments:
            command = [sys.executable, "-c", program, *given]
            pipes = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(pipes)
            stack.callback(pipes.kill)
            found.append(pipes)
        for one in found:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        yield found


@ON_POSTGRES
async def test_two_processes_of_three_dispatchers_call_nobody_twice(floor: Floor, store_url: str) -> None:
    await prepared([floor], leads_=40, agents_=5)
    with running(_DISPATCHER, [(store_url, "p0"), (store_url, "p1")]) as processes:
        said = await asyncio.gather(*(asyncio.to_thread(one.communicate, "go\n", 30) for one in processes))
    journals = [json.loads(out) for out, _ in said]
    assert all(journals)
    called = [lead for journal in journals for lead, _ in journal]
    assert (len(called), len(set(called))) == (40, 40)
    assert {row["state"] for row in await floor.rows(leads)} == {"connected"}
