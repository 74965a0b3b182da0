"""A small service that follows the contract and answers what a test scripts; it never dials anybody.

It serves the real files of ``static/`` and the real script-free pages, so the browser meets what visitors meet.
"""

import json
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from app.web.pages import contact_form, thank_you
from tests.browser.answers import ACCEPTED as ACCEPTED
from tests.browser.answers import LEAD as LEAD
from tests.browser.answers import TOKEN as TOKEN
from tests.browser.answers import Answer as Answer
from tests.browser.answers import problem as problem

STATIC: Final = Path(__file__).parents[2] / "static"
SANDBOX_PAGE: Final = "<!doctype html><html lang=en><title>Sandbox</title><main><h1>Two telephones</h1></main></html>"
KINDS: Final = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
}
WAIT: Final = 10.0
LOOK: Final = 0.02  # seconds between looks at whether a listener is still there


class FakeService:
    """Scripted answers in, recorded requests out. `stream` is one of "live", "broken", "silent"."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.leads: list[dict[str, str]] = []
        self.lead_headers: list[dict[str, str]] = []
        self.bodies: list[str] = []
        self.posted: list[dict[str, str]] = []
        self.deleted: list[str] = []
        self.polls = 0
        self.streams = 0
        self.preflights = 0
        self.site: dict[str, Any] | None = {"open": True, "language": "en", "consent_text": None}
        self.has_words = True
        self.delete_status = 200
        self.moved: list[str] = []
        self.move_answer: Answer | None = None
        self.stream = "live"
        self.status: dict[str, Any] = {"lead_id": "lead-1", "state": "waiting", "timeline": []}
        self.pages: dict[str, tuple[str, Mapping[str, str]]] = {}
        self._version = 0
        self._closing = False
        self._news = threading.Condition()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Let every visitor go and close."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT)

    @property
    def api(self) -> str:
        """The service's own origin."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def elsewhere(self) -> str:
        """The same pages under another origin: the website that embeds the widget."""
        return f"http://localhost:{self._server.server_port}"

    def page(self, body: str, *, language: str = "en", policy: str = "", head: str = "", script: str = "") -> str:
        """Publish a host page and return its address on the other origin; `script` are the embed's data attributes."""
        direction = "rtl" if language in ("he", "ar") else "ltr"
        html = (
            f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>Host</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}'
            f'<script async src="{self.api}/widget/v1.js" {script}></script></head>'
            f"<body><main><h1>Host page</h1>{body}</main></body></html>"
        )
        path = f"/page/{len(self.pages)}"
        self.pages[path] = (html, {"Content-Security-Policy": policy} if policy else {})
        return self.elsewhere + path

    def tell(self, state: str, *events: str, **more: Any) -> None:
        """The lead moved: everybody who listens hears of it."""
        with self._news:
            timeline = [{"at": "2026-11-23T10:00:00+02:00", "event": event} for event in events]
            self.status = {"lead_id": "lead-1", "state": state, "timeline": timeline, **more}
            self._version += 1
            self._news.notify_all()

    def let_go(self) -> None:
        """Answer the requests that are held."""
        self._released.set()

    def next_answer(self) -> Answer:
        """Take the next scripted answer, by default an acceptance; a held one waits for `let_go`."""
        answer = self.answers.popleft() if self.answers else ACCEPTED
        if answer.held:
            self._released.wait(WAIT)
        return answer

    def news_after(self, version: int, gone: Callable[[], bool]) -> tuple[int, dict[str, Any]] | None:
        """Wait for a status newer than `version`; None when the service closes or whoever listened is gone."""
        with self._news:
            while not self._closing and self._version <= version:
                self._news.wait(LOOK)
                if gone():
                    return None
            return None if self._closing else (self._version, self.status)

    def document(self, path: str, query: Mapping[str, str]) -> tuple[str, bytes, Mapping[str, str]] | None:
        """Media type, bytes and headers of what a browser can open, or None."""
        if path in self.pages:
            html, headers = self.pages[path]
            return "text/html", html.encode(), headers
        if path == "/demo":
            html = (STATIC / "demo" / f"{query.get('lang', 'en')}.html").read_text(encoding="utf-8")
            policy = f"default-src 'self'; frame-src {self.elsewhere}; img-src 'self' data:"
            return (
                "text/html",
                html.replace("__SANDBOX_URL__", self.elsewhere).encode(),
                {"Content-Security-Policy": policy},
            )
        if path == "/thanks":
            words = thank_you(
                site_name="Example Ltd",
                language=query.get("lang", "en"),
                message="Noted.",
                status=self.status,
                refresh_seconds=3,
                stylesheet="/static/pages.css",
                telephone="03-000 0000",
            )
            return "text/html", words.encode(), {}
        if path == "/":
            return "text/html", SANDBOX_PAGE.encode(), {}
        file = {"/widget/v1.js": "widget.js", "/static/pages.css": "pages.css"}.get(path)
        if path.startswith("/widget/words/") and self.has_words:
            file = f"words/{Path(path).name}"
        if path.startswith("/demo/assets/"):
            file = f"demo/{Path(path).name}"
        if file is None or not (STATIC / file).is_file():
            return None
        return KINDS[Path(file).suffix], (STATIC / file).read_bytes(), {"Cache-Control": "max-age=60"}

    def ordinary_form(self, site: str, values: dict[str, str]) -> str | None:
        """What POST /f/{site} gives back: the form with its mistakes, or None when all is well."""
        self.posted.append(values)
        if sum(letter.isdigit() for letter in values.get("phone", "")) >= 7:
            return None
        language = values.get("language", "en")
        return contact_form(
            action=f"/f/{site}",
            site_name="Example Ltd",
            values=values,
            errors={"phone": {"en": "This is not a phone number.", "he": "זה לא מספר טלפון."}[language]},
            language=language,
            submission_id="s-1",
            telephone="03-000 0000",
            stylesheet="/static/pages.css",
        )


