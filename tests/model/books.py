"""Leads, agents and attempts in memory, moved by the meaning of `Move`: the books as they should be.

What a database does with a move is written here a second time, in plain words and without SQL, so that the two can
be held against each other. The decisions themselves are the service's own pure functions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from app.domain import outcomes
from app.domain.lead import Attempt, Lead, Term
from app.domain.moves import Decide, Move
from app.domain.priority import BACKLOG, FRESH, PROMISED, backlog_due, turn
from app.domain.states import ATTEMPT_MOVES, LEAD_FINAL, LEAD_LIVE, LEAD_MOVES, may_move

ATTEMPT_LIVE: Final = ("reserved", "sending", "placed", "unknown")
REPORTABLE: Final = ("sending", "placed", "unknown", "unresolved", "absent", "ended")
HELD_FOR: Final = 7 * 86_400_000
HOUR: Final = 3_600_000
DEADLINE: Final = 40_000
OWN_ERROR: Final = 2  # the provider's code for an error of its own


def blank(kind: type[Any], **fields: Any) -> Any:
    """A lead or an attempt about which nothing is known but `fields`; a column that is added later is empty."""
    empty = {"int": 0, "str": "", "bool": False}
    known = {
        one.name: empty.get(str(one.type))
        for one in dataclasses.fields(kind)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    }
    return kind(**(known | fields))


@dataclass
class Person:
    """An agent's row."""

    id: str
    state: str = "available"
    until: int | None = None
    attempt_id: str | None = None
    paused: bool = False
    paused_until: int | None = None
    misses: int = 0
    presence: str | None = None
    presence_until: int | None = None

    def is_free(self, now: int) -> bool:
        """Whether a call may be sent to this agent now."""
        return (
            self.attempt_id is None
            and not (self.paused and (self.paused_until is None or self.paused_until > now))
            and (self.until is None or self.until <= now)
            and (self.presence_until is None or self.presence_until <= now)
        )


@dataclass
class Try:
    """An attempt's row: what the rules see of it, and what only the books need."""

    seen: Attempt
    owner: str
    holds_agent: bool = True
    ask_at: int | None = None
    requests: int = 0  # that left for the provider

    @property
    def live(self) -> bool:
        return self.seen.state in ATTEMPT_LIVE


