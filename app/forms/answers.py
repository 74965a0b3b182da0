"""A nested payload → answers: what each was called, of what type it is, what was said, and where it stood.

Four shapes are known: `{name: text}`; `{name: {value, title, type}}`; a list of `{name or label, value}`; and the
parts of one answer, such as `{first, last}`, `{full}` and `{area, phone}`, which are put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from app.forms.keys import simple
from app.forms.shapes import Said, as_line, holds_tables, one_answer, pair
from app.forms.vocabulary import NOT_PEOPLE

MOST: Final = 2000  # answers; a longer payload is nothing that a person filled in
DEEPEST: Final = 8  # levels below the payload
LONGEST_PATH: Final = 300  # characters
# Beside one of these stands what is said about the form, such as its own name.
_HOLDERS: Final = frozenset(
    {"data", "fields", "answers", "field_data", "user_column_data", "properties", "form_fields", "payload"}
    | {"submission", "submissions", "responses", "rawRequest", "form_response", "form_data", "formData"}
)
_NOT_ANSWERS: Final = frozenset(
    {"definition", "schema", "options", "versions", "identity-profiles", "list-memberships"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was sent, and where: `path` leads to it from the top, `at` from the root of the answers.

    `inside`: it is one of the visitor's answers, not something about the form. `of` is what it stands under.
    """

    path: str
    at: str
    said: Said
    inside: bool
    of: str

    @property
    def value(self) -> str:
        """What was said, never empty."""
        return self.said.value

    @property
    def label(self) -> str:
        """What people saw, as far as it is known."""
        return self.said.names[0] if self.said.names else self.at

    @property
    def of_a_person(self) -> bool:
        """Whether it may be said of the person who asked to be called."""
        return simple(self.of) not in NOT_PEOPLE


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    at: str
    key: str
    of: str
    inside: bool
    depth: int

    def below(self, key: str, *, inside: bool) -> _Place:
        return _Place(_way(self.path, key), _way(self.at, key), key, self.key, inside, self.depth + 1)

    def beside(self, key: str) -> _Place:
        """The place of one of a list's entries: it is called by the list's name, and stands under it."""
        return _Place(_way(self.path, key), _way(self.at, key), self.key, self.key, self.inside, self.depth + 1)

    def answer(self, said: Said) -> Answer:
        return Answer(self.path, self.at, said, self.inside, self.of)


def read_answers(payload: object, roots: tuple[str, ...], titles: Mapping[str, str]) -> tuple[Answer, ...]:
    """The visitor's answers, which stand below the first of `roots` that is there, then all the rest.

    Without a root everything is an answer, but for what stands beside a table that looks like one of answers. `titles`
    are labels by the id of a field, for builders that send them apart.
    """
    top, root = _top(payload), root_in(payload, roots)
    if not root:
        return tuple(islice(_Walk(titles).down(top, _Place("", "", "", "", True, 0)), MOST))
    inner = _Walk(titles, rooted=True).down(node_at(top, root), _Place(root, "", root.rpartition(".")[2], "", True, 0))
    outer = _Walk(titles, rooted=True, without=root).down(top, _Place("", "", "", "", False, 0))
    return (*islice(inner, MOST), *islice(outer, MOST))


def root_in(payload: object, roots: tuple[str, ...]) -> str:
    """The first of `roots` under which there is something; empty where there is none of them."""
    top = _top(payload)
    return next((root for root in roots if isinstance(node := node_at(top, root), dict | list) and node), "")


def _top(payload: object) -> object:
    """The payload; of a list of one, that one."""
    return payload[0] if isinstance(payload, list) and len(payload) == 1 else payload


def node_at(payload: object, path: str) -> object:
    """What stands at a path with dots; None when there is nothing. A whole number is a place in a list."""
    node = payload
    for part in path.split("."):
        if isinstance(node, dict):
            node = node.get(part)
        elif isinstance(node, list) and part.isascii() and part.isdigit() and int(part[:6]) < len(node):
            node = node[int(part[:6])]
        else:
            return None
    return node


@dataclass(frozen=True, slots=True)
class _Walk:
    titles: Mapping[str, str]
    rooted: bool = False
    without: str = ""

    def down(self, node: object, place: _Place) -> Iterator[Answer]:
        if (self.without and place.path == self.without) or place.depth > DEEPEST:
            return
        if isinstance(node, dict):
            said = one_answer(place.key, node, self.titles) if place.depth else None
            if said is None:
                yield from self._table(node, place)
            elif said.value:
                yield place.answer(said)
        elif isinstance(node, list) and holds_tables(node):
            yield from self._list(node, place)
        elif value := as_line(node):
            names = tuple(dict.fromkeys(filter(None, (self.titles.get(place.key), place.key))))
            yield place.answer(Said(names, value))

    def _table(self, node: Mapping[object, object], place: _Place) -> Iterator[Answer]:
        about = not self.rooted and any(isinstance(node.get(key), dict | list) and node[key] for key in _HOLDERS)
        for key, value in node.items():
            holds = isinstance(value, dict | list)
            if not (holds and key in _NOT_ANSWERS):
                yield from self.down(value, place.below(str(key), inside=place.inside and (holds or not about)))

    def _list(self, node: list[object], place: _Place) -> Iterator[Answer]:
        """Answers with their names. Of other lists only what may hold answers is looked at."""
        for number, item in enumerate(node):
            said = pair(item, self.titles) if isinstance(item, dict) else None
            if said is None:
                if place.inside:
                    yield from self.down(item, place.beside(str(number)))
            elif said.value:
                # Overrides know it by its id, which stands last.
                yield place.beside(said.names[-1]).answer(said)


def _way(path: str, key: str) -> str:
    return f"{path}.{key}"[:LONGEST_PATH] if path else key[:LONGEST_PATH]
