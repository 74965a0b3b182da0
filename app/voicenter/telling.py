"""What is kept of a finished request: a line for debugging, and its result for the counters.

Whoever asked tells what came of it, once, at the level it deserves; a second line here would only double it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.ports import Answer, HangUp, HungUp, NotSent, Placed, Refused, Unknown

log = logging.getLogger("leadring.voicenter")


def tell(what: str, answer: Answer | HangUp, seconds: float, count: Callable[[str, float], None] | None) -> None:
    """Log `answer` under `what`, and count it as ok, refused, not_sent or unknown."""
    match answer:
        case Placed(call_id):
            result = "ok"
            log.debug("%s: accepted in %.3f s, call id %s", what, seconds, call_id)
        case HungUp():
            result = "ok"
            log.debug("%s: accepted in %.3f s", what, seconds)
        case Refused(code, message, rule):
            result = "refused"
            log.debug("%s: refused, code %s (%s): %s", what, code, rule, message)
        case NotSent(why):
            result = "not_sent"
            log.debug("%s: not sent after %.3f s: %s", what, seconds, why)
        case Unknown(why):
            result = "unknown"
            log.debug("%s: unknown after %.3f s: %s", what, seconds, why)
    if count is not None:
        count(result, seconds)
