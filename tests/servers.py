"""Real PostgreSQL and Redis servers for the tests: private, on loopback, gone when the test process is gone.

``postgres_server`` and ``redis_server`` start once per session, when the first test asks; ``postgres_url`` is
a new empty database and ``redis_url`` an empty Redis, per test. A missing binary is a RuntimeError that names
the package, never a skip.
"""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from tests.server_process import START_SECONDS, STOP_SECONDS, Server, free_port, is_alive, wait_until

__all__ = ["PostgresServer", "RedisServer", "free_port", "is_alive", "wait_until"]

MIN_POSTGRES = 15
POSTGRES_HOME = Path("/usr/lib/postgresql")


def postgres_binaries() -> Path:
    """The directory of PostgreSQL's server binaries, the newest there is; RuntimeError when there is none."""
    # Debian keeps every version apart and no server in PATH; elsewhere PATH has the one that is meant.
    versions = {int(p.parent.name): p for p in POSTGRES_HOME.glob("*/bin") if p.parent.name.isdigit()}
    places = [versions[number] for number in sorted(versions, reverse=True) if number >= MIN_POSTGRES]
    if found := shutil.which("postgres"):
        places.append(Path(found).resolve().parent)
    for place in places:
        if all((place / name).is_file() for name in ("postgres", "initdb", "psql")):
            return place
    raise RuntimeError(f"PostgreSQL {MIN_POSTGRES} or newer is not installed: apt-get install postgresql")


def redis_binary() -> str:
    """The path of redis-server; RuntimeError when there is none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise RuntimeError("Redis is not installed: apt-get install redis-server")
    return found


def unprivileged() -> pwd.struct_passwd | None:
    """Whom a server runs as: another user when we are root (PostgreSQL refuses root), otherwise ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


class PostgresServer(Server):
    """PostgreSQL on 127.0.0.1, user ``leadring``, no password. Commits survive ``kill()`` and ``restart()``."""

    # An immediate shutdown: removes the shared memory, which a SIGKILL would leave behind.
    orphan_signal = "QUIT"
    # fsync only matters when the machine dies. synchronous_commit stays on: it makes a commit survive the death of
    # the server.
    settings: ClassVar[Mapping[str, str]] = {
        "fsync": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
        "shared_buffers": "32MB",
        "max_connections": "200",
        "jit": "off",
    }

    def __init__(self) -> None:
        self.binaries = postgres_binaries()
        super().__init__("postgres", unprivileged())
        self.data = self.directory / "data"
        self._numbers = itertools.count(1)
        try:
            self._run("initdb", "-D", str(self.data), "-U", "leadring", "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
            self.start()
        except BaseException:
            self.stop()
            raise

    def command(self) -> Sequence[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            **self.settings,
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *flags]

    def is_ready(self) -> bool:
        # The postmaster writes its pid in line 1 and its state in line 8; pg_ctl looks there as well.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def url(self, database: str = "postgres") -> str:
        """``postgresql://…`` of ``database``."""
        return f"postgresql://leadring@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Makes a new empty database; its url."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Removes a database that ``create_database`` made, and throws out whoever is still connected."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def execute(self, sql: str, database: str = "postgres") -> str:
        """Runs one statement as the superuser through psql; what it printed, unaligned and without headers."""
        return self._run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql)

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            user=self.owner.pw_uid if self.owner else None,
            group=self.owner.pw_gid if self.owner else None,
            extra_groups=[] if self.owner else None,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def _end(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                return  # kill() follows


class RedisServer(Server):
    """A Redis on 127.0.0.1 that keeps nothing on disk."""

    def __init__(self) -> None:
        self.binary = redis_binary()
        super().__init__("redis")
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """``redis://…`` of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        return [
            self.binary,
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory)),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
        ]

    def is_ready(self) -> bool:
        # Asks who answers: another process may have taken the port, and then ours is about to give up.
        try:
            return f"process_id:{self.pid}\r\n" in self._talk("INFO server\r\nQUIT\r\n", 1.0, everything=True)
        except OSError:
            return False

    def ask(self, command: str, seconds: float = 1.0) -> str:
        """Sends one inline command, gives back the first line of the answer; TimeoutError after ``seconds``."""
        return self._talk(f"{command}\r\n", seconds).strip()

    def _talk(self, words: str, seconds: float, *, everything: bool = False) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(words.encode())
            with connection.makefile("rb") as answer:
                return (answer.read() if everything else answer.readline()).decode()

    def freeze(self) -> None:
        """SIGSTOP: connections are still taken by the kernel, nothing answers."""
        self._signal_and_wait(signal.SIGSTOP, frozen=True)

    def thaw(self) -> None:
        """SIGCONT: what was asked meanwhile is answered now."""
        self._signal_and_wait(signal.SIGCONT, frozen=False)

    def _signal_and_wait(self, number: signal.Signals, *, frozen: bool) -> None:
        process = psutil.Process(self.pid)
        process.send_signal(number)
        wait_until(
            lambda: (process.status() == psutil.STATUS_STOPPED) is frozen,
            STOP_SECONDS,
            f"redis {'freezes' if frozen else 'thaws'}",
        )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run. A test that kills it restarts it."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The url of a new, empty database, removed after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for the whole run. A test that freezes or kills it puts it right again."""
    server = RedisServer()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The url of the Redis, emptied."""
    redis_server.ask("FLUSHALL")
    return redis_server.url
