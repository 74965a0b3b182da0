"""One HTTP request over a connection of its own: whoever answers may be dead before the answer is whole."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

MOST = 1 << 20  # bytes of an answer


class Answer(NamedTuple):
    """Status, Retry-After (or None) and body."""

    status: int
    retry_after: str | None
    body: bytes


class NoAnswer(Exception):
    """The connection was refused, broken, or silent for too long. Its text says which, in a word."""


async def ask(port: int, method: str, path: str, body: bytes = b"", headers: str = "", *, patience: float) -> Answer:
    """The answer of whoever listens on that port of 127.0.0.1; NoAnswer after `patience` seconds at the latest."""
    try:
        async with asyncio.timeout(patience):
            return await _ask(port, method, path, body, headers)
    except TimeoutError:
        raise NoAnswer("silence") from None
    except ConnectionRefusedError:
        raise NoAnswer("refused") from None
    except (OSError, EOFError):
        raise NoAnswer("broken") from None


async def _ask(port: int, method: str, path: str, body: bytes, headers: str) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MOST)
    try:
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"\r\n" + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        text = await reader.readexactly(int(fields.get("content-length", "0")))
        return Answer(int(lines[0].split(" ")[1]), fields.get("retry-after"), text)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
