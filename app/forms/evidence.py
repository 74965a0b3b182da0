"""How it is known that an answer is one of our fields: where it stood, what says so, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

# The operator wrote it; its type or its very name says so; a weaker name or a word in it does; only its looks do.
Surely = Literal["certain", "sure", "likely", "a guess"]
SURELY: Final[tuple[Surely, ...]] = ("certain", "sure", "likely", "a guess")


@dataclass(frozen=True, slots=True)
class Evidence:
    """`paths` lead to it from the top of the payload; `by` is what says so, for people."""

    paths: tuple[str, ...]
    by: str
    surely: Surely


def weaker(*all_of: Surely) -> Surely:
    """How surely something is known that was made of several."""
    return max(all_of, key=SURELY.index)
