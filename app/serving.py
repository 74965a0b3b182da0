"""Serving an application until it is told to stop, with the process tuned for it."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import Final

import uvloop
from fastapi import FastAPI

from app import faults
from app.main import make_server

# The loop and the database's writer thread pass the interpreter to and fro; Python's 5 ms between turns is longer
# than everything a lead costs.
TURN_SECONDS: Final = 0.001
# What was made at start stays; leads make few cycles, so looking for them can wait.
COLLECT_AFTER: Final = 20_000


def tune_process() -> None:
    """Turns of the interpreter and of its garbage collector, for a process that serves."""
    sys.setswitchinterval(TURN_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def serve_application(app: FastAPI, host: str, port: int) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code. Reloads the directory on SIGHUP."""
    if os.environ.get("LEADRING_FAULTS_ALLOWED") == "yes":
        faults.arm(os.environ.get("LEADRING_FAULT") or None)
    server = make_server(app, host, port)
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve())
    return 0 if server.started else 3
