"""Named crash points, for those who kill or freeze a real process exactly there (docs/reliability.md).

`LEADRING_FAULT` is not a setting of the service: it is read once, only by a process started with
`LEADRING_FAULTS_ALLOWED=yes` as well. It is one or several of these, with commas between them:

    NAME[@N | %P][:stop]

At the first passage of that point, at the N-th, or at each with a chance of P in 100, the process dies by SIGKILL;
with `:stop` it stands still (SIGSTOP), once. Everywhere else `point` costs one comparison.
"""

from __future__ import annotations

import random
import re
import signal
import threading
from dataclasses import dataclass

POINTS = (
    "start.after_recover",
    "intake.before_accept",
    "intake.after_accept",
    "intake.before_answer",
    "dispatch.after_reserve",
    "dispatch.after_intent",
    "dispatch.request_sent",
    "dispatch.before_record",
    "dispatch.after_record",
    "report.before_keep",
    "report.after_keep",
    "report.before_apply",
    "sweep.before_settle",
    "sweep.after_settle",
    "store.before_commit",
    "store.after_commit",
)
_WORDS = re.compile(r"(?P<name>[a-z_.]+)(?:@(?P<passage>[1-9]\d*)|%(?P<chance>\d+(?:\.\d+)?))?(?P<stop>:stop)?")


@dataclass(slots=True)
class _Fault:
    name: str
    passages: int  # until it happens
    chance: float | None
    stops: bool

    def is_due(self) -> bool:
        if self.chance is not None:
            return random.random() * 100 < self.chance  # noqa: S311 - no secret
        self.passages -= 1
        return self.passages == 0


_armed: list[_Fault] | None = None


def arm(text: str | None) -> None:
    """Make the process die or stand still as `text` says (see above); ValueError when it says nothing of the kind.
    None disarms."""
    global _armed
    _armed = [_read(words.strip()) for words in text.split(",")] if text is not None else None


def point(name: str) -> None:
    """Die here, now, without any clean-up, or stand still, when that is armed."""
    if _armed is not None:
        _pass(name, _armed)


def _read(words: str) -> _Fault:
    found = _WORDS.fullmatch(words)
    if found is None or found["name"] not in POINTS:
        raise ValueError(f"no crash point {words!r}; NAME[@N | %P][:stop], names are: {', '.join(POINTS)}")
    chance = float(found["chance"]) if found["chance"] else None
    return _Fault(found["name"], int(found["passage"] or 1), chance, found["stop"] is not None)


def _pass(name: str, armed: list[_Fault]) -> None:
    for fault in [one for one in armed if one.name == name]:
        if not fault.is_due():
            continue
        if fault.stops:
            armed.remove(fault)
        # To this very thread: it does not take one step more, whichever thread of the process it is.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP if fault.stops else signal.SIGKILL)
