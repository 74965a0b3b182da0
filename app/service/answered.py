"""What the visitor is told, and how it is kept, so that a repeat of the same submission hears the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """What the visitor is told."""

    lead_id: str
    outcome: str  # dialing, waiting, scheduled, duplicate
    status_url: str
    expected_call_at: str | None
    message: str

    def kept(self) -> str:
        """As text, for the store."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def again(cls, kept: str) -> Answered:
        """From what was kept."""
        return cls(**json.loads(kept))
