"""The rate limit: slowapi in the one shape that survives its traps.

A side-effect-free gate is decorated, not the handler, and runs before the body is read, so malformed bodies
count; the limiter is made per application; headers stay off (they would end up on good answers); the storage
of a hung Redis is asked in the thread pool with short socket time-outs and falls back to memory; and the
key is the client's address by our own reading, IPv6 by its /64. With `memory://` the gate runs on the loop:
a hop to a thread costs more than the limit.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from fastapi import Request
from limits.storage import MemoryStorage
from slowapi import Limiter
from starlette.concurrency import run_in_threadpool

log = structlog.get_logger("leadring.limits")
Gate = Callable[[Request], Awaitable[None]]

SOCKET_SECONDS: Final = 0.2
TIDY_SECONDS: Final = 1.0
CROWD_FROM: Final = 50_000  # keys in memory from which on strangers share buckets
CROWD_BUCKETS: Final = 4096


class CalmMemory(MemoryStorage):
    """limits' own storage in memory, tidied once a second instead of after every hit.

    Tidying starts a thread and walks all keys; a hundred times a second that costs more than all the rest.
    """

    STORAGE_SCHEME = ["calm-memory"]  # noqa: RUF012 - as the parent declares it
    _tidied = 0.0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - overrides the parent's private method
        now = time.monotonic()
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


def client_address(request: Request) -> str:
    """Who asks: an IPv4 address, the /64 of an IPv6 address, or `invalid` for anything else.

    Proxies have been resolved before (only trusted ones count), so this is the peer or what a trusted proxy
    said it was. Never empty: an empty key would lift the limit.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return "invalid"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address) + "/64"
    return str(address)


def source_key(request: Request) -> str:
    """Which form builder's webhook is asked; only for those that were let in, so there are few."""
    return f"source {request.path_params['source']}"


def make_limiter(url: str, rate: str, key_of: Callable[[Request], str] | None = None) -> Limiter:
    """A limiter of its own for one application; it counts clients, or what `key_of` says."""
    redis = not url.startswith("memory://")
    options: dict[str, Any] = (
        {"socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS} if redis else {}
    )

    def key(request: Request) -> str:
        """The client; past 50,000 live keys a flood of addresses shares 4,096 buckets, so memory stays bounded."""
        address = client_address(request)
        storage = limiter.limiter.storage
        if not isinstance(storage, MemoryStorage) or len(storage.storage) < CROWD_FROM:
            return address
        digest = hashlib.blake2b(address.encode(), digest_size=4).digest()
        return f"crowd-{int.from_bytes(digest, 'big') % CROWD_BUCKETS}"

    with warnings.catch_warnings():
        # There is no file to read settings from, on purpose: slowapi would take any it finds in the folder.
        warnings.simplefilter("ignore", UserWarning)
        limiter = Limiter(
            key_func=key_of or key,
            storage_uri=url if redis else "calm-memory://",
            storage_options=options,
            strategy="sliding-window-counter",
            key_style="endpoint",
            headers_enabled=False,
            swallow_errors=True,
            in_memory_fallback=[rate] if redis else [],
            in_memory_fallback_enabled=redis,
            config_filename=os.devnull,
        )
    return limiter


def make_gate(limiter: Limiter, url: str, rate: str) -> Gate:
    """What a route calls first; raises RateLimitExceeded."""
    if url.startswith("memory://"):

        @limiter.limit(rate)
        async def gate(request: Request) -> None:
            _seed(request)

        async def on_loop(request: Request) -> None:
            _prepare(request, limiter)
            await gate(request=request)

        return on_loop

    @limiter.limit(rate)
    def gate_in_thread(request: Request) -> None:
        _seed(request)

    async def in_thread(request: Request) -> None:
        _prepare(request, limiter)
        await run_in_threadpool(gate_in_thread, request=request)

    return in_thread


def _prepare(request: Request, limiter: Limiter) -> None:
    # slowapi looks at one limit for each request and then at no other, but a webhook may have to pass two gates.
    request.state._rate_limiting_complete = False
    request.state.limiter = limiter  # whom retry_after asks


def _seed(request: Request) -> None:
    # When its storage fails, slowapi reads this attribute without ever having set it.
    request.state.view_rate_limit = getattr(request.state, "view_rate_limit", None)


def retry_after(request: Request) -> int:
    """Whole seconds until the limit that was hit lets the client in again; at least 1."""
    found: Any = getattr(request.state, "view_rate_limit", None)
    if not found:
        return 60
    limit, keys = found
    try:
        limiter: Limiter = request.state.limiter
        stats = limiter.limiter.get_window_stats(limit, *keys)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises, the client gets a number
        log.warning("rate_limit.storage_silent", error=type(error).__name__)
        return 60
    return max(1, round(float(stats.reset_time) - time.time()))
