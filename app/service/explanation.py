"""An explanation of a lead: what `leadring explain` prints and GET /v1/admin/leads/{id}/explain answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.clock import to_iso
from app.service.choice_words import Told
from app.service.wall_clock import WallClock


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened, in words."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next, when (ms; None: when something else happens, or never), and why then."""

    what: str
    at: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice: the agent, the rule (None where none was kept), why this one, why not others, and what came of it."""

    at: int
    number: int
    agent: str
    name: str
    by: str | None
    why: str
    others: Sequence[Told]
    attempt: Sequence[str]


@dataclass(frozen=True, slots=True)
class GuardSpoke:
    """A guard that spoke; `decided`: it is what held the lead."""

    at: int
    guard: str
    mode: str
    decided: bool
    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whose turn it is: rank, those before it, moments (ms); of a lead that is due, why nobody takes it now."""

    rank: str
    ahead: int | None
    turn: str
    deadline_at: int
    promised_at: int | None
    expires_at: int | None
    agents: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about a lead in words. No whole telephone number is in it."""

    lead_id: str
    state: str
    reason: str | None
    summary: str
    next: Next
    history: Sequence[Line]
    choices: Sequence[Chosen]
    guards: Sequence[GuardSpoke]
    waiting: Waiting | None


def as_json(found: Explanation) -> dict[str, Any]:
    """For a script; moments in ISO 8601, UTC."""
    waiting = found.waiting
    return {
        "lead_id": found.lead_id,
        "state": found.state,
        "reason": found.reason,
        "summary": found.summary,
        "next": {"what": found.next.what, "at": to_iso(found.next.at), "why": found.next.why},
        "history": [{"at": to_iso(line.at), "text": line.text} for line in found.history],
        "choices": [
            {
                "at": to_iso(one.at),
                "number": one.number,
                "agent": one.agent,
                "by": one.by,
                "why": one.why,
                "others": _told(one.others),
                "attempt": list(one.attempt),
            }
            for one in found.choices
        ],
        "guards": [
            {"at": to_iso(one.at), "guard": one.guard, "mode": one.mode, "decided": one.decided, "text": one.text}
            for one in found.guards
        ],
        "waiting": None
        if waiting is None
        else {
            "rank": waiting.rank,
            "ahead": waiting.ahead,
            "turn": waiting.turn,
            "deadline_at": to_iso(waiting.deadline_at),
            "promised_at": to_iso(waiting.promised_at),
            "expires_at": to_iso(waiting.expires_at),
            "agents": _told(waiting.agents),
        },
    }


def _told(groups: Sequence[Told]) -> list[dict[str, Any]]:
    return [{"reason": one.reason, "agents": list(one.agents), "text": one.text} for one in groups]


def aloud(found: Explanation, timezone: str) -> Iterator[str]:
    """For a person: two lines that say it all, then the history, then each choice, then whose turn it is."""
    clock = WallClock(timezone)
    yield f"{found.summary}; times in {timezone}"
    yield f"next: {found.next.what}" + (f"; {found.next.why}" if found.next.why else "")
    yield ""
    for line in found.history:
        yield f"{clock.whole(line.at)}  {line.text}"
    for one in found.choices:
        yield ""
        yield f"attempt {one.number}, {clock.whole(one.at)}: {one.name}: {one.why}"
        yield from (f"  {line}" for line in one.attempt)
        if one.others:
            yield "  why not the others:"
            yield from (f"    {group.text}" for group in one.others)
    if found.waiting is not None:
        yield ""
        yield f"its turn: {found.waiting.turn}"
        if found.waiting.agents:
            yield "  why nobody takes it now:"
            yield from (f"    {group.text}" for group in found.waiting.agents)
