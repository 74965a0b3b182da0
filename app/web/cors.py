"""Who may call from a browser: the listed origins of the sites. CORS only tells browsers; intake checks itself."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.service.rules import Rules

_OPEN_TO_SITES: Final = ("/v1/leads", "/v1/sites", "/f/")
_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST, PATCH, DELETE",
    "access-control-allow-headers": "content-type, idempotency-key",
    "access-control-max-age": "600",
}


class SiteCors:
    """Answers preflights and adds the headers for the paths that other people's pages call."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_OPEN_TO_SITES):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = bool(origin) and self._allowed(origin, scope["path"])
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = {"vary": "Origin", "content-length": "0"}
            if allowed:
                answer |= _PREFLIGHT | {"access-control-allow-origin": origin}
            await send(
                {
                    "type": "http.response.start",
                    "status": 204 if allowed else 403,
                    "headers": [(name.encode(), value.encode()) for name, value in answer.items()],
                }
            )
            await send({"type": "http.response.body", "body": b""})
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out.add_vary_header("Origin")
                if allowed:
                    out["access-control-allow-origin"] = origin
                    out["access-control-expose-headers"] = "Retry-After, X-Request-ID"
            await send(message)

        await self._app(scope, receive, sending)

    def _allowed(self, origin: str, path: str) -> bool:
        """Where the path names a site, its origins; elsewhere those of every site, since the body is not read yet."""
        sites = self._rules.directory.sites
        named = sites.get(path.rsplit("/", 1)[1]) if not path.startswith("/v1/leads") else None
        asked = [named] if named is not None else sites.values()
        return any(not site.origins or origin in site.origins for site in asked)
