"""`python -m bench.strangers COUNT`: so many distinct clients pass the gate; prints the growth in MB and µs each."""

from __future__ import annotations

import asyncio
import sys
import time
from types import SimpleNamespace
from typing import Any

import psutil
from fastapi import FastAPI, Request
from slowapi.errors import RateLimitExceeded

from app.web.limits import make_gate, make_limiter

RATE = "10/minute"  # the default


async def pass_the_gate(clients: int) -> tuple[float, float]:
    """Megabytes grown, and microseconds for each client."""
    app = FastAPI()
    limiter = make_limiter("memory://", RATE)
    app.state.limiter = limiter
    gate = make_gate(limiter, "memory://", RATE)
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/leads",
        "query_string": b"",
        "headers": [],
        "app": app,
        "route": SimpleNamespace(path="/v1/leads"),
    }
    await gate(Request({**scope, "client": ("192.0.2.1", 1)}))
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    for number in range(clients):
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        # Shared buckets may be full by then: also a refusal leaves something behind.
        try:
            await gate(Request({**scope, "client": (address, 1)}))
        except RateLimitExceeded:
            continue
    seconds = time.perf_counter() - began
    return (process.memory_info().rss - before) / 1e6, seconds * 1e6 / clients


if __name__ == "__main__":
    grown, micros = asyncio.run(pass_the_gate(int(sys.argv[1])))
    print(grown, micros)
