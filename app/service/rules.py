"""The rules in force: the directory as loaded, and what follows from it at a moment. Swapped whole on reload."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.clock import from_datetime, to_datetime
from app.directory import Directory, Policy, Site
from app.domain import guards, hours, moves
from app.domain.guards import Cap, NumberCap
from app.domain.lead import Attempt, Lead, Term
from app.domain.moves import Move, Opening
from app.domain.routing import Roster, site_open

ROSTER_FOR = 1000  # milliseconds a roster is reused; hours have minutes
NO_OPENING = timedelta(days=1)  # a site whose hours never open is looked at again after this


class Rules:
    """The directory and what it means now. Times in milliseconds."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
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
        self._roster = None

    def site(self, key: str) -> Site | None:
        return self._directory.sites.get(key)

    def roster(self, now: int) -> Roster:
        """Who may take what, recomputed once a second."""
        tick = now // ROSTER_FOR
        if self._roster is None or self._roster[0] != tick:
            self._roster = (tick, Roster(self._directory, to_datetime(now), now))
        return self._roster[1]

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

    def caps(self, now: int) -> tuple[Cap, ...]:
        """The money caps in force at that moment."""
        return guards.caps(self._directory.guards.calls, self.policy.timezone, now)

    def after_silence(self, attempt: Attempt, lead: Lead, now: int) -> Move | None:
        """What the rules in force make of an attempt that nobody has moved on."""
        return moves.after_silence(attempt, lead, self.policy, now, opening=self.opening(lead.site))
