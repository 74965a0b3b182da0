"""What the provider's codes mean, and what each asks of us.

The meanings are the list on the vendor's page "Click To Call API By Voicenter", section "Click To Call API
Response" (https://www.voicenter.com/API/click-to-call). The rules are ours: the page says nothing of repeating.
"""

from __future__ import annotations

from typing import Final, Literal

Rule = Literal["agent_offline", "agent_blocked", "request_wrong", "once_more", "configuration"]

ACCEPTED: Final = 0

# "Click To Call API By Voicenter": ERRORCODE → (the page's words, our rule; None where there is nothing to do)
CODES: Final[dict[int, tuple[str, Rule | None]]] = {
    ACCEPTED: ("OK", None),
    1: ("Invalid request parameters", "request_wrong"),
    2: ("Application error", "once_more"),
    3: ("The representative's extension is offline", "agent_offline"),
    4: ("Extension blocked for Click2Call calls", "agent_blocked"),
}


def meaning(code: int) -> str:
    """The vendor's words for `code`, or that the page does not list it."""
    words, _ = CODES.get(code, ("a code the vendor's page does not list", None))
    return words


def rule_of(code: int) -> Rule:
    """What a refusal with `code` asks of us.

    A code that is not on the page is held for a person: what a wrong account code, an address that is not
    allow-listed or a blocked number answer is documented nowhere (facts 1.7 and 7).
    """
    _, rule = CODES.get(code, ("", None))
    return rule or "configuration"
