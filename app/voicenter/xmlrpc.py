"""XML-RPC, read only as far as the provider writes it: structs, arrays and text.

Element names are matched ignoring case, and `<value>` may hold its text bare, as live receivers allow
(facts 1.6 and 1.8). DTDs and entities are refused before anything is expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

Value = str | list["Value"] | dict[str, "Value"]


class NotXmlRpcError(ValueError):
    """The text is no XML-RPC with a struct in it."""


def read_structs(text: str, *, strict: bool) -> list[dict[str, Value]]:
    """Every outermost struct in `text`, in order, its values as text, lists and dicts.

    NotXmlRpcError when it is not well-formed, has a DTD or an entity, or is nested absurdly; when `strict` also for
    a member without name or value, or given twice with different values (else the first counts).
    """
    try:
        root = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        structs = [_struct(element, strict) for element in _outermost(root)]
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise NotXmlRpcError(type(error).__name__) from None
    if not structs:
        raise NotXmlRpcError("no struct")
    return structs


def _outermost(element: Element) -> Iterator[Element]:
    if _tag(element) == "struct":
        yield element
        return
    for child in element:
        yield from _outermost(child)


def _tag(element: Element) -> str:
    # A comment or processing instruction has a function where an element has its name.
    tag: object = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _struct(element: Element, strict: bool) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for member in element:
        if _tag(member) != "member":
            continue
        parts = {_tag(part): part for part in member}
        if "name" not in parts or "value" not in parts:
            if strict:
                raise NotXmlRpcError("a member without name or value")
            continue
        name = "".join(parts["name"].itertext()).strip()
        value = _value(parts["value"], strict)
        if fields.setdefault(name, value) != value and strict:
            raise NotXmlRpcError("two members of one name")
    return fields


def _value(element: Element, strict: bool) -> Value:
    """The content of `<value>`: its one typed child, or its bare text."""
    for child in element:
        if _tag(child) == "struct":
            return _struct(child, strict)
        if _tag(child) == "array":
            return [_value(item, strict) for data in child for item in data if _tag(item) == "value"]
    return "".join(element.itertext()).strip()
