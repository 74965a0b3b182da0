"""A Graph API on loopback: what it is asked is kept, what it answers is said by the test."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCESS = "EAAB-access-token-for-tests"


def lead(leadgen_id: str, phone: str = "+972542345678", created: str = "2026-01-05T10:00:00+0000") -> dict[str, Any]:
    """What Meta answers for a lead."""
    return {
        "id": leadgen_id,
        "created_time": created,
        "form_id": "77",
        "field_data": [
            {"name": "full_name", "values": ["Noa Levi"]},
            {"name": "phone_number", "values": [phone]},
        ],
    }


class FakeGraph:
    """`answers` by lead id: a status with a JSON value or bytes; anything else is Meta's own 404."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, tuple[int, Any]] = {}
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def answer(self, path: str) -> tuple[int, bytes]:
        status, value = self.answers.get(path.split("?")[0].rsplit("/", 1)[1], (404, {"error": {"code": 100}}))
        return status, value if isinstance(value, bytes) else json.dumps(value).encode()


@contextmanager
def serving_graph() -> Iterator[FakeGraph]:
    """A started fake; `go_on.clear()` keeps every question waiting."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.asked.append((self.path, self.headers.get("authorization", "")))
            fake.go_on.wait(10)
            status, body = fake.answer(self.path)
            self.send_response(status)
            for name, value in fake.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            with contextlib.suppress(OSError):  # who asked did not wait
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on standard error."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # of more than five at once the others would come a second later

    server = Server(("127.0.0.1", 0), Handler)
    fake = FakeGraph(f"http://127.0.0.1:{server.server_address[1]}/v23.0")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
