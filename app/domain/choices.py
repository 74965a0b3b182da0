"""What the dispatcher saw when it chose an agent: kept as compact JSON with the lead's `reserved` event.

Directory and states change later; this stays true. Agents are named as far as there is room, and counted beyond that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_BYTES: Final = 4096  # of one choice as it is kept
SHORT: Final = 40  # characters kept of what people wrote

# What decided: the number's last agent; the same agent again, or the only one, for want of others; the language; the
# skills that the site prefers; the fallback, for want of others. Else the strategy, by its own name.
RULES: Final = ("sticky", "again", "only", "language", "prefer", "fallback")
# Why an agent was not asked: the file or the clock kept him off, he was not free by our books or the provider's, or he
# was free and passed over for this lead; and, of whom there is but a number: not free, or not even looked at.
KEPT_OFF: Final = ("ivr", "not_named", "lacks", "rings_second", "off_shift", "language")
NOT_FREE: Final = ("unlisted", "reserved", "on_call", "paused", "wrap_up", "offline", "blocked", "busy", "away")
PASSED_OVER: Final = ("just_missed", "taken", "locked", "behind")
COUNTED: Final = ("not_free", "unseen")
REASONS: Final = (*KEPT_OFF, *NOT_FREE, *PASSED_OVER, *COUNTED)


@dataclass(frozen=True, slots=True)
class Other:
    """An agent who was not asked. Figures: until when (ms), or what the strategy goes by. Text: why the pause."""

    agent: str
    figures: tuple[int | None, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The agents who were not asked for one reason. `many` are all of them, also those that are not named."""

    reason: str
    detail: str
    agents: tuple[Other, ...]
    many: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rule decided, the strategy with the chosen one's figures, how many were free (or more), why not others.

    Figures, by strategy: longest_idle: idle since; round_robin: chosen last at; priority: priority, idle since;
    weighted: weight, idle since. Moments in milliseconds, 0 for never.
    """

    by: str
    strategy: str
    figures: tuple[int | None, ...]
    free: int
    or_more: bool
    others: tuple[Group, ...]


def entry(agent: str, until: int | None, text: str | None = None) -> str:
    """An agent with a moment as JSON. Ids are letters, digits, dashes, underscores and slashes."""
    if not text:
        return f'["{agent}",{"null" if until is None else until}]'
    return f'["{agent}",{"null" if until is None else until},{json.dumps(text[:SHORT])}]'


def pack(groups: Iterable[tuple[str, str, Sequence[str]]], room: int) -> str:
    """Reasons with a detail and their entries, which are JSON already, as the items of a JSON list; ASCII.

    As many entries as fit into `room` bytes. What does not fit is counted, in some thirty more bytes for each reason.
    """
    parts: list[str] = []
    counted: dict[str, int] = {}
    for reason, detail, entries in groups:
        head = f'{{"r":"{reason}","d":{json.dumps(detail[:SHORT])}' if detail else f'{{"r":"{reason}"'
        named = ",".join(entries)
        if len(head) + len(named) + 20 > room:
            named = _as_many_as_fit(entries, room - len(head) - 20)
            if not named:
                counted[reason] = counted.get(reason, 0) + len(entries)
                continue
            head += f',"n":{len(entries)}'
        part = f'{head},"a":[{named}]}}'
        parts.append(part)
        room -= len(part) + 1
    parts += [count(reason, many) for reason, many in counted.items()]
    return ",".join(parts)


def count(reason: str, many: int) -> str:
    """Agents of whom there is but a number, as an item of the same list."""
    return f'{{"r":"{reason}","n":{many}}}'


def _as_many_as_fit(entries: Sequence[str], room: int) -> str:
    kept: list[str] = []
    for one in entries:
        room -= len(one) + 1
        if room < 0:
            break
        kept.append(one)
    return ",".join(kept)


def write_choice(by: str, strategy: str, figures: str, free: int, or_more: bool, others: Iterable[str]) -> str:
    """A choice as it is kept; `figures` and `others` are JSON already, the latter as `pack` makes them or empty."""
    more = ',"more":1' if or_more else ""
    items = ",".join([item for item in others if item])
    return f'{{"by":"{by}","s":"{strategy}","f":[{figures}],"free":{free}{more},"not":[{items}]}}'


def read_choice(kept: str | None) -> Choice | None:
    """The choice that is kept so; None for an event from before choices were kept."""
    if not kept or not kept.startswith('{"by":'):
        return None
    found: dict[str, Any] = json.loads(kept)
    return Choice(
        by=found["by"],
        strategy=found["s"],
        figures=tuple(found["f"]),
        free=found["free"],
        or_more="more" in found,
        others=tuple(_group(item) for item in found["not"]),
    )


def _group(item: dict[str, Any]) -> Group:
    named = tuple(_other(one) for one in item.get("a", ()))
    return Group(item["r"], item.get("d", ""), named, item.get("n", len(named)))


def _other(one: str | list[Any]) -> Other:
    if isinstance(one, str):
        return Other(one)
    agent, *rest = one
    text = rest.pop() if rest and isinstance(rest[-1], str) else ""
    return Other(agent, tuple(rest), text)
