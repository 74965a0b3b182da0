"""How builders write one answer: a value with its label and type, a pair, the parts of a name or a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.forms.keys import simple

LONGEST: Final = 4000  # characters of a value
_LABELS: Final = ("label", "title", "column_name", "question", "text")
_IDS: Final = ("name", "key", "column_id", "ref", "id", "field_id", "fieldName")
_VALUES: Final = ("string_value", "value", "values", "answer", "raw_value", "fieldValue")
# What may stand beside a value without making the table more than one answer.
_ABOUT: Final = frozenset(
    {
        *_LABELS,
        *_IDS,
        *_VALUES,
        "type",
        "field_type",
        "required",
        "order",
        "unix",
        "versions",
        "timestamp",
        "source",
        "options",
    }
    | {"source-type", "source-id", "source-label", "sourceId", "sourceType", "updatedByUserId", "selected", "requestId"}
)
_NAME_PARTS: Final = ("prefix", "first", "middle", "last", "suffix")
_PHONE_PARTS: Final = ("country", "area", "phone")
_DATE_PARTS: Final = ("year", "month", "day")
_ADDRESS_PARTS: Final = (
    "addr_line1",
    "addr_line2",
    "street",
    "address",
    "city",
    "state",
    "region",
    "postal",
    "zip",
    "country",
)
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("tel", "phone", "phone number", "input phone number", "control phone", "mobile phone", "telephone"), "phone"
    ),
    **dict.fromkeys(("email", "input email", "email address", "control email"), "email"),
    **dict.fromkeys(("acceptance", "legal", "consent", "gdpr", "terms", "gdpr agreement"), "consent"),
    **dict.fromkeys(("name", "full name", "control fullname"), "name"),
    "first name": "first_name",
    "last name": "last_name",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What one table says: the names it may be called by, the one that people saw first, and the value.

    `kind` is phone, email, consent, name, first_name, last_name or nothing; `type` the builder's word for it.
    """

    names: tuple[str, ...]
    value: str
    kind: str = ""
    type: str = ""


def as_line(value: object) -> str:
    """A scalar, or a list of them, as text; nothing for what is nested, for None and for an empty text."""
    if isinstance(value, str):
        return value.strip()[:LONGEST].rstrip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 10**15 else str(value)
    if isinstance(value, list) and not holds_tables(value):
        return ", ".join(filter(None, map(as_line, value[:50])))[:LONGEST]
    return ""


def holds_tables(value: list[object]) -> bool:
    """Whether a list is more than texts and numbers."""
    return any(isinstance(item, dict | list) for item in value)


def pair(item: Mapping[str, object], titles: Mapping[str, str]) -> Said | None:
    """One answer of a list, `{name or label, value}`; None when it is something else.

    Typeform writes the value under the name of its type, and what it answers under `field`.
    """
    told = as_line(item.get("type"))
    keys = [key for key in (*_VALUES, told) if key in item and key != "type"]
    field = item.get("field")
    about = field if isinstance(field, dict) else {}
    ids = [as_line(source.get(key)) for source in (item, about) for key in _IDS]
    labels = [as_line(source.get(key)) for source in (item, about) for key in _LABELS if key != told]
    labels += [titles[key] for key in ids if key in titles]
    names = _distinct(*labels, *ids, as_line(field))
    if not keys or not names:
        return None
    kind = _kind(told) or _kind(as_line(about.get("type")))
    return Said(names, _picked(_value(item[keys[0]]), item.get("options")), kind, told)


def one_answer(key: str, node: Mapping[str, object], titles: Mapping[str, str]) -> Said | None:
    """The table under `key`, when it is one answer; None when it is a table of several."""
    told = as_line(node.get("type")) or as_line(node.get("field_type"))
    names = _distinct(
        *(as_line(node.get(label)) for label in _LABELS if label != told),
        titles.get(key, ""),
        key,
        as_line(node.get("id")),
    )
    kind = _kind(told)
    values = [node[value] for value in _VALUES if value in node]
    if values and all(about in _ABOUT for about in node):
        return Said(names, next(filter(None, map(_value, values)), ""), kind, told)
    parts = {part for part in node if part not in ("type", "field_type")}
    if any(isinstance(node[part], dict | list) for part in parts):
        return None
    if parts <= {*_NAME_PARTS} and parts & {"first", "last"}:
        return Said(names, _joined(node, _NAME_PARTS), kind or "name", told)
    if parts <= {*_PHONE_PARTS, "full"} and ("full" in parts or {"area", "phone"} <= parts or parts > {"phone"}):
        return Said(names, _number(node), kind or "phone", told)
    if parts == {*_DATE_PARTS}:
        return Said(
            names, "-".join(as_line(node[part]).zfill(2) for part in _DATE_PARTS).removeprefix("00-00-00"), kind, told
        )
    if parts <= {*_ADDRESS_PARTS} and len(parts) > 1:
        return Said(names, ", ".join(filter(None, (as_line(node.get(part)) for part in _ADDRESS_PARTS))), kind, told)
    return None


def _distinct(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, names)))


def _value(value: object) -> str:
    """The text of a value, also where it is a choice of Typeform's, a date with its time stamp, or a name in parts."""
    if not isinstance(value, dict):
        return as_line(value)
    for key in ("label", "labels", "value", "full"):
        if line := as_line(value.get(key)):
            return line
    if {"first", "last"} & set(value):
        return _joined(value, _NAME_PARTS)
    return ", ".join(filter(None, map(as_line, list(value.values())[:20])))


def _picked(value: str, options: object) -> str:
    """The text of the options whose ids make up the value; the value itself where they are not told."""
    if not isinstance(options, list) or not value:
        return value
    texts = {as_line(one.get("id")): as_line(one.get("text")) for one in options[:200] if isinstance(one, dict)}
    return ", ".join(texts.get(part) or part for part in value.split(", "))[:LONGEST]


def _joined(node: Mapping[str, object], parts: tuple[str, ...]) -> str:
    return " ".join(filter(None, (as_line(node.get(part)) for part in parts)))


def _number(node: Mapping[str, object]) -> str:
    """One number of its parts: the full one, or the area and the rest, after the country's code where that is one."""
    if full := as_line(node.get("full")):
        return full
    country, area, phone = (as_line(node.get(part)) for part in _PHONE_PARTS)
    country = country.lstrip("+")
    return " ".join(filter(None, (f"+{country}" if country.isdigit() else "", area, phone)))


def _kind(told: str) -> str:
    return _KINDS.get(simple(told), "") if told else ""
