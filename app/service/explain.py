"""A lead's history read aloud: what happened, when, by whom, why, and what happens next."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from app.clock import to_datetime
from app.directory import Agent, Directory
from app.domain.lead import Event
from app.domain.stories import LeadStory
from app.service.event_words import HELD, WORDS
from app.service.report_words import read_report

SAME_MOMENT: Final = 1000  # milliseconds


def explain(story: LeadStory, directory: Directory) -> list[str]:
    """One line per event, in the policy's time zone, and a last one that says what happens next."""
    zone = ZoneInfo(directory.policy.timezone)

    def clock(moment: int) -> str:
        return to_datetime(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

    site = directory.sites.get(story.lead.site)
    lead_first = site is not None and site.first == "lead"
    lines: list[str] = []
    heard: set[tuple[str | None, str]] = set()
    refused = "no reason given"
    for event, after in zip(story.history, [*story.history[1:], None], strict=False):
        # Active calls and the provider's record may both have told it; the first one counts.
        if event.event == "agent_answered" and (event.attempt_id, event.event) in heard:
            continue
        if _is_noise(event, after):
            continue
        heard.add((event.attempt_id, event.event))
        if event.event == "refused":
            refused = event.why or refused
        agent = directory.agents.get(event.agent_id or "")
        lines.append(f"{clock(event.at)}  {_words(event, agent, lead_first=lead_first, refused=refused, zone=zone)}")
    lines.append("next: " + _next(story, clock(story.lead.due_at) if story.lead.due_at else ""))
    return lines


def _is_noise(event: Event, after: Event | None) -> bool:
    """It waits for an agent, and in the same second there is one: the reservation tells it all."""
    return (
        event.event == "waiting"
        and event.why == "no_agent"
        and after is not None
        and after.event == "reserved"
        and after.at - event.at <= SAME_MOMENT
    )


def _words(event: Event, agent: Agent | None, *, lead_first: bool, refused: str, zone: ZoneInfo) -> str:
    name = agent.name if agent else event.agent_id or "the agent"
    why = event.why or "no reason given"
    match event.event:
        case "exhausted" if event.why == "unreported":
            return "closed: without a report nobody knows whether to try again (is the CDR notification set up?)"
        case "held" if why in HELD:
            return HELD[why].format(said=refused)
        case "reserved" if lead_first:
            return f"reserved for {name}; the lead is rung first"
        case "promised":
            why = to_datetime(int(why)).astimezone(zone).strftime("%H:%M") if why.isdecimal() else why
        case "reported":
            why = read_report(why, agent, zone)
    return WORDS.get(event.event, event.event).format(who=event.who, why=why, agent=name)


def _next(story: LeadStory, due: str) -> str:
    match story.lead.state:
        case "waiting" if story.lead.reason == "no_agent":
            place = f"{story.ahead} before it" if story.ahead else "first in line"
            return f"dialled as soon as an agent is free; {place}"
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
