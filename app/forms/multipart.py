"""multipart/form-data, as far as forms need it: names and texts. Of a file its name is all that is kept."""

from __future__ import annotations

import re
from typing import Final

from app.errors import Malformed, TooLarge

_PARAMETER: Final = re.compile(rb';\s*(name|filename|filename\*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)', re.IGNORECASE)


def read_parts(body: bytes, boundary: bytes, most: int) -> list[tuple[str, str]]:
    """Names and texts in their order. Malformed when there is no part in it, TooLarge with more than `most`."""
    pieces = (b"\r\n" + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")).split(b"\r\n--" + boundary)
    if len(pieces) < 2:
        raise Malformed("The multipart body has no part.")
    found: list[tuple[str, str]] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        head, separator, content = piece.partition(b"\r\n\r\n")
        told = _disposition(head) if separator else {}
        if b"name" not in told:
            continue
        text = told.get(b"filename", content.decode("utf-8-sig", "replace"))
        found.append((str(told[b"name"]), str(text)))
        if len(found) > most:
            raise TooLarge(f"More than {most} fields.")
    if not found:
        raise Malformed("The multipart body has no field.")
    return found


def _disposition(head: bytes) -> dict[bytes, str]:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            return {key.lower(): _unquoted(told) for key, told in _PARAMETER.findall(value)}
    return {}


def _unquoted(told: bytes) -> str:
    text = told.decode("utf-8", "replace")
    if text.startswith('"'):
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text
