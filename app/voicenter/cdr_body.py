"""The wrappings a CDR push may come in, taken off: what is left are plain objects.

The vendor names POST-JSON, XML-RPC and forms; live receivers also saw one-element arrays, JSON under a form's
content type and JSON inside strings (facts 2.1 and 2.2). So the content type is not asked.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from app.voicenter import body as bodies

MAX_RECORDS: Final = 100
MAX_FIELDS: Final = 1000


def open_records(body: Any) -> list[dict[str, Any]]:
    """Every object in `body` (text, or a value from inside a record), at most 100; empty when there is none."""
    if not isinstance(body, str):
        return _objects(body)
    text = bodies.bare(body)
    try:
        return _objects(bodies.read(text, strict=False))
    except bodies.UnreadableError:
        return _form(text)


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


def _form(text: str) -> list[dict[str, Any]]:
    """One record of a form's fields; or the JSON that is the form's only value, or its only name."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError:
        return []
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
