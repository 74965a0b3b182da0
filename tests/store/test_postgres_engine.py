"""What only the PostgreSQL engine promises: it heals, it retries what is safe to retry, and replicas agree."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection, text

from app.errors import ConfigurationError, StorageUnavailable
from app.store import address
from app.store.database_clock import DatabaseClock
from app.store.engine import Engine, open_engine
from app.store.postgres import POOL, RETRIES
from app.store.wakeups import GATHER_SECONDS
from tests.clocks import ManualClock
from tests.servers import PostgresServer, free_port
from tests.store.test_engines import add, add_pair, names

_PID = text("SELECT pg_backend_pid()")
_TERMINATE = text("SELECT pg_terminate_backend(:pid)")
# The sessions that hear notifications, by what they asked last.
_LISTENING = text(
    "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    " AND (query ILIKE '%listen%leadring%' OR query LIKE '%clock_timestamp%' OR query LIKE '%pg_notify%')"
)


@pytest.fixture
async def engine(postgres_store_url: str) -> AsyncIterator[Engine]:
    """One replica, with the database's clock."""
    started = open_engine(postgres_store_url)
    await started.start()
    yield started
    await started.close()


@pytest.fixture
async def replica(postgres_store_url: str) -> AsyncIterator[Engine]:
    """Another one on the same database."""
    started = open_engine(postgres_store_url)
    await started.start()
    yield started
    await started.close()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what another task does; TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


def refuse_with(conn: Connection, sqlstate: str) -> None:
    conn.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{sqlstate}'; END $$")


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"], ids=["serialization failure", "deadlock"])
async def test_a_conflict_is_tried_again(engine: Engine, sqlstate: str) -> None:
    calls = []

    def second_time_lucky(conn: Connection) -> int:
        calls.append(add(conn, "a"))
        if len(calls) == 1:
            refuse_with(conn, sqlstate)
        return len(calls)

    assert await engine.write(second_time_lucky) == 2
    assert await engine.read(names) == ["a"]


async def test_a_conflict_that_does_not_end_is_an_outage(engine: Engine) -> None:
    calls = []

    def unlucky(conn: Connection) -> None:
        calls.append(add(conn, "a"))
        refuse_with(conn, "40001")

    with pytest.raises(StorageUnavailable, match="40001"):
        await engine.write(unlucky)
    assert len(calls) == RETRIES + 1
    assert await engine.read(names) == []


async def test_two_functions_that_lock_crosswise_both_succeed(engine: Engine) -> None:
    """A real deadlock: PostgreSQL ends one of the two, which is then run again."""
    await engine.write(add_pair, "row")
    locked = 0

    def lock(conn: Connection, first: str, second: str) -> None:
        nonlocal locked
        update = text("UPDATE meta SET value = value || 'x' WHERE name = :name")
        conn.execute(update, {"name": first})
        locked += 1
        for _ in range(1000):  # each round trip lets the other function run, until both hold their first row
            if locked >= 2:
                break
            conn.execute(_PID)
        conn.execute(update, {"name": second})

    await asyncio.gather(engine.write(lock, "row.1", "row.2"), engine.write(lock, "row.2", "row.1"))
    values = await engine.read(lambda conn: conn.execute(text("SELECT value FROM meta")).scalars().all())
    assert values == ["xx", "xx"]
    assert locked == 3


@pytest.mark.parametrize("sqlstate", ["53100", "55P03", "57014", "57P03"])
async def test_trouble_of_the_server_is_an_outage_and_is_not_tried_again(engine: Engine, sqlstate: str) -> None:
    calls = []

    def refused(conn: Connection) -> None:
        calls.append(1)
        refuse_with(conn, sqlstate)

    with pytest.raises(StorageUnavailable, match=sqlstate):
        await engine.write(refused)
    assert len(calls) == 1
    assert await engine.write(add, "after") == "after"


async def test_a_connection_lost_before_commit_is_replaced_unseen(engine: Engine, replica: Engine) -> None:
    calls = []

    def cut_off(conn: Connection) -> str:
        add(conn, "a")
        calls.append(1)
        if len(calls) == 1:
            conn.execute(_TERMINATE, {"pid": conn.execute(_PID).scalar_one()})
            conn.execute(_PID)
        return "done"

    assert await engine.write(cut_off) == "done"
    assert await replica.read(names) == ["a"]


