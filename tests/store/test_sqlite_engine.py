"""What only the SQLite engine promises: group commit, one process on one file, trouble that passes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app.errors import ConfigurationError, StorageUnavailable
from app.store import group_commit, sqlite_file
from app.store.engine import open_engine
from app.store.sqlite import SqliteEngine
from tests.store.test_engines import add, add_then_fail, names

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[SqliteEngine]:
    started = SqliteEngine(path)
    await started.start()
    yield started
    await started.close()


@contextlib.asynccontextmanager
async def busy_writer(engine: SqliteEngine) -> AsyncIterator[None]:
    """The writer is kept in a function; what is handed over meanwhile waits, and is one group afterwards."""
    entered, leave = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def wait(conn: Connection) -> None:
        loop.call_soon_threadsafe(entered.set)
        leave.wait(10)

    task = asyncio.create_task(engine.write(wait))
    await entered.wait()
    try:
        yield
    finally:
        leave.set()
        await task


async def hand_over(engine: SqliteEngine, *words: str) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(engine.write(add, word)) for word in words]
    await asyncio.sleep(0)
    return tasks


async def test_everything_that_waits_is_one_commit(engine: SqliteEngine) -> None:
    before = engine.commits
    async with busy_writer(engine):
        tasks = await hand_over(engine, *(f"{n:03}" for n in range(100)))
        assert engine.waiting == 100
    await asyncio.gather(*tasks)
    assert engine.commits == before + 2  # the one that kept it busy, and the group
    assert len(await engine.read(names)) == 100


async def test_a_group_has_an_upper_bound(engine: SqliteEngine) -> None:
    before = engine.commits
    async with busy_writer(engine):
        tasks = await hand_over(engine, *(str(n) for n in range(group_commit.GROUP_MAX + 1)))
    await asyncio.gather(*tasks)
    assert engine.commits == before + 3


async def test_a_group_of_failures_only_leaves_nothing(engine: SqliteEngine) -> None:
    async with busy_writer(engine):
        tasks = [asyncio.create_task(engine.write(add_then_fail, name)) for name in "abc"]
        await asyncio.sleep(0)
    assert [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)] == [LookupError] * 3
    assert await engine.read(names) == []


async def test_a_group_with_a_failure_is_run_again_and_nothing_of_its_first_run_remains(engine: SqliteEngine) -> None:
    runs: list[str] = []

    def add_counted(conn: Connection, name: str) -> str:
        runs.append(name)
        return add(conn, name)

    async with busy_writer(engine):
        before = asyncio.create_task(engine.write(add_counted, "before"))
        failing = asyncio.create_task(engine.write(add_then_fail, "failing"))
        after = asyncio.create_task(engine.write(add_counted, "after"))
        await asyncio.sleep(0)
    assert [await before, await after] == ["before", "after"]
    with pytest.raises(LookupError):
        await failing
    assert await engine.read(names) == ["after", "before"]
    assert runs == ["before", "before", "after"]


async def test_a_cancelled_function_that_had_not_begun_is_dropped(engine: SqliteEngine) -> None:
    async with busy_writer(engine):
        (dropped, kept) = await hand_over(engine, "dropped", "kept")
        dropped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dropped
    await kept
    assert await engine.read(names) == ["kept"]


async def test_a_cancelled_function_that_had_begun_is_committed(engine: SqliteEngine) -> None:
    entered, leave = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(conn: Connection) -> None:
        add(conn, "begun")
        loop.call_soon_threadsafe(entered.set)
        leave.wait(10)

    task = asyncio.create_task(engine.write(slow))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    leave.set()
    await engine.write(add, "next")
    assert await engine.read(names) == ["begun", "next"]


async def test_when_commit_fails_nothing_of_the_group_counts_as_done(engine: SqliteEngine) -> None:
    def orphan(conn: Connection) -> None:
        """Passes until COMMIT looks at the foreign keys: a failure of COMMIT itself."""
        conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        conn.exec_driver_sql(
            "INSERT INTO attempts "
            "(id, lead_id, agent_id, extension, number, state, owner, holds_agent, reserved_at) "
            "VALUES ('a', 'nobody', '1', '1', 1, 'lapsed', '', 0, 0)"
        )

    async with busy_writer(engine):
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(engine.write(add, "before")),
            asyncio.create_task(engine.write(orphan)),
            asyncio.create_task(engine.write(add, "after")),
            asyncio.create_task(engine.write(add_then_fail, "own mistake")),
        ]
        await asyncio.sleep(0)
        # The function that keeps the writer busy is alone in its group; these four are the next one.
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [StorageUnavailable] * 4
    assert await engine.read(names) == []
    assert await engine.write(add, "later") == "later"


async def test_more_waiting_functions_than_allowed_are_refused_at_once(engine: SqliteEngine) -> None:
    async with busy_writer(engine):
        tasks = [asyncio.create_task(engine.write(lambda conn: None)) for _ in range(group_commit.WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable, match="waiting"):
            await engine.write(add, "one too many")
    await asyncio.gather(*tasks)
    assert await engine.write(add, "room again") == "room again"


async def test_not_even_a_function_that_ends_the_interpreter_ends_the_writer(engine: SqliteEngine) -> None:
    def leave(conn: Connection) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await engine.write(leave)
    assert await engine.write(add, "after") == "after"


async def test_a_full_disk_is_an_outage_that_passes(engine: SqliteEngine) -> None:
    def limit(conn: Connection, pages: int) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    await engine.write(limit, 1)  # SQLite makes it the present size: not one page more
    async with busy_writer(engine):
        small = await hand_over(engine, "neighbour")
        large = asyncio.create_task(engine.write(add, "large", "x" * 100_000))
        await asyncio.sleep(0)
    results = await asyncio.gather(*small, large, return_exceptions=True)
    assert [type(result) for result in results] == [StorageUnavailable] * 2
    assert "the disk is full" in str(results[0])
    assert await engine.read(names) == []
    await engine.write(limit, 1_000_000)
    assert await engine.write(add, "large", "x" * 100_000) == "large"


async def test_a_database_that_another_program_locks_is_an_outage_that_passes(path: Path) -> None:
    engine = SqliteEngine(path)
    await engine.start()
    await engine.write(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout=50").close())
    foreign = sqlite3.connect(path, isolation_level=None)
    try:
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked by another process"):
            await engine.write(add, "a")
        with pytest.raises(StorageUnavailable):
            await engine.ping()
        assert await engine.read(names) == []  # readers do not wait for writers
        foreign.execute("ROLLBACK")
        assert await engine.write(add, "b") == "b"
        assert await engine.read(names) == ["b"]
    finally:
        foreign.close()
        await engine.close()


async def test_a_statement_that_does_not_end_is_interrupted(path: Path) -> None:
    engine = SqliteEngine(path, function_seconds=0.1)
    await engine.start()
    with pytest.raises(StorageUnavailable, match="time limit"):
        await engine.read(lambda conn: conn.exec_driver_sql(_ENDLESS).scalar())
    with pytest.raises(StorageUnavailable, match="time limit"):
        await engine.write(lambda conn: conn.exec_driver_sql(_ENDLESS).scalar())
    assert await engine.write(add, "after") == "after"
    assert await engine.read(names) == ["after"]
    await engine.close()


async def test_a_read_sees_one_moment_of_the_database(engine: SqliteEngine) -> None:
    loop = asyncio.get_running_loop()
    seen, changed = asyncio.Event(), threading.Event()

    def twice(conn: Connection) -> tuple[list[str], list[str]]:
        first = names(conn)
        loop.call_soon_threadsafe(seen.set)
        changed.wait(10)
        return first, names(conn)

    await engine.write(add, "a")
    reading = asyncio.create_task(engine.read(twice))
    await seen.wait()
    await engine.write(add, "b")
    changed.set()
    assert await reading == (["a"], ["a"])
    assert await engine.read(names) == ["a", "b"]


async def test_a_second_engine_on_the_file_is_refused_until_the_first_closes(path: Path, tmp_path: Path) -> None:
    first = SqliteEngine(path)
    await first.start()
    alias = tmp_path / "alias.db"
    alias.symlink_to(path)
    for name in (path, alias):
        with pytest.raises(StorageUnavailable, match=rf"{path.name}\.lock.*PostgreSQL") as caught:
            await SqliteEngine(name).start()
        assert str(os.getpid()) in str(caught.value)
    await first.close()
    second = SqliteEngine(alias)
    await second.start()
    await second.close()


async def test_a_command_may_share_the_file_of_a_running_service(engine: SqliteEngine, sqlite_url: str) -> None:
    await engine.write(add, "service")
    command = open_engine(sqlite_url, allow_shared=True)
    await command.start()
    assert await command.read(names) == ["service"]
    await command.write(add, "command")
    await command.close()
    assert await engine.read(names) == ["command", "service"]


async def test_a_transaction_has_its_lock_before_it_reads(engine: SqliteEngine, sqlite_url: str) -> None:
    """Whoever reads first and writes afterwards, beside another process that writes in between, waits and succeeds.

    With the lock taken only by the first write, SQLite fails such a transaction at once: what it has read is old.
    """
    command = open_engine(sqlite_url, allow_shared=True)
    await command.start()
    loop = asyncio.get_running_loop()
    reading = asyncio.Event()
    go_on = threading.Event()

    def read_then_write(conn: Connection) -> list[str]:
        found = names(conn)
        loop.call_soon_threadsafe(reading.set)
        go_on.wait(10)
        add(conn, "service")
        return found

    service = asyncio.create_task(engine.write(read_then_write))
    await reading.wait()
    other = asyncio.create_task(command.write(add, "command"))
    beside, _ = await asyncio.wait([other], timeout=0.5)
    go_on.set()
    assert await service == []
    await other
    await command.close()
    assert not beside, "the other one waits for the lock"
    assert await engine.read(names) == ["command", "service"]


_START = """
import asyncio, sys
from app.errors import StorageUnavailable
from app.store.engine import open_engine

