"""The list of mutations as it stands in mutations.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
LIST: Final = Path(__file__).with_name("mutations.toml")


class NotThere(Exception):
    """The text of a mutation does not stand in its file exactly once: the list has to follow the code."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One harm. `simulation`: seeds among which the simulation has to find it, 0 for none."""

    name: str
    file: str
    old: str
    new: str
    harm: str
    tests: tuple[str, ...]
    simulation: int = 0

    def applied_to(self, source: str) -> str:
        """The harmed source; NotThere when it is not clear where."""
        found = source.count(self.old)
        if found != 1:
            raise NotThere(f"{self.name}: its text stands {found} times in {self.file}")
        return source.replace(self.old, self.new)


def mutations(file: Path = LIST) -> list[Mutation]:
    """All of them, in the order of the list."""
    listed = tomllib.loads(file.read_text(encoding="utf-8"))["mutation"]
    return [Mutation(**{**one, "tests": tuple(one["tests"])}) for one in listed]
