"""A guard that spoke, in which mode, and with what figures: as it decides, and as it is kept in the history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.directory import Mode

_KEPT: Final = re.compile(r"(\w+)(?: \((\w+)\))?(?:: (.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hit:
    """A guard that spoke: its name, the mode in which it did, and the figures in words, where there are any."""

    guard: str
    mode: Mode
    figures: str = ""

    @property
    def told(self) -> str:
        """As it is kept with the event that tells the mode by itself."""
        return f"{self.guard}: {self.figures}" if self.figures else self.guard

    @property
    def told_with_mode(self) -> str:
        """As it is kept with any other event."""
        return self.told.replace(self.guard, f"{self.guard} ({self.mode})", 1)


def read_hit(kept: str) -> tuple[str, str, str]:
    """Guard, mode and figures as they were kept; the mode and the figures may be empty."""
    found = _KEPT.fullmatch(kept)
    return (found[1], found[2] or "", found[3] or "") if found else (kept, "", "")


def lasting(seconds: int) -> str:
    """A span in words: 600 is "10 minutes", 5400 is "90 minutes", 86400 is "1 day"."""
    many, unit = seconds, "second"
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            many, unit = seconds // size, name
            break
    return f"{many} {unit}{'s' * (many != 1)}"