def _handler(service: FakeService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
            """Silent: the test reads the recorded requests instead."""

        def do_OPTIONS(self) -> None:
            service.preflights += 1
            self._send(204, b"", "text/plain", {"Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE"})

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            if url.path.startswith("/v1/sites/"):
                self._json(404 if service.site is None else 200, service.site or {"code": "unknown_site"})
            elif url.path == f"{LEAD}/events" and query.get("token") == TOKEN:
                self._stream()
            elif url.path == LEAD and query.get("token") == TOKEN:
                service.polls += 1
                self._json(200, service.status)
            elif (found := service.document(url.path, query)) is not None:
                kind, body, headers = found
                self._send(200, body, f"{kind}; charset=utf-8", headers)
            elif url.path == "/favicon.ico":
                self._send(204, b"", "image/x-icon")
            else:
                self._json(404, {"code": "not_found"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            values = dict(parse_qsl(body, keep_blank_values=True))
            if self.path.startswith(("/f/", "/contact")):  # the second is the website's own
                again = service.ordinary_form(self.path.removeprefix("/f/"), values)
                if again is None:
                    self._send(303, b"", "text/html", {"Location": f"/thanks?lang={values.get('language', 'en')}"})
                else:
                    self._send(422, again.encode(), "text/html; charset=utf-8")
                return
            service.bodies.append(body)
            service.leads.append(values)
            service.lead_headers.append(dict(self.headers))
            answer = service.next_answer()
            self._json(answer.status, answer.body, answer.headers)

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            call_at = dict(parse_qsl(body, keep_blank_values=True))["call_at"]
            service.moved.append(call_at)
            answer = service.move_answer
            if answer is None:
                service.tell("waiting", "received", "scheduled", expected_call_at=call_at)
                self._json(200, service.status)
            else:
                self._json(answer.status, answer.body, answer.headers)

        def do_DELETE(self) -> None:
            service.deleted.append(self.path)
            self._json(service.delete_status, {})

        def _stream(self) -> None:
            if service.stream == "broken":
                self._json(503, {"code": "no_stream"})
                return
            self.send_response(200)
            self._common("text/event-stream", {"Connection": "close"})
            self.end_headers()
            self.close_connection = True
            service.streams += 1
            try:
                self._tell_all()
            finally:
                service.streams -= 1

        def _tell_all(self) -> None:
            version = -1
            while (news := service.news_after(version, self._gone)) is not None:
                version, status = news
                if service.stream == "silent":
                    continue
                final = status["state"] in ("connected", "exhausted", "expired", "cancelled", "failed")
                end = "event: end\ndata: {}\n\n" if final else ""
                try:
                    self.wfile.write(f"event: status\ndata: {json.dumps(status)}\n\n{end}".encode())
                except (BrokenPipeError, ConnectionResetError):
                    return
                if final:
                    return

        def _gone(self) -> bool:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

        def _json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
            kind = "application/problem+json" if status >= 400 else "application/json"
            self._send(status, json.dumps(body).encode(), kind, headers)

        def _send(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            self._common(kind, headers or {})
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _common(self, kind: str, headers: Mapping[str, str]) -> None:
            self.send_header("Content-Type", kind)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Expose-Headers", "Retry-After")
            for name, value in headers.items():
                self.send_header(name, value)

    return Handler
