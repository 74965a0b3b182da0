"""The wrappings a CDR push may come in, taken off: what is left are plain objects.

The vendor names POST-JSON, XML-RPC and forms; live receivers also saw one-element arrays, JSON under a form's
content type and JSON inside strings (facts 2.1 and 2.2); the call log's answer has its records under `CDR_LIST`
(facts 4). So the content type is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from app.voicenter import body as bodies

MAX_RECORDS: Final = 100
MAX_FIELDS: Final = 1000
MAX_HEAD: Final = 2000

_LIST: Final = "cdr_list"
# The characters that RFC 2046 allows in a boundary.
_BOUNDARY: Final = re.compile(r"(--[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])[ \t]*\r?\n", re.ASCII)
_BLANK_LINE: Final = re.compile(r"\r?\n\r?\n")
_NAME: Final = re.compile(r";\s{0,9}name=(?:\"([^\"\r\n]{1,500})\"|([^\s;\"]{1,500}))", re.IGNORECASE)


def open_records(body: Any) -> list[dict[str, Any]]:
    """Every object in `body` (text, or a value from inside a record), at most 100; empty when there is none."""
    if not isinstance(body, str):
        return _objects(body)
    text = bodies.bare(body)
    try:
        return _objects(bodies.read(text, strict=False))
    except bodies.UnreadableError:
        return _of_pairs(_parts(text) or _form(text))


def inside(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that `fields` only wrap: those under `CDR_LIST`, or under the one key there is; at most 100."""
    wrapped = bodies.lowered(fields).get(_LIST)
    if not wrapped and len(fields) == 1:
        ((name, wrapped),) = fields.items()
        if name.strip().lower().startswith("custom"):  # a record's own part (facts 2.5), though all there is of it
            return []
    if isinstance(wrapped, str):
        try:
            wrapped = bodies.read(wrapped, strict=False)
        except bodies.UnreadableError:
            return []
    return _objects(wrapped)


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a value: itself, or its items, which may be JSON text once more."""
    found: list[dict[str, Any]] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            try:
                item = bodies.read(item, strict=False)
            except bodies.UnreadableError:
                continue
        if isinstance(item, dict):
            found.append(item)
        if len(found) == MAX_RECORDS:
            break
    return found


def _form(text: str) -> list[tuple[str, str]]:
    """The fields of a url-encoded form; none when there are absurdly many."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError:
        return []


def _parts(text: str) -> list[tuple[str, str]]:
    """The fields of a multipart form, told by its first line; an end that is missing is not missed."""
    first = _BOUNDARY.match(text)
    if first is None:
        return []
    boundary = re.compile(rf"\r?\n{re.escape(first[1])}(--)?[ \t]*(?=\r?\n|\Z)")
    pairs: list[tuple[str, str]] = []
    start = first.end()
    while len(pairs) < MAX_FIELDS:
        end = boundary.search(text, start)
        part = text[start : end.start() if end else len(text)]
        if (blank := _BLANK_LINE.search(part)) and (name := _NAME.search(part[: min(blank.start(), MAX_HEAD)])):
            pairs.append((name[1] or name[2], part[blank.end() :]))
        if end is None or end[1]:
            break
        start = end.end()
    return pairs


def _of_pairs(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """One record of a form's fields; or the JSON that is the form's only value, or its only name."""
    if len(pairs) == 1:
        name, value = pairs[0]
        try:
            return _objects(bodies.read(value or name, strict=False))
        except bodies.UnreadableError:
            pass  # an ordinary field, then
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if not fields.get(name):
            fields[name] = value
    return [fields] if fields else []