async def test_a_connection_that_died_while_idle_is_replaced_before_the_function_runs(
    engine: Engine, replica: Engine
) -> None:
    calls = []

    def note(conn: Connection) -> int:
        calls.append(1)
        return int(conn.execute(_PID).scalar_one())

    pid = await engine.write(note)
    # Answers when the session has ended, so its socket is closed before the answer arrives.
    await replica.write(
        lambda conn: conn.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).close()
    )
    assert await engine.write(note) != pid
    assert len(calls) == 2


async def test_a_connection_lost_at_commit_is_an_outage_and_is_not_tried_again(engine: Engine) -> None:
    calls = []

    def cut_off_at_commit(conn: Connection) -> None:
        calls.append(add(conn, "a"))
        # A deferred trigger runs inside COMMIT, and ends the session there.
        conn.exec_driver_sql(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$"
        )
        conn.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION cut()"
        )
        add(conn, "b")

    with pytest.raises(StorageUnavailable, match="no answer to COMMIT"):
        await engine.write(cut_off_at_commit)
    assert len(calls) == 1
    assert await engine.write(add, "after") == "after"
    assert await engine.read(names) == ["after"]


async def test_a_cancelled_caller_does_not_cancel_its_transaction(engine: Engine, replica: Engine) -> None:
    begun = asyncio.Event()

    def slow(conn: Connection) -> None:
        add(conn, "a.1")
        begun.set()
        conn.exec_driver_sql("SELECT pg_sleep(0.05)")
        add(conn, "a.2")

    task = asyncio.create_task(engine.write(slow))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await engine.close()  # waits for it
    assert await replica.read(names) == ["a.1", "a.2"]


