"""What was sent beside our fields: kept, and shown to the agent in the order in which it may matter to him."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.domain.text import CAPS, EXTRA_NAME, clean
from app.forms.answers import Answer
from app.forms.claims import Claim, Found
from app.forms.keys import simple
from app.forms.numbers import number_in
from app.forms.presets import DROPPED, TECHNICAL, Preset
from app.forms.vocabulary import ALIASES

MOST: Final = 200
_OURS: Final = frozenset({*CAPS, *ALIASES, "elapsed_ms", "_next", "extension"})
_SAYS_NOTHING: Final = frozenset({"id", "name", "title", "url", "value", "type"})  # of what?
_NAMES: Final = frozenset({"name", "first_name", "last_name"})


def extras(
    answers: Sequence[Answer], claims: Sequence[Claim], found: Mapping[str, Found], preset: Preset, country: str
) -> dict[str, str]:
    """Answers that are in none of our fields, by their labels: the visitor's first, what the builder adds last.

    Left out are secrets, tokens of captchas, and what says once more what one of our fields says.
    """
    used = {id(answer) for one in found.values() for answer in one.answers}
    claimed = {id(claim.answer): claim.field for claim in claims}
    left = [
        answer
        for answer in answers
        if id(answer) not in used
        and not _is_one_of(answer, DROPPED)
        and not _again(answer, claimed.get(id(answer), ""), found, country)
    ]
    left.sort(key=lambda answer: _place(answer, preset))
    kept: dict[str, str] = {}
    for answer in left[:MOST]:
        kept[_name(answer, kept)] = answer.value
    return kept


def _place(answer: Answer, preset: Preset) -> int:
    if _is_one_of(answer, preset.told) or _is_one_of(answer, TECHNICAL) or answer.label.startswith(("_", "hs_")):
        return 2
    return 0 if answer.inside else 1


def _is_one_of(answer: Answer, names: Collection[str]) -> bool:
    return any(simple(name) in names for name in answer.said.names)


def _again(answer: Answer, field: str, found: Mapping[str, Found], country: str) -> bool:
    """Whether it repeats what is known: Wix and others send the contact beside the answers that made it."""
    if field in _NAMES and "name" in found:
        return answer.value.lower() in found["name"].value.lower()
    one = found.get("phone" if field == "phone_word" else field)
    if one is None:
        return False
    if field in ("phone", "phone_word"):
        here, there = number_in(answer.value, country), number_in(one.value, country)
        return here is not None and there is not None and here.phone.e164 == there.phone.e164
    return answer.value == one.value


def _name(answer: Answer, kept: Mapping[str, str]) -> str:
    """A name that is none of ours and not taken: the label, with what it stands under where that tells it apart."""
    label = clean(answer.label, EXTRA_NAME) or "field"
    under = clean(f"{answer.of} {label}", EXTRA_NAME) if answer.of and not answer.of.isdigit() else ""
    for name in (under, label) if label.lower() in _SAYS_NOTHING else (label, under):
        if name and name.lower() not in _OURS and name not in kept:
            return name
    number = 2
    while (numbered := f"{label[: EXTRA_NAME - 6]} ({number})") in kept:
        number += 1
    return numbered
