"""What is to be written under `map`, as TOML, ready to be copied."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

# Names come from strangers' forms. Whoever copies them is to see what he copies: direction overrides, invisible
# characters and controls are written by their numbers, which TOML reads back as themselves.
_UNSEEN: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def toml_text(text: str) -> str:
    """A TOML string: JSON's escapes are its own. A lone surrogate, which no file can hold, becomes a mark."""
    readable = text.encode("utf-8", "replace").decode()
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04X}", json.dumps(readable, ensure_ascii=False))


def map_lines(source: str, told: Mapping[str, Sequence[str]]) -> str:
    """The table `[sources.<source>.map]`; a name alone stands by itself, several in a list."""
    lines = [f"[sources.{source}.map]"]
    for field, names in told.items():
        texts = [toml_text(name) for name in names]
        lines.append(f"{field} = {texts[0] if len(texts) == 1 else '[' + ', '.join(texts) + ']'}")
    return "\n".join(lines) + "\n"