async def test_a_server_killed_under_load_is_an_outage_and_then_heals(
    engine: Engine, postgres_server: PostgresServer
) -> None:
    acknowledged: set[str] = set()
    outages: list[StorageUnavailable] = []
    stop = asyncio.Event()

    async def writer(number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                await engine.write(add_pair, f"{number}.{turn}")
            except StorageUnavailable as error:
                outages.append(error)
                await asyncio.sleep(0.01)
            else:
                acknowledged.add(f"{number}.{turn}")

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(writer(number))
        for _ in range(3):
            enough = len(acknowledged) + 200
            await until(lambda enough=enough: len(acknowledged) >= enough)  # type: ignore[misc]
            seen = len(outages)
            try:
                await asyncio.to_thread(postgres_server.kill)
                await until(lambda seen=seen: len(outages) > seen)  # type: ignore[misc]
                with pytest.raises(StorageUnavailable):
                    await engine.ping()
            finally:
                # Not in a thread: the kernel ends the server with the thread that started it.
                postgres_server.restart()
        enough = len(acknowledged) + 200
        await until(lambda: len(acknowledged) >= enough)
        stop.set()
    await engine.ping()
    stored = await engine.read(names)
    halves = [{name[:-2] for name in stored if name.endswith(end)} for end in (".1", ".2")]
    assert halves[0] == halves[1]
    assert acknowledged <= halves[0]


async def test_a_server_that_is_not_there_is_an_outage_that_names_no_password() -> None:
    engine = open_engine(f"postgresql://leadring:secret@127.0.0.1:{free_port()}/db")
    with pytest.raises(StorageUnavailable) as caught:
        await engine.start()
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_database_that_is_not_there_is_an_outage(postgres_server: PostgresServer) -> None:
    with pytest.raises(StorageUnavailable, match="3D000"):
        await open_engine(postgres_server.url("nowhere")).start()


async def test_what_is_told_reaches_the_other_replica_in_its_order(engine: Engine, replica: Engine) -> None:
    heard: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    replica.listen(lambda channel, payload: heard.append((channel, payload)))
    engine.listen(lambda channel, payload: own.append((channel, payload)))
    for payload in ("lead one", "lead two", "lead one"):
        engine.tell("due", payload)
    engine.tell("agents")
    await until(lambda: len(heard) == 3)
    assert heard == [("due", "lead one"), ("due", "lead two"), ("agents", "")]  # together, and each once
    # The replica answers; when that arrives, the engine's own notifications would have arrived before it.
    replica.tell("due", "back")
    await until(lambda: bool(own))
    assert own == [("due", "back")]


async def test_what_is_told_of_a_lead_while_it_goes_its_way_is_told_once(engine: Engine, replica: Engine) -> None:
    heard: list[str] = []
    replica.listen(lambda channel, payload: heard.append(payload))
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - began < GATHER_SECONDS / 2:
        engine.tell("lead", "reserved, sent and placed")
        await asyncio.sleep(GATHER_SECONDS / 20)
    await until(lambda: bool(heard))
    engine.tell("lead", "ended")
    await until(lambda: "ended" in heard)
    assert heard == ["reserved, sent and placed", "ended"]


async def test_a_crowd_leaves_its_connections_to_the_next(engine: Engine) -> None:
    """A connection that is opened anew has to prepare every statement anew."""

    async def sessions() -> set[tuple[object, ...]]:
        asked = text("SELECT pid, backend_start FROM pg_stat_activity WHERE datname = current_database()")
        return set(await engine.read(lambda conn: [tuple(row) for row in conn.execute(asked)]))

    async def crowd() -> frozenset[int]:
        wait = text("SELECT pg_backend_pid() FROM pg_sleep(0.1)")
        return frozenset(
            await asyncio.gather(*(engine.write(lambda conn: conn.execute(wait).scalar_one()) for _ in range(2 * POOL)))
        )

    first = await crowd()
    begun = await sessions()
    assert len(first) == POOL
    assert await crowd() <= first
    assert await sessions() == begun


async def test_a_listener_that_fails_does_not_deafen_the_others(
    engine: Engine, replica: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def broken(channel: str, payload: str) -> None:
        raise LookupError

    replica.listen(broken)
    replica.listen(lambda channel, payload: heard.append(payload))
    for payload in ("one", "two"):
        engine.tell("due", payload)
    await until(lambda: heard == ["one", "two"])
    assert caplog.text.count("a listener for due failed") == 2


async def test_the_session_that_listens_comes_back(engine: Engine, replica: Engine) -> None:
    heard: list[str] = []
    replica.listen(lambda channel, payload: heard.append(payload))

    def cut_all(conn: Connection) -> int:
        mine = conn.execute(_PID).scalar_one()
        pids = [pid for pid in conn.execute(_LISTENING).scalars() if pid != mine]
        for pid in pids:
            conn.execute(_TERMINATE, {"pid": pid})
        return len(pids)

    assert await engine.write(cut_all) >= 2
    async with asyncio.timeout(10):
        while not heard:
            engine.tell("due", "again")
            await asyncio.sleep(0.05)
    assert set(heard) == {"again"}


async def test_what_is_told_while_there_is_no_session_is_told_later(engine: Engine, postgres_store_url: str) -> None:
    sessions = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(:pids)")
    heard: list[str] = []
    pids = [pid for (pid,) in await engine.read(lambda conn: conn.execute(_LISTENING).all())]
    replica = open_engine(postgres_store_url)
    await replica.start()
    try:
        replica.listen(lambda channel, payload: heard.append(payload))
        await engine.write(lambda conn: conn.execute(sessions, {"pids": pids}).all())
        engine.tell("due", "meanwhile")
        await until(lambda: heard == ["meanwhile"])
    finally:
        await replica.close()


async def test_the_last_words_of_a_command_are_heard(replica: Engine, postgres_store_url: str) -> None:
    heard: list[str] = []
    replica.listen(lambda channel, payload: heard.append(channel))
    command = open_engine(postgres_store_url)
    await command.start()
    command.tell("switch")
    await command.close()
    await until(lambda: heard == ["switch"])


async def test_what_cannot_be_told_does_not_keep_the_rest_from_being_told(
    engine: Engine, replica: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    replica.listen(lambda channel, payload: heard.append(payload))
    engine.tell("due", "x" * 9000)
    await until(lambda: "cannot be told" in caplog.text)
    engine.tell("due", "next")
    await until(lambda: heard == ["next"])


class Skewed(ManualClock):
    """A machine whose wall clock is an hour off; its monotonic clock runs, from wherever it was started."""

    def __init__(self, hours: float, started: float) -> None:
        super().__init__(round((time.time() + hours * 3600) * 1000))
        self._started = started

    def monotonic(self) -> float:
        return time.monotonic() + self._started


async def test_replicas_with_skewed_clocks_agree_with_the_server_on_the_time(engine: Engine) -> None:
    def server_time(conn: Connection) -> float:
        return float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")).scalar_one())

    async def ask() -> float:
        return await engine.read(server_time)

    slow, fast = DatabaseClock(Skewed(-1, 0.0)), DatabaseClock(Skewed(+1, 5_000_000.0))
    await slow.measure(ask)
    await fast.measure(ask)
    before = await ask()
    readings = [slow.now(), fast.now(), engine.clock.now()]
    after = await ask()
    assert all(before - 100 <= reading <= after + 100 for reading in readings)


async def test_the_best_of_three_answers_sets_the_clock() -> None:
    """The quickest round trip says most about the server's time; a slow one is off by up to its length."""
    local = ManualClock()
    trips = iter([(4.0, 0.0), (0.2, 0.0), (2.0, 0.0)])
    server = 5_000_000.0

    async def ask() -> float:
        there, back = next(trips)
        local.advance(there)
        answer = server + local.monotonic() * 1000
        local.advance(back)
        return answer

    clock = DatabaseClock(local)
    with pytest.raises(StorageUnavailable):
        clock.now()
    await clock.measure(ask)
    assert clock.now() == pytest.approx(server + local.monotonic() * 1000 + 100, abs=1)
    local.advance(60)
    assert clock.now() == pytest.approx(server + local.monotonic() * 1000 + 100, abs=1)


async def test_a_slow_trip_corrects_a_clock_only_where_it_contradicts_it() -> None:
    """While the machine is busy, replicas that agreed before still do."""
    local, step, back = ManualClock(), 0.0, 0.2

    async def ask() -> float:
        answer = local.monotonic() * 1000 + step
        local.advance(back)
        return answer

    def off() -> float:
        return clock.now() - local.monotonic() * 1000

    clock = DatabaseClock(local)
    await clock.measure(ask)
    assert off() == pytest.approx(-100, abs=1), "read at one end of a trip of 200 ms"
    back = 2.0
    await clock.measure(ask)
    assert off() == pytest.approx(-100, abs=1), "off by 1000 ms would be the better guess of this trip alone"
    step = -5000.0
    await clock.measure(ask)
    assert off() == pytest.approx(-6000, abs=1), "which no trip of two seconds explains"
    back = 0.1
    await clock.measure(ask)
    assert off() == pytest.approx(-5050, abs=1), "a quicker trip says more"


async def test_the_clock_follows_the_server_after_a_step() -> None:
    local, step = ManualClock(), 0.0

    async def ask() -> float:
        return local.monotonic() * 1000 + step

    clock = DatabaseClock(local)
    await clock.measure(ask)
    first = clock.now()
    step = -3_600_000.0
    await clock.measure(ask)
    assert clock.now() == first - 3_600_000


def test_the_parts_of_an_address_reach_the_driver() -> None:
    url = "postgres://me:p%40ss@db.example:6432/leads?sslmode=require&application_name=a&connect_timeout=5"
    options = address.postgres_options(address.parse(url))
    assert options["server_settings"].pop("application_name") == "a"
    assert options["server_settings"].pop("synchronous_commit") == "on"
    del options["server_settings"]
    assert options == {
        "host": "db.example",
        "port": 6432,
        "user": "me",
        "password": "p@ss",
        "database": "leads",
        "ssl": "require",
        "timeout": 5.0,
        "command_timeout": 10.0,
    }
    with pytest.raises(ConfigurationError):
        address.postgres_options(address.parse("postgresql://host/db?connect_timeout=soon"))


async def test_every_session_flushes_its_commits_whatever_the_server_s_default_is(
    engine: Engine, postgres_store_url: str
) -> None:
    def setting(conn: Connection) -> object:
        return conn.exec_driver_sql("SHOW synchronous_commit").scalar_one()

    name = postgres_store_url.rsplit("/", 1)[1]
    await engine.write(lambda conn: conn.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off").close())
    fresh = open_engine(postgres_store_url)
    await fresh.start()
    assert await fresh.write(setting) == "on"
    await fresh.close()
