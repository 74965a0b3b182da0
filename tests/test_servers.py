"""The servers that tests lean on hold what they promise."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.server_process import Server, is_alive, wait_until
from tests.servers import PostgresServer, RedisServer


def test_every_database_is_new_and_empty(postgres_server: PostgresServer) -> None:
    first, second = postgres_server.create_database(), postgres_server.create_database()
    assert first != second
    name = second.rsplit("/", 1)[1]
    count = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert postgres_server.execute(count, name) == "0"


def test_the_database_url_fixture_names_a_database_that_answers(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.rsplit("/", 1)[1]
    assert postgres_url == postgres_server.url(name)
    assert postgres_server.execute("SELECT current_database()", name) == name


def test_what_was_committed_survives_the_death_of_postgres(postgres_server: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rsplit("/", 1)[1]
    postgres_server.execute("CREATE TABLE kept (n int)", name)
    postgres_server.execute("INSERT INTO kept VALUES (42)", name)
    dead = postgres_server.pid
    postgres_server.kill()
    assert not is_alive(dead)
    with pytest.raises(RuntimeError, match="psql failed"):
        postgres_server.execute("SELECT 1")
    postgres_server.restart()
    assert postgres_server.execute("SELECT n FROM kept", name) == "42"


def test_a_failing_statement_is_an_error_and_not_an_empty_answer(postgres_server: PostgresServer) -> None:
    with pytest.raises(RuntimeError, match="does not exist"):
        postgres_server.execute("SELECT * FROM nowhere")


def test_a_frozen_redis_takes_connections_and_answers_only_when_thawed(
    redis_server: RedisServer, redis_url: str
) -> None:
    assert redis_url == redis_server.url
    assert redis_server.ask("SET seen 1") == "+OK"
    redis_server.freeze()
    with pytest.raises(TimeoutError):
        redis_server.ask("PING", seconds=0.1)
    redis_server.thaw()
    assert redis_server.ask("PING") == "+PONG"
    assert redis_server.ask("EXISTS seen") == ":1"


def test_the_redis_url_fixture_is_an_empty_redis(redis_server: RedisServer, redis_url: str) -> None:
    assert redis_server.url == redis_url
    assert redis_server.ask("DBSIZE") == ":0"


def test_a_killed_redis_comes_back_on_the_same_port_and_empty() -> None:
    server = RedisServer()
    try:
        url = server.url
        server.ask("SET seen 1")
        server.kill()
        with pytest.raises(OSError, match="refused"):
            server.ask("PING")
        server.restart()
        assert server.url == url
        assert server.ask("EXISTS seen") == ":0"
    finally:
        server.stop()
    assert not server.directory.exists()


@pytest.mark.parametrize(
    "server", ["servers.PostgresServer()", "servers.RedisServer()", "proxy_server.ProxyServer([9])"]
)
def test_a_server_dies_with_a_test_run_that_is_killed(server: str) -> None:
    script = (
        f"import sys; from tests import proxy_server, servers; server = {server}\n"
        "print(server.pid, server.directory, flush=True); sys.stdin.read()"
    )
    root = Path(__file__).resolve().parent.parent
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdin is not None
    with run, run.stdin, run.stdout:
        pid, directory = run.stdout.readline().split()
        family = [int(pid), *(child.pid for child in psutil.Process(int(pid)).children())]
        assert all(map(is_alive, family))
        os.kill(run.pid, signal.SIGKILL)
        run.wait(10)
    wait_until(lambda: not any(map(is_alive, family)), 10, f"{server} ends with its parent")
    # A killed parent cannot tidy up: that is what this test has to do for it.
    subprocess.run(["rm", "-rf", directory], check=True, timeout=10)


def test_a_server_that_cannot_start_says_why() -> None:
    class Hopeless(Server):
        def command(self) -> list[str]:
            return [sys.executable, "-c", "raise SystemExit('no such luck')"]

        def is_ready(self) -> bool:
            return False

    server = Hopeless("hopeless")
    try:
        with pytest.raises(RuntimeError, match="no such luck"):
            server.start()
    finally:
        server.stop()
