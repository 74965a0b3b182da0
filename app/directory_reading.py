"""Reading one TOML table at a time: every wrong value becomes a sentence with its place, never an exception."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from app.directory_types import Rate

_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?")
_RATE = re.compile(r"(\d{1,9})\s*(?:/|per)\s*(\d{1,6})?\s*(second|minute|hour|day|week)s?", re.IGNORECASE)
_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
MAX_TEXT = 1000  # characters; nothing in this file needs more


def parse_duration(value: object) -> int:
    """Seconds of "40s", "10m", "2h", "1h30m", "1d" or a whole number; ValueError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and (text := value.replace(" ", "").lower()):
        match = _DURATION.fullmatch(text)
        if match:
            days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    raise ValueError('must be a duration such as "40s", "10m", "1h30m" or "1d"')


def parse_rate(value: object) -> Rate:
    """The Rate of "10/minute", "3/day" or "1/10 minutes"; ValueError otherwise."""
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match:
        count, times, unit = int(match[1]), int(match[2] or 1), _UNIT_SECONDS[match[3].lower()]
        if count >= 1 and times >= 1:
            return Rate(count, times * unit)
    raise ValueError('must be a rate such as "3/day" or "1/10 minutes"')


def in_words(seconds: int) -> str:
    """A duration the way one writes it in the file: 5400 is "1h30m"."""
    parts = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    text = ""
    for size, letter in parts:
        if seconds >= size:
            text += f"{seconds // size}{letter}"
            seconds %= size
    return text or "0s"


def nearest(word: str, known: Collection[str]) -> str:
    """`; did you mean "…"?` or nothing."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else ""


@dataclass(slots=True)
class Table:
    """One table of the file. A getter returns its default when the key is missing or wrong, and notes the wrong.

    `known` are the keys that may stand here; any other becomes a mistake at once.
    """

    values: dict[str, object]
    place: str
    known: Collection[str]
    mistakes: list[str] = field(repr=False)

    def __post_init__(self) -> None:
        for key in self.values:
            if key not in self.known:
                self.wrong(key, f"is not known here{nearest(key, self.known)}")

    def wrong(self, key: str, words: str) -> None:
        """Note one mistake at `key` (empty: at the table itself)."""
        where = " ".join(part for part in (self.place + (":" if self.place and key else ""), key) if part)
        self.mistakes.append(f"{where}{'' if key else ':'} {words}")

    def text(self, key: str, default: str = "", *, pattern: str = "", means: str = "", many: int = MAX_TEXT) -> str:
        """Text without control characters, stripped, at most `many` characters, matching `pattern` wholly."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.wrong(key, "must be text in quotation marks")
            return default
        value = value.strip()
        if len(value) > many or any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            self.wrong(key, f"must be one line of at most {many} characters")
        elif value and pattern and not re.fullmatch(pattern, value):
            self.wrong(key, f"must be {means}")
        else:
            return value
        return default

    def required(self, key: str, *, pattern: str = "", means: str = "", many: int = 64) -> str | None:
        """Text that must be there; None (and a mistake) when it is not."""
        before = len(self.mistakes)
        value = self.text(key, pattern=pattern, means=means, many=many)
        if not value and len(self.mistakes) == before:
            self.wrong(key, "is missing" if key not in self.values else "is empty")
        return value or None

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """One of `choices`, in any letter case."""
        value = self.values.get(key, default)
        if isinstance(value, str) and value.strip().lower() in choices:
            return value.strip().lower()
        self.wrong(key, f"must be one of {', '.join(choices)}{nearest(str(value), choices)}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.wrong(key, "must be true or false, without quotation marks")
        return default

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.values.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.wrong(key, f"must be a whole number from {low} to {high}")
        return default

    def seconds(self, key: str, default: int, low: int, high: int) -> int:
        """A duration in whole seconds, from `low` to `high`."""
        try:
            value = parse_duration(self.values.get(key, default))
        except ValueError as error:
            self.wrong(key, str(error))
            return default
        if low <= value <= high:
            return value
        self.wrong(key, f"must be from {in_words(low)} to {in_words(high)}")
        return default

    def list_of(self, key: str, default: Sequence[object], means: str) -> list[object]:
        """A list of anything."""
        value = self.values.get(key, default)
        if isinstance(value, (list, tuple)):
            return list(value)
        self.wrong(key, f"must be a list {means}")
        return list(default)

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of non-empty texts, stripped; what is not text is a mistake and left out."""
        found: list[str] = []
        for entry in self.list_of(key, default, 'of texts, such as ["a", "b"]'):
            if isinstance(entry, str) and entry.strip() and len(entry) <= MAX_TEXT:
                found.append(entry.strip())
            else:
                self.wrong(key, "must hold texts in quotation marks, none of them empty")
        return tuple(found)

    def table(self, key: str, known: Collection[str]) -> Table:
        """The table below `key`; an empty one when it is missing or no table."""
        value = self.values.get(key, {})
        place = f"{self.place}.{key}" if self.place else key
        if not isinstance(value, dict):
            self.mistakes.append(f"{place}: must be a table")
            value = {}
        return Table(value, place, known, self.mistakes)
