"""The sandbox by itself, as a process: it says how to be used, phones answer, records come, it ends in peace."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO

import httpx
import pytest

from app.sandbox import run_sandbox
from app.sandbox.standalone import settings, welcome

PATIENCE = 30.0


@contextmanager
def _process(**options: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A sandbox on a free port, and what it printed: the settings, and under `said` what is for people."""
    source = f"from app.sandbox import run_sandbox; raise SystemExit(run_sandbox(port=0, **{options!r}))"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", source], stdout=pipe, stderr=pipe, text=True) as process:
        guard = threading.Timer(PATIENCE, process.kill)
        guard.start()
        try:
            said = _until(process.stderr, "extensions:")
            # Not one line of prose among the settings: every line must be NAME=value.
            found = dict(line.split("=", 1) for line in _until(process.stdout, "LEADRING_VOICENTER_CALL_LOG_URL="))
            yield process, found | {"said": "\n".join(said)}
        finally:
            guard.cancel()
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)


def _until(stream: IO[str] | None, last: str) -> list[str]:
    """Lines up to the one that begins so."""
    assert stream is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith(last):
        line = stream.readline()
        assert line, "the sandbox ended early"
        lines.append(line.strip())
    return lines


def test_it_prints_settings_that_work_and_ends_with_0_at_a_signal() -> None:
    with _process(extensions=300, code="mine") as (process, settings), httpx.Client(trust_env=False) as client:
        names = ("CODE", "URL", "MONITOR_URL", "EXTENSIONS_URL", "CALL_LOG_URL")
        code, url, monitor, roster, log = (settings[f"LEADRING_VOICENTER_{name}"] for name in names)
        assert code == "mine"
        assert "(300 in all)" in settings["said"]
        listed = client.get(roster, params={"code": code}).json()["EXTENSIONS"]
        assert len(listed) == 300
        call = {"code": code, "action": "call", "phone": listed[0]["SIP"], "target": "0501234567", "format": "json"}
        assert client.post(url, json=call).json()["ERRORCODE"] == 0
        active = client.post(f"{monitor}/GetExtensionsCalls", json={"code": code}).json()["EXTENSIONS"]
        assert [one["username"] for one in active if one["calls"]] == [listed[0]["SIP"]]
        search = {"fromdate": "2000-01-01", "todate": "2100-01-01"}
        assert client.post(log, json={"code": code, "search": search}).json()["ERROR_NUMBER"] == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


class _Receiver(BaseHTTPRequestHandler):
    taken: list[bytes]

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


def test_its_options_reach_the_pushed_records() -> None:
    taken: list[bytes] = []
    server = HTTPServer(("127.0.0.1", 0), type("Taking", (_Receiver,), {"taken": taken}))
    server.timeout = PATIENCE
    url = f"http://127.0.0.1:{server.server_address[1]}/cdr"
    options = {"cdr_url": url, "cdr_delay": 0, "cdr_encoding": "form", "cdr_duplicate": True, "cdr_reverse": True}
    with server, _process(extensions=["SIPdana1"], log_delay=0, **options) as (_, settings):
        call = {"code": "sandbox", "action": "call", "phone": "SIPdana1", "target": "0501234567"}
        with httpx.Client(trust_env=False) as client:
            client.post(settings["LEADRING_VOICENTER_URL"], json=call)
            client.post(settings["LEADRING_VOICENTER_URL"], json=call | {"action": "terminate"})
        for _ in range(4):
            server.handle_request()
    legs = [re.search(rb"type=Click2Call\+(leg\d)", body) for body in taken]
    assert [leg[1] for leg in legs if leg] == [b"leg2", b"leg2", b"leg1", b"leg1"]


def test_automatic_phones_answer_after_some_seconds() -> None:
    with _process(extensions=["SIPdana1"], auto=True) as (_, settings), httpx.Client(trust_env=False) as client:
        url = settings["LEADRING_VOICENTER_URL"].partition("/ForwardDialer")[0]
        shown = client.get(f"{url}/sandbox/behaviour").json()["*"]
    assert shown == {"agent": "answer", "agent_after": 3, "lead": "answer", "lead_after": 5, "talk": 30}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"cdr_encoding": "yaml"}, "the encoding must be one of json, array, string, nested, form, xml"),
        ({"extensions": 9999}, "extensions must be between 0 and 5000"),
        ({"cdr_delay": -1.0}, "delay and pause must be 0 or more"),
        ({"log_delay": -1.0}, "delay and per_minute must be 0 or more"),
    ],
    ids=str,
)
def test_impossible_options_are_a_sentence_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], wrong: dict[str, object], complaint: str
) -> None:
    assert run_sandbox(port=0, **wrong) == 1  # type: ignore[arg-type]
    assert complaint in capsys.readouterr().err


def test_a_port_in_use_is_a_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run_sandbox(port=taken.getsockname()[1]) == 1
    assert "cannot start" in capsys.readouterr().err


def test_the_welcome_names_a_few_extensions_only() -> None:
    said = welcome("http://127.0.0.1:8001", [f"SIP{n}" for n in range(9)])
    assert said.splitlines()[-1] == "extensions: SIP0 SIP1 SIP2 SIP3 SIP4 … (9 in all)"
    assert "extensions" not in welcome("http://127.0.0.1:8001", [])


@pytest.mark.parametrize(
    ("cdr_url", "token"),
    [
        ("http://127.0.0.1:8000/v1/voicenter/cdr/6f1c2d", "6f1c2d"),
        ("https://leads.example/below/v1/voicenter/cdr/6f1c2d/", "6f1c2d"),
        ("http://127.0.0.1:9000/records", None),
        ("http://127.0.0.1:9000/?next=/v1/voicenter/cdr/6f1c2d", None),
        (None, None),
    ],
)
def test_the_token_is_among_the_settings_when_records_go_to_leadring(cdr_url: str | None, token: str | None) -> None:
    printed = dict(line.split("=", 1) for line in settings("http://h", "c", cdr_url).splitlines())
    assert printed.get("LEADRING_VOICENTER_CDR_TOKEN") == token


def test_the_settings_survive_a_shell(tmp_path: Path) -> None:
    """Sourced as the page says, a code with a space and a quote arrives as it is."""
    (tmp_path / "sandbox.env").write_text(settings("http://[::1]:8001", "it's $mine"), encoding="utf-8")
    sourced = 'set -a; . ./sandbox.env; set +a; printf "%s" "$LEADRING_VOICENTER_CODE $LEADRING_VOICENTER_MONITOR_URL"'
    done = subprocess.run(["/bin/sh", "-c", sourced], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("it's $mine http://[::1]:8001/comet/API", "")
