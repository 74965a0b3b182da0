"""Guards that look at how a submission was sent rather than at its number: a filled trap, a guess, a late delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.directory import Mode
from app.domain.hits import Hit, lasting

TRAP: Final = "_gotcha"  # the field that people do not see
STALE: Final = "stale"
# Holds for how a submission was sent. The same person may send another one that has nothing of the kind.
BY_SENDING: Final = frozenset({"honeypot", "low_confidence", STALE})
_LONGEST: Final = 120  # characters of where a guess was found


def honeypot(known: Mapping[str, str], mode: Mode) -> list[Hit]:
    """Whether the hidden field was filled: mostly a machine, now and then a browser that fills in everything."""
    return [Hit("honeypot", mode, "the hidden field was filled")] if mode != "off" and known.get(TRAP) else []


def stale(sent_at: int, now: int, max_age: int) -> list[Hit]:
    """Whether it was sent longer than `max_age` seconds before now; moments in milliseconds."""
    age = (now - sent_at) // 1000
    if age <= max_age:
        return []
    unit = next(size for size in (86_400, 3600, 60, 1) if age >= size)
    return [Hit(STALE, "hold", f"sent {lasting(age // unit * unit)} ago; {lasting(max_age)} are let through")]


def low_confidence(found_as: str, mode: Mode) -> list[Hit]:
    """A telephone number that nothing but its look says is one. `found_as`: where it was found, in words."""
    return [Hit("low_confidence", mode, f"its number was guessed: {found_as[:_LONGEST]}")] if mode != "off" else []
