"""The rules in force: the directory as loaded, and what follows from it at a moment. Swapped whole on reload."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.clock import from_datetime, to_datetime
from app.directory import Directory, Policy, Site
from app.domain import guards, hours, moves, spoken_time
from app.domain.dialing_window import window_of
from app.domain.guards import Cap, NumberCap
from app.domain.lead import Attempt, Lead, Term
from app.domain.moves import Move, Opening
from app.domain.phone import country_of
from app.domain.routing import Roster, site_open

ROSTER_FOR = 1000  # milliseconds a roster is reused; hours have minutes
NO_OPENING = timedelta(days=1)  # a site whose hours never open is looked at again after this


class Rules:
    """The directory and what it means now. Times in milliseconds."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._window = window_of(directory)
        self._roster: tuple[int, Roster] | None = None

    @property
    def directory(self) -> Directory:
        return self._directory

    @property
    def policy(self) -> Policy:
        return self._directory.policy

    def policy_of(self, agent_id: str) -> Policy:
        """The policy as it goes for one agent: a line to an IVR has nothing to wrap up, and takes no pause."""
        agent = self._directory.agents.get(agent_id)
        if agent is None or agent.line_of is None:
            return self.policy
        return replace(self.policy, wrap_up=0, pause_after_misses=0)

    def replace(self, directory: Directory) -> None:
        """Put another directory in force, whole."""
        self._directory = directory
        self._window = window_of(directory)
        self._roster = None

    def site(self, key: str) -> Site | None:
        return self._directory.sites.get(key)

    def roster(self, now: int) -> Roster:
        """Who may take what, recomputed once a second."""
        tick = now // ROSTER_FOR
        if self._roster is None or self._roster[0] != tick:
            before = self._roster[1] if self._roster is not None else None
            self._roster = (tick, Roster(self._directory, to_datetime(now), now, self._window, before))
        return self._roster[1]

    def local(self, moment: int) -> datetime:
        """The moment on the policy's clock on the wall."""
        return to_datetime(moment).astimezone(ZoneInfo(self.policy.timezone))

    def say_time(self, moment: int, now: int, language: str) -> str:
        """When it is, as a phrase within a sentence for a visitor; see app/domain/spoken_time.py."""
        return spoken_time.say_time(self.local(moment), self.local(now), language)

    def anybody_on_shift(self, now: int) -> bool:
        """Whether any site is open with somebody to take its leads."""
        return any(True for _ in self.roster(now).sites)

    def is_open(self, site: Site, now: int) -> bool:
        return site_open(site, self._directory, to_datetime(now))

    def opening(self, site_key: str) -> Opening:
        """For a site: a moment, or its next opening when it is closed then."""
        site = self._directory.sites.get(site_key)
        if site is None or site.hours is None:
            return lambda moment: moment
        week = self._directory.hours[site.hours]

        def next_open(moment: int) -> int:
            at = to_datetime(moment)
            if hours.is_open(week, at):
                return moment
            return from_datetime(hours.next_opening(week, at) or at + NO_OPENING)

        return next_open

    def term(self, due: int) -> Term:
        """The term of a lead that falls due then."""
        policy = self.policy
        return Term(due, due + policy.expire_after * moves.SECOND, due + policy.deadline * moves.SECOND)

    def number_cap(self, now: int) -> NumberCap | None:
        """How often one number may be rung today."""
        return guards.number_cap(self.policy, now, lambda site, at: self.term(self.opening(site)(at)))

    def next_ring(self, site_key: str, phone: str, moment: int) -> int | None:
        """The earliest moment, from this one on, at which the site is open and this number (E.164) may be rung.

        None when there is none in sight: the dialing window of that number and the site's hours never meet.
        """
        if self._window is None:
            return self.opening(site_key)(moment)
        site = self._directory.sites.get(site_key)
        week = self._directory.hours[site.hours] if site is not None and site.hours is not None else None
        at = to_datetime(moment)
        opening = self._window.next_opening(country_of(phone), week, at)
        if opening is None:
            return None
        return moment if opening == at else from_datetime(opening)

    def opening_for(self, site_key: str, phone: str) -> Opening:
        """For a lead of this site and number: a moment, or the next one at which it may be rung."""
        if self._window is None:
            return self.opening(site_key)

        def next_open(moment: int) -> int:
            found = self.next_ring(site_key, phone, moment)
            # Where they never meet, the sweeper finds it when that moment has come.
            return moment + NO_OPENING // timedelta(milliseconds=1) if found is None else found

        return next_open

    @property
    def has_window(self) -> bool:
        """Whether there is a dialing window at all: without one every number may be rung whenever its site is open."""
        return self._window is not None

    def may_ring_now(self, phone: str, now: int) -> bool:
        """Whether the dialing window of this number (E.164) is open."""
        return self._window is None or self._window.is_open(country_of(phone), to_datetime(now))

    def caps(self, now: int) -> tuple[Cap, ...]:
        """The money caps in force at that moment."""
        return guards.caps(self._directory.guards.calls, self.policy.timezone, now)

    def after_silence(self, attempt: Attempt, lead: Lead, now: int) -> Move | None:
        """What the rules in force make of an attempt that nobody has moved on."""
        return moves.after_silence(attempt, lead, self.policy, now, opening=self.opening_for(lead.site, lead.phone))
