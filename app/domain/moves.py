"""What happens next: pure rules from an attempt's finding to the next state of attempt, lead and agent.

Every wait is data; randomness comes in as `jitter`, a number from 0 up to 1, added after the cap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from app.directory import Policy
from app.domain.answers import Answer, NotSent, Placed, Refused, Unknown
from app.domain.lead import Attempt, Lead
from app.domain.priority import AGAIN, BACKLOG, PROMISED, backlog_due

SECOND: Final = 1000
SEND_RETRY: Final = (2, 10, 30)  # seconds until a request that never left is tried again; the last one repeats
ERROR_RETRY: Final = 10  # seconds until the one repeat after the provider's own error
OFFLINE_FOR: Final = 60  # seconds an agent refused as offline is left alone
BLOCKED_FOR: Final = 900  # seconds an extension refused as blocked is left alone
TAKEN: Final = ("connected", "lead_no_answer", "lead_busy", "lead_unreachable")  # outcomes of a call the agent took
AVOID_FOR: Final = 120  # seconds in which who has just missed a lead is not asked for it, where there is anybody else
# Seconds until the provider's own accounts are asked about a call: what is on the line, counted from when it became
# unknown, and the call log, where rows appear minutes after the end of a call.
LINE_LOOKS: Final = (2, 10, 30)
LOG_LOOKS: Final = (300, 900, 1800)
ASK_PLACED: Final = 120  # seconds after a call was last seen until the log is asked for the record that did not come
UNRESOLVED_AFTER: Final = LOG_LOOKS[-1] + 120  # seconds until an unknown attempt is given up on and listed


@dataclass(frozen=True, slots=True)
class Move:
    """Where attempt, lead and agent go together, in one transaction. None leaves that part as it is."""

    attempt: str
    outcome: str | None = None
    why: str | None = None
    look_at: int | None = None  # when the sweeper has to look at the attempt again
    holds_agent: bool = False
    agent: str | None = None
    agent_until: int | None = None
    lead: str | None = None
    reason: str | None = None
    due_at: int | None = None
    expires_at: int | None = None  # None keeps it
    deadline_at: int | None = None  # None keeps it, and what was promised; a new one starts afresh
    rank: int | None = None  # None keeps it
    counts: tuple[str, ...] = ()  # counters that grow by one
    clears: tuple[str, ...] = ()  # counters that start again
    refund: bool = False  # nothing was called: give the call back to the budget
    event: str = ""
    avoid_until: int | None = None  # the agent is not to be asked for this lead before then
    call_id: str | None = None
    code: int | None = None
    missed: bool | None = None  # whether the agent missed the call, or took it; None tells neither
    pause_after: int = 0  # misses in a row that pause the agent, 0: none
    pause_until: int | None = None
    ask_at: int | None = None  # when the call log is to be asked, where the attempt goes on
    takes_lead: bool = False  # the lead is with this attempt from now on; not at all where another one was sent


Decide = Callable[[Attempt, Lead], "Move | None"]
Opening = Callable[[int], int]
"""The given moment when the lead may be rung then, else the next one at which it may (both in milliseconds).

It may while its site is open, and the dialing window of its own number."""


def waiting(
    reason: str,
    at: int,
    lead: Lead,
    policy: Policy,
    opening: Opening,
    *,
    new_term: bool = False,
    rank: int | None = None,
) -> dict[str, Any]:
    """The lead waits until `at`, or for the next opening when it may not be rung then.

    A `new_term` is another time to expire and another deadline; with an opening it has one anyhow. `rank`: None keeps
    it, but for the backlog that a closed site makes.
    """
    due = opening(at)
    if due > at:
        reason, new_term = "closed", True
        if lead.rank != PROMISED:
            due, rank = backlog_due(due, lead.received_at), BACKLOG
    term = {"expires_at": due + policy.expire_after * SECOND, "deadline_at": due + policy.deadline * SECOND}
    return {"lead": "waiting", "reason": reason, "due_at": due, "rank": rank, **(term if new_term else {})}


def after_answer(answer: Answer, lead: Lead, policy: Policy, now: int, *, jitter: float, opening: Opening) -> Move:
    """What the provider's answer to our request means."""
    match answer:
        case Placed(call_id=call_id):
            return Move(
                "placed",
                look_at=now + policy.assume_call * SECOND,
                holds_agent=True,
                agent="on_call",
                call_id=call_id,
                clears=("send_failures", "errors"),
                ask_at=now + ASK_PLACED * SECOND,
                event="placed",
            )
        case Unknown(why=why):
            return _unknown(why, policy, now)
        case NotSent(why=why, ours=True):
            return Move(
                "not_sent",
                why=why,
                agent="available",
                lead="failed",
                reason="request_wrong",
                refund=True,
                event="not_sent",
            )
        case NotSent(why=why):
            wait = SEND_RETRY[min(lead.send_failures, len(SEND_RETRY) - 1)] * SECOND
            return Move(
                "not_sent",
                why=why,
                agent="available",
                counts=("send_failures",),
                refund=True,
                event="not_sent",
                **waiting("retry", now + wait + int(wait * 0.25 * jitter), lead, policy, opening),
            )
        case Refused():
            return _after_refusal(answer, lead, policy, now, opening)


def _unknown(why: str, policy: Policy, now: int) -> Move:
    return Move(
        "unknown",
        why=why,
        look_at=now + policy.assume_call * SECOND,
        holds_agent=True,
        agent="on_call",
        ask_at=now + LOG_LOOKS[0] * SECOND,
        event="unknown",
    )


