"""A submission: what a form sent, sorted into the fields we know, attribution, and everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.hits import Hit
from app.domain.text import CAPS, EXTRA_FIELDS, EXTRA_NAME, EXTRA_VALUE, as_text, clean

ATTRIBUTION = frozenset(
    {"gclid", "gbraid", "wbraid", "fbclid", "ttclid", "msclkid", "dclid", "li_fat_id", "page_url", "referrer"}
)
OURS = frozenset({*CAPS, "elapsed_ms", "_next", "_gotcha"})
MAX_KEY = 64
LONG = frozenset({"message", "consent_text"})


@dataclass(frozen=True, slots=True)
class Submission:
    """What came in, before anything is decided. `fields` are as decoded: text, or whatever JSON held."""

    fields: Mapping[str, object]
    source: str
    client: str
    origin: str | None = None
    site: str | None = None  # named by the address rather than by a field
    idempotency_key: str | None = None
    trusted_origin: str | None = None  # our own pages
    delivery: str | None = None  # the id of the webhook's delivery that brought it
    attribution: Mapping[str, str] = field(default_factory=dict)  # what the door itself knows of where it comes from
    hits: tuple[Hit, ...] = ()  # guards that spoke at the door
    waits: bool = True  # whether the sender has the moment that it takes to learn whether an agent was free


@dataclass(frozen=True, slots=True)
class Sorted:
    """The cleaned fields of a submission."""

    known: Mapping[str, str]
    attribution: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.known.get(name, "")


def is_ours(name: str) -> bool:
    """Whether a field of this name means something here, and so holds one value."""
    return name in OURS or is_attribution(name)


def is_attribution(name: str) -> bool:
    """Whether it says where the visitor came from: `utm_*`, a click id, the page."""
    return name in ATTRIBUTION or name.startswith("utm_")


def sort_fields(fields: Mapping[str, object]) -> Sorted:
    """Known fields by name, `utm_*` and click ids as attribution, at most 30 others as extra; all bounded."""
    known: dict[str, str] = {}
    attribution: dict[str, str] = {}
    extra: dict[str, str] = {}
    for raw_name, value in fields.items():
        name = clean(raw_name, EXTRA_NAME)
        if not name:
            continue
        if is_attribution(name):
            if len(attribution) < EXTRA_FIELDS:
                attribution[name] = clean(as_text(value), CAPS.get(name, EXTRA_VALUE))
        elif name in OURS:
            known[name] = clean(as_text(value), CAPS.get(name, EXTRA_VALUE), lines=name in LONG)
        elif len(extra) < EXTRA_FIELDS:
            extra[name] = clean(as_text(value), EXTRA_VALUE, lines=True)
    return Sorted(known, attribution, extra)


def fingerprint_text(fields: Mapping[str, object]) -> str:
    """The submission's content in one canonical text; how long the visitor took is no part of it.

    Neither is how lines end: a browser that posts a form itself ends them with CR LF, a script with LF.
    """
    content = {
        key: as_text(value).replace("\r\n", "\n")
        for key, value in fields.items()
        if key not in ("submission_id", "elapsed_ms")
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=True)


def key_of(submission: Submission) -> str:
    """The client's own key for it. One character past the cap is kept: a longer key is told from one that fits."""
    return clean(submission.idempotency_key or as_text(submission.fields.get("submission_id")), MAX_KEY + 1)
