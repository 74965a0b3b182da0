"""One answer, looked at from outside: what can be shown of it, and what stays covered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

_LONG_NUMBER = re.compile(r"\d{5,}")
_ADDRESS = re.compile(r"\S+@\S+")
MOST_SHOWN = 120


def masked(text: str, secret: str = "") -> str:
    """The text without the account code, phone numbers and mail addresses, short enough for a table."""
    if secret:
        text = text.replace(secret, "***")
    return " ".join(_ADDRESS.sub("***", _LONG_NUMBER.sub("***", text)).split())[:MOST_SHOWN]


class Rows:
    """Rows of an answer that hold people's names: they can be counted and their keys read, nothing more is shown."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def __repr__(self) -> str:
        return f"{len(self._rows)} rows"

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)

    def without(self, keys: set[str]) -> set[str]:
        """Which of these keys some row lacks."""
        return {key for row in self._rows for key in keys - row.keys()}


@dataclass(frozen=True)
class Answer:
    """`text` without byte order mark; `members` the outer names and values in their order; empty if unreadable."""

    status: int
    content_type: str
    text: str = field(repr=False)
    bom: bool
    secret: str = field(default="", repr=False)
    seconds: float = 0.0
    kind: str = "other"
    members: tuple[tuple[str, Any], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.kind} code={self.code} {self.message!r}"

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.members]

    def member(self, name: str) -> str | int | float | bool | None:
        """A scalar by its exact name; None when it is missing or no scalar."""
        value = dict(self.members).get(name)
        return value if isinstance(value, str | int | float | bool) else None

    def rows(self, name: str) -> Rows:
        """A list of objects by its exact name; AssertionError when it is not one."""
        value = dict(self.members).get(name)
        is_rows = isinstance(value, list) and all(isinstance(row, dict) for row in value)
        assert is_rows, f"{name} is no list of objects but {type(value).__name__}"
        return Rows(value or [])

    @property
    def code(self) -> int | None:
        """The code as a number, whatever type it came in; None when there is none."""
        for name in ("ERRORCODE", "ERR", "ERROR_NUMBER"):
            value = str(dict(self.members).get(name, "")).strip()
            if re.fullmatch(r"-?\d{1,9}", value):
                return int(value)
        return None

    @property
    def message(self) -> str:
        """The sentence, masked."""
        found = dict(self.members)
        return masked(
            str(found.get("ERRORMESSAGE", found.get("DESC", found.get("ERROR_DESCRIPTION", "")))), self.secret
        )

    @property
    def call_id(self) -> str:
        return str(dict(self.members).get("CALLID", ""))


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "", seconds: float = 0.0
) -> Answer:
    """Whatever came back: JSON or XML by the look of it, never by its content type (facts 1.8)."""
    bom = body.startswith(b"\xef\xbb\xbf")
    text = body.decode("utf-8-sig", errors="replace")
    kind: str = "other"
    members: tuple[tuple[str, Any], ...] = ()
    if text.lstrip()[:1] == "{":
        kind, members = _json_members(text)
    elif text.lstrip()[:1] == "<":
        kind, members = _xml_members(text)
    content_type = masked(headers.get("content-type", ""), secret)
    return Answer(status, content_type, text, bom, secret, seconds, kind, members)


def _json_members(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "other", ()
    return ("json", tuple(found.items())) if isinstance(found, dict) else ("other", ())


def _xml_members(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError):
        return "other", ()
    members = tuple(
        ("".join(member.findtext("name") or "").strip(), "".join(_value(member)).strip())
        for member in root.iter("member")
    )
    return ("xml", members) if members else ("other", ())


def _value(member: Element) -> Iterator[str]:
    value = member.find("value")
    return value.itertext() if value is not None else iter(())


def outline(text: str) -> object:
    """An XML text as nested (tag, content): content is text or a list; white space between tags does not count."""

    def of(element: Element) -> tuple[str, object]:
        children = [of(child) for child in element]
        return element.tag, children or (element.text or "")

    return of(fromstring(text))
