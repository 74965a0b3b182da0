"""The service as it is really run: `python -m app serve` in a process of its own, to be killed, stopped and ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from tests.crash.books import Books, SqliteBooks
from tests.server_process import Server, is_alive, wait_until
from tests.story import ALWAYS_OPEN, CDR_TOKEN, CODE, PATIENCE, Visitor, value_of

ROOT = Path(__file__).resolve().parents[2]
METRICS_TOKEN = "metrics-token-of-the-story"


class ServiceProcess(Server):
    """`with ServiceProcess(...) as service:`, one replica on a free port.

    `books` is its database (default: an SQLite file of its own), `provider` the address of the Click2Call API.
    `fault` says at which crash point it kills itself, or stands still (app/faults.py), from the next start on.
    """

    def __init__(
        self,
        provider: str,
        *,
        books: Books | None = None,
        directory: str = ALWAYS_OPEN,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("service")
        self.books: Books = books or SqliteBooks(self.directory / "leadring.db")
        self.fault: str | None = None
        self._settings = {
            "DATABASE_URL": self.books.url,
            "VOICENTER_CODE": CODE,
            "VOICENTER_URL": provider,
            "VOICENTER_MONITOR_URL": "",  # outcomes come by CDR alone, so that nothing else explains them
            "VOICENTER_CALL_LOG_URL": "",
            "VOICENTER_CDR_TOKEN": CDR_TOKEN,
            "VOICENTER_TIMEOUT": "4",
            "METRICS_TOKEN": METRICS_TOKEN,
            **(settings or {}),
        }
        self.write_directory(directory)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------------------------------ as a process

    def command(self) -> list[str]:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            **{f"LEADRING_{name}": value for name, value in self._settings.items()},
        }
        if self.fault:
            environment |= {"LEADRING_FAULTS_ALLOWED": "yes", "LEADRING_FAULT": self.fault}
        # A clean environment: what the tests themselves were started with must not configure the service.
        words = [f"{name}={value}" for name, value in environment.items()]
        return ["env", "-i", *words, sys.executable, "-m", "app", "serve", "--port", str(self.port)]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=PATIENCE, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def write_directory(self, text: str) -> None:
        """leadring.toml, as it is read at the next start or reload."""
        (self.directory / "leadring.toml").write_text(text, encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        """Any signal to the process."""
        os.kill(self.pid, number)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Waits for the process to end by itself; its exit code, negative for a signal."""
        assert self._process is not None, "it does not run"
        code = self._process.wait(seconds)
        self._process = None
        return code

    def stands_still(self) -> None:
        """Waits until the process is stopped."""
        process = psutil.Process(self.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, PATIENCE, "the service stands still")

    def is_running(self) -> bool:
        return self._process is not None and is_alive(self.pid)

    # ------------------------------------------------------------------------------------------ as a service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cdr_url(self) -> str:
        return f"{self.url}/v1/voicenter/cdr/{CDR_TOKEN}"

    def client(self) -> httpx.Client:
        """A browser, to be closed."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE)

    def post(self, fields: Mapping[str, Any]) -> httpx.Response | None:
        """Sends the form; None when the connection ended without an answer."""
        try:
            return httpx.post(f"{self.url}/v1/leads", json=dict(fields), timeout=PATIENCE, trust_env=False)
        except httpx.TransportError:
            return None

    def sends_the_form(self, client: httpx.Client, phone: str, **fields: str) -> Visitor:
        """A visitor asks to be called, and is promised that; without a telephone to pick up."""
        answer = client.post("/v1/leads", json={"phone": phone, **fields})
        assert answer.status_code == 202, answer.text
        return Visitor(client, answer, None)

    def metrics(self) -> str:
        """The text exposition."""
        bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        answer = httpx.get(f"{self.url}/metrics", headers=bearer, timeout=PATIENCE, trust_env=False)
        return answer.raise_for_status().text

    def metric(self, line: str) -> float | None:
        """The value of one metric, named with its labels."""
        return value_of(line, self.metrics())
