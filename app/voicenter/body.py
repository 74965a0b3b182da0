"""A body's bytes to text, and its text to plain values, whatever its content type says.

Nobody documents the provider's encodings, so the text itself decides: JSON or XML by the first character
(facts 1.8); a byte order mark is stripped.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Any, Final

from app.voicenter.xmlrpc import NotXmlRpcError, read_structs

# Only these names are believed: Python knows many more codecs, and not all of them make text.
_CHARSETS: Final = {
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "windows-1255": "cp1255",
    "iso-8859-8": "iso8859_8",
    "iso-8859-8-i": "iso8859_8",
    "windows-1252": "cp1252",
    "iso-8859-1": "cp1252",
}


class UnreadableError(ValueError):
    """The text is neither JSON nor XML-RPC."""


def decode(raw: bytes, charset: str = "") -> str:
    """`raw` as text: by its byte order mark, else UTF-8, else `charset` where that is known. Never raises.

    What cannot be read becomes U+FFFD, and so does NUL, which PostgreSQL cannot store.
    """
    named = _CHARSETS.get(charset.strip().lower(), "")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = raw.decode("utf-16", "replace")
    elif named.startswith("utf-16"):
        text = raw.decode(named, "replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode(named or "utf-8-sig", "replace")
    return text.replace("\x00", "\ufffd")


def bare(text: str) -> str:
    """`text` without byte order marks and white space around it."""
    return text.strip("\ufeff \t\r\n\v\f\x00")


def read(text: str, *, strict: bool) -> Any:
    """The value in `text`: JSON's own types, or the structs of an XML-RPC document as a list of dicts.

    JSON inside a JSON string is opened once more. UnreadableError for anything else, and, when `strict`, for an
    object that gives one key two values: an answer that contradicts itself proves nothing.
    """
    text = bare(text)
    if text.startswith("<"):
        try:
            return read_structs(text, strict=strict)
        except NotXmlRpcError as error:
            raise UnreadableError(f"not XML-RPC: {error}") from None
    for _ in range(2):
        if not text.startswith(("{", "[", '"')):
            break
        try:
            value = json.loads(text, object_pairs_hook=_distinct if strict else None)
        except (ValueError, RecursionError):
            raise UnreadableError("not JSON") from None
        if not isinstance(value, str):
            return value
        text = bare(value)
    raise UnreadableError("neither JSON nor XML")


def lowered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields by lower-case name; of names that differ in case only, the first that says something."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        name = name.strip().lower()
        if found.get(name) in (None, ""):
            found[name] = value
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields and fields[name] != value:
            raise ValueError("one key, two values")
        fields[name] = value
    return fields
