"""Who takes the lead: agents that may, in the order in which they are asked. Pure; ties fall to file order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.directory import Agent, Directory, First, Site, may_take
from app.domain.dialing_window import DialingWindow, window_of
from app.domain.hours import is_open
from app.domain.lead import Lead
from app.domain.phone import country_of


@dataclass(frozen=True, slots=True)
class FreeAgent:
    """An agent whom the database knows to be free; moments in milliseconds, 0 for never."""

    id: str
    idle_since: int
    assigned_at: int


def site_open(site: Site, directory: Directory, at: datetime) -> bool:
    """Whether the site's hours are open; a site without hours is always open."""
    return site.hours is None or is_open(directory.hours[site.hours], at)


def order(
    candidates: Sequence[Agent],
    free: Mapping[str, FreeAgent],
    strategy: str,
    now: int,
    *,
    avoid: str | None = None,
) -> list[Agent]:
    """The free ones among the candidates, best first.

    longest_idle: whose last call ended longest ago. round_robin: who was chosen longest ago. priority: the
    lowest priority number, then longest idle. weighted: idle time counts by weight. The agent to `avoid`
    (who has just missed this lead) comes last. Sorting is stable, so ties fall to file order.
    """
    ranked = [(agent, free[agent.id]) for agent in candidates if agent.id in free]
    match strategy:
        case "round_robin":
            ranked.sort(key=lambda pair: pair[1].assigned_at)
        case "priority":
            ranked.sort(key=lambda pair: (pair[0].priority, pair[1].idle_since))
        case "weighted":
            ranked.sort(key=lambda pair: -(now - pair[1].idle_since) * pair[0].weight)
        case _:
            ranked.sort(key=lambda pair: pair[1].idle_since)
    ranked.sort(key=lambda pair: pair[0].id == avoid)
    return [agent for agent, _ in ranked]


class Roster:
    """Who may take what at one moment: computed once, asked many times inside claims."""

    def __init__(self, directory: Directory, at: datetime, now: int, window: DialingWindow | None = None) -> None:
        """`window`: the directory's, when it has been read already."""
        self._now = now
        self._at = at
        self._window = window or window_of(directory)
        self._rings: dict[str | None, bool] = {}
        self.strategy = directory.policy.routing
        self.sticky = directory.policy.sticky * 1000  # milliseconds a number's last agent is asked first
        self._match_language = directory.policy.match_language
        self._wanted = {site.key: site for site in directory.sites.values() if site.ivr is None}
        self._first: dict[str, First] = {site.key: site.first for site in directory.sites.values()}
        shifts = {name: is_open(week, at) for name, week in directory.hours.items()}
        on_shift = [agent for agent in directory.agents.values() if agent.hours is None or shifts[agent.hours]]
        self._eligible: dict[str, tuple[Agent, ...]] = {}
        for site in directory.sites.values():
            if site.hours is None or shifts[site.hours]:
                able = tuple(agent for agent in on_shift if may_take(site, agent))
                if able:
                    self._eligible[site.key] = able

    @property
    def sites(self) -> Iterable[str]:
        """The sites that are open and have somebody on shift."""
        return self._eligible

    def may_ring(self, phone: str) -> bool:
        """Whether this number (E.164) may be rung by the clock of its own country."""
        if self._window is None:
            return True
        country = country_of(phone)
        if country not in self._rings:
            self._rings[country] = self._window.is_open(country, self._at)
        return self._rings[country]

    def first(self, site: str) -> First:
        """Whose phone rings first for a lead of this site."""
        return self._first.get(site, "agent")

    def eligible(self, site: str) -> tuple[Agent, ...]:
        """Agents who may take a lead of this site now; none for a site that is closed or not listed."""
        return self._eligible.get(site, ())

    def avoids(self, lead: Lead) -> bool:
        """Whether the lead waits for somebody else than the agent who has just missed it: there is one on shift."""
        if lead.avoid_until is None or lead.avoid_until <= self._now:
            return False
        return any(agent.id != lead.avoid_agent for agent in self.eligible(lead.site))

    def chooses(self, site: str, language: str) -> bool:
        """Whether anything but the strategy says who of the free ones is asked: then all of them must be known."""
        wanted = self._wanted.get(site)
        return wanted is not None and bool(wanted.prefer or wanted.fallback or self._speakers(site, language))

    def order(
        self, site: str, free: Mapping[str, FreeAgent], avoid: str | None = None, language: str = ""
    ) -> list[Agent]:
        """Whom to ask for a lead of this site, best first; `language` is what the lead asked for, in two letters.

        Before the strategy: who speaks that language, then who has more of the skills that the site prefers; the
        site's fallback comes after everybody else. A language that nobody on shift speaks counts for nothing.
        """
        candidates = self.eligible(site)
        speakers = self._speakers(site, language)
        if speakers and self._match_language == "require":
            candidates = tuple(agent for agent in candidates if agent.id in speakers)
        ranked = order(candidates, free, self.strategy, self._now)
        wanted = self._wanted.get(site)
        if wanted is not None:
            ranked.sort(
                key=lambda agent: (
                    agent.id in wanted.fallback,
                    agent.id not in speakers,
                    -len(wanted.prefer & agent.skills),
                )
            )
        ranked.sort(key=lambda agent: agent.id == avoid)
        return ranked

    def _speakers(self, site: str, language: str) -> frozenset[str]:
        if not language or self._match_language == "off":
            return frozenset()
        return frozenset(agent.id for agent in self.eligible(site) if language in agent.skills)


def language_of(asked: str) -> str:
    """What a lead asked for, as a skill is named: "he" of "he-IL"; empty for what is no language."""
    found = re.match(r"[a-zA-Z]{2}(?![a-zA-Z])", asked.strip())
    return found[0].lower() if found else ""
