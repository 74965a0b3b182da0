"""Who takes a site's leads: people, or the lines to its IVR, which are kept as agents that are nobody."""

from __future__ import annotations

from app.directory_extensions import can_ring_second
from app.directory_types import Agent, Site

MOST_LINES = 100


def lines_of(site: Site) -> tuple[Agent, ...]:
    """The lines to the site's IVR, none without one. No person's id has a slash, so theirs are their own."""
    if site.ivr is None:
        return ()
    return tuple(
        Agent(f"{site.key}/ivr/{number}", f"{site.name} IVR", site.ivr, line_of=site.key)
        for number in range(1, site.lines + 1)
    )


def may_take(site: Site, agent: Agent) -> bool:
    """Whether this agent, when on shift and free, is asked to take the site's leads."""
    return agent.enabled and kept_off(site, agent) is None


def kept_off(site: Site, agent: Agent) -> tuple[str, str] | None:
    """Why this agent, if enabled, is never asked to take the site's leads: a word of domain/choices.py and a detail.

    None when he is asked.
    """
    if site.ivr is not None or agent.line_of is not None:
        return None if agent.line_of == site.key else ("ivr", "")
    if agent.id not in site.fallback:
        if site.agents and agent.id not in site.agents:
            return "not_named", ""
        if not site.skills <= agent.skills:
            return "lacks", ", ".join(sorted(site.skills - agent.skills))
    return None if site.first == "agent" or can_ring_second(agent) else ("rings_second", "")
