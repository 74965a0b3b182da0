"""The agents of a replay: who is free, on a call, wrapping up, set aside or paused. One call each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.directory import Agent
from app.domain.moves import Move
from app.domain.routing import FreeAgent


@dataclass(slots=True)
class _Post:
    on_call: object | None = None
    until: int = 0  # wraps up, or is set aside, so long
    paused_until: int = 0
    idle_since: int = 0
    assigned_at: int = 0
    misses: int = 0


class Staff:
    """All are free at the beginning, and have been for equally long."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._posts = {agent.id: _Post() for agent in agents}

    def free(self, now: int) -> dict[str, FreeAgent]:
        """Who can be given a call, on shift or not."""
        return {
            name: FreeAgent(name, post.idle_since, post.assigned_at)
            for name, post in self._posts.items()
            if post.on_call is None and post.until <= now and post.paused_until <= now
        }

    def reserve(self, agent_id: str, call: object, now: int) -> None:
        """The agent has this call from now on; RuntimeError when he has one already."""
        post = self._posts[agent_id]
        if post.on_call is not None:
            raise RuntimeError(f"{agent_id} is on a call already")
        post.on_call, post.assigned_at = call, now
        post.until = post.paused_until = 0

    def has(self, agent_id: str, call: object) -> bool:
        """Whether it is this call that the agent is on."""
        return self._posts[agent_id].on_call is call

    def leave(self, agent_id: str, now: int, until: int | None) -> None:
        """The agent's call is over; he is free again after `until`."""
        post = self._posts[agent_id]
        post.on_call, post.until, post.idle_since = None, until or now, now

    def count(self, agent_id: str, move: Move) -> bool:
        """Count a missed call, or forget the earlier ones; True when that has paused the agent."""
        post = self._posts[agent_id]
        if move.missed is None:
            return False
        post.misses = post.misses + 1 if move.missed else 0
        if not move.pause_after or post.misses < move.pause_after or post.paused_until:
            return False
        post.paused_until, post.misses = move.pause_until or 0, 0
        return True
