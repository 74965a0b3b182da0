"""PHP's spelling of nested forms: `fields[phone][value]=…` and `choices[]=…`, as WordPress and others send it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_DEPTH: Final = 5
_SHAPE: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")


def expand(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Pairs as a nested dict; a name that repeats, or ends in `[]`, becomes a list of its values.

    A name that is deeper than five levels, or whose brackets do not match, is taken as it is: no field is lost.
    """
    found: dict[str, object] = {}
    for name, value in pairs:
        parts = _parts(name)
        if not _put(found, parts, value):
            _put(found, [name], value)
    return found


def _parts(name: str) -> list[str]:
    match = _SHAPE.fullmatch(name) if name.endswith("]") else None
    if match is None:
        return [name]
    parts = [match[1].strip(), *_PART.findall(match[2])]
    return parts if len(parts) <= MAX_DEPTH else [name]


def _put(found: dict[str, object], parts: list[str], value: str) -> bool:
    """Whether there was room for it: a name cannot be a value and a table at once."""
    inner = found
    *way, last = parts
    if last == "" and way:
        *way, last = way  # a[] is one more value of a
    for part in way:
        below = inner.setdefault(part or str(len(inner)), {})
        if not isinstance(below, dict):
            return False
        inner = below
    before = inner.get(last)
    if isinstance(before, dict):
        return False
    if isinstance(before, list):
        before.append(value)
    elif before is None:
        inner[last] = value
    else:
        inner[last] = [before, value]
    return True
