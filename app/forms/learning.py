"""From one captured payload: which builder it is, and what has to stand under `map` for it to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from app.directory_types import Source
from app.forms.answers import Answer, read_answers
from app.forms.keys import simple
from app.forms.mapped import Mapped
from app.forms.mapping import map_payload, preset_of, roots_of
from app.forms.numbers import is_identity_number, number_in
from app.forms.presets import DROPPED, KNOWN, TECHNICAL
from app.forms.recognising import recognise
from app.forms.titles import titles_of

NEEDED: Final = ("phone", "name", "email")
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@.]{1,190}(?:\.[^\s@.]{1,63}){1,4}")
_PERSON: Final = re.compile(r"[^\W\d_]+(?:[ '\"׳״.-]{1,2}[^\W\d_]+){0,3}")
_LONGEST_PERSON: Final = 40  # characters
LONGEST_NAME: Final = 200  # characters of a name that anybody copies; a path is never much longer
_NUMBER: Final = re.compile(r"[\s+()./\d\u2010-\u2015\u200e\u200f-]{7,32}(?:[^\d\s].{0,20})?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Lesson:
    """`map` is what should be written, `mapped` what is read with it; `unsure` are sentences for who pastes it."""

    preset: str
    map: Mapping[str, str]
    mapped: Mapped
    unsure: tuple[str, ...]


def learn(payload: object, headers: Mapping[str, str], country: str, preset: str | None = None) -> Lesson:
    """How a source that sends such payloads is to be read. `preset` goes before what the payload looks like."""
    known = preset or recognise(payload, headers)
    return learn_more(payload, Source(key="learned", preset=known, site="", tokens=()), country)


def learn_more(payload: object, source: Source, country: str) -> Lesson:
    """What has to be written beside the `map` that a source has, for what it does not find of `NEEDED`."""
    mapped = map_payload(payload, source, country)
    answers = read_answers(payload, roots_of(source, preset_of(payload, source)[1]), titles_of(payload))
    told: dict[str, str] = {}
    unsure: list[str] = []
    taken: set[str] = set()
    for field in NEEDED:
        if field in mapped.fields and not _doubtful(field, mapped, country):
            taken.add(mapped.fields[field])
            continue
        found = [one for one in answers if one.value not in taken and _may_be(field, one, source.preset, country)]
        if not found:
            continue
        told[field] = name_of(found[0], answers)
        taken.add(found[0].value)
        if len(found) > 1:
            others = ", ".join(f'"{name_of(one, answers)}"' for one in found[1:4])
            unsure.append(f"{field} could as well be {others}: look whether the right one was taken")
    with_map = replace(source, map=MappingProxyType({**source.map, **{field: (name,) for field, name in told.items()}}))
    return Lesson(source.preset, MappingProxyType(told), map_payload(payload, with_map, country), tuple(unsure))


def name_of(answer: Answer, answers: Iterable[Answer]) -> str:
    """What to write under `map` for it: the name people know, or its path where another answer has that name, too."""
    for name in answer.said.names:
        same = [one for one in answers if any(simple(other) == simple(name) for other in one.said.names)]
        if simple(name) and len(same) == 1 and len(name) <= LONGEST_NAME:
            return name
    return answer.path


def _doubtful(field: str, mapped: Mapped, country: str) -> bool:
    return field == "phone" and (mapped.low_confidence or number_in(mapped.fields["phone"], country) is None)


def _may_be(field: str, answer: Answer, preset: str, country: str) -> bool:
    names = {simple(name) for name in answer.said.names}
    if not answer.inside or names & (TECHNICAL | DROPPED | KNOWN[preset].told):
        return False
    return _LOOKS[field](answer.value, country)


def _phone(value: str, country: str) -> bool:
    number = number_in(value, country) if _NUMBER.fullmatch(value) else None
    if number is None or is_identity_number(value):
        return False
    return value.lstrip().startswith(("+", "0", "(")) or sum(letter.isdigit() for letter in value) > 9


def _name(value: str, country: str) -> bool:
    return len(value) <= _LONGEST_PERSON and _PERSON.fullmatch(value) is not None


_LOOKS: Final[Mapping[str, Callable[[str, str], bool]]] = MappingProxyType(
    {"phone": _phone, "name": _name, "email": lambda value, country: _EMAIL.fullmatch(value) is not None}
)
