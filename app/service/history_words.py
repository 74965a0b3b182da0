"""A lead's history in words: each event, by whom, why, and with what figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from app.domain.hits import read_hit
from app.domain.lead import Event
from app.domain.phone import mask_within
from app.service.choice_words import ChoiceWords
from app.service.event_words import HELD, WORDS
from app.service.explanation import GuardSpoke, Line
from app.service.report_words import read_report
from app.service.wall_clock import WallClock

DECIDED: Final = {"held": "hold", "spam": "refuse"}  # by the event, the mode of the guard that decided
SAME_MOMENT: Final = 1000  # milliseconds
OWN_DIGITS: Final = 8  # last ones of a number, by which it is known in any spelling
NO_GUARDS: Final = frozenset({"provider", "absent", "ended"})  # a lead is held by what came of its call
# What the provider or an exception said, word for word.
_FOREIGN: Final = frozenset({"refused", "agent_offline", "agent_blocked", "not_sent", "unknown"})


class HistoryWords:
    """Reads events aloud; of one lead, in their order, as some are told by what came before them."""

    def __init__(self, names: ChoiceWords, clock: WallClock, *, lead_first: bool, phone: str) -> None:
        """`phone` is the lead's own number, which is in no line, wherever it comes from."""
        self._own = re.compile(re.escape(phone[-OWN_DIGITS:]))
        self._names = names
        self._clock = clock
        self._lead_first = lead_first
        self._refused = "no reason given"
        self._agents: dict[str | None, str | None] = {}

    def lines(self, history: Sequence[Event]) -> Iterator[Line]:
        """One line for each event, but for noise and what is told twice."""
        heard: set[tuple[str | None, str]] = set()
        for event, after in zip(history, [*history[1:], None], strict=False):
            if event.agent_id is not None:
                self._agents[event.attempt_id] = event.agent_id
            # Active calls and the provider's record may both have told it; the first one counts.
            if event.event == "agent_answered" and (event.attempt_id, event.event) in heard:
                continue
            if _is_noise(event, after):
                continue
            heard.add((event.attempt_id, event.event))
            if event.event == "refused":
                self._refused = self._why(event)
            yield Line(event.at, self.words(event))

    def words(self, event: Event) -> str:
        """One event."""
        return self._own.sub("•••••", self._words(event))

    def _words(self, event: Event) -> str:
        agent = event.agent_id or self._agents.get(event.attempt_id)
        name, why = self._names.name(agent), self._why(event)
        match event.event:
            case "exhausted" if event.why == "unreported":
                return "closed: without a report nobody knows whether to try again (is the CDR notification set up?)"
            case "held" | "spam" | "observed":
                return self._guard(event)
            case "reserved" if self._lead_first:
                return f"reserved for {name}; the lead is rung first"
            case "sending" if event.why:
                return f"{WORDS['sending']}; {name}'s phone is to ring for {event.why.split()[0]} s"
            case "scheduled" if event.why == "closed":
                return "came in while it may not be rung; waits for the opening"
            case "scheduled":
                return f"waits for a time that was set by the {'form' if event.who == 'intake' else event.who}"
            case "promised" if why.isdecimal():
                why = self._clock.minute(int(why))
            case "reported":
                why = read_report(why, self._names.agent(agent), self._clock.zone)
                return WORDS["reported_by_log" if event.who == "call log" else "reported"].format(why=why)
        return WORDS.get(event.event, event.event).format(who=event.who, why=why, agent=name)

    def guards(self, history: Sequence[Event]) -> Iterator[GuardSpoke]:
        """The guards that spoke, in which mode, and what they said."""
        for event in history:
            guard, mode, _ = read_hit(event.why or "")
            if event.event in (*DECIDED, "observed") and guard not in NO_GUARDS:
                decided = event.event in DECIDED
                mode = mode or DECIDED.get(event.event, "observe")
                yield GuardSpoke(event.at, guard, mode, decided, self._guard(event))

    def _guard(self, event: Event) -> str:
        guard, mode, figures = read_hit(event.why or "no reason given")
        more = f" ({figures})" if figures else ""
        if event.event == "observed":
            return f"the guard {guard} would have {'held it, too' if mode else 'spoken'}{more}"
        if event.event == "spam":
            return WORDS["spam"].format(why=guard) + more
        if guard in HELD:
            return HELD[guard].format(said=self._refused) + more
        return WORDS["held"].format(why=guard) + more

    def _why(self, event: Event) -> str:
        why = event.why or "no reason given"
        return mask_within(why) if event.event in _FOREIGN else why


def _is_noise(event: Event, after: Event | None) -> bool:
    """It waits for an agent, and in the same second there is one: the reservation tells it all."""
    return (
        event.event == "waiting"
        and event.why == "no_agent"
        and after is not None
        and after.event == "reserved"
        and after.at - event.at <= SAME_MOMENT
    )
