"""The leads that wait in a replay: they fall due, are put off, told another time, expire; as the sweeper does it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from app.directory import Site
from app.domain import deadline
from app.domain.guards import NO_COMMON_HOURS, Hit
from app.domain.lead import Lead
from app.domain.moves import SECOND
from app.domain.priority import BACKLOG, PROMISED, backlog_due, turn
from app.domain.shifts import Span
from app.service.replay.agenda import Agenda
from app.service.replay.course import Course
from app.service.replay.lines import Line
from app.service.rules import Rules

SWEEP: Final = 1000  # milliseconds between two sweeps of the service


class Waiting:
    """Every live lead by its number, and the lines of those that are due, by site."""

    def __init__(self, rules: Rules, agenda: Agenda) -> None:
        self._rules = rules
        self._agenda = agenda
        self._sites: tuple[Site, ...] = tuple(rules.directory.sites.values())
        self._lines = {site.key: Line() for site in self._sites}
        self._open: dict[str, bool] = {}
        self._due: dict[str, Course] = {}
        self._live: dict[str, Course] = {}
        self._since: dict[str, int] = {}
        self.waited: dict[str, list[Span]] = {site.key: [] for site in self._sites}
        self.longest: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        """Whether any lead is due."""
        return bool(self._due)

    # ------------------------------------------------------------------------------------------- coming and going

    def has_live(self, phone_key: str) -> bool:
        """Whether this number has a live lead."""
        return phone_key in self._live

    def enter(self, course: Course) -> None:
        """A lead is stored."""
        self._live[course.phone_key] = course

    def end(self, course: Course, state: str, reason: str, now: int) -> None:
        """Nobody is called any more."""
        self.leave_line(course)
        course.over(state, reason, now)
        self.gone(course)

    def gone(self, course: Course) -> None:
        """The lead is over: its number may have another one."""
        if self._live.get(course.phone_key) is course:
            del self._live[course.phone_key]

    def leave_line(self, course: Course) -> None:
        """It is not due any more, where it was."""
        if self._due.pop(course.lead.id, None) is not None:
            self._lines[course.lead.site].leave(course.lead.id)

    def queue(self, course: Course, now: int) -> None:
        """The lead waits: plan what comes of that."""
        lead, version = course.lead, course.version
        if lead.due_at is None or lead.expires_at is None:
            raise RuntimeError("a lead that waits is due at some time")
        if lead.due_at <= now:
            self._fall_due(course, version, now)
        else:
            self._agenda.plan(lead.due_at, partial(self._fall_due, course, version))
        late_at = max(now + SWEEP, lead.deadline_at - deadline.WARNED)
        self._agenda.plan(late_at, partial(self._late, course, version))
        self._agenda.plan(max(now + SWEEP, lead.expires_at), partial(self._expire, course, version))
        if lead.avoid_until is not None and lead.avoid_until > now:
            self._agenda.look(lead.avoid_until + SWEEP)  # a roster may be a second old

    # -------------------------------------------------------------------------------------------------- the lines

    def are_due(self, site: str) -> bool:
        """Whether any lead of this site is due."""
        return bool(self._lines[site])

    def first(self, site: str, most: int) -> list[Course]:
        """The due leads of a site whose turn it is first."""
        return [self._due[lead_id] for lead_id in self._lines[site].first(most)]

    def look_at_clocks(self, now: int) -> None:
        """Something opens or closes: whoever is due and may not be rung any more waits for the next opening."""
        self._open = {site.key: self._rules.is_open(site, now) for site in self._sites}
        for course in sorted(self._due.values(), key=lambda one: turn(one.lead.rank, one.lead.due_at or 0)):
            if self._may_not_ring(course.lead, now):
                self._put_off(course, now)

    def note(self, now: int, *, end: bool = False) -> None:
        """After a round: how many are due, and at which sites there are any. Nobody was free for them."""
        if self._due and (self.longest is None or len(self._due) > self.longest[0]):
            self.longest = (len(self._due), now)
        for site, line in self._lines.items():
            since = self._since.get(site)
            waits = bool(line) and not end
            if waits and since is None:
                self._since[site] = now
            elif since is not None and not waits:
                del self._since[site]
                if now > since:
                    self.waited[site].append((since, now))

    # -------------------------------------------------------------------------------------------------- the steps

    def _fall_due(self, course: Course, version: int, now: int) -> None:
        if course.version != version:
            return
        if self._may_not_ring(course.lead, now):
            self._put_off(course, now)
        else:
            self._due[course.lead.id] = course
            self._lines[course.lead.site].add(course.lead)

    def _may_not_ring(self, lead: Lead, now: int) -> bool:
        return not self._open[lead.site] or not self._rules.may_ring_now(lead.phone, now)

    def _put_off(self, course: Course, now: int) -> None:
        lead = course.lead
        self.leave_line(course)
        due = self._rules.next_ring(lead.site, lead.phone, now)
        if due is None:
            course.hits.append(Hit(NO_COMMON_HOURS, "hold"))
            course.hold(NO_COMMON_HOURS, now)
            return
        term, rank = self._rules.term(due), PROMISED
        if lead.rank != PROMISED:
            term, rank = replace(term, due_at=backlog_due(due, lead.received_at)), BACKLOG
        course.wait("closed", rank, term)
        if course.request_at is None:
            course.fresh, course.origin = False, due
        self.queue(course, now)

    def _late(self, course: Course, version: int, now: int) -> None:
        """Nobody was free in time: the lead is told another one, and stays due."""
        lead, policy = course.lead, self._rules.policy
        if course.version != version or lead.deadline_at > now + deadline.WARNED:
            return
        ahead, agents = self._lines[lead.site].ahead(lead), len(self._rules.roster(now).eligible(lead.site))
        at = self._rules.opening_for(lead.site, lead.phone)(
            deadline.promised(now, ahead, agents, call_takes=policy.call_takes, callback_after=policy.callback_after)
        )
        expires = lead.expires_at or now
        if lead.promised_at is None:
            expires = max(expires, at + policy.expire_after * SECOND)
        course.promises += 1
        course.lead = replace(lead, promised_at=at, deadline_at=at, expires_at=expires)
        self._agenda.plan(at - deadline.WARNED, partial(self._late, course, version))
        self._agenda.plan(expires, partial(self._expire, course, version))

    def _expire(self, course: Course, version: int, now: int) -> None:
        if course.version == version and (course.lead.expires_at or 0) <= now:
            self.end(course, "expired", "expired", now)
