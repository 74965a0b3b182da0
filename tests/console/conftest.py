"""Fixtures: those of the web tests, and a browser that has signed in to the console."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.console.visiting import ADMIN_TOKEN, OURS, sign_in
from tests.web.conftest import (
    Start,
    database_url,
    plain_log,
    postgres_store_url,
    postgres_template,
    run,
    sqlite_template,
    sqlite_url,
    start,
)
from tests.web.hooking import HOOKED
from tests.web.service import Service

__all__ = [
    "database_url",
    "plain_log",
    "postgres_store_url",
    "postgres_template",
    "run",
    "sqlite_template",
    "sqlite_url",
    "start",
]


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    """The service with its sources, and with an admin token."""
    async with start(toml=HOOKED, admin_token=ADMIN_TOKEN) as one:
        yield one


@pytest.fixture
async def stranger(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has not signed in."""
    async with service.client() as one:
        one.headers.update(OURS)
        yield one


@pytest.fixture
async def client(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that has signed in."""
    await sign_in(stranger)
    return stranger
