"""The day again, one moment after the other, by the rules of one file. Nothing is dialled, stored or said."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from app.directory import Directory
from app.domain.lead import Lead
from app.domain.moves import SECOND
from app.domain.pairing import pair
from app.domain.past_day import Deed, PastDay, PastLead
from app.domain.priority import AGAIN, PROMISED, told, turn
from app.service.replay.agenda import Agenda
from app.service.replay.boundaries import boundaries
from app.service.replay.calling import Calling
from app.service.replay.course import Course, new_lead
from app.service.replay.door import Door, seen_of
from app.service.replay.habits import Habits
from app.service.replay.ledger import Ledger
from app.service.replay.record import set_time
from app.service.replay.spending import Spending
from app.service.replay.staff import Staff
from app.service.replay.waiting import Waiting
from app.service.rules import Rules

ROUND: Final = 32  # leads of a site that a round of the dispatcher looks at


def replay(day: PastDay, directory: Directory, habits: Habits, *, deadline_then: int) -> Ledger:
    """What would have become of that day's leads under this file.

    `deadline_then`: the `deadline` (s) under which they were taken, from which set times are reckoned back.
    """
    return _Replay(day, directory, habits, deadline_then).run()


class _Replay:
    def __init__(self, day: PastDay, directory: Directory, habits: Habits, deadline_then: int) -> None:
        self._day = day
        self._rules = Rules(directory)
        self._deadline_then = deadline_then
        self._agenda = Agenda(day.until)
        self._spending = Spending(day, self._rules.caps)
        self._door = Door(self._rules, self._spending)
        self._staff = Staff(directory.agents.values())
        self._waiting = Waiting(self._rules, self._agenda)
        self._calling = Calling(self._rules, habits, self._agenda, self._staff, self._waiting, self._spending)
        self._calling.talks |= day.talks
        self._courses: dict[str, Course] = {}
        self._put_off = 0

    def run(self) -> Ledger:
        """Everything up to the end of the day; calls that are under way then are seen to their end."""
        self._plan()
        for now in self._agenda.moments():
            self._round(now)
            self._waiting.note(now)
        self._waiting.note(self._day.until, end=True)
        self._agenda.finish()
        return Ledger(
            tuple(course.told() for course in self._courses.values()),
            tuple(self._calling.made),
            self._put_off,
            {site: tuple(spans) for site, spans in self._waiting.waited.items()},
            self._waiting.longest,
            self._calling.known,
        )

    def _plan(self) -> None:
        """What comes from outside: the clocks, the leads, and what was done with them."""
        start = min((lead.received_at for lead in self._day.all), default=self._day.since)
        self._waiting.look_at_clocks(start)
        phones = {lead.phone for lead in self._day.all}
        for at in boundaries(self._rules.directory, phones, start, self._day.until):
            self._agenda.plan(at, self._waiting.look_at_clocks)
        for past in self._day.all:
            self._agenda.plan(past.received_at, partial(self._come, past, past.id, False))
            repeats = 0
            for deed in past.deeds:
                if deed.event == "joined":
                    repeats += 1
                    self._agenda.plan(deed.at, partial(self._come, past, f"{past.id} again {repeats}", True))
                elif deed.event in ("cancelled", "phoned_in", "released", "scheduled") and deed.who != "intake":
                    self._agenda.plan(deed.at, partial(self._do, past, deed))

    # -------------------------------------------------------------------------------------------------- the leads

    def _come(self, past: PastLead, lead_id: str, again: bool, now: int) -> None:
        """A submission, as intake takes it."""
        course = Course(new_lead(past, lead_id, now), past.phone_key, again)
        self._courses[lead_id] = course
        if past.site not in self._rules.directory.sites:
            course.end("no_site")
            return
        if self._door.refuses(past.phone) is None and self._waiting.has_live(past.phone_key):
            course.end("joined")
            return
        call_at = None if again else set_time(past, self._deadline_then)
        seen = frozenset[str]() if again else seen_of(past)
        let = self._door.judge(past.site, past.phone, past.phone_key, now, call_at, seen)
        course.hits = list(let.hits)
        if let.refused is not None:
            course.end("refused", let.refused)
            return
        if let.spam is not None:
            course.end("spam", let.spam)
            return
        course.fresh, course.origin = let.reason == "no_agent", told(let.term.due_at, let.rank)
        self._waiting.enter(course)
        course.wait(let.reason, let.rank, let.term)
        if let.held is not None:
            course.hold(let.held, now)
            course.lead = replace(course.lead, admitted=False)
            return
        self._spending.admit(past.phone_key, now)
        self._waiting.queue(course, now)

    def _do(self, past: PastLead, deed: Deed, now: int) -> None:
        """What the lead, or somebody of ours, did then, where it still means anything."""
        course = self._courses.get(past.id)
        if course is None or not course.live:
            return
        state = course.lead.state
        match deed.event:
            case "cancelled" if state in ("waiting", "held"):
                self._waiting.end(course, "cancelled", deed.who, now)
            case "phoned_in" if state == "waiting" and self._rules.policy.cancel_when_phoned_in:
                self._waiting.end(course, "cancelled", "phoned_in", now)
            case "released" if state == "held":
                if not course.lead.admitted:
                    self._spending.admit(course.phone_key, course.lead.received_at)
                course.wait("no_agent", PROMISED, self._rules.term(now), admitted=True)
                self._waiting.queue(course, now)
            case "scheduled" if state == "waiting" and (wanted := set_time(past, self._deadline_then, deed)):
                self._waiting.leave_line(course)
                opening = self._rules.opening_for(course.lead.site, course.lead.phone)
                course.wait("scheduled", PROMISED, self._rules.term(opening(max(wanted, now))))
                course.fresh, course.origin = False, course.lead.due_at
                self._waiting.queue(course, now)

    # -------------------------------------------------------------------------------------------------- the round

    def _round(self, now: int) -> None:
        """What the dispatcher does: an agent for each due lead, as long as there are both."""
        while self._waiting and (free := self._staff.free(now)):
            roster = self._rules.roster(now)
            sites = [site for site in roster.sites if self._waiting.are_due(site)]
            able = {agent.id for site in sites for agent in roster.eligible(site)}
            free = {name: agent for name, agent in free.items() if name in able}
            if not free:
                break
            looked_at = [one for site in sites for one in self._waiting.first(site, ROUND)]
            due = self._not_rung_out(looked_at, now)
            due.sort(key=lambda lead: turn(lead.rank, lead.due_at or 0))
            last = self._last_agents(due, now) if roster.sticky else {}
            pairs, _ = pair(roster, due, free, min(ROUND, len(free)), last)
            for one in pairs:
                self._calling.claim(self._courses[one.lead.id], one.agent, roster.first(one.lead.site), now)
            if not pairs and len(due) == len(looked_at):
                break

    def _not_rung_out(self, courses: list[Course], now: int) -> list[Lead]:
        """Who may be rung today; second tries go on tomorrow when the number was rung often enough."""
        again = [course for course in courses if course.lead.lead_tries]
        cap = self._rules.number_cap(now) if again else None
        if cap is not None:
            for course in again:
                if self._spending.rung_since(course.phone_key, cap.starts_at) >= cap.limit:
                    self._waiting.leave_line(course)
                    course.wait("retry", AGAIN, cap.tomorrow(course.lead.site))
                    self._waiting.queue(course, now)
                    self._put_off += 1
        return [course.lead for course in courses if course.lead.due_at is not None and course.lead.due_at <= now]

    def _last_agents(self, due: list[Lead], now: int) -> dict[str, str]:
        since = now - self._rules.policy.sticky * SECOND
        found = {lead.id: self._calling.talks.get(self._courses[lead.id].phone_key) for lead in due}
        return {lead_id: talk.agent_id for lead_id, talk in found.items() if talk is not None and talk.at > since}
