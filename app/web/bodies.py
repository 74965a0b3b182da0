"""Bodies: read within bounds, then decoded by what they say they are. Every mistake is a Refusal, never a 500."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.errors import Malformed, Refusal, TooLarge, UnsupportedMediaType
from app.forms.json_value import bounded, parse_json
from app.service.submission import is_ours

LEAD_BYTES: Final = 16 * 1024
BODY_SECONDS: Final = 10.0
MAX_FIELDS: Final = 200

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
TEXT: Final = "text/plain"


class SlowBody(Refusal):
    """The body did not arrive within 10 seconds."""

    status = 408
    code = "timeout"
    title = "The request took too long"


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. TooLarge past `limit` bytes, SlowBody when it does not end within 10 seconds."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 12 or int(declared) > limit):
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                chunks.append(chunk)
    except TimeoutError as error:
        raise SlowBody from error
    except ClientDisconnect as error:
        raise Malformed("The body was not sent to its end.") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def read_fields(request: Request) -> dict[str, object]:
    """The fields of a lead, from any of the four content types; Malformed, TooLarge or UnsupportedMediaType."""
    header = request.headers.get("content-type", "")
    kind = header.split(";")[0].strip().lower()
    if kind not in (JSON, FORM, MULTIPART, TEXT):
        raise UnsupportedMediaType
    if request.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise UnsupportedMediaType("Compressed bodies are not understood here.")
    body = await read_body(request, LEAD_BYTES)
    if kind in (JSON, TEXT):
        return decode_json(body)
    if kind == FORM:
        return decode_form(body)
    return await decode_multipart(header, body)


def decode_json(body: bytes) -> dict[str, object]:
    """A JSON object; NaN and Infinity, deep nesting, and anything that is not an object are Malformed."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("The body is not JSON in UTF-8.") from error
    value = parse_json(text)
    if not isinstance(value, dict):
        raise Malformed("The body must be one JSON object.")
    if len(value) > MAX_FIELDS:
        raise Malformed(f"More than {MAX_FIELDS} fields.")
    bounded(value)
    return value


def decode_form(body: bytes) -> dict[str, object]:
    """URL-encoded pairs; a repeated name that is none of ours holds a list: several boxes were ticked."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError as error:
        raise Malformed("The body is not a form in UTF-8 of at most 200 fields.") from error
    return _gathered(pairs)


async def decode_multipart(header: str, body: bytes) -> dict[str, object]:
    """Multipart fields; files are refused."""
    _, options = parse_options_header(header)
    if not options.get(b"boundary"):
        raise Malformed("The multipart body has no boundary.")

    async def stream() -> Any:
        yield body

    parser = MultiPartParser(
        Headers({"content-type": header}), stream(), max_files=0, max_fields=MAX_FIELDS, max_part_size=LEAD_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError, ValueError, LookupError) as error:
        raise Malformed("The multipart body cannot be read, or holds a file.") from error
    return _gathered([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, object]:
    """The fields by name. Of one of ours the first that is not empty counts; others keep every value that they have."""
    fields: dict[str, object] = {}
    for name, value in pairs:
        before = fields.get(name)
        if not before:
            fields[name] = value
        elif value and not is_ours(name):
            several = before if isinstance(before, list) else [before]
            fields[name] = several if value in several else [*several, value]
    return {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in fields.items()}
