"""Around every request, as plain ASGI: a request id, one access line, one timing. Never BaseHTTPMiddleware (slow)."""

from __future__ import annotations

import re
import time
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ids import new_request_id
from app.metrics import Metrics

_SANE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_QUIET: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
SECURITY: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
]
log = structlog.get_logger("leadring.access")


class Around:
    """Takes or makes the request id, returns it, measures by route template, and writes the access line."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["leadring.request_id"] = request_id
        began = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                named = {name for name, _ in headers}
                headers.append((b"x-request-id", request_id.encode()))
                headers.extend(pair for pair in SECURITY if pair[0] not in named)
                message["headers"] = headers
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - began
            route = _route(scope)
            self._metrics.http.labels(
                scope["method"] if scope["method"] in _METHODS else "other", route, str(status)
            ).observe(seconds)
            if scope["path"] not in _QUIET:
                log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"})


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if _SANE.fullmatch(given):
                return given
    return new_request_id()


def _route(scope: Scope) -> str:
    """The route's template, so that no path, and nothing in it, is ever a label or a log line."""
    found: Any = scope.get("route")
    path = getattr(found, "path_format", None) or getattr(found, "path", None)
    return str(path) if path else "unknown"
