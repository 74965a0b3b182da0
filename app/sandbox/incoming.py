"""One request, whichever way it was sent, as a flat table of names and texts."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from .parameters import RefusedError

MOST_BYTES = 64 * 1024


async def read_parameters(request: Request) -> dict[str, str]:
    """Query string and body (JSON object or form) together, the body wins; raises RefusedError."""
    params = dict(request.query_params)
    body = await read_body(request)
    if not body.strip():
        return params
    text = body.decode("utf-8-sig", errors="replace")
    # The look of the body decides, not the Content-Type: the vendor's own clients send JSON under odd types.
    if text.lstrip()[:1] in {"{", "["}:
        return params | _from_json(text)
    return params | dict(parse_qsl(text, keep_blank_values=True))


async def read_body(request: Request) -> bytes:
    """The body; raises RefusedError when it is longer than 64 KiB."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RefusedError("Request body is too long")
    return bytes(body)


def _from_json(text: str) -> dict[str, str]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise RefusedError("Request body is not readable") from error
    if not isinstance(data, Mapping):
        raise RefusedError("Request body must be one object")
    return {str(name): _as_text(str(name), value) for name, value in data.items()}


def _as_text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise RefusedError(f"{name} must be a single value")
