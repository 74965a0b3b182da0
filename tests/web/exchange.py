"""One HTTP exchange with the application, message by message: streams that stay open, visitors who leave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

DEADLINE = 10.0


class Exchange:
    """A request in a task of its own; what came back so far is in `status`, `headers` and `body`.

    With `ends=False` the body is only begun. `disconnect` is the visitor leaving.
    """

    def __init__(
        self,
        app: FastAPI,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        ends: bool = True,
    ) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self._news = asyncio.Event()
        self._left = asyncio.Event()
        self._begun = False
        self._request = {"type": "http.request", "body": body, "more_body": not ends}
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
            "client": ("203.0.113.9", 40000),
            "server": ("leadring.test", 80),
            "state": {},
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._begun:
            self._begun = True
            return self._request
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self._left.is_set():
            return  # as uvicorn does
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
        self._news.set()

    def disconnect(self) -> None:
        """The visitor closes the connection."""
        self._left.set()

    async def done(self) -> None:
        """Until the answer is complete (or the application noticed that the visitor left)."""
        async with asyncio.timeout(DEADLINE):
            await self.task

    async def until(self, words: bytes) -> None:
        """Until these bytes have come; TimeoutError after 10 seconds."""
        async with asyncio.timeout(DEADLINE):
            while words not in self.body:
                self._news.clear()
                await self._news.wait()

    @property
    def events(self) -> list[tuple[str, str]]:
        """Name and data of the server-sent events so far."""
        found: list[tuple[str, str]] = []
        for block in self.body.decode().replace("\r\n", "\n").split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and line[0] != ":")
            if "data" in fields:
                found.append((fields.get("event", "message"), fields["data"]))
        return found
