"""A decoded payload → our fields: by what the operator wrote, by type, by name, or by what can only be a number."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from app.directory_types import Source
from app.domain.text import CAPS
from app.forms import facts
from app.forms.answers import Answer, read_answers
from app.forms.claims import Claim, Found, best, claims_of
from app.forms.extras import extras
from app.forms.mapped import Mapped
from app.forms.overrides import Overrides
from app.forms.people import find_name, find_phone
from app.forms.presets import KNOWN, Preset
from app.forms.recognising import recognise
from app.forms.titles import titles_of
from app.forms.vocabulary import ALIASES

# Of these the payload of any builder may come: who is asked to pass it on adds nothing of his own.
_PASSED_ON: Final = frozenset({"generic", "zapier", "make"})
_BY_THEMSELVES: Final = frozenset({"phone", "name", "first_name", "last_name", "phone_prefix", "consent_text"})


def map_payload(payload: object, source: Source, default_country: str) -> Mapped:
    """What was sent, in our words; `default_country` is whose numbers are written without a country code.

    Never raises, whatever was sent: a phone that is not there is not in `fields`. It depends on its arguments alone,
    so that a body that was kept can be read again with a better `map`.
    """
    name, preset = preset_of(payload, source)
    answers = read_answers(payload, roots_of(source, preset), titles_of(payload))
    overrides = Overrides(source.map, answers)
    claims = claims_of(answers)
    found = _found(claims, overrides)
    phone = find_phone(answers, claims, overrides, default_country)
    if phone is not None:
        found["phone"] = phone.found
    person = find_name(claims, overrides, answers, phone)
    if person is not None:
        found["name"] = person
    delivery = _told(overrides, "delivery_id") or facts.delivery_id(name, preset, payload, answers)
    # What says which submission it is, and when it was sent, has a place of its own.
    left = [
        one
        for one in answers
        if not (one.value == delivery and facts.names_the_submission(one, preset)) and not _is_time(one, preset)
    ]
    return Mapped(
        fields=MappingProxyType({field: one.value for field, one in found.items()}),
        extra=MappingProxyType(
            extras(left, claims, found, preset, default_country)
            | {field: one.value for field, one in overrides.others().items()}
            | ({"extension": phone.extension} if phone is not None and phone.extension else {})
        ),
        found_as=MappingProxyType({field: one.told for field, one in found.items()}),
        low_confidence=phone is not None and phone.guessed,
        delivery_id=delivery,
        submitted_at=_submitted_at(overrides, name, preset, payload),
        is_test=facts.is_test(name, payload, answers),
        evidence=MappingProxyType({field: one.evidence for field, one in found.items()}),
    )


def preset_of(payload: object, source: Source) -> tuple[str, Preset]:
    """The preset that is read by: the source's, or that of the builder whose payload is passed on."""
    name = recognise(payload) if source.preset in _PASSED_ON else source.preset
    return name, KNOWN.get(name, Preset())


def roots_of(source: Source, preset: Preset) -> tuple[str, ...]:
    """Below which paths the visitor's answers may stand: the source's own, else those of the preset."""
    return (source.root,) if source.root else preset.roots


def _found(claims: tuple[Claim, ...], overrides: Overrides) -> dict[str, Found]:
    """Every field but those of the person, by override or by name."""
    found: dict[str, Found] = {}
    for field in (*ALIASES, *(name for name in overrides.ours() if name in CAPS)):
        if field in _BY_THEMSELVES or field in found:
            continue
        one = overrides.find(field) or best(claims, field)
        if one is not None:
            found[field] = one
    consent = found.get("consent")
    said = overrides.find("consent_text") or best(claims, "consent_text")
    if said is not None:
        found["consent_text"] = said
    elif consent is not None and len(consent.answers[0].label.split()) > 2:
        asked = consent.answers[0]
        found["consent_text"] = Found(asked.label, f"{asked.path} (its label)", (asked,), "its label", "likely")
    return found


def _is_time(answer: Answer, preset: Preset) -> bool:
    return any(answer.path == path and facts.read_time(answer.value, unit) is not None for path, unit in preset.times)


def _told(overrides: Overrides, field: str) -> str | None:
    one = overrides.find(field)
    return one.value[: facts.LONGEST_ID] if one is not None else None


def _submitted_at(overrides: Overrides, name: str, preset: Preset, payload: object) -> int | None:
    told = _told(overrides, "submitted_at")
    if told is not None:
        return facts.read_time(told, "iso") or facts.read_time(told, "ms")
    return facts.submitted_at(name, preset, payload)
