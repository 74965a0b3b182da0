"""What is said of a forecast, by `leadring map` and by the console's page alike: each prints these words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from app.clock import to_datetime, to_iso
from app.directory_reading import in_words
from app.domain.hits import Hit
from app.domain.phone import Phone
from app.domain.priority import told
from app.domain.text import clean
from app.errors import Refusal
from app.forms.map_lines import map_lines
from app.forms.mapped import Mapped
from app.forms.signatures import SCHEMES
from app.service.forecast import Forecast
from app.service.heard import heard

LONGEST: Final = 200  # characters of a value that are shown
NOTHING_KEEPS_IT: Final = "nothing in it keeps it from being rung"
NOWHERE: Final = "not in the payload"
_FIRST: Final = {"phone": 0, "name": 1, "email": 2, "message": 3}
_UNKNOWN: Final = (
    "whether its number has a live lead, which it would join; what the guards cooldown and calls have counted"
)


@dataclass(frozen=True, slots=True)
class ToldField:
    """One of our fields. `number` says what the phone reads as, and is empty for the others."""

    name: str
    value: str
    where: str
    by: str
    surely: str
    number: str


@dataclass(frozen=True, slots=True)
class Told:
    """All that is said. `facts` are pairs of what is spoken of and what is said; `not_rung` is what would keep it from
    being rung. `advice` is for whoever has to say where the phone is; `to_write` is TOML, `instead` says of what.
    """

    headline: str
    fields: tuple[ToldField, ...]
    beside: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    not_rung: tuple[str, ...]
    advice: str
    to_write: str
    instead: str


def told_of(one: Forecast) -> Told:
    """The words for it; whatever strangers wrote is made safe to show, on a line of its own, and not longer than 200
    characters."""
    mapped, lines = one.mapped, _to_write(one)
    return Told(
        headline=f"read as {one.read_as}" + (f" for [sources.{one.source.key}]" if one.of_the_file else ""),
        fields=tuple(told_fields(mapped, one.phone, one.refused)),
        beside=tuple((short(name), short(value)) for name, value in mapped.extra.items()),
        facts=(
            ("it would become", _fate(one)),
            *((("cannot be known here", _UNKNOWN),) if one.fate.lead is not None else ()),
            ("the builder would hear", _said(one.fate.verdict, one.fate.why)),
            ("signature", _signature(one)),
            ("a test", "yes, the builder says so" if mapped.is_test else "no"),
            ("sent", to_iso(mapped.submitted_at) or "not said"),
            ("id of the submission", short(mapped.delivery_id or "") or "none; the same body twice is one lead"),
            ("it looks like", "no builder that is known here" if one.looks_like == "generic" else one.looks_like),
            ("its answers stand", f"below {one.root}" if one.root else "in the whole of it"),
        ),
        not_rung=tuple(_hindrances(one)),
        advice="" if one.phone is not None else _advice(one),
        to_write=lines,
        instead=_instead(one) if lines else "",
    )


def told_unread(content_type: str, refusal: Refusal) -> Told:
    """The words for a body that cannot be read as what it is said to be."""
    facts = (
        ("it would become", "no lead; it is kept, and may be read again"),
        ("the builder would hear", _said("unreadable", str(refusal))),
    )
    return Told("it cannot be read", (), (), facts, (), not_decoded(content_type, refusal), "", "")


def told_fields(mapped: Mapped, phone: Phone | None, refused: str) -> Iterator[ToldField]:
    """Our fields, those that matter most first."""
    for name in sorted(mapped.fields, key=lambda field: _FIRST.get(field, 9)):
        evidence = mapped.evidence[name]
        yield ToldField(
            name=name,
            value=short(mapped.fields[name]),
            where=" and ".join(short(path) for path in evidence.paths) or NOWHERE,
            by=short(evidence.by),
            surely=evidence.surely,
            number=_number(phone, refused) if name == "phone" else "",
        )


def short(text: str) -> str:
    """On one line, without what would mislead a reader or a terminal, and with an ellipsis where it goes on."""
    line = clean(text, LONGEST * 2)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def not_decoded(content_type: str, refusal: Refusal) -> str:
    """Why a body cannot be read as what it is said to be."""
    return f"as {short(content_type.split(';')[0])}: {refusal} ({refusal.code})"


def _number(phone: Phone | None, refused: str) -> str:
    if phone is None:
        return f"this cannot be rung: {refused}"
    sure = "" if phone.valid else ", which its country has not given out as far as is known"
    return f"reads as {phone.e164}, {phone.kind}, {phone.country or 'of no single country'}{sure}"


def _signature(one: Forecast) -> str:
    preset = one.source.preset if one.of_the_file else one.read_as
    scheme = SCHEMES.get(preset)
    proof = f"its header {scheme.header}" if scheme else "google_key in the body" if preset == "google_ads" else ""
    if one.source.signing_secrets:
        return f"demanded: who does not prove by {proof} to have the signing_secret hears 401"
    if proof:
        where = "with" if one.of_the_file else "of a source with"
        return f"not demanded; {where} a signing_secret {preset} has to prove by {proof} that it sent this"
    return f"not demanded: {preset} cannot sign, and the token in the address is all that is asked for"


def _fate(one: Forecast) -> str:
    match one.fate.verdict:
        case "to_fetch":
            them = "a lead" if one.words == 1 else f"{one.words} leads"
            return f"what Meta answers: it only names {them}, and the service asks for the answers and reads those"
        case "ignored":
            return "nothing: Meta tells of something that is no lead, is thanked, and it is not kept"
        case "test":
            return "no lead: it is a test"
        case "refused":
            return f"no lead: the guard {one.fate.why} refuses its number"
        case "not_taking":
            return "no lead now: no leads are taken, by an operator's decision; it is kept, and may be read again"
        case "no_phone":
            return f"no lead ({one.fate.why}); it is kept, and may be read again"
    return _lead(one)


def _lead(one: Forecast) -> str:
    lead = one.fate.lead
    assert lead is not None  # whatever became none was told of before
    if lead.spam:
        return "spam: a lead that nobody is asked about"
    if lead.hold is not None:
        return f"a lead that is held for a person, by the guard {lead.hold}"
    if lead.reason in ("closed", "scheduled"):
        at = to_datetime(told(lead.due_at, lead.rank)).astimezone(ZoneInfo(one.clock))
        why = "its site is closed" if lead.reason == "closed" else "it asks for a time"
        return f"a lead that is rung from {at:%Y-%m-%d %H:%M} on ({one.clock}): {why}"
    return "a lead that is rung as soon as somebody is free"


def _said(verdict: str, why: str) -> str:
    try:
        return f'200 {{"outcome": "{heard(verdict, why)}"}}'
    except Refusal as refusal:
        return f"{refusal.status} {refusal.code}: {refusal}"


def _hindrances(one: Forecast) -> Iterator[str]:
    """What would keep it from being rung, as far as the payload alone tells."""
    if one.phone is None:
        yield f"no number to call: {one.refused}"
    if one.mapped.is_test:
        yield "the builder says that it is a test: no lead is made of it"
    guards = [hit for hit in one.fate.hits if hit.mode in ("hold", "refuse")]
    yield from (_hindrance(hit, one) for hit in guards)
    lead = one.fate.lead
    if lead is not None and lead.hold is not None and lead.hold not in {hit.guard for hit in guards}:
        yield f"the guard {lead.hold} would hold it: the hours of its number and of its site never meet"


def _hindrance(hit: Hit, one: Forecast) -> str:
    would = f"the guard {hit.guard} would {hit.mode} it"
    match hit.guard:
        case "low_confidence":
            return f"the phone is only guessed: {would}"
        case "honeypot":
            return f"the trap for robots is filled: {would}"
        case "stale":
            return f"it was sent more than {in_words(one.source.max_age)} ago: {would}"
    return f"{would}: {hit.figures}"


def _advice(one: Forecast) -> str:
    if one.fate.verdict == "to_fetch":
        return "Meta's webhook only names its leads; the service asks Meta for the answers, and reads those"
    if "phone" in one.mapped.fields:
        return "what stands where the phone should be cannot be rung"
    names = ", ".join(f'"{short(name)}"' for name in list(one.mapped.extra)[:8])
    seen = f": among its fields are {names}" if names else ""
    return f'no phone was found; write map = {{ phone = "…" }} with the name of the right field{seen}'


def _to_write(one: Forecast) -> str:
    if not one.lesson.map:
        return ""
    proposed = {field: (name,) for field, name in one.lesson.map.items()}
    return map_lines(one.source.key if one.of_the_file else "your-source", {**one.source.map, **proposed})


def _instead(one: Forecast) -> str:
    found = " and ".join(one.lesson.map)
    if one.source.map:
        return f"with this in the place of its map, {found} would be found for certain"
    return f"with this, {found} would be found for certain"
