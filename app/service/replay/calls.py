"""How one call would have gone: whose phone rings, until when, and who talks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.directory import First, Policy
from app.domain.moves import SECOND
from app.service.replay.habits import PickUp, Reaction


@dataclass(frozen=True, slots=True)
class Going:
    """The way of a call. `lasts` and `conversation` are milliseconds from its request; `talk` is seconds.

    `conversation` is None where nobody talked. `short`: they did, but not long enough to count. `missed`: its agent's
    phone rang in vain. `agent_rang`, `lead_rang`: whose phone rang at all.
    """

    outcome: str
    lasts: int
    conversation: int | None = None
    talk: int = 0
    short: bool = False
    missed: bool = False
    agent_rang: bool = True
    lead_rang: bool = True


def go(first: First, policy: Policy, ring_agent: int, pick_up: PickUp, reaction: Reaction) -> Going:
    """What comes of a call in which `first` rings first, the agent for `ring_agent` seconds at most.

    An agent or a lead who would have answered later than their phone rings has not answered.
    """
    if first == "agent":
        if not _takes(pick_up, ring_agent):
            return Going("agent_no_answer", ring_agent * SECOND, missed=True, lead_rang=False)
        return _lead_rings(pick_up.ring, policy, reaction)
    if not _answers(reaction, policy.ring_lead):
        return replace(_lead_rings(0, policy, reaction), agent_rang=False)
    if not _takes(pick_up, ring_agent):
        return Going("agent_no_answer", (reaction.ring + ring_agent) * SECOND, missed=True)
    return _talk(reaction.ring + pick_up.ring, policy, reaction)


def _takes(pick_up: PickUp, ring_agent: int) -> bool:
    return pick_up.took and pick_up.ring <= ring_agent


def _answers(reaction: Reaction, ring_lead: int) -> bool:
    return reaction.outcome == "connected" and reaction.ring <= ring_lead


def _lead_rings(after: int, policy: Policy, reaction: Reaction) -> Going:
    if _answers(reaction, policy.ring_lead):
        return _talk(after + reaction.ring, policy, reaction)
    outcome = "lead_no_answer" if reaction.outcome == "connected" else reaction.outcome
    return Going(outcome, (after + min(reaction.ring, policy.ring_lead)) * SECOND)


def _talk(after: int, policy: Policy, reaction: Reaction) -> Going:
    talk = min(reaction.talk or 0, policy.max_duration)
    short = 0 < talk < policy.short_call
    outcome = "lead_no_answer" if short else "connected"
    return Going(outcome, (after + talk) * SECOND, None if short else after * SECOND, talk, short)
