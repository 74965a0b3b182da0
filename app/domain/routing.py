"""Who takes the lead: agents that may, in the order in which they are asked. Pure; ties fall to file order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.directory import Agent, Directory, Site
from app.domain.hours import is_open


@dataclass(frozen=True, slots=True)
class FreeAgent:
    """An agent whom the database knows to be free; moments in milliseconds, 0 for never."""

    id: str
    idle_since: int
    assigned_at: int


def may_take(agent: Agent, site: Site, directory: Directory, at: datetime) -> bool:
    """Whether the agent is enabled, has all the site's skills and is inside their own hours."""
    return agent.enabled and site.skills <= agent.skills and on_shift(agent, directory, at)


def on_shift(agent: Agent, directory: Directory, at: datetime) -> bool:
    """Whether the agent's own hours are open; an agent without hours is always on shift."""
    return agent.hours is None or is_open(directory.hours[agent.hours], at)


def site_open(site: Site, directory: Directory, at: datetime) -> bool:
    """Whether the site's hours are open; a site without hours is always open."""
    return site.hours is None or is_open(directory.hours[site.hours], at)


def eligible(site: Site, directory: Directory, at: datetime) -> tuple[Agent, ...]:
    """The agents who may take this site's leads now, in file order; none while the site is closed."""
    if not site_open(site, directory, at):
        return ()
    return tuple(agent for agent in directory.agents.values() if may_take(agent, site, directory, at))


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
    """Who may take what at one moment: computed once, asked many times inside a claim."""

    def __init__(self, directory: Directory, at: datetime, now: int) -> None:
        self._directory = directory
        self._now = now
        self._eligible = {site.key: eligible(site, directory, at) for site in directory.sites.values()}

    def eligible(self, site: str) -> tuple[Agent, ...]:
        """Agents who may take a lead of this site; none for a site the directory no longer lists."""
        return self._eligible.get(site, ())

    def servable(self, free: Iterable[str]) -> list[str]:
        """The sites for which at least one of these free agents may take a lead."""
        ids = set(free)
        return [site for site, agents in self._eligible.items() if any(agent.id in ids for agent in agents)]

    def order(self, site: str, free: Mapping[str, FreeAgent], avoid: str | None) -> list[Agent]:
        """Whom to ask for a lead of this site, best first."""
        return order(self.eligible(site), free, self._directory.policy.routing, self._now, avoid=avoid)
