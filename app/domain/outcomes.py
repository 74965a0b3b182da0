"""What the two legs' statuses say together: the outcome, as data and one function. Pure."""

from __future__ import annotations

from typing import Final

from app.domain.lead import Attempt


def talked_briefly(attempt: Attempt, least: int) -> bool:
    """Whether both talked, but for less than `least` seconds; not where nobody told how long."""
    return bool(attempt.leg2_talk) and (attempt.leg2_talk or 0) < least and outcome_of(attempt) == "connected"


def outcome_of(attempt: Attempt) -> str | None:
    """The outcome that both legs' statuses tell so far, or None while they do not tell.

    Statuses are the provider's (facts 2.3). The lead counts as reached only by an answered leg 2 with talk
    time (facts 2.4); voicemail is not a conversation; NOTCALLED on leg 2 defers to leg 1, and so does whatever is said
    of a leg 2 that cannot have been dialled. Where the lead's phone rang first, the legs change their meaning, not
    their order. A word nobody knows, beside talk time, tells nothing.
    """
    first, second, talk = attempt.leg1_status, attempt.leg2_status, attempt.leg2_talk
    lead_first = attempt.first_leg == "lead"
    if lead_first and first == "VOICEMAIL":
        return LEAD_SIDE[first]
    if second == "ANSWER" and (talk is None or talk > 0):
        return "connected"
    if first is not None and first != "ANSWER":
        return LEAD_SIDE.get(first, "lead_unreachable") if lead_first else "agent_no_answer"
    if second is None or second in NEVER_DIALLED or (talk and second not in KNOWN):
        return None
    return AGENT_SIDE.get(second, "agent_no_answer") if lead_first else LEAD_SIDE.get(second, "lead_unreachable")


NEVER_DIALLED: Final = ("NOTCALLED", "NOTDIALED")
# What the lead's leg says. Every word that is not here: the lead's phone was not reached at all.
LEAD_SIDE: Final = {
    "ANSWER": "lead_no_answer",  # without talk time: picked up and gone
    "NOANSWER": "lead_no_answer",
    "CANCEL": "lead_no_answer",
    "TIMEOUT": "lead_no_answer",
    "ABANDONE": "lead_no_answer",
    "VOICEMAIL": "lead_no_answer",
    "VOEND": "lead_no_answer",
    "BUSY": "lead_busy",
}
# What the agent's or the IVR's leg says where it comes second. Every word that is not here: nobody took the call.
AGENT_SIDE: Final = {
    "VOEND": "connected",  # ended inside the IVR, which is what was promised
}
# Words whose meaning is told somewhere, or plain from the name (facts 2.3).
KNOWN: Final = frozenset(LEAD_SIDE) | frozenset(
    {"CONGESTION", "CHANUNAVAIL", "INVALIDARGS", "SSWPREAUTH", "TE", "FULL", "EXIT", "JOINEMPTY"}
)
