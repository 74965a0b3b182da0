"""What `leadring agents` shows: everybody's state, until when and why, and whom they are calling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from app.clock import to_iso
from app.directory import Agent, Directory
from app.domain.open_calls import OpenCall
from app.domain.stories import AgentState
from app.moments import written_short

SHORT_ID = 13  # letters of a lead's id: the part that tells milliseconds apart, enough to be typed after `explain`
# A line is free for the next lead in these; of an IVR nobody has to write anything up, but the pause is the same.
FREE = ("available",)


def rows(directory: Directory, known: Mapping[str, AgentState], now: int) -> list[dict[str, object]]:
    """One for every agent and line, for a script; moments in ISO 8601, UTC."""
    return [
        {
            "id": agent.id,
            "name": agent.name,
            "state": state_of(agent, known, now),
            "until": to_iso(known[agent.id].paused_until or known[agent.id].until),
            "reason": known[agent.id].pause_reason,
        }
        for agent in directory.agents.values()
    ]


def table(directory: Directory, known: Mapping[str, AgentState], calls: Sequence[OpenCall], now: int) -> Iterable[str]:
    """The same for a person: a header, the people, and one line for each IVR."""
    zone = ZoneInfo(directory.policy.timezone)
    of_agent = {call.agent_id: call for call in calls if call.holds_agent}
    yield f"{'id':<20} {'state':<10} {'name':<20} more (times in {directory.policy.timezone})"
    for agent in directory.people:
        state = state_of(agent, known, now)
        more = _more(known[agent.id], state, of_agent.get(agent.id), now, zone)
        yield f"{agent.id:<20} {state:<10} {agent.name:<20} {more}".rstrip()
    for site in directory.sites.values():
        lines = [state_of(one, known, now) for one in directory.agents.values() if one.line_of == site.key]
        if lines:
            busy = sum(state not in FREE for state in lines)
            yield f"{site.key:<20} {'IVR':<10} {busy} of {len(lines)} busy"


def state_of(agent: Agent, known: Mapping[str, AgentState], now: int) -> str:
    """One word; who is switched off in the file is that, whatever else is known."""
    return known[agent.id].at(now) if agent.enabled else "disabled"


def _more(known: AgentState, state: str, call: OpenCall | None, now: int, zone: ZoneInfo) -> str:
    parts: list[str] = []
    until = known.paused_until if state == "paused" else known.until if state in ("offline", "blocked") else None
    if until is not None:
        parts.append(f"until {written_short(until, now, zone)}")
    if state == "paused" and until is None:
        parts.append("until resumed")
    if state == "paused" and known.pause_reason:
        parts.append(f"({known.pause_reason})")
    if state == "on_call" and call is not None:
        parts.append(f"lead {call.lead_id[:SHORT_ID]}{_phase(call)}")
    return " ".join(parts)


def _phase(call: OpenCall) -> str:
    """What was seen on the line; nothing where nobody could look."""
    if call.state == "unknown":
        return ", nobody knows yet whether it rings"
    if call.agent_answered_at is not None:
        return ", answered"
    return ", ringing" if call.seen_at is not None else ""
