"""A kept choice read aloud: why this agent, and why not each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.directory import Agent, Directory
from app.domain.choices import COUNTED, KEPT_OFF, NOT_FREE, PASSED_OVER, Choice, Group, Other
from app.domain.phone import mask_within
from app.service.wall_clock import WallClock

MOST_NAMES: Final = 8  # in a line; the rest is counted

# What is said of who was not asked. {until} is a moment, {detail} what the reason goes by, {why} what people wrote.
WORDS: Final[Mapping[str, str]] = {
    "ivr": "not asked: the calls of this site go to its IVR",
    "not_named": "not among the agents of this site",
    "lacks": "without the skill {detail}",
    "rings_second": "no telephone that can be rung second, and this site's leads are rung first",
    "off_shift": "off shift",
    "language": "does not speak the language that was asked for ({detail}), and it is required",
    "unlisted": "not known in the database: another process goes by another leadring.toml",
    "reserved": "reserved for another lead",
    "on_call": "on a call",
    "paused": "paused {until}{why}",
    "wrap_up": "wraps up {until}",
    "offline": "refused by Voicenter as offline, left alone {until}",
    "blocked": "refused by Voicenter as blocked, left alone {until}",
    "busy": "on the phone, by Voicenter's account",
    "away": "on a break or logged out, by Voicenter's account",
    "just_missed": "has just missed this lead, not asked again {until} while there is anybody else",
    "taken": "taken by another lead in the same round",
    "locked": "taken by another process at the same moment",
    "behind": "ranked behind",  # of whom more is known, see below
    "not_free": "not free",
    "unseen": "ranked behind or not free",
    "free": "free",  # of now; nobody who is free is left out of a choice
}
BEHIND: Final[Mapping[str, str]] = {
    "sticky": "free, but did not have the last talk with this number",
    "fallback": "free, but only the site's fallback",
    "language": "free, but does not speak the language that was asked for",
    "prefer": "free, but has fewer of the skills that the site prefers",
}
STRATEGIES: Final[Mapping[str, str]] = {
    "longest_idle": "idle for less time",
    "round_robin": "chosen more recently",
    "priority": "behind by priority, then by idle time",
    "weighted": "less idle time, counted by weight",
}
ORDER: Final = ("free", *PASSED_OVER, *NOT_FREE, *COUNTED, *KEPT_OFF)
EQUAL: Final = "the same, but later in leadring.toml"
BY: Final[Mapping[str, str]] = {
    "sticky": "had the last talk with this number",
    "again": "missed it before, and nobody else was free",
    "only": "the only one who was free",
    "language": "speaks the language that was asked for",
    "prefer": "has more of the skills that the site prefers",
    "fallback": "the site's fallback, as nobody else was free",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A group of agents who were not asked: the reason's word, those ids that are known, and a sentence."""

    reason: str
    agents: tuple[str, ...]
    text: str


class ChoiceWords:
    """Reads choices aloud, by the names in the directory and on the policy's clock."""

    def __init__(self, directory: Directory, clock: WallClock) -> None:
        self._directory = directory
        self._clock = clock
        self._places = {agent: place for place, agent in enumerate(directory.agents)}

    def agent(self, agent_id: str | None) -> Agent | None:
        """The agent, as long as the directory knows him."""
        return self._directory.agents.get(agent_id or "")

    def name(self, agent_id: str | None) -> str:
        """An agent's name; the id where the directory does not know it any more."""
        agent = self.agent(agent_id)
        return agent.name if agent else agent_id or "the agent"

    def why(self, choice: Choice, at: int) -> str:
        """What decided, and out of how many."""
        by = BY.get(choice.by) or self._by_strategy(choice, at)
        if choice.by == "only" and choice.free > 1:
            return f"the only one of {choice.free} free ones who came into question"
        if choice.free == 1 and not choice.or_more:
            return by
        return f"{by}; {'at least ' if choice.or_more else ''}{choice.free} were free"

    def why_not(self, groups: Sequence[Group], at: int, choice: Choice | None = None) -> list[Told]:
        """Each group in a sentence, the nearest to being asked first; `choice` is the one that they belong to."""
        return [
            Told(group.reason, tuple(one.agent for one in group.agents), self._sentence(group, at, choice))
            for group in sorted(groups, key=lambda group: ORDER.index(group.reason))
        ]

    # ------------------------------------------------------------------------------------------ who was chosen

    def _by_strategy(self, choice: Choice, at: int) -> str:
        first, *rest = choice.figures
        match choice.strategy:
            case "round_robin":
                return f"chosen longest ago, at {self._clock.near(first, at)}" if first else "never chosen before"
            case "priority":
                return f"first by priority ({first}), then by idle time ({self._idle(rest[0], at)})"
            case "weighted":
                return f"most idle time, counted by weight (weight {first}, {self._idle(rest[0], at)})"
            case _:
                return f"idle for longest ({self._idle(first, at)})"

    def _idle(self, since: int | None, at: int) -> str:
        return f"since {self._clock.near(since, at)}" if since else "no call yet"

    # ------------------------------------------------------------------------------------- and who was not, and why

    def _sentence(self, group: Group, at: int, choice: Choice | None) -> str:
        by_words: dict[str, list[str]] = {}
        # Those behind as they were ranked, all others as they stand in the file.
        for one in group.agents if group.reason == "behind" else sorted(group.agents, key=self._place):
            who, words = self.name(one.agent), self._words(group, one, at)
            if group.reason == "behind" and choice is not None:
                equal = EQUAL if one.figures == choice.figures else STRATEGIES[choice.strategy]
                words = BEHIND.get(group.detail) or equal
                who += f" ({self._figures(one, choice.strategy, at)})"
            by_words.setdefault(words, []).append(who)
        parts = [f"{_names(people)}: {words}" for words, people in by_words.items()]
        if unnamed := group.many - len(group.agents):
            parts.append(f"{unnamed} more: {self._words(group, Other(''), at)}")
        return "; ".join(parts)

    def _place(self, one: Other) -> int:
        return self._places.get(one.agent, len(self._places))

    def _words(self, group: Group, one: Other, at: int) -> str:
        until = one.figures[0] if one.figures else None
        end = f"until {self._clock.near(until, at)}" if until else "until resumed" if one.figures else "for a while"
        why = f" ({mask_within(one.text)})" if one.text else ""
        return WORDS[group.reason].format(detail=group.detail, until=end, why=why)

    def _figures(self, one: Other, strategy: str, at: int) -> str:
        first, *rest = one.figures
        match strategy:
            case "round_robin":
                return f"at {self._clock.near(first, at)}" if first else "never"
            case "priority" | "weighted":
                return f"{'priority' if strategy == 'priority' else 'weight'} {first}, {self._idle(rest[0], at)}"
            case _:
                return self._idle(first, at)


def _names(people: Sequence[str]) -> str:
    if len(people) <= MOST_NAMES:
        return ", ".join(people)
    return f"{', '.join(people[:MOST_NAMES])} and {len(people) - MOST_NAMES} others"
