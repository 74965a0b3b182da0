"""What a form builder sent, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.forms.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Mapped:
    """`fields` has our names (phone, name, email, page_url, utm_source …), and no key for what was not found.

    `extra` is everything else by the name that the form gave it, what a person said before what the builder adds. No
    name in it is one of ours. `found_as` says for each of the fields where it was found, for people.
    `low_confidence`: the phone is a guess, no name, label or type said that it is one. `delivery_id` is the builder's
    own id of this submission. `submitted_at`, in milliseconds since the epoch, is when the visitor pressed Send, where
    the payload says so without a doubt about the zone. `is_test`: the builder says, or its sample data shows, that
    nobody asked to be called. `evidence` says of each of the fields by what, and how surely, it is that field.
    """

    fields: Mapping[str, str]
    extra: Mapping[str, str]
    found_as: Mapping[str, str]
    low_confidence: bool
    delivery_id: str | None
    submitted_at: int | None
    is_test: bool
    evidence: Mapping[str, Evidence] = field(default_factory=lambda: MappingProxyType({}))
