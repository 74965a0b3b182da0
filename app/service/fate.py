"""What would become of a delivery if it were submitted now: by the rules that intake goes by, and nothing is stored.

What only the database knows is not foreseen: whether its number has a live lead, which it would join, and what
the guards `cooldown` and `calls` have counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.directory import Directory, Mode, Site, Source
from app.domain import submission_guards
from app.domain.guards import worst
from app.domain.hits import Hit
from app.domain.lead import NewLead
from app.errors import Invalid, NotTaking, RateLimited
from app.forms.mapped import Mapped
from app.service.reading import NotCallable, read_submission
from app.service.rules import Rules
from app.service.submission import sort_fields
from app.service.tokens import Tokens
from app.service.webhook_reading import submission_of


@dataclass(frozen=True, slots=True)
class Fate:
    """`verdict` is that of a delivery, `why` goes with it; `hits` are the guards that speak. `lead`: as it would be."""

    verdict: str
    why: str = ""
    hits: tuple[Hit, ...] = ()
    lead: NewLead | None = None

    @property
    def held(self) -> str:
        """Why the lead would be held, in words; empty when it would not."""
        if self.lead is None or self.lead.hold is None:
            return ""
        decided = worst(list(self.hits))
        return decided.figures or decided.guard if decided is not None else self.lead.hold


def guesses(mapped: Mapped, mode: Mode) -> list[Hit]:
    """The guard `low_confidence` over what was read."""
    return submission_guards.low_confidence(mapped.found_as.get("phone", ""), mode) if mapped.low_confidence else []


def verdict_of(refusal: Invalid | RateLimited | NotTaking) -> tuple[str, str]:
    """What becomes of a delivery that intake refuses, and why."""
    if isinstance(refusal, NotCallable):
        return "refused", refusal.guard
    if isinstance(refusal, RateLimited):
        return "refused", "cooldown or calls"
    if isinstance(refusal, NotTaking):
        return "not_taking", ""
    return "no_phone", ", ".join(f"{error.field} {error.code}" for error in refusal.errors)


def foresee(
    source: Source, mapped: Mapped, directory: Directory, received_at: int, now: int, *, taking: bool = True
) -> Fate:
    """What would become of it; moments in milliseconds. `taking`: whether leads are taken just now.

    A source whose site is not in the directory is taken to be always open.
    """
    if mapped.is_test:
        return Fate("test")
    if not taking:
        return Fate(*verdict_of(NotTaking()))
    site = directory.sites.get(source.site) or Site(key=source.site, name="")
    guessed = guesses(mapped, directory.guards.low_confidence)
    submission = submission_of(source, mapped, "", received_at, now, guessed)
    fields = sort_fields(submission.fields)
    try:
        lead, hits = read_submission(
            submission, site, fields, "en", rules=Rules(directory), tokens=Tokens("compared with nothing"), now=now
        )
    except NotCallable as refusal:
        return Fate(*verdict_of(refusal), hits=refusal.hits)
    except Invalid as refusal:
        return Fate(*verdict_of(refusal))
    return Fate("lead", hits=tuple(hits), lead=lead)
