"""A small HTTP server on loopback that takes CDR pushes, as a CRM would (facts 2.1)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.server_process import wait_until

from .answers import outline

LONGEST = 5.0


@dataclass
class Receiver:
    """`taken`: (content type, body) of each push. `statuses` are answered first, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)

    def wait_for(self, n: int) -> list[tuple[str, str]]:
        """Block until `n` pushes came in; TimeoutError after LONGEST seconds."""
        wait_until(lambda: len(self.taken) >= n, LONGEST, f"{n} pushes")
        return list(self.taken)

    def records(self, n: int = 2) -> dict[str, dict[str, Any]]:
        """The first `n` pushes, sent as JSON objects, by their type."""
        found = [json.loads(body) for _, body in self.wait_for(n)[:n]]
        return {record["type"]: record for record in found}


def fields_of_form(body: str) -> dict[str, str]:
    return dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True))


def fields_of_xml_rpc(body: str) -> dict[str, str]:
    """Names and values of an XML-RPC call with one struct."""
    found: dict[str, str] = {}

    def walk(node: object) -> None:
        match node:
            case ("member", [("name", str(name)), ("value", [(_, str(value))])]):
                found[name] = value
            case (_, list(children)):
                for child in children:
                    walk(child)
            case _:
                pass

    walk(outline(body))
    return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port, gone at the end."""
    receiver = Receiver()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            receiver.taken.append((self.headers.get("content-type", ""), body))
            answer = b'{"err": 0, "errdesc": "OK"}'
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/v1/voicenter/cdr/token"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="cdr receiver")
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join(LONGEST)
        server.server_close()
