"""The leads that are due at one site, in the order of whose turn it is."""

from __future__ import annotations

from bisect import bisect_left, insort

from app.domain.lead import Lead
from app.domain.priority import turn

_Place = tuple[int, int, str]


class Line:
    """A lead stands in it with the rank and due time that it came with; of one turn, who came first is first."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._of: dict[str, _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, lead_id: str) -> bool:
        return lead_id in self._of

    def add(self, lead: Lead) -> None:
        """Let a lead stand in line that is due."""
        place = turn(lead.rank, lead.due_at or 0), lead.received_at, lead.id
        self._of[lead.id] = place
        insort(self._places, place)

    def leave(self, lead_id: str) -> None:
        """Take it out, where it is in."""
        place = self._of.pop(lead_id, None)
        if place is not None:
            del self._places[bisect_left(self._places, place)]

    def first(self, most: int) -> list[str]:
        """The ids of those whose turn it is first."""
        return [lead_id for _, _, lead_id in self._places[:most]]

    def ahead(self, lead: Lead) -> int:
        """How many have their turn before this lead, which need not be due yet."""
        return bisect_left(self._places, (turn(lead.rank, lead.due_at or 0), 0, ""))
