"""A figure: what was measured, against which target, and whether it was met; and the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class CannotMeasure(Exception):
    """The figure has no value: the service answered wrongly, lost something, or did not start."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `met` is None for a line that only informs."""

    target: str
    name: str
    wanted: str
    measured: str
    ratio: str = ""
    met: bool | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return "" if self.met is None else ("met" if self.met else "MISSED")


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie; CannotMeasure when there are none."""
    if not values:
        raise CannotMeasure("there is nothing to take a percentile of")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * part))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return percentile(values, 0.5)


def ms(seconds: float) -> str:
    """Seconds as text in milliseconds."""
    return f"{seconds * 1000:.2f} ms"


def table(figures: Sequence[Figure]) -> str:
    """All figures as one table of text, columns aligned."""
    head = ("", "figure", "target", "measured", "ratio", "")
    rows = [head, *((f.target, f.name, f.wanted, f.measured, f.ratio, f.verdict) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
