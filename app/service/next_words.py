"""What happens next with a lead, when, and why then; whose turn it is; and why nobody takes it now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from app.clock import to_datetime
from app.domain.choices import Group, Other
from app.domain.dialing_window import window_of
from app.domain.hours import why_closed
from app.domain.lead import Lead
from app.domain.phone import country_of, mask_within
from app.domain.priority import RANKS, told
from app.domain.routing import language_of
from app.domain.stories import Dossier
from app.domain.why_not import busy
from app.service.choice_words import ChoiceWords
from app.service.explanation import Next, Waiting
from app.service.rules import Rules
from app.service.wall_clock import WallClock

RANK: Final[Mapping[int, tuple[str, str]]] = {
    0: ("set time", "at a set time, or released by a person"),
    1: ("fresh", "fresh: somebody has just sent the form"),
    2: ("again", "a second try: its own phone was rung before"),
    3: ("backlog", "of the backlog: came in while nobody was there"),
}
# Why a lead waits for a time: what happened last, and what goes by it.
AFTER: Final[Mapping[str, str]] = {
    "lead_no_answer": "the lead did not answer ({wait} of retry_lead)",
    "lead_busy": "the lead's line was busy ({wait} of retry_busy, else retry_lead)",
    "lead_unreachable": "the lead could not be reached ({wait} of retry_unreachable, else retry_lead)",
    "short_call": "they talked too briefly ({wait} of retry_short, else retry_lead)",
    "agent_no_answer": "an agent did not answer (retry_agent)",
    "cancelled": "the call was cancelled (retry_agent)",
    "not_sent": "the request could not leave",
    "refused": "Voicenter reported an error of its own: it is repeated once",
    "lapsed": "nothing was sent before the reservation ended",
    "number_cap": "its number was rung as often as it may be in a day (calls_per_number)",
}
OVER: Final[Mapping[str | None, str]] = {
    "unreported": "a record that comes late still corrects it",
    "unresolved": "a record that comes late still corrects it",
    "request_wrong": "it may be released when the request is mended",
}


class NextWords:
    """Reads a dossier's present aloud, by the rules in force."""

    def __init__(self, dossier: Dossier, rules: Rules, names: ChoiceWords, clock: WallClock) -> None:
        self._dossier = dossier
        self._lead = dossier.story.lead
        self._now = dossier.at
        self._rules = rules
        self._names = names
        self._clock = clock

    def next(self) -> Next:
        """What happens next."""
        lead = self._lead
        match lead.state:
            case "waiting" if self._is_due:
                return self._due()
            case "waiting":
                due = told(lead.due_at or 0, lead.rank)
                return Next(f"dialled at {self._near(due)}", lead.due_at, self._why_then())
            case "held":
                end = f"expires at {self._near(lead.expires_at)}" if lead.expires_at else ""
                return Next("nothing, until a person releases it", None, end)
            case "dialing":
                return self._dialing()
            case _:
                return Next(f"nothing; it is over ({lead.state})", None, OVER.get(lead.reason, ""))

    def waiting(self) -> Waiting | None:
        """Whose turn it is; None for a lead that does not wait."""
        lead = self._lead
        if lead.state != "waiting":
            return None
        return Waiting(
            rank=RANK[lead.rank][0],
            ahead=self._dossier.story.ahead if self._is_due else None,
            turn=self._turn(),
            deadline_at=lead.deadline_at,
            promised_at=lead.promised_at,
            expires_at=lead.expires_at,
            agents=self._names.why_not(list(self._groups()), self._now) if self._may_be_rung else [],
        )

    # --------------------------------------------------------------------------------------- it waits for a time

    def _why_then(self) -> str:
        lead = self._lead
        closed = self._closed()
        match lead.reason:
            case "closed":
                return closed or "it would have fallen due outside of the hours"
            case "scheduled":
                last = next((one for one in reversed(self._dossier.story.history) if one.event == "scheduled"), None)
                who = last.who if last is not None else "somebody"
                return "the form asked for that time" if who == "intake" else f"the time was set by {who}"
        last = next((one for one in reversed(self._dossier.story.history) if one.event in AFTER), None)
        why = AFTER[last.event].format(wait=self._which_wait(last.event)) if last is not None else ""
        capped = f"{AFTER['number_cap']}, which may put it off until tomorrow" if self._dossier.rung_out else ""
        return "; ".join(part for part in (why, capped, closed) if part)

    def _which_wait(self, event: str) -> str:
        schedule = self._rules.policy.retries(event, short=event == "short_call")
        return f"wait {self._lead.lead_tries} of the {len(schedule)}"

    def _closed(self) -> str:
        """Why the lead may not be rung now by the clock, in words; empty when it may."""
        at, directory = to_datetime(self._now), self._rules.directory
        site = self._rules.site(self._lead.site)
        if site is None:
            return f"the site {self._lead.site} is not in leadring.toml any more"
        if site.hours is not None and not self._rules.is_open(site, self._now):
            return f"{site.key} is closed: {why_closed(directory.hours[site.hours], at)}"
        window = window_of(directory)
        if window is None or self._rules.may_ring_now(self._lead.phone, self._now):
            return ""
        shut = [hours for hours in window.on_clocks(country_of(self._lead.phone)) if why_closed(hours, at) != "open"]
        return f"the dialing window of its number is closed: {why_closed(shut[0], at)} ({shut[0].timezone})"

    # ------------------------------------------------------------------------------------- it waits for an agent

    @property
    def _is_due(self) -> bool:
        return self._lead.state == "waiting" and (self._lead.due_at or 0) <= self._now

    @property
    def _may_be_rung(self) -> bool:
        return self._is_due and not self._closed()

    def _due(self) -> Next:
        lead, switch = self._lead, self._dossier.dialling
        if self._rules.site(lead.site) is None:
            end = f"expires at {self._near(lead.expires_at)}" if lead.expires_at is not None else ""
            return Next("nothing, unless its site comes back", None, "; ".join((self._closed(), end)))
        if closed := self._closed():
            opens = self._rules.next_ring(lead.site, lead.phone, self._now)
            when = f"put off until {self._near(opens)}" if opens else "held for a person: it may never be rung"
            return Next(when, opens, closed)
        if self._dossier.rung_out:
            return Next("put off until tomorrow", None, AFTER["number_cap"])
        ahead = self._dossier.story.ahead
        place = f"{ahead} before it" if ahead else "first in line"
        if not switch.on:
            since = f" since {self._near(switch.since)}" if switch.since else ""
            why = f" ({mask_within(switch.why)})" if switch.why else ""
            off = f"dialling is switched off{since}, by {switch.who or 'somebody'}{why}"
            return Next("dialled when dialling is switched on again", None, f"{off}; {place}")
        told_by = f"told that the call comes by {self._near(lead.promised_at)}" if lead.promised_at else ""
        parts = [place, told_by, *self._free_now()]
        return Next("dialled as soon as an agent is free", None, "; ".join(part for part in parts if part))

    def _free_now(self) -> Iterator[str]:
        """A word about the agents, where it is not plain that somebody has to become free."""
        groups = {group.reason: group for group in self._groups()}
        if "free" in groups:
            names = ", ".join(self._names.name(one.agent) for one in groups["free"].agents[:3])
            yield f"free now: {names}; the next round dials, unless the breaker holds calls back (/readyz says so)"
        elif not self._rules.roster(self._now).able(self._lead.site, language_of(self._lead.asked_language)).agents:
            yield "nobody who may take it is on shift"

    def _turn(self) -> str:
        lead, ahead = self._lead, self._dossier.ahead
        parts = [RANK[lead.rank][1]]
        if self._is_due:
            many = {rank: ahead.get(rank, 0) for rank in RANKS if ahead.get(rank, 0)}
            told_ahead = ", ".join(f"{count} {RANK[rank][0]}" for rank, count in many.items())
            total = self._dossier.story.ahead
            parts.append(f"{total} before it ({told_ahead})" if many else "first in line")
        if lead.promised_at is not None:
            parts.append(f"promised by {self._near(lead.promised_at)}, as nobody was free in time")
        else:
            parts.append(f"deadline {self._near(lead.deadline_at)}")
        if lead.expires_at is not None:
            parts.append(f"expires at {self._near(lead.expires_at)}")
        return "; ".join(parts)

    def _groups(self) -> Iterator[Group]:
        """Every enabled agent, by why he does not take this lead now."""
        lead = self._lead
        roster = self._rules.roster(self._now)
        site = self._rules.site(lead.site)
        if site is None:
            return
        language = language_of(lead.asked_language)
        able = roster.able(lead.site, language)
        found: dict[tuple[str, str], list[Other]] = {}
        for agent in able.agents:
            reason, other = self._doing(agent.id, lead)
            found.setdefault((reason, ""), []).append(other)
        for agent in roster.eligible(lead.site):
            if agent.id not in able.ids:
                found.setdefault(("language", language), []).append(Other(agent.id))
        for why, ids in roster.why_off(site).items():
            found.setdefault(why, []).extend(Other(one) for one in ids)
        for (reason, detail), others in found.items():
            yield Group(reason, detail, tuple(others), len(others))

    def _doing(self, agent: str, lead: Lead) -> tuple[str, Other]:
        state = self._dossier.agents.get(agent)
        if state is None:
            return "unlisted", Other(agent)
        if state.at(self._now) == "available":
            avoided = agent == lead.avoid_agent and self._rules.roster(self._now).avoids(lead)
            return ("just_missed", Other(agent, (lead.avoid_until,))) if avoided else ("free", Other(agent))
        fresh = state.presence if (state.presence_until or 0) > self._now else None
        reason, until, text = busy(
            state.state, state.until, state.paused, state.paused_until, state.pause_reason, fresh, self._now
        )
        figures = () if until is None and reason != "paused" else (until,)
        return reason, Other(agent, figures, text or "")

    # --------------------------------------------------------------------------------------------- it is dialled

    def _dialing(self) -> Next:
        last = self._dossier.attempts[-1] if self._dossier.attempts else None
        if last is None:
            return Next("the attempt that is under way ends", None, "")
        match last.attempt.state:
            case "reserved":
                return Next("the request to the provider leaves", None, self._if("given back", last.look_at))
            case "sending":
                return Next("the provider answers", None, self._if("unknown whether it rings", last.look_at))
            case "unknown":
                what = "the provider's own accounts of its calls settle it; it is not dialled again by itself"
                return Next(what, last.ask_at, self._if("asked for in the call log", last.ask_at))
            case _:
                what = "the provider reports how the call went"
                return Next(what, last.ask_at, self._if("asked for in the call log", last.ask_at))

    def _if(self, what: str, moment: int | None) -> str:
        return f"if not by then, it is {what} at {self._near(moment)}" if moment is not None else ""

    def _near(self, moment: int) -> str:
        return self._clock.near(moment, self._now)
