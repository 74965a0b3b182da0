"""The run that an operator starts, in a process of its own: what is asked, what is shown, and what is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.sandbox_server import RunningSandbox

from .account import MOST_REQUESTS, account_in

ROOT = Path(__file__).resolve().parents[2]
CODE = "canary-code-8c1f"
PHONE = "0501234567"
# Everything that makes pytest talk: locals, whole tracebacks, whole differences, the client's log.
TALKATIVE = ("-l", "-vv", "--full-trace", "--log-level=DEBUG", "--color=no")


def run(*arguments: str, python_path: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m pytest tests/conformance` with these LEADRING_CONFORMANCE_ variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LEADRING_", "PYTEST_"))}
    environment |= {f"LEADRING_CONFORMANCE_{name}": value for name, value in variables.items()}
    environment |= {"PYTHONPATH": python_path} if python_path else {}
    command = [sys.executable, "-m", "pytest", "tests/conformance", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def everywhere(url: str) -> dict[str, str]:
    """All four APIs below one address, asked without a pause."""
    return {
        "URL": f"{url}/ForwardDialer/click2call.aspx",
        "MONITOR_URL": f"{url}/comet/API",
        "EXTENSIONS_URL": f"{url}/Comet/api/GetExtensions",
        "CALL_LOG_URL": f"{url}/hub/cdr/",
        "CODE": CODE,
        "PAUSE": "0",
    }


def table_in(output: str) -> list[list[str]]:
    """The cells of the table at the end, without its head."""
    lines = [line for line in output.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


PAGE = f"<html>{PHONE} said ASKED</html>"
RECORD = (
    f'{{"ERRORCODE": 9, "ERR": 9, "ERRORMESSAGE": "{PHONE} said ASKED", "CALLID": "{PHONE}", '
    f'"EXTENSIONS": [{{"Name": "Dana {PHONE} ASKED"}}], "CDR_LIST": "{PHONE}"}}'
)


@contextmanager
def repeating() -> Iterator[str]:
    """A server that refuses everything and repeats it: the roster in a page, the others in JSON.

    It listens where the tests of this project may never connect to, on any other run.
    """

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("content-length", 0))).decode().replace('"', "'")
            answer = (PAGE if self.path.endswith("GetExtensions") else RECORD).replace("ASKED", asked).encode()
            self.send_response(403)
            self.send_header("content-type", f"text/{CODE}")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST  # noqa: N815 - the base class's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.2", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="echo")
    thread.start()
    try:
        yield f"http://127.0.0.2:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def test_an_account_that_answers_as_documented_is_asked_gently_and_reported() -> None:
    """Only harmless requests leave, within the budget; no phone rings; the table has a line for each."""
    with RunningSandbox(code=CODE, extensions={"SIPdana1": "Dana Levi"}) as sandbox:
        done = run(*TALKATIVE, **everywhere(sandbox.url))
        asked, calls = sandbox.requests(None), sandbox.calls()
    assert done.returncode == 0, done.stdout[-4000:]
    assert calls == []
    assert (
        "asking 127.0.0.1, 25 questions at most, 0 s apart, less than a minute\n" in done.stdout.partition("collect")[0]
    )
    assert 20 <= len(asked) <= MOST_REQUESTS
    assert {one["api"] for one in asked} == {"click2call", "active_calls", "roster", "call_log"}
    named = {name.lower() for one in asked if one["api"] == "click2call" for name in one["params"]}
    assert named <= {"code", "action", "format"}
    rows = table_in(done.stdout)
    assert len(rows) == len(asked)
    assert {row[2] for row in rows} == {"yes"}
    assert ["200", "1", "Phone is missing"] in [[row[4], row[7], row[8]] for row in rows]
    assert {row[1] for row in rows} >= {"page", "guess 7"}
    assert [word for word in (CODE, "Dana", "SIPdana1") if word in done.stdout + done.stderr] == []


def test_an_account_that_repeats_what_it_was_told_betrays_nothing() -> None:
    """Failing tests show neither the code nor a number nor a name; and other hosts can be reached, in this run only."""
    with repeating() as url:
        done = run(*TALKATIVE, **everywhere(url))
    shown = done.stdout + done.stderr
    assert done.returncode == 1, shown[-4000:]
    assert [word for word in (CODE, PHONE, "Dana") if word in shown] == []
    rows = table_in(done.stdout)
    assert len(rows) >= 20
    assert {row[4] for row in rows} == {"403"}
    assert {row[5] for row in rows} == {"text/***"}
    assert {row[6] for row in rows} == {"json", "other"}
    assert "NO" in {row[2] for row in rows}


def test_an_account_that_cannot_be_reached_is_reported_as_that() -> None:
    """The kind of failure stands where the HTTP status would; an API without an address is not asked."""
    done = run(*TALKATIVE, URL="http://127.0.0.2:9/c2c", CODE=CODE, PAUSE="0")
    rows = table_in(done.stdout)
    assert done.returncode == 1
    assert {row[4] for row in rows} == {"ConnectError"}
    assert re.findall(r"not asked, no address given: (\w+)", done.stdout) == ["active_calls", "roster", "call_log"]
    assert CODE not in done.stdout + done.stderr


def test_an_error_that_nobody_foresaw_betrays_nothing(tmp_path: Path) -> None:
    """It comes up through frames whose arguments and locals hold the code: they are not shown, whoever asks for it."""
    broken = "import httpx\ndef stream(*_, **__):\n    raise RuntimeError('unforeseen')\nhttpx.Client.stream = stream\n"
    (tmp_path / "broken_client.py").write_text(broken)
    broken_into = ("-p", "broken_client", "-k", "posted")
    done = run(*TALKATIVE, *broken_into, python_path=str(tmp_path), **everywhere("http://127.0.0.2:9"))
    assert done.returncode == 1
    assert "RuntimeError: unforeseen" in done.stdout
    assert CODE not in done.stdout + done.stderr


def test_the_run_says_first_how_long_it_will_take() -> None:
    account = account_in(
        {
            "LEADRING_CONFORMANCE_URL": "https://api.example/c2c",
            "LEADRING_CONFORMANCE_MONITOR_URL": "https://monitor.example/comet",
            "LEADRING_CONFORMANCE_CODE": CODE,
        }
    )
    assert account is not None
    assert account.plan() == "asking api.example, monitor.example, 25 questions at most, 5 s apart, about 2 minutes"


def test_what_is_not_harmless_is_not_even_selected() -> None:
    """Naming a test that rings a phone does not run it: 5 is pytest's word for nothing to do."""
    done = run("-k", "test_phone_rings_first", URL="http://127.0.0.2:9/c2c", CODE=CODE)
    assert done.returncode == 5, done.stdout
    assert "test_phone_rings_first" not in done.stdout


def test_an_account_without_a_code_is_a_mistake_of_usage() -> None:
    done = run(URL="http://127.0.0.2:9/c2c")
    assert done.returncode == 4
    assert "LEADRING_CONFORMANCE_CODE is missing" in done.stderr
