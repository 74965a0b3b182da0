"""A lead's status (the JSON of its own view) said in words; the widget says the same in the browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.domain.spoken_time import say_time
from app.web.pages.rendering import put

FINAL: Final = frozenset({"connected", "exhausted", "expired", "cancelled", "failed"})
STEPS: Final = ("step_received", "step_agent", "step_lead", "step_connected")
GONE: Final = -1


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a lead stands: a sentence, an index into STEPS (GONE: no call is coming), and whether it can change."""

    sentence: str
    step: int
    final: bool

    @property
    def sad(self) -> bool:
        """No call is coming: the visitor is offered our telephone number."""
        return self.step == GONE


def progress(status: Mapping[str, Any], words: Mapping[str, str], when: str = "") -> Progress:
    """Say `status` with `words`; an unknown state reads as waiting, which is what a held lead looks like.

    `when` is the expected time as a phrase; without it the clock of the service is told.
    """
    state = str(status.get("state", ""))
    events = [str(entry.get("event", "")) for entry in status.get("timeline") or ()]
    if state in FINAL:
        return Progress(words[state], STEPS.index("step_connected") if state == "connected" else GONE, True)
    if state == "dialing":
        return _dialing(status, words, events[-1] if events else "")
    if status.get("expected_call_at"):
        now = words["at"].replace("{time}", when or _phrase(str(status["expected_call_at"]), words["language"]))
    elif status.get("position"):
        now = put(words["position"], str(status["position"]))
    else:
        now = words["waiting"]
    tried = next((event for event in reversed(events) if event in ("lead_no_answer", "lead_busy")), None)
    return Progress(f"{words[tried]} {now}" if tried else now, 0, False)


def _dialing(status: Mapping[str, Any], words: Mapping[str, str], event: str) -> Progress:
    if event in ("lead_ringing", "connected"):
        # Both talk, by the line; the state follows when the call's record says so.
        return Progress(words[event], STEPS.index("step_lead" if event == "lead_ringing" else "step_connected"), False)
    who = put(
        words["agent_answered" if event == "agent_answered" else "dialing"], status.get("agent_name") or words["team"]
    )
    caller = status.get("caller_id")
    then = put(words["from"], str(caller)) if caller else words["next"]
    step = STEPS.index("step_lead" if event == "agent_answered" else "step_agent")
    return Progress(f"{who} {then}", step, False)


def _phrase(iso: str, language: str) -> str:
    """By the offset that the service wrote; the page cannot know the visitor's own zone."""
    at = datetime.fromisoformat(iso)
    return say_time(at, at - timedelta(days=1), language)
