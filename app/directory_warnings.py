"""What works in leadring.toml and may still surprise: sentences for the operator."""

from __future__ import annotations

from dataclasses import replace

from app.directory_extensions import can_ring_second
from app.directory_lines import may_take
from app.directory_sources import misspelt
from app.directory_types import Agent, Directory, Site


def surprises(directory: Directory) -> list[str]:
    """The warnings that need the whole file."""
    return [
        *_nobody(directory),
        *_left_out(directory),
        *_shared_ivr(directory),
        *_idle_hours(directory),
        *_feasts(directory),
        *_zones(directory),
        *_unasked(directory),
        *(warning for source in directory.sources.values() for warning in misspelt(source)),
    ]


def _skilled(site: Site, directory: Directory) -> list[Agent]:
    """Those who could take the site's leads, were its lead's phone not rung first."""
    return [agent for agent in directory.people if may_take(replace(site, first="agent"), agent)]


def _nobody(directory: Directory) -> list[str]:
    answered = [site for site in directory.sites.values() if site.ivr is None]
    if not answered:
        return ["agents: nobody is ever asked: every site has an ivr"] if directory.people else []
    if not any(agent.enabled for agent in directory.people):
        return ["agents: none is enabled: nobody can take a call"]
    return [
        f'sites "{site.key}": no enabled agent has all of its skills ({", ".join(sorted(site.skills))})'
        + (" and is among its agents" if site.agents else "")
        for site in answered
        if not _skilled(site, directory)
    ]


def _left_out(directory: Directory) -> list[str]:
    """People whom a site cannot use only because the lead's phone rings first there."""
    found: list[str] = []
    for site in directory.sites.values():
        if site.ivr is not None or site.first == "agent":
            continue
        skilled = _skilled(site, directory)
        if names := ", ".join(agent.id for agent in skilled if not can_ring_second(agent)):
            rest = "" if any(may_take(site, agent) for agent in skilled) else ", and nobody is left"
            found.append(
                f'sites "{site.key}": first = "lead" leaves out {names}{rest}: '
                "SIPTRUNK and login codes can be rung first only"
            )
    return found


def _shared_ivr(directory: Directory) -> list[str]:
    owners = {agent.extension: agent.id for agent in directory.people}
    return [
        f'sites "{site.key}": ivr is the extension of agent "{owners[site.ivr]}" too: it may be rung twice at once'
        for site in directory.sites.values()
        if site.ivr in owners
    ]


def _idle_hours(directory: Directory) -> list[str]:
    used = {site.hours for site in directory.sites.values()} | {agent.hours for agent in directory.people}
    used.add(directory.policy.dialing_window)
    return [f"hours.{name}: no site or agent uses it" for name in directory.hours if name not in used]


def _feasts(directory: Directory) -> list[str]:
    return [
        f"hours.{name}: hol_hamoed does nothing: holiday_categories closes those days already"
        for name, hours in directory.hours.items()
        if hours.hol_hamoed is not None and {"optional", "school"} & set(hours.holiday_categories)
    ]


def _zones(directory: Directory) -> list[str]:
    policy = directory.policy
    if policy.dialing_zones and policy.dialing_window is None:
        return ["policy: dialing_zones does nothing without dialing_window"]
    return []


def _unasked(directory: Directory) -> list[str]:
    return [
        f"sources.{source.key}: without an access_token nobody can ask Meta for the leads that it tells of"
        for source in directory.sources.values()
        if source.preset == "meta" and source.access_token is None
    ]
