"""Bodies of webhooks, decoded by what they say they are; what says the wrong thing is read when it can be."""

from __future__ import annotations

from email.message import Message
from typing import Final
from urllib.parse import parse_qsl

from app.errors import Malformed, TooLarge, UnsupportedMediaType
from app.forms.brackets import expand
from app.forms.json_value import bounded, parse_json
from app.forms.multipart import read_parts

MAX_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 300  # of a form; JSON is bounded by its bytes
# What forms of old pages still send. Everything else is read as UTF-8, with a mark where it is not: a name with a
# mark in it can be called, a lead that was refused cannot.
_CHARSETS: Final = frozenset({"windows-1255", "iso-8859-8", "iso-8859-8-i", "windows-1256", "windows-1251", "koi8-r"})
_ALSO: Final = {"iso-8859-8-i": "iso-8859-8"}


def decode(content_type: str, body: bytes) -> object:
    """The JSON value, or the form's fields as a nested dict, PHP's brackets and JSON within strings expanded.

    TooLarge past 64 KiB or 300 fields; Malformed; UnsupportedMediaType. Nothing else is raised, whatever comes.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge
    header = Message()
    header["content-type"] = " ".join(content_type.split())[:300]
    kind = content_type.split(";")[0].strip().lower()
    charset = str(header.get_param("charset", "utf-8")).lower()
    if kind == "multipart/form-data":
        boundary = header.get_param("boundary")
        if not isinstance(boundary, str) or not boundary:
            raise Malformed("The multipart body has no boundary.")
        return _form(read_parts(body, boundary.encode("utf-8", "replace"), MAX_FIELDS))
    text = _text(body, charset)
    if kind in ("application/json", "text/json") or (kind.startswith("application/") and kind.endswith("+json")):
        return _json(text)
    if kind in ("application/x-www-form-urlencoded", "text/plain", ""):
        return _json_or_form(text, charset)
    raise UnsupportedMediaType


def _text(body: bytes, charset: str) -> str:
    if charset in _CHARSETS:
        return body.decode(_ALSO.get(charset, charset), "replace")
    return body.decode("utf-8-sig", "replace")


def _json_or_form(text: str, charset: str) -> object:
    """JSON is tried first when it looks like it: many a hand-written client sends it under a form's content type."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _json(text)
        except Malformed:
            if "=" not in text:
                raise
    if "=" not in text:
        raise Malformed("The body is neither JSON nor a form.")
    encoding = _ALSO.get(charset, charset) if charset in _CHARSETS else "utf-8"
    if text.count("&") >= MAX_FIELDS:
        raise TooLarge(f"More than {MAX_FIELDS} fields.")
    return _form(parse_qsl(text.strip(), keep_blank_values=True, encoding=encoding, errors="replace"))


def _form(pairs: list[tuple[str, str]]) -> dict[str, object]:
    if len(pairs) > MAX_FIELDS:
        raise TooLarge(f"More than {MAX_FIELDS} fields.")
    return {name: _unwrapped(value) for name, value in expand(pairs).items()}


def _json(text: str) -> object:
    value = parse_json(text)
    bounded(value)
    return {name: _unwrapped(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _unwrapped(value: object) -> object:
    """What a string holds when it holds a JSON object, as Jotform's `rawRequest` does; else the value itself."""
    if not isinstance(value, str) or not (value.lstrip().startswith("{") and value.rstrip().endswith("}")):
        return value
    try:
        inner: object = parse_json(value)
        bounded(inner)
    except Malformed:
        return value  # somebody wrote braces into a message
    return inner
