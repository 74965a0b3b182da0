"""One payload of each form builder, as it would post it. The people are invented.

The files beside this one are the bodies, to the byte: `<preset>.json`, `.form` or `.multipart`. Of Meta it is the lead
as Graph answers it, since what its webhook posts has no answers in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from app.directory_types import PRESETS
from app.forms.captured import MULTIPART, read_captured

_KINDS: Final = {"json": "application/json", "form": "application/x-www-form-urlencoded", "multipart": MULTIPART}


@dataclass(frozen=True, slots=True)
class Example:
    """`content_type` as the builder says it, the boundary included."""

    preset: str
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as somebody would paste it."""
        return self.body.decode()


@cache
def examples() -> Mapping[str, Example]:
    """By preset, in the order of PRESETS: every preset has one."""
    found: dict[str, Example] = {}
    for file in files(__name__).iterdir():
        preset, _, ending = file.name.partition(".")
        if preset in PRESETS and ending in _KINDS:
            body = file.read_bytes()
            # A boundary stands in the body itself: it is not written down twice.
            found[preset] = Example(preset, read_captured(body, _KINDS[ending]).content_type, body)
    return MappingProxyType({preset: found[preset] for preset in PRESETS})
