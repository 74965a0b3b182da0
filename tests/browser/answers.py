"""What the fake service says to a lead that is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LEAD: Final = "/v1/leads/lead-1"
TOKEN: Final = "t-1"


@dataclass(frozen=True)
class Answer:
    """What POST /v1/leads says next; `held` keeps the visitor waiting until `FakeService.let_go` is called."""

    status: int = 202
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    held: bool = False


ACCEPTED: Final = Answer(
    body={
        "lead_id": "lead-1",
        "outcome": "waiting",
        "status_url": f"{LEAD}?token={TOKEN}",
        "expected_call_at": None,
        "message": "Noted.",
    }
)


def problem(status: int, code: str, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
    """An RFC 9457 answer in the contract's shape."""
    return Answer(
        status, {"type": f"/problems/{code}", "title": code, "status": status, "code": code, **more}, headers or {}
    )
