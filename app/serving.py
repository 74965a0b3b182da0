"""Serving an application until it is told to stop, with the process tuned for it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI

from app import faults
from app.web.connection import Connection
from app.web.desk import Desk

# The loop and the database's writer thread pass the interpreter to and fro; Python's 5 ms between turns is longer
# than everything a lead costs.
TURN_SECONDS: Final = 0.001
# What was made at start stays; leads make few cycles, so looking for them can wait.
COLLECT_AFTER: Final = 20_000
STREAM_GRACE: Final = 5  # seconds connections get to end by themselves at shutdown


def tune_process() -> None:
    """Turns of the interpreter and of its garbage collector, for a process that serves."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each open stream is a file
    sys.setswitchinterval(TURN_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


class Server(uvicorn.Server):
    """uvicorn with three differences in how it ends and begins.

    A first signal tells the application at once, so that streams end before uvicorn waits for them. Signals
    are not raised again afterwards: a stop that was asked for is a success. SIGHUP reloads the directory.
    """

    on_started: Callable[[], None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app: Any = self.config.app
        desk = getattr(app.state, "desk", None)
        if isinstance(desk, Desk) and not desk.draining:
            desk.begin_shutdown()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        if threading.current_thread() is threading.main_thread():
            app: Any = self.config.app
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.state.desk.reload_soon)
        if self.on_started is not None:
            self.on_started()


def make_server(app: FastAPI, host: str, port: int) -> Server:
    """A server for this application; proxies are resolved inside it, and logging is ours."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=STREAM_GRACE,
            timeout_keep_alive=20,
            loop="uvloop",
            http=Connection,
            lifespan="on",
            ws="none",
        )
    )


def serve_application(app: FastAPI, host: str, port: int) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code. Reloads the directory on SIGHUP."""
    if os.environ.get("LEADRING_FAULTS_ALLOWED") == "yes":
        faults.arm(os.environ.get("LEADRING_FAULT") or None)
    server = make_server(app, host, port)
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve())
    return 0 if server.started else 3
