"""What both engines promise to whoever runs a statement function. Every test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import traceback

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError, SQLAlchemyError

from app.clock import Clock
from app.errors import ConfigurationError, StorageUnavailable
from app.store.engine import Engine, open_engine
from app.store.tables import meta
from tests.clocks import ManualClock

CANARY = "+972501234567"
_add = insert(meta)
_names = select(meta.c.name).order_by(meta.c.name)


def add(conn: Connection, name: str, value: str = "") -> str:
    conn.execute(_add, {"name": name, "value": value})
    return name


def add_pair(conn: Connection, name: str) -> None:
    add(conn, f"{name}.1")
    add(conn, f"{name}.2")


def add_then_fail(conn: Connection, name: str) -> None:
    add(conn, name)
    raise LookupError(name)


def names(conn: Connection) -> list[str]:
    return list(conn.execute(_names).scalars())


def count(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(meta)).scalar_one()


async def test_what_was_written_is_read_at_once(engine: Engine) -> None:
    assert await engine.write(add, "a", value="b") == "a"
    assert await engine.read(names) == ["a"]


async def test_a_twin_gets_the_integrity_error_and_changes_nothing(engine: Engine) -> None:
    await engine.write(add, "a")
    with pytest.raises(IntegrityError):
        await engine.write(add, "a")
    assert await engine.read(names) == ["a"]


async def test_a_function_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with pytest.raises(LookupError):
        await engine.write(add_then_fail, "a")
    assert await engine.read(names) == []


async def test_a_failing_function_does_not_hurt_its_neighbours(engine: Engine) -> None:
    await engine.write(add, "taken")
    results = await asyncio.gather(
        *(engine.write(add, f"good {n:02}") for n in range(20)),
        *(engine.write(add_then_fail, f"bad {n:02}") for n in range(20)),
        *(engine.write(add, "taken") for _ in range(20)),
        return_exceptions=True,
    )
    assert results[:20] == [f"good {n:02}" for n in range(20)]
    assert [type(result) for result in results[20:]] == [LookupError] * 20 + [IntegrityError] * 20
    assert await engine.read(names) == [*(f"good {n:02}" for n in range(20)), "taken"]


async def test_64_writers_at_once_lose_nothing(engine: Engine) -> None:
    async def writer(number: int) -> None:
        for turn in range(10):
            await engine.write(add, f"{number}.{turn}")

    await asyncio.gather(*(writer(number) for number in range(64)))
    assert await engine.read(count) == 640


async def test_a_value_does_not_appear_in_the_traceback_of_an_error(engine: Engine) -> None:
    await engine.write(add, CANARY)
    with pytest.raises(IntegrityError) as caught:
        await engine.write(add, CANARY, CANARY)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in repr(vars(caught.value.orig))


async def test_a_wrong_statement_is_not_reported_as_an_outage(engine: Engine) -> None:
    with pytest.raises(SQLAlchemyError):
        await engine.write(lambda conn: conn.exec_driver_sql("SELECT nothing FROM nowhere"))
    with pytest.raises(SQLAlchemyError):
        await engine.read(lambda conn: conn.exec_driver_sql("SELECT nothing FROM nowhere"))
    assert await engine.write(add, "after") == "after"


async def test_a_read_cannot_write_and_says_so_plainly(engine: Engine) -> None:
    with pytest.raises(SQLAlchemyError):
        await engine.read(add, "a")
    assert await engine.read(names) == []
    assert await engine.write(add, "b") == "b"


async def test_a_savepoint_inside_a_function_loses_only_its_own_work(engine: Engine) -> None:
    def careful(conn: Connection) -> None:
        add(conn, "a")
        try:
            with conn.begin_nested():
                add(conn, "b")
                add(conn, "a")
        except IntegrityError:
            add(conn, "c")

    await engine.write(careful)
    assert await engine.read(names) == ["a", "c"]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in company"])
async def test_a_function_that_rolls_back_itself_fails_alone(engine: Engine, alone: bool) -> None:
    def meddle(conn: Connection) -> None:
        conn.rollback()
        add(conn, "sly")

    company = [] if alone else ["one", "two"]
    results = await asyncio.gather(
        *(engine.write(add, name) for name in company), engine.write(meddle), return_exceptions=True
    )
    assert results[:-1] == company
    assert isinstance(results[-1], InvalidRequestError)
    assert await engine.write(add, "after") == "after"
    assert await engine.read(names) == ["after", *company]


async def test_a_function_that_commits_itself_is_an_error(engine: Engine) -> None:
    with pytest.raises(InvalidRequestError):
        await engine.write(lambda conn: conn.commit())
    assert await engine.write(add, "after") == "after"


async def test_whatever_a_function_raises_reaches_its_caller_and_nobody_else(engine: Engine) -> None:
    def give_up(conn: Connection) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError):
        await engine.write(give_up)
    with pytest.raises(RuntimeError):
        await engine.read(give_up)
    assert await engine.write(add, "after") == "after"


async def test_cancelled_callers_leave_whole_transactions_or_none(engine: Engine, database_url: str) -> None:
    tasks = [asyncio.create_task(engine.write(add_pair, f"{n:03}")) for n in range(100)]
    await tasks[0]
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await engine.close()  # waits for what the cancelled callers left behind
    second = open_engine(database_url)
    await second.start()
    found = set(await second.read(names))
    await second.close()
    assert {name[:3] for name in found if name.endswith(".1")} == {name[:3] for name in found if name.endswith(".2")}
    assert {f"{n:03}.1" for n in range(1, 100, 2)} <= found


async def test_a_closed_engine_refuses_and_can_be_closed_again(engine: Engine) -> None:
    await engine.close()
    await engine.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await engine.write(names)
    with pytest.raises(StorageUnavailable, match="closed"):
        await engine.read(names)
    with pytest.raises(StorageUnavailable, match="closed"):
        await engine.ping()


async def test_closing_finishes_what_was_begun(engine: Engine, database_url: str) -> None:
    tasks = [asyncio.create_task(engine.write(add, f"{n:02}")) for n in range(50)]
    await asyncio.sleep(0)  # every task has handed its function over
    await engine.close()
    assert await asyncio.gather(*tasks) == [f"{n:02}" for n in range(50)]


async def test_an_engine_that_was_never_started_refuses_and_closes(database_url: str) -> None:
    engine = open_engine(database_url)
    with pytest.raises(StorageUnavailable):
        await engine.write(names)
    with pytest.raises(StorageUnavailable):
        await engine.read(names)
    await engine.close()


async def test_a_healthy_engine_answers_a_ping(engine: Engine) -> None:
    await engine.ping()


async def test_the_injected_clock_wins(engine: Engine, clock: ManualClock) -> None:
    used: Clock = engine.clock
    assert used is clock


async def test_commits_are_counted(engine: Engine) -> None:
    before = engine.commits
    await engine.write(add, "a")
    with pytest.raises(LookupError):
        await engine.write(add_then_fail, "b")
    assert engine.commits == before + 1


_WRITE_FOREVER = """
import asyncio, itertools, sys
from sqlalchemy import insert
from app.store.engine import open_engine
from app.store.tables import meta

