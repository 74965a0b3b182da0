"""A lead's history read aloud: what happened, when, by whom, why, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from app.clock import to_datetime
from app.directory import Directory
from app.domain.lead import Event
from app.domain.stories import LeadStory

WORDS: Final[Mapping[str, str]] = {
    "received": "came in through {who}",
    "joined": "asked again through {who}; joined this lead",
    "held": "held by the guard {why}: a person decides",
    "observed": "the guard {why} would have spoken",
    "scheduled": "waits for a set time ({why})",
    "released": "released by {who}",
    "reserved": "reserved for {agent}",
    "sending": "the request to the provider is about to leave",
    "placed": "the provider accepted the call to {agent}",
    "agent_ringing": "{agent}'s phone rings",
    "agent_answered": "{agent} answered",
    "lead_ringing": "the lead's phone rings",
    "talking": "both talk",
    "connected": "connected",
    "agent_no_answer": "{agent} did not answer",
    "agent_offline": "the provider refused: {agent}'s extension is offline ({why})",
    "agent_blocked": "the provider refused: {agent}'s extension is blocked for such calls ({why})",
    "refused": "the provider refused the request ({why})",
    "not_sent": "the request never left ({why})",
    "unknown": "nobody knows whether it rang ({why}); it is not dialled again by itself",
    "confirmed": "the call is on the line after all: it was placed",
    "call_left": "the call to {agent} is not on the line any more; its record tells how it went",
    "reported": "the provider reported: {why}",
    "hung_up": "{who} had the call ended",
    "absent": "the provider's accounts know of no such call; most likely nothing rang",
    "unreported": "nobody reported how the call ended",
    "unresolved": "it never became known whether it rang",
    "agent_released": "{agent} is free again",
    "lapsed": "the reservation of {agent} ended, nothing was sent",
    "lead_no_answer": "the lead did not answer",
    "lead_busy": "the lead's line was busy",
    "lead_unreachable": "the lead could not be reached",
    "waiting": "waits again ({why})",
    "cancelled": "cancelled by {who}",
    "exhausted": "all tries are used up ({why})",
    "expired": "too old to be dialled without asking",
    "failed": "failed ({why})",
}


def explain(story: LeadStory, directory: Directory) -> list[str]:
    """One line per event, in the policy's time zone, and a last one that says what happens next."""
    zone = ZoneInfo(directory.policy.timezone)

    def clock(moment: int) -> str:
        return to_datetime(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

    lines: list[str] = []
    heard: set[tuple[str | None, str]] = set()
    for event in story.history:
        # Active calls and the provider's record may both have told it; the first one counts.
        if event.event == "agent_answered" and (event.attempt_id, event.event) in heard:
            continue
        heard.add((event.attempt_id, event.event))
        lines.append(f"{clock(event.at)}  {_words(event, directory)}")
    lines.append("next: " + _next(story, clock(story.lead.due_at) if story.lead.due_at else ""))
    return lines


def _words(event: Event, directory: Directory) -> str:
    agent = directory.agents.get(event.agent_id or "")
    name = agent.name if agent else event.agent_id or "the agent"
    if event.event == "exhausted" and event.why == "unreported":
        return "closed: without a report nobody knows whether to try again (is the CDR notification set up?)"
    text = WORDS.get(event.event, event.event)
    return text.format(who=event.who, why=event.why or "no reason given", agent=name)


def _next(story: LeadStory, due: str) -> str:
    match story.lead.state:
        case "waiting" if story.lead.reason == "no_agent":
            return f"dialled as soon as an agent is free; {story.ahead} before it"
        case "waiting":
            return f"dialled at {due} ({story.lead.reason})"
        case "held":
            return f"nothing, until a person releases it (held: {story.lead.reason})"
        case "dialing" if story.attempt_state == "unknown":
            return "the provider's own accounts of its calls settle it; it is not dialled again by itself"
        case "dialing":
            return "the provider reports how the call went"
        case state:
            return f"nothing; it is over ({state})"