async def main():
    engine = open_engine(sys.argv[1])
    try:
        await engine.start()
    except StorageUnavailable as error:
        print(error)
        sys.exit(3)
    print("started", flush=True)
    sys.stdin.read()
    await engine.close()

asyncio.run(main())
"""


async def test_a_second_process_on_the_file_is_refused(engine: SqliteEngine, sqlite_url: str) -> None:
    second = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _START, sqlite_url], capture_output=True, text=True, timeout=30
    )
    assert second.returncode == 3, second.stderr
    assert "is in use by another Leadring" in second.stdout


async def test_the_lock_of_a_killed_process_does_not_remain(sqlite_url: str) -> None:
    first = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs on this loop
        [sys.executable, "-c", _START, sqlite_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdin is not None
    assert first.stdout is not None
    with first.stdin, first.stdout:
        assert first.stdout.readline() == "started\n"
        with pytest.raises(StorageUnavailable, match=f"process {first.pid}"):
            await open_engine(sqlite_url).start()
        first.kill()
        first.wait(10)
    engine = open_engine(sqlite_url)
    await engine.start()
    await engine.close()


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("missing/leadring.db", "does not exist"),
        ("folder", "is a directory"),
        ("//server/share/leadring.db", "network"),
    ],
)
async def test_a_place_where_the_file_cannot_live_is_refused(tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match=says):
        await SqliteEngine(Path(place) if place.startswith("//") else tmp_path / place).start()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
async def test_a_place_that_takes_no_files_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await SqliteEngine(Path("/proc/leadring.db")).start()


def test_a_network_file_system_is_recognised_by_its_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "30 22 0:40 / /srv/shared\\040data rw shared:2 - nfs4 server:/export rw\n"
        "31 30 254:1 / /srv/shared\\040data/local rw - xfs /dev/vdb rw\n"
    )
    assert sqlite_file.filesystem_of(Path("/srv/other"), mounts) == "ext4"
    assert sqlite_file.filesystem_of(Path("/srv/shared data/db"), mounts) in sqlite_file.NETWORK_FILESYSTEMS
    assert sqlite_file.filesystem_of(Path("/srv/shared data/local/db"), mounts) == "xfs"
    assert sqlite_file.filesystem_of(Path("/srv"), tmp_path / "no such file") is None


def test_a_connection_whose_pragma_answers_differently_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.db"
    sqlite3.connect(plain).execute("CREATE TABLE t (a)").connection.close()  # in SQLite's own mode: no WAL
    with pytest.raises(ConfigurationError, match="journal_mode=delete"):
        sqlite_file.connect(plain, read_only=True)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 1000)
    with pytest.raises(StorageUnavailable, match="not an SQLite database"):
        await SqliteEngine(path).start()


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.glob("new.db*")}


async def test_others_cannot_read_the_file(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "new.db")
    await engine.start()
    await engine.write(lambda conn: conn.exec_driver_sql("CREATE TABLE t (a)").close())
    modes = _modes(tmp_path)
    await engine.close()
    assert modes == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm", "new.db.lock"), 0o600)


async def test_commits_are_durable_by_sqlite_s_own_account(engine: SqliteEngine) -> None:
    def pragma(conn: Connection, name: str) -> object:
        return conn.exec_driver_sql(f"PRAGMA {name}").scalar()

    assert await engine.write(pragma, "journal_mode") == "wal"
    assert await engine.write(pragma, "synchronous") == 2  # FULL
    assert await engine.write(pragma, "foreign_keys") == 1


def take_away(path: Path, *, put_back: bool) -> None:
    content = path.read_bytes()
    path.unlink()
    if put_back:
        path.write_bytes(content)


@pytest.mark.parametrize("fate", ["removed", "replaced"])
async def test_a_database_file_that_is_gone_takes_no_more_writes(sqlite_url: str, fate: str) -> None:
    """Commits into a file without a name would be acknowledged and never found again."""
    engine = open_engine(sqlite_url)
    await engine.start()
    try:
        await engine.ping()
        take_away(Path(sqlite_url.removeprefix("sqlite:///")), put_back=fate == "replaced")
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="removed or replaced"):
                await engine.write(lambda conn: None)
    finally:
        await engine.close()
