"""What the provider's account of the line says of our agents and of our calls. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from app.directory import Agent, LoggedOut
from app.directory_extensions import can_ring_second
from app.domain.line import ExtensionNow, LineStatus
from app.domain.open_calls import OpenCall

Verdict = Literal["free", "busy", "away"]
Phase = Literal["agent_ringing", "lead_ringing", "talking"]

KNOWN_FOR: Final = 30_000  # milliseconds a verdict counts; then the agent is free again by our own books alone
BELIEVED_AFTER: Final = 3  # answers in a row that must say so until everybody's being away at once is believed

# What a word on the agent's extension says, by whose phone rang first. What a click-to-call leg looks like there is not
# documented (facts 3.2); this is the defensive reading, and no outcome is decided from it.
PHASES: Final[Mapping[str, Mapping[LineStatus, Phase]]] = {
    "agent": {"ringing": "agent_ringing", "dialing": "lead_ringing", "talking": "talking"},
    "lead": {"ringing": "agent_ringing", "talking": "talking"},
}


def verdicts(agents: Iterable[Agent], told: Sequence[ExtensionNow], logged_out: LoggedOut) -> dict[str, Verdict]:
    """By agent id, for the agents whose extension the provider speaks of; of all others it says nothing.

    Any call makes busy, ours or not: who is on one of ours is not free by our own books. A break is somebody's
    own choice; being logged out may as well mean that nobody there ever logs in (facts 3.2).
    """
    by_extension = {one.extension: one for one in told}
    found: dict[str, Verdict] = {}
    for agent in agents:
        now = by_extension.get(agent.extension)
        if now is None or agent.line_of is not None:
            continue
        if now.calls:
            found[agent.id] = "busy"
        elif now.login == "break" or (now.login == "out" and logged_out == "away"):
            found[agent.id] = "away"
        else:
            found[agent.id] = "free"
    return found


def is_listed(agent: Agent) -> bool:
    """Whether the provider has an extension to list for this agent: a telephone number and its two words are none."""
    return agent.line_of is None and can_ring_second(agent) and not agent.extension.isdecimal()


def everybody_left(before: Mapping[str, Verdict], after: Mapping[str, Verdict]) -> bool:
    """Several agents, of whom some were there, are all away at once: a sign of a bad answer rather than of a day."""
    gone = [agent for agent, verdict in after.items() if verdict == "away"]
    return len(gone) == len(after) > 1 and any(before.get(agent, "free") != "away" for agent in gone)


def merged(told: Sequence[ExtensionNow]) -> Sequence[ExtensionNow]:
    """One entry for each extension: where it is listed twice, with the calls of both."""
    found: dict[str, ExtensionNow] = {}
    for one in told:
        known = found.get(one.extension)
        if known is None:
            found[one.extension] = one
        else:
            calls = tuple(dict.fromkeys((*known.calls, *one.calls)))
            found[one.extension] = replace(known, login=known.login or one.login, calls=calls)
    return list(found.values())


def without(told: Sequence[ExtensionNow], ghosts: Collection[str]) -> Sequence[ExtensionNow]:
    """The same account without the calls of these attempts."""
    if not ghosts:
        return told
    return [
        replace(one, calls=tuple(line for line in one.calls if line.attempt_id not in ghosts)) if one.calls else one
        for one in told
    ]


def has_left(call: OpenCall, told: Sequence[ExtensionNow], now: int, *, may_hide: int, changed_at: int) -> bool:
    """Whether a call that is not on the line is over, as far as its agent goes.

    Only of an extension that the provider lists as idle. A call that was never seen may have been hidden for
    `may_hide` ms: how a leg that still rings is shown is not documented. And an account that has not changed since the
    call was asked for (`changed_at`) says nothing of it.
    """
    listed = next((one for one in told if one.extension == call.extension), None)
    since = call.placed_at or call.unknown_at
    if listed is None or listed.calls or since is None:
        return False
    return call.seen_at is not None or (now - since > may_hide and changed_at > since)