@dataclass
class Books:
    """Everything. Moments in milliseconds; `limit`: calls that may be spent."""

    agents: dict[str, Person]
    limit: int
    pause_after: int = 0
    leads: dict[str, Lead] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # a lead's telephone number
    attempts: dict[str, Try] = field(default_factory=dict)
    used: int = 0

    # -------------------------------------------------------------------------------------------- leads

    def live_lead_of(self, number: str) -> Lead | None:
        """The lead that this number joins."""
        for lead in self.leads.values():
            if self.numbers[lead.id] == number and lead.state in LEAD_LIVE:
                return lead
        return None

    def accept(self, lead_id: str, number: str, now: int, *, due: int, reason: str, hold: str | None) -> None:
        """A new lead, which waits or is held. When nothing is left to spend it is held as well."""
        hold = hold or ("calls" if self.used >= self.limit else None)
        self.numbers[lead_id] = number
        self.leads[lead_id] = blank(
            Lead,
            id=lead_id,
            site="main",
            state="held" if hold else "waiting",
            reason=hold or reason,
            outcome=None,
            received_at=now,
            due_at=None if hold else due,
            expires_at=now + HELD_FOR if hold else due + HOUR,
            deadline_at=now + DEADLINE,
            ended_at=None,
            attempt_id=None,
            avoid_agent=None,
            rank=FRESH,
        )

    def change(self, lead_id: str, **fields: Any) -> None:
        self.leads[lead_id] = dataclasses.replace(self.leads[lead_id], **fields)

    def cancel(self, lead_id: str, now: int) -> None:
        if self.leads[lead_id].state in ("waiting", "held"):
            self.change(lead_id, state="cancelled", reason="visitor", due_at=None, ended_at=now)

    def reschedule(self, lead_id: str, term: Term) -> None:
        if self.leads[lead_id].state == "waiting":
            self.change(lead_id, reason="scheduled", rank=PROMISED, promised_at=None, **dataclasses.asdict(term))

    def put_off(self, term: Term, now: int) -> None:
        """Nobody may be rung any more today: a promise stays one, everything else is backlog, the freshest first."""
        for lead in self.due(now):
            promised = lead.rank == PROMISED
            due = term.due_at if promised else backlog_due(term.due_at, lead.received_at)
            fields = dataclasses.asdict(dataclasses.replace(term, due_at=due))
            rank = PROMISED if promised else BACKLOG
            self.change(lead.id, reason="closed", rank=rank, promised_at=None, **fields)

    def release(self, lead_id: str, term: Term) -> None:
        """A person lets it be dialled, unless another lead of that number is on its way."""
        lead = self.leads[lead_id]
        wrong = lead.state == "failed" and lead.reason == "request_wrong"
        other = self.live_lead_of(self.numbers[lead_id])
        if (lead.state == "held" or wrong) and (other is None or other.id == lead_id):
            fields = {"state": "waiting", "reason": "no_agent", "rank": PROMISED, "promised_at": None, "ended_at": None}
            self.change(lead_id, **fields, **dataclasses.asdict(term))

    def expire(self, now: int) -> None:
        for lead in list(self.leads.values()):
            if lead.state in ("waiting", "held") and lead.expires_at is not None and lead.expires_at <= now:
                self.change(lead.id, state="expired", reason="expired", due_at=None, ended_at=now)

    # ------------------------------------------------------------------------------------------- claims

    def due(self, now: int) -> list[Lead]:
        """Who may be called now, whose turn it is first."""
        waiting = [one for one in self.leads.values() if one.state == "waiting" and (one.due_at or 0) <= now]
        return sorted(waiting, key=lambda lead: turn(lead.rank, lead.due_at or 0))

    def asked(self, lead: Lead, free: Sequence[Person], now: int) -> list[Person]:
        """Who of the free ones may be asked: not at once again who has just missed it, where there is anybody else."""
        others = [one for one in free if one.id != lead.avoid_agent]
        waits = lead.avoid_until is not None and lead.avoid_until > now and len(self.agents) > 1
        return others or ([] if waits else list(free))

    def free(self, now: int) -> list[Person]:
        return [one for one in self.agents.values() if one.is_free(now)]

    def claimed(self, lead_id: str, attempt_id: str, agent_id: str, owner: str, now: int, lease: int) -> None:
        """This lead and this agent are reserved for each other; AssertionError when they were not to be had."""
        lead, agent = self.leads[lead_id], self.agents[agent_id]
        assert lead in self.due(now), f"{lead_id} is {lead.state} and not due"
        assert agent.is_free(now), f"{agent_id} is not free"
        if agent_id == lead.avoid_agent:
            asked = [one.id for one in self.asked(lead, self.free(now), now)]
            assert asked == [agent_id], "who has just missed it is asked beside others, or at once again"
        assert self.used < self.limit, "there is nothing left to spend"
        self.used += 1
        self.change(
            lead_id, state="dialing", reason=None, due_at=None, attempt_id=attempt_id, attempts=lead.attempts + 1
        )
        agent.state, agent.attempt_id, agent.until = "reserved", attempt_id, None
        agent.paused, agent.paused_until = False, None
        made = blank(
            Attempt,
            id=attempt_id,
            lead_id=lead_id,
            agent_id=agent_id,
            extension=f"SIP{agent_id}",
            number=lead.attempts + 1,
            state="reserved",
            outcome=None,
            reserved_at=now,
            sending_at=None,
            call_id=None,
            leg1_status=None,
            leg1_talk=None,
            leg2_status=None,
            leg2_talk=None,
            look_at=now + lease,
        )
        self.attempts[attempt_id] = Try(made, owner)

    def held(self, lead_id: str, now: int) -> None:
        """The cap stopped it."""
        assert self.used >= self.limit, "held although there was something left to spend"
        self.change(lead_id, state="held", reason="calls", due_at=None, expires_at=now + HELD_FOR)

    def begin_sending(self, attempt_id: str, owner: str, now: int, lease: int) -> bool:
        """Whether the request may leave: only its owner's, and only once."""
        one = self.attempts[attempt_id]
        if one.seen.state != "reserved" or one.owner != owner:
            return False
        one.seen = dataclasses.replace(one.seen, state="sending", sending_at=now, look_at=now + lease)
        one.requests += 1
        return True

    # ------------------------------------------------------------------------------------------- moves

    def settle(self, attempt_id: str, expected: Sequence[str], decide: Decide, now: int) -> Move | None:
        """What `decide` says, done to attempt, agent and lead."""
        one = self.attempts[attempt_id]
        if one.seen.state not in expected:
            return None
        lead = self.leads[one.seen.lead_id]
        move = decide(one.seen, lead)
        if move is None:
            return None
        if lead.state == "dialing" and lead.attempt_id is not None and self._wants(one.seen, lead, move):
            if self.settle(lead.attempt_id, ("reserved",), partial(_give_way, now), now) is not None:
                return self.settle(attempt_id, expected, decide, now)
            if move.takes_lead:
                return None
        assert may_move(ATTEMPT_MOVES, one.seen.state, move.attempt), f"{one.seen.state} to {move.attempt}"
        before = one.seen
        if before.state == "refused" and move.agent == "on_call":
            agent = self.agents[before.agent_id]
            one.holds_agent = agent.attempt_id is None
            if one.holds_agent:
                agent.state, agent.attempt_id, agent.until = "on_call", before.id, None
        self._move_attempt(one, move, now)
        self._move_agent(before, move)
        self._count_miss(before.agent_id, move)
        self._move_lead(before, lead, move, now)
        if move.refund and self.used > 0:
            self.used -= 1
        elif before.state in ("refused", "absent"):
            self.used += 1  # it was a call after all
        return move

    def _wants(self, attempt: Attempt, lead: Lead, move: Move) -> bool:
        """Whether an attempt that is not the lead's present one claims it: its call is on the line, or they talked."""
        return lead.attempt_id != attempt.id and (move.takes_lead or move.outcome == "connected")

    def _takes(self, attempt: Attempt, lead: Lead, move: Move) -> bool:
        if self._wants(attempt, lead, move):
            return lead.state not in ("dialing", "connected")
        later = [
            one.seen
            for one in self.attempts.values()
            if one.seen.lead_id == lead.id and one.seen.number > attempt.number
        ]
        nobody_rang = all(one.state in ("refused", "not_sent", "lapsed") for one in later)
        refuted = attempt.state == "refused" and move.attempt == "ended"
        return lead.attempt_id != attempt.id and refuted and lead.state == "waiting" and nobody_rang

    def _move_attempt(self, one: Try, move: Move, now: int) -> None:
        live = move.attempt in ATTEMPT_LIVE
        fields: dict[str, Any] = {
            "state": move.attempt,
            "outcome": move.outcome,
            "look_at": move.look_at if live else None,
        }
        if move.call_id is not None:
            fields["call_id"] = move.call_id
        if move.code is not None:
            fields["code"] = move.code
        if move.attempt == "unknown" and one.seen.state == "sending":
            fields["unknown_at"] = now
        if live and move.ask_at is not None:
            one.ask_at = move.ask_at
        elif not live and move.attempt != "unresolved" and move.outcome != "unreported":
            one.ask_at = None
        one.holds_agent = one.holds_agent and move.holds_agent
        one.seen = dataclasses.replace(one.seen, **fields)

    def _move_agent(self, attempt: Attempt, move: Move) -> None:
        agent = self.agents[attempt.agent_id]
        if move.agent is None or agent.attempt_id != attempt.id:
            return
        agent.state, agent.until = move.agent, None
        if move.agent not in ("reserved", "on_call"):
            agent.attempt_id, agent.until = None, move.agent_until
            if agent.presence == "busy":
                agent.presence = agent.presence_until = None

    def _count_miss(self, agent_id: str, move: Move) -> None:
        agent = self.agents[agent_id]
        if move.missed is False:
            agent.misses = 0
        elif move.missed:
            agent.misses += 1
            if move.pause_after and agent.misses >= move.pause_after and not agent.paused:
                agent.paused, agent.paused_until, agent.misses = True, move.pause_until, 0

    def _move_lead(self, attempt: Attempt, lead: Lead, move: Move, now: int) -> None:
        """A lead follows its present attempt. A conversation of any attempt is never forgotten."""
        takes = self._takes(attempt, lead, move)
        current = takes or lead.attempt_id == attempt.id
        talked = "connected" in (lead.outcome, move.outcome)
        if not current and move.outcome != "connected":
            if attempt.state == "refused" and "lead_tries" in move.counts:
                self.change(lead.id, lead_tries=lead.lead_tries + 1)
            return
        fields: dict[str, Any] = {"attempt_id": attempt.id} if takes else {}
        if move.outcome is not None:
            fields["outcome"] = "connected" if talked else move.outcome
        if current:
            fields |= dict.fromkeys(move.clears, 0)
            fields |= {name: getattr(lead, name) + 1 for name in move.counts}
            if move.avoid_until is not None:
                fields |= {"avoid_agent": attempt.agent_id, "avoid_until": move.avoid_until}
            if move.deadline_at is not None:
                fields |= {"deadline_at": move.deadline_at, "promised_at": None}
            if move.rank is not None:
                fields["rank"] = move.rank
            if move.expires_at is not None:
                fields["expires_at"] = move.expires_at
            elif move.lead == "held":
                fields["expires_at"] = now + HELD_FOR
        to, reason = move.lead, move.reason
        if talked and to is not None and move.attempt not in ATTEMPT_LIVE:
            to, reason = "connected", None
        if to is not None and (current or lead.state != "dialing") and self._may_go(lead, to):
            fields |= {
                "state": to,
                "reason": reason,
                "due_at": move.due_at if to == "waiting" else None,
                "ended_at": (lead.ended_at or now) if to in LEAD_FINAL else None,
            }
        self.change(lead.id, **fields)

    def _may_go(self, lead: Lead, to: str) -> bool:
        reopened = lead.state in LEAD_FINAL and to in LEAD_LIVE
        return may_move(LEAD_MOVES, lead.state, to) and not (
            reopened and self.live_lead_of(self.numbers[lead.id]) is not None
        )

    # ------------------------------------------------------------------------- what the provider tells

    def report(self, attempt_id: str, leg: int, status: str, talk: int, decide: Decide, now: int) -> Move | None:
        """A record of one leg: what says more than was known is kept, and may settle the attempt."""
        one = self.attempts[attempt_id]
        state, code = one.seen.state, one.seen.code
        if state not in REPORTABLE and not (state == "refused" and code == OWN_ERROR):
            return None
        seen = one.seen
        if leg == 1 and seen.leg1_status != "ANSWER":
            seen = dataclasses.replace(seen, leg1_status=status, leg1_talk=talk)
        if leg == 2 and _says(status, talk) > _says(seen.leg2_status, seen.leg2_talk):
            seen = dataclasses.replace(seen, leg2_status=status, leg2_talk=talk)
        one.seen = seen
        outcome = outcomes.outcome_of(seen)
        if outcome is None or outcome == seen.outcome:
            return None
        return self.settle(attempt_id, (*REPORTABLE, "refused"), decide, now)

    def seen_on_the_line(self, attempt_id: str, now: int, look_at: int, ask_at: int) -> None:
        """A placed call is on the line: it is not over, and its agent, if let go and still free, is on it."""
        one = self.attempts[attempt_id]
        if one.seen.state != "placed":
            return
        one.ask_at = ask_at
        one.seen = dataclasses.replace(
            one.seen, seen_at=now, log_looks=0, look_at=max(look_at, one.seen.look_at or look_at)
        )
        agent = self.agents[one.seen.agent_id]
        if not one.holds_agent and agent.attempt_id is None:
            agent.state, agent.attempt_id, agent.until, one.holds_agent = "on_call", attempt_id, None, True

    def refuted(self, attempt_id: str, now: int, ask_at: int) -> None:
        """A call that was refused is on the line while its lead goes another way: the log is asked about it."""
        one = self.attempts[attempt_id]
        if one.seen.state == "refused" and one.seen.code == OWN_ERROR:
            one.ask_at = ask_at
            one.seen = dataclasses.replace(one.seen, seen_at=now, log_looks=0)

    def asked_the_log(self, attempt_id: str, ask_at: int | None, *, missed: bool) -> None:
        """The log has answered, and knew nothing (`missed`)."""
        one = self.attempts[attempt_id]
        if one.ask_at is not None:
            one.ask_at = ask_at
            one.seen = dataclasses.replace(
                one.seen, log_looks=one.seen.log_looks + 1, log_misses=one.seen.log_misses + missed
            )

    # ------------------------------------------------------------------------------------------ agents

    def end_pauses(self, now: int) -> None:
        for agent in self.agents.values():
            if agent.attempt_id is None and agent.until is not None and agent.until <= now:
                agent.state, agent.until = "available", None

    def resume(self, agent_id: str) -> None:
        agent = self.agents[agent_id]
        agent.paused, agent.paused_until = False, None
        if agent.attempt_id is None:
            agent.state, agent.until = "available", None

    # ---------------------------------------------------------------------------------------- comparing

    def picture(self) -> dict[str, dict[str, tuple[object, ...]]]:
        """All that has to be the same in any other books."""
        return {
            "leads": {
                one.id: (
                    one.state, one.reason, one.outcome, one.due_at, one.expires_at, one.attempt_id, one.attempts,
                    one.lead_tries, one.agent_misses, one.send_failures, one.errors, one.redials, one.avoid_agent,
                    one.avoid_until, one.rank, one.deadline_at, one.promised_at,
                )
                for one in self.leads.values()
            },
            "attempts": {
                one.seen.id: (
                    one.seen.lead_id, one.seen.agent_id, one.seen.state, one.seen.outcome, int(one.holds_agent),
                    one.seen.look_at, one.ask_at, one.seen.log_looks, one.seen.log_misses,
                )
                for one in self.attempts.values()
            },
            "agents": {
                one.id: (one.state, one.until, one.attempt_id, int(one.paused), one.paused_until, one.misses)
                for one in self.agents.values()
            },
            "spent": {"hour": (self.used,)},
        }  # fmt: skip


def _give_way(now: int, _attempt: Attempt, _lead: Lead) -> Move:
    """A reservation of which nothing was sent ends for an earlier call's sake."""
    return Move("lapsed", agent="available", refund=True, event="lapsed", lead="waiting", reason="no_agent", due_at=now)


def _says(status: str | None, talk: int | None) -> int:
    """How much a word on the lead's leg says: nothing, never dialled, not reached, reached."""
    if status is None:
        return -1
    if status in ("NOTCALLED", "NOTDIALED"):
        return 0
    return 2 if status == "ANSWER" and talk != 0 else 1
