"""What others are told of a finished request: a line in the log, and its result for the counters."""

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
            log.info("%s: accepted in %.3f s", what, seconds)
        case Refused(code, message, rule):
            result = "refused"
            log.warning("%s: refused, code %s (%s): %s", what, code, rule, message)
        case NotSent(why):
            result = "not_sent"
            log.warning("%s: not sent after %.3f s: %s", what, seconds, why)
        case Unknown(why):
            result = "unknown"
            log.warning("%s: unknown after %.3f s: %s", what, seconds, why)
    if count is not None:
        count(result, seconds)
