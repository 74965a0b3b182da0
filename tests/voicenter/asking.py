"""Placing one call at a raw server, in bounded time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Literal

import pytest

from app.ports import Answer, CallRequest
from app.voicenter.click2call import Click2Call
from tests.voicenter.raw_server import PATIENCE, RawServer, Script, raw_server

Client = Callable[..., Click2Call]
Method = Literal["post", "get"]
METHODS = pytest.mark.parametrize("method", ["post", "get"])


async def ask(client: Click2Call, call: CallRequest) -> Answer:
    try:
        return await asyncio.wait_for(client.place(call), PATIENCE)
    finally:
        await client.close()


async def place_at(
    script: Script, client: Client, call: CallRequest, tls: ssl.SSLContext | None = None, **settings: object
) -> tuple[Answer, RawServer]:
    async with raw_server(script, tls) as server:
        return await ask(client(server.url, **settings), call), server
