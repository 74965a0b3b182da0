"""Captured payloads of every builder, as they stand in fixtures/ or are shown as examples, and how they are read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.directory import Source
from app.forms.examples import examples
from app.forms.mapped import Mapped
from app.forms.mapping import map_payload
from app.forms.payload import decode

FOLDER = Path(__file__).parent / "fixtures"
FIXTURES = sorted(path.stem for path in FOLDER.glob("*.json"))


def fixture(name: str) -> dict[str, Any]:
    """`content_type`, one of `form` (pairs), `json` or `raw`, the source's `map`, and what to `expect`.

    Where it says `example`, it is the payload that the package itself shows of this preset.
    """
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    if "example" in found:
        found["content_type"] = examples()[found["preset"]].content_type
    return found


def body(told: dict[str, Any]) -> bytes:
    """The body as it would come over the line."""
    if "example" in told:
        return examples()[told["preset"]].body
    if "form" in told:
        return urlencode([(name, value) for name, value in told["form"]]).encode()
    return (told["raw"] if "raw" in told else json.dumps(told["json"])).encode()


def source(preset: str = "generic", root: str | None = None, **map_: tuple[str, ...]) -> Source:
    """A source with such a preset and `map`."""
    return Source(key="shop", preset=preset, site="main", tokens=("0123456789abcdef",), map=map_, root=root)


def read(told: dict[str, Any], preset: str | None = None) -> Mapped:
    """The fixture as its own preset reads it, or as `preset` would."""
    map_ = {field: tuple(names) for field, names in told["source"].get("map", {}).items()}
    mine = replace(source(preset or told["preset"]), map=map_)
    return map_payload(decode(told["content_type"], body(told)), mine, "IL")


def mapped(payload: object, preset: str = "generic", root: str | None = None, **map_: tuple[str, ...]) -> Mapped:
    """A payload that is written in the test."""
    return map_payload(payload, source(preset, root, **map_), "IL")
