"""What `leadring check --online` adds: whether Voicenter knows the extensions that leadring.toml names.

One read-only question (GetExtensions, facts 3.1). That an extension is known does not mean that a telephone is
behind it: some exist on paper only (facts 1.8), and the list has no sign of that.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app import __version__
from app.directory import Agent, Directory
from app.directory_extensions import can_ring_second
from app.voicenter.roster import KnownExtension, Roster, RosterUnavailable

ALL_KNOWN, NOT_ASKED, UNKNOWN_EXTENSION = 0, 1, 2  # exit codes
NEAR = 0.75  # of the letters are the same: two slips in an eight-letter SIP code


@dataclass(frozen=True, slots=True)
class OnlineReport:
    """`lines` to print; `exit_code` 0: all known, 1: could not be asked, 2: an extension is unknown."""

    lines: tuple[str, ...]
    exit_code: int


async def report(directory: Directory, *, url: str, code: str | None) -> OnlineReport:
    """Ask Voicenter at `url` (LEADRING_VOICENTER_EXTENSIONS_URL) and compare. Raises CancelledError only."""
    if not code:
        return OnlineReport(("Voicenter was not asked: LEADRING_VOICENTER_CODE is not set",), NOT_ASKED)
    roster = Roster(url=url, code=code, version=__version__)
    try:
        return compare(directory, await roster.extensions())
    except RosterUnavailable as error:
        return OnlineReport((_mended(error.reason),), NOT_ASKED)
    finally:
        await roster.close()


def compare(directory: Directory, known: Sequence[KnownExtension]) -> OnlineReport:
    """Every agent and IVR beside the extensions that there are. Who is disabled is told, but does not count."""
    sips = {one.sip for one in known}
    lines: list[str] = []
    unknown = False
    for place, agent in _places(directory):
        if agent.extension in sips:
            continue
        if agent.extension.isdecimal():
            lines.append(f"{place} is a telephone number: not looked up")
        elif not can_ring_second(agent):
            lines.append(f"{place} is no extension of its own: not looked up")
        else:
            aside = "" if agent.enabled else " (but is disabled)"
            lines.append(f"{place} is not known to Voicenter{_nearest(agent.extension, known)}{aside}")
            unknown = unknown or agent.enabled
    unused = len(sips - {agent.extension for agent in directory.agents.values()})
    lines.append(f"Voicenter lists {len(sips)} extension{'s' * (len(sips) != 1)}; {unused} of them not used here")
    return OnlineReport(tuple(lines), UNKNOWN_EXTENSION if unknown else ALL_KNOWN)


def _mended(reason: str) -> str:
    """The reason, with what to do where Voicenter cannot know it."""
    if "HTTP 404" not in reason:
        return reason
    return f"{reason.split('HTTP 404')[0]}HTTP 404, no such address: check LEADRING_VOICENTER_EXTENSIONS_URL"


def _places(directory: Directory) -> Iterator[tuple[str, Agent]]:
    """Whoever is rung, in words; of the lines to an IVR the first speaks for all."""
    for agent in directory.people:
        yield f'agents "{agent.id}": {agent.extension}', agent
    sites = set[str]()
    for agent in directory.agents.values():
        if agent.line_of is not None and agent.line_of not in sites:
            sites.add(agent.line_of)
            yield f'sites "{agent.line_of}": ivr {agent.extension}', agent


def _nearest(extension: str, known: Sequence[KnownExtension]) -> str:
    """What was probably meant: other letter case, the name of an extension, a slip; or nothing."""
    for one in known:
        if one.sip.lower() == extension.lower():
            return f"; {one.sip} is: capital and small letters count"
    for one in known:
        if extension.lower() in (one.name.lower(), one.user.lower()):
            return f"; that is a name, and its extension is {one.sip}"
    near = difflib.get_close_matches(extension, [one.sip for one in known], n=1, cutoff=NEAR)
    return f"; did you mean {near[0]}?" if near else ""
