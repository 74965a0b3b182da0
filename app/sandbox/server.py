"""Serving a sandbox: uvicorn waits for open requests before it stops, so the hanging ones are let go first."""

import socket

import uvicorn
from fastapi import FastAPI

from .sandbox import Sandbox


class SandboxServer(uvicorn.Server):
    """`await SandboxServer(app, port=8001).serve()`; stops at once, whatever still hangs."""

    def __init__(self, app: FastAPI, *, host: str = "127.0.0.1", port: int = 8001, log_level: str = "warning") -> None:
        self._sandbox: Sandbox = app.state.sandbox
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level=log_level,
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )

    def stop(self) -> None:
        """Begin to stop; to be called on the server's own loop."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.release_all()
        await super().shutdown(sockets)
