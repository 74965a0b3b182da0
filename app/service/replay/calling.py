"""The calls of a replay: a lead and an agent for each other, until the call is over and known."""

from __future__ import annotations

from functools import partial

from app.directory import Agent, First
from app.domain import deadline, moves
from app.domain.answers import Refused
from app.domain.guards import Hit
from app.domain.moves import SECOND
from app.domain.past_day import Talk
from app.service.replay.agenda import Agenda
from app.service.replay.calls import Going, go
from app.service.replay.course import Course
from app.service.replay.habits import Habits
from app.service.replay.ledger import CallMade, Known
from app.service.replay.spending import Spending
from app.service.replay.staff import Staff
from app.service.replay.waiting import Waiting
from app.service.rules import Rules


class Calling:
    """Takes every call that the cap lets through; the provider of a replay never fails."""

    def __init__(
        self, rules: Rules, habits: Habits, agenda: Agenda, staff: Staff, waiting: Waiting, spending: Spending
    ) -> None:
        self._rules = rules
        self._habits = habits
        self._agenda = agenda
        self._staff = staff
        self._waiting = waiting
        self._spending = spending
        self.made: list[CallMade] = []
        self.known = Known()
        self.talks: dict[str, Talk] = {}

    def claim(self, course: Course, agent: Agent, first: First, now: int) -> None:
        """Reserve the agent for a due lead, and call; or hold the lead, as the cap on calls says."""
        self._waiting.leave_line(course)
        cap = self._rules.directory.guards.calls
        if not self._spending.spend(now, observe=cap.mode == "observe"):
            course.hits.append(Hit("calls", cap.mode))
            course.hold("calls", now)
            return
        course.change(state="dialing", reason=None, due_at=None, attempts=course.lead.attempts + 1)
        away = self._habits.away(agent.id, now)
        if away is not None:
            self._refuse(course, agent, Refused(None, "", away), now)
        else:
            self._call(course, agent, first, now)

    def _refuse(self, course: Course, agent: Agent, answer: Refused, now: int) -> None:
        lead = course.lead
        opening = self._rules.opening_for(lead.site, lead.phone)
        move = moves.after_answer(answer, lead, self._rules.policy, now, jitter=0.0, opening=opening)
        self._staff.reserve(agent.id, move, now)
        self._staff.leave(agent.id, now, move.agent_until)
        self._agenda.look(move.agent_until or now)
        self._spending.refund(now)
        course.move(move, agent.id, now)
        self._waiting.queue(course, now)

    def _call(self, course: Course, agent: Agent, first: First, now: int) -> None:
        lead, policy = course.lead, self._rules.policy
        going = self._going(course, agent, first, deadline.ring_time(policy.ring_agent, lead.deadline_at, now))
        lags = self._habits.lags
        free_at = now + going.lasts + (lags.missed if going.missed else lags.over)
        call = CallMade(lead.id, agent.id, now, free_at, going.missed, going.talk)
        self.made.append(call)
        self._staff.reserve(agent.id, call, now)
        if course.request_at is None:
            course.request_at = now
        if not going.missed:
            self._agenda.plan(free_at, partial(self._leaves, agent, call), of_a_call=True)
        known_at = free_at if going.missed else max(free_at, now + going.lasts + lags.told)
        self._agenda.plan(known_at, partial(self._ended, course, agent, call, going, first), of_a_call=True)

    def _going(self, course: Course, agent: Agent, first: First, ring_agent: int) -> Going:
        """How the call goes, and a note of what of it was known."""
        lead, known = course.lead, self.known
        asked = course.asked.get(agent.id, 0)
        pick_up, agent_known = self._habits.pick_up(lead.id, agent, asked, lead.attempts)
        reaction, lead_known = self._habits.reaction(lead.id, course.rung)
        going = go(first, self._rules.policy, ring_agent, pick_up, reaction)
        if going.agent_rang:
            course.asked[agent.id] = asked + 1
            known.picked_up += 1
            known.picked_up_drawn += not agent_known
        if going.lead_rang:
            course.rung += 1
            known.answered += 1
            known.answered_drawn += not lead_known
        return going

    def _leaves(self, agent: Agent, call: CallMade, now: int) -> None:
        """The call has left the line: its agent wraps up."""
        if self._staff.has(agent.id, call):
            until = now + self._rules.policy_of(agent.id).wrap_up * SECOND
            self._staff.leave(agent.id, now, until)
            self._agenda.look(until)

    def _ended(self, course: Course, agent: Agent, call: CallMade, going: Going, first: First, now: int) -> None:
        """It is known how the call went: what the line watch and the records make of it."""
        self._leaves(agent, call, now)
        lead = course.lead
        if going.conversation is not None:
            course.conversation_at = call.at + going.conversation
            self.talks[course.phone_key] = Talk(agent.id, now)
        if going.outcome != "agent_no_answer":
            self._spending.rang(course.phone_key, call.at)
        move = moves.after_outcome(
            going.outcome,
            lead,
            self._rules.policy_of(agent.id),
            now,
            opening=self._rules.opening_for(lead.site, lead.phone),
            lead_first=first == "lead",
            short=going.short,
        )
        if self._staff.count(agent.id, move):
            self._agenda.look(move.pause_until or now)
        course.move(move, agent.id, now)
        if course.waits:
            self._waiting.queue(course, now)
        elif not course.live:
            self._waiting.gone(course)
