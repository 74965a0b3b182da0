"""A lead explained: why this agent and none of the others, which guards spoke, what happened, what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.choices import read_choice
from app.domain.lead import Lead
from app.domain.phone import mask
from app.domain.stories import Dossier
from app.ports import Store
from app.service.attempt_words import AttemptWords
from app.service.choice_words import ChoiceWords
from app.service.explanation import Chosen, Explanation
from app.service.history_words import HistoryWords
from app.service.next_words import NextWords
from app.service.rules import Rules
from app.service.wall_clock import WallClock

NOT_KEPT = "why was not kept in those days"  # of choices from before they were


async def look_up(store: Store, rules: Rules, lead_id: str) -> Explanation | None:
    """The lead with this whole id explained; None when there is none. StorageUnavailable."""
    dossier = await store.dossier(lead_id, rules.number_cap(store.clock.now()))
    return None if dossier is None else explain(dossier, rules)


def explain(dossier: Dossier, rules: Rules) -> Explanation:
    """Everything about a lead in words, by the rules in force and on the policy's clock."""
    directory, story = rules.directory, dossier.story
    lead = story.lead
    clock = WallClock(directory.policy.timezone)
    names = ChoiceWords(directory, clock)
    site = directory.sites.get(lead.site)
    words = HistoryWords(names, clock, lead_first=site is not None and site.first == "lead", phone=lead.phone)
    history = list(words.lines(story.history))
    present = NextWords(dossier, rules, names, clock)
    follows = present.next()
    goes_on = history[-1].text if history and lead.state not in ("waiting", "dialing") else follows.what
    attempts = AttemptWords(names, words, story.history)
    return Explanation(
        lead_id=lead.id,
        state=lead.state,
        reason=lead.reason,
        summary=f"lead {lead.id} ({_from_where(lead)}): {_stands(dossier, names, clock)}",
        next=follows,
        history=history,
        choices=list(_choices(dossier, names, attempts, goes_on)),
        guards=list(words.guards(story.history)),
        waiting=present.waiting(),
    )


def _choices(dossier: Dossier, names: ChoiceWords, attempts: AttemptWords, goes_on: str) -> Iterator[Chosen]:
    reserved = [event for event in dossier.story.history if event.event == "reserved"]
    for number, event in enumerate(reserved, 1):
        choice = read_choice(event.why)
        yield Chosen(
            at=event.at,
            number=number,
            agent=event.agent_id or "",
            name=names.name(event.agent_id),
            by=choice.by if choice else None,
            why=names.why(choice, event.at) if choice else NOT_KEPT,
            others=names.why_not(choice.others, event.at, choice) if choice else (),
            attempt=list(attempts.lines(event, dossier.story.lead.state, goes_on)),
        )


def _from_where(lead: Lead) -> str:
    return f"{mask(lead.phone)}, {lead.site}, through {lead.source}"


def _stands(dossier: Dossier, names: ChoiceWords, clock: WallClock) -> str:
    """Where the lead is, in words."""
    lead = dossier.story.lead
    who = names.name(dossier.story.agent_id)
    ended = f", {clock.near(lead.ended_at, dossier.at)}" if lead.ended_at is not None else ""
    match lead.state:
        case "waiting" if (lead.due_at or 0) <= dossier.at:
            return "waits for an agent"
        case "waiting":
            return f"waits ({lead.reason})"
        case "held":
            return f"held ({lead.reason})"
        case "dialing":
            return f"being dialled, with {who}"
        case "connected":
            return f"connected, with {_talked_with(lead, dossier, names)}{ended}"
        case "cancelled":
            return f"cancelled ({lead.reason}){ended}"
        case state:
            return f"{state}{f' ({lead.reason})' if lead.reason not in (None, state) else ''}{ended}"


def _talked_with(lead: Lead, dossier: Dossier, names: ChoiceWords) -> str:
    talked = [one.attempt.agent_id for one in dossier.attempts if one.attempt.outcome == "connected"]
    return names.name(talked[-1] if talked else dossier.story.agent_id)
