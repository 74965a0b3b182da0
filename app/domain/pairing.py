"""Which free agent for which due lead, in one look at both. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.directory import Agent
from app.domain.lead import Lead
from app.domain.routing import FreeAgent, Roster, language_of


class Pair(NamedTuple):
    """A lead and its agent; `line`: who was free for it, best first; `sticky`: chosen as the number's last agent."""

    lead: Lead
    agent: Agent
    line: Sequence[Agent]
    sticky: bool


def pair(
    roster: Roster, due: Sequence[Lead], free: Mapping[str, FreeAgent], most: int, last: Mapping[str, str]
) -> tuple[list[Pair], list[Lead]]:
    """An agent for each of the first `most` leads, as far as they go; and the leads that are left.

    `last` is, by lead, the agent with whom its number talked last.
    """
    lines: dict[tuple[str, str], list[Agent]] = {}
    taken: set[str] = set()
    pairs: list[Pair] = []
    left: list[Lead] = []
    for lead in due:
        if len(pairs) >= most:
            left.append(lead)
            continue
        kind = (lead.site, language_of(lead.asked_language))
        if kind not in lines:
            lines[kind] = roster.order(lead.site, free, language=kind[1])
        line = [agent for agent in lines[kind] if agent.id not in taken]
        # Whom this number talked with last comes first. Who has just missed this lead is not asked at once again, and
        # then only when nobody else is free.
        others = [agent for agent in line if agent.id != lead.avoid_agent]
        if not others and not roster.avoids(lead):
            others = line[:1]
        stuck = next((one for one in others if one.id == last.get(lead.id)), None)
        agent = stuck or (others[0] if others else None)
        if agent is None:
            left.append(lead)
            continue
        taken.add(agent.id)
        lines[kind] = line
        pairs.append(Pair(lead, agent, line, stuck is not None))
    return pairs, left
