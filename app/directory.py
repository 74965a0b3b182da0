"""leadring.toml → sites, agents, hours, policies; all mistakes reported at once, each with its place.

The types are in directory_types.py and are meant to be imported from here. Places count from 1, as people do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from app.directory_agents import AGENT_KEYS, read_agent
from app.directory_dialing import check_dialing_window
from app.directory_extensions import place_of_call
from app.directory_hours import DAYS, HOURS_KEYS, read_hours
from app.directory_lines import kept_off, lines_of, may_take
from app.directory_options import PROVIDER_OPTIONS, options_for, record_for
from app.directory_policy import (
    GUARD_KEYS,
    INNER_GUARD_KEYS,
    LIMIT_KEYS,
    NOT_YET_GUARDS,
    POLICY_KEYS,
    read_guards,
    read_limits,
    read_policy,
)
from app.directory_reading import Table, nearest
from app.directory_sites import KEY_MEANS, KEY_PATTERN, SITE_KEYS, read_site
from app.directory_sources import SOURCE_KEYS, read_sources
from app.directory_types import (
    Agent,
    CallCap,
    Cooldown,
    Directory,
    First,
    Guards,
    Hours,
    Limits,
    LoggedOut,
    Mode,
    Period,
    Policy,
    Rate,
    Routing,
    Site,
    Source,
)
from app.directory_warnings import surprises
from app.errors import ConfigurationError

__all__ = [
    "KNOWN_KEYS",
    "PROVIDER_OPTIONS",
    "Agent",
    "CallCap",
    "Cooldown",
    "Directory",
    "First",
    "Guards",
    "Hours",
    "Limits",
    "LoggedOut",
    "Mode",
    "Period",
    "Policy",
    "Rate",
    "Routing",
    "Site",
    "Source",
    "kept_off",
    "load_directory",
    "may_take",
    "options_for",
    "parse_directory",
    "record_for",
]

MAX_FILE = 1024 * 1024  # bytes
KNOWN_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "": ("policy", "limits", "guards", "hours", "sites", "agents", "sources"),
        "policy": POLICY_KEYS,
        "limits": LIMIT_KEYS,
        "guards": GUARD_KEYS,
        **{f"guards.{name}": keys for name, keys in INNER_GUARD_KEYS.items()},
        "hours.*": (*DAYS, *HOURS_KEYS),
        "sites": SITE_KEYS,
        "agents": AGENT_KEYS,
        "sources.*": SOURCE_KEYS,
    }
)


def load_directory(path: Path) -> Directory:
    """The directory in the file at `path`; ConfigurationError with every mistake, also when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise ConfigurationError(
            [f"{path}: there is no such file; begin with a copy of leadring.example.toml"]
        ) from None
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from None
    if len(content) > MAX_FILE:
        raise ConfigurationError([f"{path}: is longer than {MAX_FILE} bytes"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError([f"{path}: line {line} is not UTF-8 text; save the file as UTF-8"]) from None
    return parse_directory(text, source=str(path))


def parse_directory(text: str, *, source: str = "leadring.toml") -> Directory:
    """The directory in `text`; ConfigurationError with every mistake, each beginning with `source`."""
    try:
        values: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{source}: is not TOML: {error}"]) from None
    except ValueError:
        raise ConfigurationError([f"{source}: holds a number that is too long"]) from None
    except RecursionError:
        raise ConfigurationError([f"{source}: is nested too deeply"]) from None
    mistakes: list[str] = []
    warnings: list[str] = []
    top = Table(values, "", KNOWN_KEYS[""], mistakes)
    names = _names(top)
    policy = read_policy(top.table("policy", KNOWN_KEYS["policy"]), names, warnings)
    hours = _hours(top, policy.timezone, warnings)
    check_dialing_window(policy.dialing_window, hours, mistakes)
    limits = read_limits(top.table("limits", KNOWN_KEYS["limits"]))
    guards = read_guards(top.table("guards", (*KNOWN_KEYS["guards"], *NOT_YET_GUARDS)))
    sites = _sites(top, names, warnings)
    people = _agents(top, names, needed=_people_needed(top))
    _named_agents(sites, people, mistakes)
    sources = read_sources(top, sites, policy.fresh_for)
    directory = Directory(
        policy=policy,
        limits=limits,
        guards=guards,
        hours=MappingProxyType(hours),
        sites=MappingProxyType(sites),
        agents=MappingProxyType(people | {line.id: line for site in sites.values() for line in lines_of(site)}),
        sources=MappingProxyType(sources),
    )
    if mistakes:
        raise ConfigurationError([f"{source}: {mistake}" for mistake in mistakes])
    return replace(directory, warnings=(*warnings, *surprises(directory)))


def _hours(top: Table, timezone: str, warnings: list[str]) -> dict[str, Hours]:
    outer = top.table("hours", _names(top))
    found: dict[str, Hours] = {}
    for name in outer.values:
        if not re.fullmatch(KEY_PATTERN, name):
            outer.wrong(name, f"must be named with {KEY_MEANS}")
        hours = found[name] = read_hours(name, outer, timezone)
        if not any(hours.week) and not hours.extra_open:
            warnings.append(f"hours.{name}: is never open")
    return found


def _names(top: Table) -> tuple[str, ...]:
    """Names of the [hours.…] that stand in the file, right or wrong."""
    value = top.values.get("hours")
    return tuple(value) if isinstance(value, dict) else ()


def _entries(top: Table, key: str, title: str, *, needed: bool = True) -> Iterator[Table]:
    """The [[`key`]] tables, each under a place such as `agents[2] "dana"`."""
    value = top.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        top.mistakes.append(f"{key}: must be written as [[{key}]]")
        return
    if not value and needed:
        top.mistakes.append(f"{key}: there must be at least one [[{key}]]")
    for number, entry in enumerate(value, 1):
        label = f' "{entry[title]}"' if isinstance(entry.get(title), str) else ""
        yield Table(entry, f"{key}[{number}]{label}", KNOWN_KEYS[key], top.mistakes)


def _sites(top: Table, hours: tuple[str, ...], warnings: list[str]) -> dict[str, Site]:
    found: dict[str, Site] = {}
    for table in _entries(top, "sites", "key"):
        site = read_site(table, hours, warnings)
        if site and site.key in found:
            table.wrong("key", "is the key of an earlier site already")
        elif site:
            found[site.key] = site
    return found


def _people_needed(top: Table) -> bool:
    """Whether there is a site without an IVR, however wrong either may be."""
    value = top.values.get("sites")
    return not (isinstance(value, list) and value and all(isinstance(site, dict) and "ivr" in site for site in value))


def _agents(top: Table, hours: tuple[str, ...], *, needed: bool) -> dict[str, Agent]:
    found: dict[str, Agent] = {}
    places: dict[str, str] = {}
    for table in _entries(top, "agents", "id", needed=needed):
        agent = read_agent(table, hours)
        if agent is None:
            continue
        if agent.id in found:
            table.wrong("id", "is the id of an earlier agent already")
        place = place_of_call(agent)
        if place is not None and place in places:
            table.wrong("login_code" if agent.login_code else "extension", f'is also that of agent "{places[place]}"')
        elif place is not None:
            places[place] = agent.id
        found.setdefault(agent.id, agent)
    return found


def _named_agents(sites: Mapping[str, Site], people: Mapping[str, Agent], mistakes: list[str]) -> None:
    """Sites may only name agents that there are."""
    for site in sites.values():
        for key, names in (("agents", site.agents), ("fallback", site.fallback)):
            mistakes.extend(
                f'sites "{site.key}".{key}: names "{name}", but there is no such agent{nearest(name, people)}'
                for name in names
                if name not in people
            )