def add(conn, name):
    conn.execute(insert(meta), {"name": name, "value": ""})

async def main():
    engine = open_engine(sys.argv[1])
    await engine.start()
    async def writer(number):
        for turn in itertools.count():
            await engine.write(add, f"{number}.{turn}")
            print(f"{number}.{turn}", flush=True)
    await asyncio.gather(*(writer(number) for number in range(8)))

asyncio.run(main())
"""


def test_what_a_write_returned_survives_kill_9_of_the_process(database_url: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", _WRITE_FOREVER, database_url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        acknowledged = [process.stdout.readline().strip() for _ in range(200)]
        process.kill()
        # What it printed before it died, whole lines only.
        acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    assert process.wait(10) == -signal.SIGKILL

    async def stored() -> set[str]:
        engine = open_engine(database_url)
        await engine.start()  # also: the dead process's lock is gone
        try:
            return set(await engine.read(names))
        finally:
            await engine.close()

    assert set(acknowledged) <= asyncio.run(stored())


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://leadring:secret@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://host/file.db",
        "sqlite:///file.db?mode=memory",
        "postgresql://leadring:secret@host/db?colour=red",
        "postgresql://leadring:secret@host:port/db",
    ],
)
def test_an_address_that_is_not_ours_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_engine(url)
    assert "LEADRING_DATABASE_URL" in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
