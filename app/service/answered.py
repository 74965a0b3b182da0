"""What the visitor is told, and how it is kept, so that a repeat of the same submission hears the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """What the visitor is told. `made`, which nobody is told: this very submission became the lead, or joined it."""

    lead_id: str
    outcome: str  # dialing, waiting, scheduled, duplicate
    status_url: str
    expected_call_at: str | None
    message: str
    made: bool = False

    def text(self) -> str:
        """As JSON: what is sent, and kept to be sent again."""
        told = asdict(self)
        del told["made"]
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def again(cls, kept: str) -> Answered:
        """From what was kept."""
        return cls(**json.loads(kept))
