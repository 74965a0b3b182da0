"""Fixtures: a service in this loop, and one on a socket; both on a fresh migrated database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from tests.store.engines import database_url, postgres_store_url, postgres_template, sqlite_template, sqlite_url
from tests.web.service import RunningService, Service, copy_of, started

__all__ = ["database_url", "postgres_store_url", "postgres_template", "sqlite_template", "sqlite_url"]


@pytest.fixture(scope="package", autouse=True)
def plain_log() -> Iterator[None]:
    """Tracebacks in the log without their locals, which are slow to draw; pytest shows the lines of a failed test."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


Start = Callable[..., AbstractAsyncContextManager[Service]]
Run = Callable[..., RunningService]


@pytest.fixture
def start(sqlite_template: Path, tmp_path: Path) -> Start:
    """`async with start(toml=…, **settings) as service:` for a service of a test's own."""
    return lambda **changes: started(copy_of(sqlite_template, tmp_path), **changes)


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    """The service with four sites and two agents, on Monday noon."""
    async with start() as one:
        yield one


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A stranger's client of `service`."""
    async with service.client() as one:
        yield one


@pytest.fixture
def run(sqlite_template: Path, tmp_path: Path) -> Iterator[Run]:
    """`run(toml=…, **settings)`: a service on a socket; stopped after the test."""
    with ExitStack() as stack:

        def make(**changes: Any) -> RunningService:
            return stack.enter_context(RunningService(copy_of(sqlite_template, tmp_path), **changes))

        yield make
