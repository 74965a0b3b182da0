"""A provider for the APIs that only tell: it answers the same, or one answer after the other."""

from __future__ import annotations

import json
from typing import Any

from tests.voicenter.raw_server import Peer, RawServer, Script, http

VERSION = "0.0.0"


def answering(*answers: bytes) -> Script:
    """Each request gets the next of these raw answers; after the last one, the last one again."""
    given = iter(answers)
    last = answers[-1]

    async def answer(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(next(given, last))

    return answer


def saying(value: Any, status: int = 200) -> bytes:
    """One whole answer holding this value as JSON."""
    return http(json.dumps(value).encode(), status)


def asked(server: RawServer) -> list[dict[str, Any]]:
    """What the requests held."""
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
