"""A payload that somebody captured in a file: the bare body, or the whole HTTP request as it came over the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.forms.payload import MAX_BYTES

LONGEST: Final = MAX_BYTES + 64 * 1024  # bytes of what is captured: a body, and the headers of its request
MULTIPART: Final = "multipart/form-data"
_REQUEST: Final = re.compile(rb"\A\s*(?:POST|PUT|GET|PATCH) (\S{1,2000}) HTTP/\d(?:\.\d)?\r?\n", re.IGNORECASE)
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,6})(?:;[^\r\n]*)?\r?\n")
_OURS: Final = re.compile(r"/v1/hooks/([^/?#]{1,64})/")


@dataclass(frozen=True, slots=True)
class Captured:
    """`content_type` is the request's, or guessed. A bare body has no `path` and no `headers` (names in lower case)."""

    content_type: str
    body: bytes
    path: str
    headers: Mapping[str, str]

    @property
    def source(self) -> str | None:
        """The source whose address it was sent to, where that is one of ours."""
        match = _OURS.search(self.path)
        return match[1] if match else None


def read_captured(content: bytes, content_type: str | None = None) -> Captured:
    """What the file holds; `content_type`, where it is given, goes before what the request says of itself.

    Whoever says `multipart/form-data` and no boundary means the one that the body itself begins with.
    """
    request = _REQUEST.match(content)
    if request is None:
        return Captured(_told(content_type, content), content, "", {})
    blank = _BLANK.search(content, request.end() - 2)
    head, body = (content[: blank.start()], content[blank.end() :]) if blank else (content, b"")
    headers: dict[str, str] = {}
    for line in head[request.end() :].decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _joined(body)
    told = _told(content_type or headers.get("content-type"), body)
    return Captured(told, body, request[1].decode("latin-1"), headers)


def _told(content_type: str | None, body: bytes) -> str:
    guessed = _guessed(body)
    if content_type == MULTIPART and guessed.startswith(MULTIPART):
        return guessed
    return content_type or guessed


def _guessed(body: bytes) -> str:
    start = body.lstrip()[:200]
    if start.startswith((b"{", b"[", b"\xef\xbb\xbf{")):
        return "application/json"
    if start.startswith(b"--"):
        boundary = start[2:].split(b"\n")[0].strip().decode("latin-1")
        return f'multipart/form-data; boundary="{boundary}"'
    return "application/x-www-form-urlencoded"


def _joined(body: bytes) -> bytes:
    """The body without the sizes of its chunks; as it is when these are not there, as many tools take them out."""
    found: list[bytes] = []
    rest = body
    while match := _CHUNK.match(rest):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(found)
        found.append(rest[match.end() : match.end() + size])
        rest = rest[match.end() + size :].lstrip(b"\r\n")
    return body if not found else b"".join(found)
