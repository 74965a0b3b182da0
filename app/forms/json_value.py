"""JSON as strangers send it: no NaN, no Infinity, and nothing that is nested deeper than anybody means it."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from app.errors import Malformed

MAX_DEPTH: Final = 20


def parse_json(text: str) -> Any:
    """The value, however deep it is nested; Malformed for what is no JSON."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON in UTF-8.") from error


def bounded(value: object) -> None:
    """Malformed where lists and objects stand in one another deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    raise Malformed(f"Nested deeper than {MAX_DEPTH} levels.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
