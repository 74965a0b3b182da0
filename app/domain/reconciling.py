"""What the provider's accounts mean for a call of ours: seen on the line, gone from it, in no log. Pure."""

from __future__ import annotations

from dataclasses import replace

from app.directory import Policy
from app.domain.lead import Attempt, Lead
from app.domain.moves import ASK_PLACED, LOG_LOOKS, SECOND, Move, Opening, after_outcome, agent_released, waiting


def after_sighting(call_id: str | None, policy: Policy, now: int) -> Move:
    """A call is on the line that was unknown, or refused by an error of the provider's own: it was placed after all."""
    return _placed_after_all(call_id, policy, now)


def after_refuted_refusal(call_id: str | None, lead: Lead, policy: Policy, now: int) -> Move | None:
    """The call of a refused attempt is on the line: its lead is with that attempt again, whatever came after it.

    Not where the lead is closed, or held for another reason than a refusal. Where another attempt has been sent
    meanwhile, the two are not mixed: nothing moves then, which is decided where both can be seen.
    """
    if lead.state == "held" and lead.reason == "provider":
        return replace(
            _placed_after_all(call_id, policy, now), takes_lead=True, expires_at=now + policy.expire_after * SECOND
        )
    if lead.state in ("waiting", "dialing"):
        return replace(_placed_after_all(call_id, policy, now), takes_lead=True)
    return None


def _placed_after_all(call_id: str | None, policy: Policy, now: int) -> Move:
    return Move(
        "placed",
        lead="dialing",
        look_at=now + policy.assume_call * SECOND,
        holds_agent=True,
        agent="on_call",
        call_id=call_id,
        clears=("send_failures", "errors"),
        ask_at=now + ASK_PLACED * SECOND,
        event="confirmed",
    )


def after_call_left(attempt: Attempt, policy: Policy, now: int) -> Move:
    """A call is not on the line any more: its agent wraps up; how it went is told by the record.

    One that was never seen, and of which nobody knows whether it began, just lets its agent go.
    """
    if attempt.state == "unknown":
        return agent_released(attempt)
    return Move(
        "placed",
        look_at=now + policy.assume_call * SECOND,
        agent="wrap_up",
        agent_until=now + policy.wrap_up * SECOND,
        ask_at=now + ASK_PLACED * SECOND,
        event="call_left",
    )


def after_unanswered(attempt: Attempt, lead: Lead, policy: Policy, now: int, *, opening: Opening) -> Move:
    """The agent's phone was seen ringing and then nothing more: he did not pick up, and the next one is asked.

    The lead's phone is leg 2, which the provider dials only after leg 1 is answered (vendor page), so it has not rung.
    A record that says otherwise still corrects it.
    """
    hung_up = attempt.hung_up_at is not None
    return after_outcome("agent_no_answer", lead, policy, now, opening=opening, hung_up=hung_up, why="seen on the line")


def after_log_miss(attempt: Attempt, lead: Lead, policy: Policy, now: int, *, opening: Opening) -> Move | None:
    """The call log knew nothing of an unknown call again; after the last look there was no such call.

    A single clean answer is not enough, since rows appear late. Then a person decides, unless the policy allows
    one more call.
    """
    if attempt.log_looks + 1 < len(LOG_LOOKS) or attempt.log_misses + 1 < 2:
        return None
    redial = policy.redial_absent and lead.redials == 0
    wait = waiting("no_agent", now, lead, policy, opening, new_term=True) if redial else {}
    return Move(
        "absent",
        agent="available",
        counts=("redials",) if redial else (),
        refund=True,
        event="absent",
        **(wait or {"lead": "held", "reason": "absent"}),
    )


def ask_again_at(attempt: Attempt, now: int) -> int | None:
    """When the call log is asked about this call after the look that was just taken; None: never again.

    An unknown call is asked about at fixed times; one that was seen, or that the provider took, sooner and after it
    was last on the line.
    """
    unknown = attempt.state == "unknown"
    looks = LOG_LOOKS if unknown else (ASK_PLACED, *LOG_LOOKS)
    if attempt.log_looks + 1 >= len(looks):
        return None
    since = (attempt.unknown_at if unknown else attempt.seen_at) or attempt.began_at
    return max(now + SECOND, since + looks[attempt.log_looks + 1] * SECOND)
