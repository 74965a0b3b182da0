"""Labels that a builder sends apart from the answers, by the ids that the answers bear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.forms.answers import node_at
from app.forms.shapes import as_line

_LISTS: Final = ("form_response.definition.fields", "definition.fields", "payload.schema", "schema")
_MOST: Final = 500


def titles_of(payload: object) -> Mapping[str, str]:
    """Id or ref of a field → its title."""
    found: dict[str, str] = {}
    for path in _LISTS:
        told = node_at(payload, path)
        for one in told[:_MOST] if isinstance(told, list) else ():
            title = as_line(one.get("title") or one.get("label")) if isinstance(one, dict) else ""
            if title:
                found |= {key: title for name in ("id", "ref", "key") if (key := as_line(one.get(name)))}
    return found
