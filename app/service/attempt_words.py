"""What came of an attempt, in a few lines: what was asked for, how it ended and who says so, and what followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.domain.hits import lasting
from app.domain.lead import Event
from app.domain.states import LEAD_FINAL
from app.service.choice_words import ChoiceWords
from app.service.history_words import SAME_MOMENT, HistoryWords

# Who tells how an attempt went.
KNOWN: Final[Mapping[str, str]] = {
    "dispatcher": "by Voicenter's answer",
    "presence": "as was seen on the line",
    "provider": "by Voicenter's record",
    "call log": "by Voicenter's call log",
    "sweeper": "as time went by",
}
# What ends an attempt, or is all that is known of it so far.
_ENDS: Final = frozenset(
    {
        "refused",
        "agent_offline",
        "agent_blocked",
        "not_sent",
        "unknown",
        "lapsed",
        "connected",
        "agent_no_answer",
        "lead_no_answer",
        "lead_busy",
        "lead_unreachable",
        "short_call",
        "cancelled",
        "unreported",
        "absent",
        "unresolved",
    }
)
# These say by themselves how they are known.
_PLAIN: Final = frozenset({"refused", "agent_offline", "agent_blocked", "not_sent", "unknown", "lapsed", "absent"})


# What a next attempt waited for.
_WAITED: Final[Mapping[str | None, str]] = {
    "no_agent": "as soon as somebody was free",
    "retry": "when its wait was over",
    "closed": "at the opening",
}
_WAITS: Final[Mapping[str, str]] = {
    "number_cap": "this number had been rung enough for that day",
    "released": "a person released the lead",
    "scheduled": "at the time that was set",
}


class AttemptWords:
    """Reads attempts aloud, by the events of their lead."""

    def __init__(self, names: ChoiceWords, words: HistoryWords, history: Sequence[Event]) -> None:
        self._names = names
        self._words = words
        self._history = history
        self._reserved = [event for event in history if event.event == "reserved"]

    def lines(self, reserved: Event, lead_state: str, goes_on: str) -> Iterator[str]:
        """The lines of the attempt that began so; `goes_on` is how its lead goes on, if it was the last."""
        own = [event for event in self._history if event.attempt_id == reserved.attempt_id]
        name = self._names.name(reserved.agent_id)
        asked = next((event for event in own if event.event == "sending"), None)
        if asked is not None and asked.why:
            ring, left = (int(part) for part in asked.why.split())
            deadline = f"{left} s were left of the deadline" if left >= 0 else f"the deadline was over for {-left} s"
            yield f"{name}'s phone was to ring for {ring} s; {deadline}"
        ends = [event for event in own if event.event in _ENDS]
        if ends and any(event.event == "confirmed" for event in own[own.index(ends[-1]) :]):
            ends = []  # it was on the line after all
        yield self._outcome(ends, own)
        refuted = next((event for event in own if event.event == "refuted"), None)
        if refuted is not None:
            yield f"and yet {self._words.words(refuted)}"
        after = self._after(reserved, ends[-1] if ends else None)
        if after:
            yield after
        elif ends and lead_state != "connected":
            yield f"no other {'followed' if lead_state in LEAD_FINAL else 'has followed yet'}: {goes_on}"

    def _outcome(self, ends: Sequence[Event], own: Sequence[Event]) -> str:
        if not ends:
            return f"under way: {self._words.words(own[-1])}"
        last = ends[-1]
        known = "" if last.event in _PLAIN else f", {KNOWN.get(last.who, f'by {last.who}')}"
        told = f"{self._words.words(last)}{known}"
        earlier = [event for event in ends[:-1] if event.event != last.event]
        return f"{told}; before that: {self._words.words(earlier[-1])}" if earlier else told

    def _after(self, reserved: Event, end: Event | None) -> str:
        """The attempt after this one; empty where there is none."""
        place = self._reserved.index(reserved)
        if place + 1 == len(self._reserved):
            return ""
        then = self._reserved[place + 1]
        gap = then.at - (end.at if end is not None else reserved.at)
        when = "at once" if gap <= SAME_MOMENT else f"after {lasting(gap // 1000)}"
        who = self._names.name(then.agent_id)
        again = " again" if then.agent_id == reserved.agent_id else ""
        return f"then {who}{again}, {when}{self._waited(reserved, then) if gap > SAME_MOMENT else ''}"

    def _waited(self, first: Event, then: Event) -> str:
        """Why the attempt that began with `then` came no sooner after the one before."""
        between = self._history[self._history.index(first) : self._history.index(then)]
        for event in reversed(between):
            if event.event in _WAITS:
                return f": {_WAITS[event.event]}"
            if event.event == "waiting":
                return f": {_WAITED[event.why]}" if event.why in _WAITED else ""
        return ""
