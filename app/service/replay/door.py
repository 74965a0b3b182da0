"""What the guards make of a submission in a replay: refused, held or let in, as intake and store decide it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Final

from app.directory import Guards, Mode
from app.domain import guards
from app.domain.guards import NO_COMMON_HOURS, Hit
from app.domain.hits import read_hit
from app.domain.lead import Term
from app.domain.past_day import PastLead
from app.domain.phone import Phone, PhoneRefused, country_of, read_phone
from app.domain.submission_guards import STALE
from app.service.callbacks import first_due
from app.service.replay.spending import Spending
from app.service.rules import Rules


@dataclass(frozen=True, slots=True)
class Let:
    """What is decided of it: `refused`, `held` or `spam` name the guard; else it is due at the term, as `reason`."""

    hits: tuple[Hit, ...]
    term: Term
    reason: str
    rank: int
    refused: str | None = None
    held: str | None = None
    spam: str | None = None


# What was seen of a submission when it came, and cannot be seen of a number again: the file says what it means.
_SEEN: Final[Mapping[str, Callable[[Guards], Mode]]] = {
    "honeypot": lambda of: of.honeypot,
    "low_confidence": lambda of: of.low_confidence,
    STALE: lambda _: "hold",
}


def seen_of(past: PastLead) -> frozenset[str]:
    """The guards of these that spoke when it came, in whatever mode; of one that joined it later they say nothing."""
    first = takewhile(lambda deed: deed.event != "joined", past.deeds)
    spoke = (read_hit(deed.why)[0] for deed in first if deed.event in ("held", "spam", "observed") and deed.why)
    return frozenset(_SEEN).intersection(spoke)


class Door:
    """The guards of one file."""

    def __init__(self, rules: Rules, spending: Spending) -> None:
        self._rules = rules
        self._spending = spending

    def refuses(self, phone: str) -> str | None:
        """The guard that refuses this number for itself, or None; asked before anything else is."""
        decided = guards.worst(self._look(phone))
        return decided.guard if decided is not None and decided.mode == "refuse" else None

    def judge(
        self,
        site: str,
        phone: str,
        phone_key: str,
        now: int,
        call_at: int | None,
        seen: frozenset[str] = frozenset(),
    ) -> Let:
        """A submission of a number that has no live lead. `call_at`: the set time that was asked for."""
        due, reason, rank, hold = first_due(lambda moment: self._rules.next_ring(site, phone, moment), now, call_at)
        term = self._rules.term(due)
        of_file = self._rules.directory.guards
        at_sight = [Hit(name, mode) for name in _SEEN if name in seen and (mode := _SEEN[name](of_file)) != "off"]
        at_number = self._look(phone)
        counted = self._counted(phone_key, now)
        hits = (*at_sight, *at_number, *counted, *([Hit(NO_COMMON_HOURS, "hold")] if hold else []))
        number, times = guards.worst(at_number), guards.worst(counted)
        if number is not None and number.mode == "refuse":
            return Let(hits, term, reason, rank, refused=number.guard)
        if times is not None and times.mode == "refuse":
            return Let(hits, term, reason, rank, refused=times.guard)
        first = guards.worst([*at_sight, *at_number])
        if first is not None and first.mode == "refuse":
            return Let(hits, term, reason, rank, spam=first.guard)
        held = next((one.guard for one in (first, times) if one is not None), None)
        return Let(hits, term, reason, rank, held=first.guard if first else hold or held)

    def _counted(self, phone_key: str, now: int) -> list[Hit]:
        of_guards = self._rules.directory.guards
        hits = self._spending.cooldown(phone_key, of_guards.cooldown, now)
        if self._spending.full(now):
            hits.append(Hit("calls", of_guards.calls.mode))
        return hits

    def _look(self, phone: str) -> list[Hit]:
        return guards.look_at_number(_read(phone), self._rules.directory)


@lru_cache(maxsize=65_536)
def _read(e164: str) -> Phone:
    """The number again; what is in the database was read once already."""
    try:
        return read_phone(e164, "ZZ")
    except PhoneRefused:
        return Phone(e164, country_of(e164), "unknown", False)
