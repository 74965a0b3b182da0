"""The two switches of the house: whether leads are taken, and whether calls are placed. Each stands by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

SwitchName = Literal["taking", "dialling"]
SWITCHES: Final[tuple[SwitchName, ...]] = get_args(SwitchName)
WHY_LENGTH: Final = 200  # characters kept of the reason


@dataclass(frozen=True, slots=True)
class Switch:
    """How one switch stands. `since` (ms), `who` and `why` are None while nobody ever turned it: it is on then."""

    on: bool = True
    since: int | None = None
    who: str | None = None
    why: str | None = None
