"""What the operator wrote under `map`: our field, and the names under which this source sends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.domain.text import CAPS
from app.forms.aliases import alias_of
from app.forms.answers import Answer
from app.forms.claims import Found
from app.forms.keys import simple
from app.forms.vocabulary import ALIASES

OF_THE_SUBMISSION: Final = ("delivery_id", "submitted_at")


class Overrides:
    """The `map` of a source against the answers of one payload. A name is one of these, tried in this order:
    the whole path, the path below the root, the label or id as it is written, and then however it is written."""

    def __init__(self, told: Mapping[str, tuple[str, ...]], answers: Sequence[Answer]) -> None:
        self._map = told
        exact: dict[str, Answer] = {}
        alike: dict[str, Answer] = {}
        for answer in answers if told else ():
            exact.setdefault(answer.path, answer)
            exact.setdefault(answer.at, answer)
            for name in answer.said.names:
                exact.setdefault(name, answer)
                alike.setdefault(simple(name), answer)
        self._exact, self._alike = exact, alike

    def ours(self) -> Iterator[str]:
        """Our fields that are mapped."""
        return iter(self._map)

    def all(self, field: str) -> list[Found]:
        """Every answer that is mapped to `field`, in the order of the names."""
        found: list[Found] = []
        for name in self._map.get(field, ()):
            answer = self._exact.get(name) or self._alike.get(simple(name) or "\0")
            if answer is not None:
                told = f'override "{name}"'
                found.append(Found(answer.value, told, (answer,), told, "certain"))
        return found

    def find(self, field: str) -> Found | None:
        """The first of them."""
        return next(iter(self.all(field)), None)

    def whole_name(self) -> Found | None:
        """First and last name together, where `name` names both: they are two halves, not two chances."""
        halves = {
            alias[0]: one
            for one in self.all("name")
            for name in one.answers[0].said.names
            if (alias := alias_of(name)) is not None and alias[0] in ("first_name", "last_name")
        }
        if len(halves) < 2:
            return None
        first, last = halves["first_name"], halves["last_name"]
        return first.joined(last, f"{first.value} {last.value}")

    def others(self) -> dict[str, Found]:
        """What is mapped to a name that is none of ours: shown to the agent under it."""
        known = {*ALIASES, *CAPS, *OF_THE_SUBMISSION}
        return {field: one for field in self._map if field not in known and (one := self.find(field)) is not None}
