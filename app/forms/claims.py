"""What each answer may be in our words, and which of several is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.forms.aliases import alias_of, speaks_of_consent, speaks_of_phone
from app.forms.answers import Answer
from app.forms.evidence import Evidence, Surely, weaker
from app.forms.facts import read_time
from app.forms.keys import simple
from app.forms.languages import language_code

_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_ADDRESS: Final = re.compile(r"(?:https?://|www\.|/)\S*", re.IGNORECASE)
_PERSON: Final = re.compile(r"(?!https?://|www\.)[^@]{1,200}", re.IGNORECASE)
_WEAKEST_PAGE: Final = 1  # `url-123` is the visitor's own website, not the page with the form
_PEOPLE: Final = frozenset({"phone", "name", "first_name", "last_name", "email"})


@dataclass(frozen=True, slots=True)
class Claim:
    """`answer` may be `field`; a smaller `rank` is surer. `why` is told to people."""

    answer: Answer
    field: str
    rank: int
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """A field's value, where it was found, for people, what it was made of, and by what and how surely it is it."""

    value: str
    told: str
    answers: tuple[Answer, ...]
    by: str
    surely: Surely

    @property
    def evidence(self) -> Evidence:
        return Evidence(tuple(dict.fromkeys(answer.path for answer in self.answers)), self.by, self.surely)

    def joined(self, other: Found, value: str, word: str = "and") -> Found:
        """Both as one value, which is no surer than the less sure of them."""
        return Found(
            value,
            f"{self.told} {word} {other.told}",
            self.answers + other.answers,
            self.by if self.by == other.by else f"{self.by} {word} {other.by}",
            weaker(self.surely, other.surely),
        )


def claims_of(answers: Sequence[Answer]) -> tuple[Claim, ...]:
    """At most one claim of each answer."""
    return tuple(claim for answer in answers if (claim := _claim(answer)) is not None)


def candidates(claims: Iterable[Claim], field: str) -> list[Claim]:
    """Who claims `field` and may be it, the surest first; the visitor's own answers before all others."""
    fitting = _FITTING.get(field, bool)
    found = [claim for claim in claims if claim.field == field and fitting(claim.answer.value)]
    if field in _PEOPLE:
        found = [claim for claim in found if claim.answer.of_a_person]
    if field == "page_url":
        found = [one for one in found if one.rank <= _WEAKEST_PAGE and one.answer.said.type.lower() != "url"]
    return sorted(found, key=lambda claim: (not claim.answer.inside, claim.rank))


def best(claims: Iterable[Claim], field: str) -> Found | None:
    """The surest of `candidates`."""
    found = candidates(claims, field)
    return as_found(found[0]) if found else None


def as_found(claim: Claim) -> Found:
    """A claim that was taken."""
    answer = claim.answer
    value = language_code(answer.value) if claim.field == "language" else answer.value
    surely: Surely = "sure" if claim.rank <= 0 and claim.field != "phone_word" else "likely"
    return Found(value, f"{answer.path} ({claim.why})", (answer,), claim.why, surely)


def _claim(answer: Answer) -> Claim | None:
    kind = answer.said.kind
    if kind in ("phone", "email"):
        fax = "fax" in {word for name in answer.said.names for word in simple(name).split()}
        return Claim(answer, kind, 8 if fax else -1, f'of type "{answer.said.type or kind}"')
    named = [alias for name in answer.said.names if (alias := alias_of(name)) is not None]
    if named:
        field, rank, word = min(named, key=lambda alias: alias[1])
        return Claim(answer, field, rank, f'alias "{word}"')
    if kind:
        return Claim(answer, kind, 4, f'of type "{answer.said.type or kind}"')
    if any(map(speaks_of_consent, answer.said.names)):
        return Claim(answer, "consent", 4, "its label speaks of consent")
    if any(map(speaks_of_phone, answer.said.names)):
        return Claim(answer, "phone_word", 0, "a word in its name")
    return None


_FITTING: Final[dict[str, Callable[[str], object]]] = {
    "email": _EMAIL.fullmatch,
    "page_url": _ADDRESS.fullmatch,
    "referrer": _ADDRESS.fullmatch,
    "language": language_code,
    "call_at": lambda value: read_time(value, "iso") is not None,
    **dict.fromkeys(
        ("name", "first_name", "last_name"), lambda value: _PERSON.fullmatch(value) and any(map(str.isalpha, value))
    ),
}
