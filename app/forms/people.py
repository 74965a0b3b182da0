"""Who asked to be called, and under which number: the two fields that are worth looking for twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from app.forms.answers import Answer
from app.forms.claims import Claim, Found, as_found, best, candidates
from app.forms.numbers import MOST_NAMED, Number, number_in, only_number
from app.forms.overrides import Overrides


@dataclass(frozen=True, slots=True)
class FoundPhone:
    """The number, and the extension behind it. `guessed`: nothing said that it is one. `inside`: of the answers."""

    found: Found
    extension: str = ""
    guessed: bool = False
    inside: bool = True


def find_phone(
    answers: Sequence[Answer], claims: Sequence[Claim], overrides: Overrides, country: str
) -> FoundPhone | None:
    """The first that reads as a number: by override, by type or name, by a word in its name, else the only one there.

    When none does, what stands where the phone should is kept, for a person to look at.
    """
    named = [*overrides.all("phone"), *map(as_found, candidates(claims, "phone"))]
    prefix = overrides.find("phone_prefix") or best(claims, "phone_prefix")
    for one in islice((*named, *map(as_found, candidates(claims, "phone_word"))), MOST_NAMED):
        for whole in _with_prefix(one, prefix, country):
            number = number_in(whole.value, country)
            if number is not None:
                return _found(whole, number)
    only = only_number(answers, country)
    if only is not None:
        answer, number = only
        why = "the only value that reads as a number"
        one = Found(answer.value, f"{answer.path} ({why})", (answer,), why, "a guess")
        return replace(_found(one, number), guessed=True)
    return FoundPhone(named[0], inside=named[0].answers[0].inside) if named else None


def find_name(
    claims: Sequence[Claim], overrides: Overrides, answers: Sequence[Answer], phone: FoundPhone | None
) -> Found | None:
    """The person's name, whole or of its two halves.

    It is looked for where the phone stood: a name that stands beside the answers is the name of the form.
    """
    if (told := overrides.whole_name() or overrides.find("name")) is not None:
        return told
    inside = phone is None or phone.inside
    near = [claim for claim in claims if claim.answer.inside or not inside]
    first = overrides.find("first_name") or best(near, "first_name")
    last = overrides.find("last_name") or best(near, "last_name")
    whole = best(near, "name") or _gravity_name(answers)
    if whole is None or (overrides.find("first_name") is not None):
        return _both(first, last)
    if last is not None and first is None and last.value.lower() not in whole.value.lower():
        return _both(whole, last)  # a form that asks for "name" and "last name"
    return whole


def _both(first: Found | None, last: Found | None) -> Found | None:
    if first is None or last is None:
        return first or last
    return first.joined(last, f"{first.value} {last.value}")


def _found(one: Found, number: Number) -> FoundPhone:
    # With an extension, or a second number behind it, only the number itself is what is rung.
    return FoundPhone(replace(one, value=number.text), number.extension, inside=one.answers[0].inside)


def _with_prefix(one: Found, prefix: Found | None, country: str) -> Iterator[Found]:
    """The number, after the prefix that was asked for in a field of its own where it lacks one."""
    digits = "".join(letter for letter in one.value if letter.isdigit())
    if prefix is not None and prefix.answers != one.answers and not one.value.startswith(("+", "00")):
        code = "".join(letter for letter in prefix.value if letter.isdigit())
        area = prefix.value.lstrip().startswith("0") and not digits.startswith("0") and len(digits) == 7
        abroad = prefix.value.lstrip().startswith("+") and 1 <= len(code) <= 3
        if (area and 2 <= len(code) <= 3) or abroad:
            joined = f"{'+' if abroad else ''}{code} {one.value}"
            whole, alone = number_in(joined, country), number_in(one.value, country)
            # A list of countries that nobody touched shows its first: a number that is right at home stays at home.
            if whole is not None and (whole.phone.valid or alone is None or not alone.phone.valid):
                yield one.joined(prefix, joined, "after")
    yield one


def _gravity_name(answers: Sequence[Answer]) -> Found | None:
    """The name that Gravity Forms sends as `1.3` and `1.6`; an address has a part 1 or 5, a name has neither."""
    inside = {answer.at: answer for answer in answers if answer.inside}
    for key, first in inside.items():
        number, dot, part = key.partition(".")
        if not (dot and part == "3" and number.isdigit()) or f"{number}.1" in inside or f"{number}.5" in inside:
            continue
        last = inside.get(f"{number}.6")
        value = f"{first.value} {last.value}" if last is not None else first.value
        parts = (first, last) if last is not None else (first,)
        why = "the parts of a name"
        return Found(value, f"{' and '.join(one.path for one in parts)} ({why})", parts, why, "likely")
    return None