def _after_refusal(refused: Refused, lead: Lead, policy: Policy, now: int, opening: Opening) -> Move:
    base: dict[str, Any] = {"attempt": "refused", "why": refused.message, "code": refused.code, "refund": True}
    match refused.rule:
        case "agent_offline" | "agent_blocked" as rule:
            blocked = rule == "agent_blocked"
            return Move(
                **base,
                agent="blocked" if blocked else "offline",
                agent_until=now + (BLOCKED_FOR if blocked else OFFLINE_FOR) * SECOND,
                event=rule,
                **waiting("no_agent", now, lead, policy, opening),
            )
        case "request_wrong":
            return Move(
                **base,
                agent="available",
                lead="failed",
                reason="request_wrong",
                event="refused",
            )
        case "once_more" if lead.errors == 0:
            return Move(
                **base,
                agent="available",
                counts=("errors",),
                event="refused",
                **waiting("retry", now + ERROR_RETRY * SECOND, lead, policy, opening),
            )
        case "once_more" | "configuration":
            return Move(
                **base,
                agent="available",
                lead="held",
                reason="provider",
                event="refused",
            )


def after_outcome(
    outcome: str,
    lead: Lead,
    policy: Policy,
    now: int,
    *,
    opening: Opening,
    lead_first: bool = False,
    hung_up: bool = False,
    short: bool = False,
    why: str | None = None,
) -> Move:
    """What the end of a call means: `outcome` is one of states.OUTCOMES. `short`: they talked, but not long enough to
    count. `why` is how it is known, where that is not the provider's record.

    Where a person of ours had the call ended (`hung_up`) before anybody talked, a person decides how it goes on.

    An agent who misses a lead is followed by the next one at once, unless the lead's phone rang first: somebody
    who has just picked up to nobody is not rung again in the same minute.
    """
    agent: dict[str, Any] = {"agent": "wrap_up", "agent_until": now + policy.wrap_up * SECOND}
    if outcome == "agent_no_answer" and not hung_up:
        agent |= {
            "missed": True,
            "pause_after": policy.pause_after_misses,
            "pause_until": now + policy.pause_for * SECOND,
        }
    elif outcome in TAKEN:
        agent["missed"] = False
    if outcome == "connected":
        return Move("ended", outcome, lead="connected", event="connected", **agent)
    if outcome == "unreported":
        return Move("ended", outcome, agent="available", lead="exhausted", reason="unreported", event="unreported")
    if hung_up:
        return Move("ended", outcome, lead="held", reason="ended", event=outcome, **agent)
    if lead.ended_at is not None and now - lead.ended_at > policy.expire_after * SECOND:
        # An account that comes when nobody waits for the call any more rings nobody.
        return Move("ended", outcome, lead="exhausted", reason=outcome, event=outcome, **agent)
    avoid_until = now + AVOID_FOR * SECOND if outcome == "agent_no_answer" else None
    if outcome in ("agent_no_answer", "cancelled") and not lead_first:
        wait = policy.retry_agent[lead.agent_misses % len(policy.retry_agent)]
        return Move(
            "ended",
            outcome,
            counts=("agent_misses",),
            avoid_until=now + AVOID_FOR * SECOND,
            event=outcome,
            why=why,
            **waiting("retry" if wait else "no_agent", now + wait * SECOND, lead, policy, opening),
            **agent,
        )
    schedule = policy.retries(outcome, short=short)
    if lead.lead_tries < len(schedule):
        again = now + schedule[lead.lead_tries] * SECOND
        return Move(
            "ended",
            outcome,
            counts=("lead_tries",),
            clears=("agent_misses",),
            avoid_until=avoid_until,
            event="short_call" if short else outcome,
            why=why,
            **waiting("retry", again, lead, policy, opening, new_term=True, rank=AGAIN),
            **agent,
        )
    return Move(
        "ended",
        outcome,
        lead="exhausted",
        reason=outcome,
        counts=("lead_tries",),
        event="short_call" if short else outcome,
        why=why,
        **agent,
    )


def after_silence(attempt: Attempt, lead: Lead, policy: Policy, now: int, *, opening: Opening) -> Move | None:
    """What the sweeper does with an attempt whose time is up; None when there is nothing to do."""
    match attempt.state:
        case "reserved":
            # The first time at once; a lead that does this to us again and again must not spin.
            wait = SEND_RETRY[min(lead.send_failures, len(SEND_RETRY)) - 1] if lead.send_failures else 0
            return Move(
                "lapsed",
                why="nothing was sent before the reservation ended",
                agent="available",
                counts=("send_failures",),
                refund=True,
                event="lapsed",
                **waiting("no_agent", now + wait * SECOND, lead, policy, opening),
            )
        case "sending":
            return _unknown("the process that sent it went silent", policy, now)
        case "placed":
            return after_outcome("unreported", lead, policy, now, opening=opening)
        case "unknown" if now < _given_up_at(attempt):
            return agent_released(attempt)
        case "unknown":
            return Move(
                "unresolved",
                agent="available",
                lead="failed",
                reason="unresolved",
                event="unresolved",
            )
    return None


def agent_released(attempt: Attempt) -> Move:
    """An unknown call holds its agent no longer; it is itself looked at again when it is given up on."""
    return Move("unknown", look_at=_given_up_at(attempt), agent="available", event="agent_released")


def _given_up_at(attempt: Attempt) -> int:
    return (attempt.unknown_at or attempt.began_at) + UNRESOLVED_AFTER * SECOND
