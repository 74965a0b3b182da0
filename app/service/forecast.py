"""A payload that nobody has submitted: what would be read of it, by what, and what would become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.directory import Directory, Guards, Limits, Policy, Source
from app.domain.phone import Phone, PhoneRefused, read_phone
from app.forms.answers import root_in
from app.forms.learning import Lesson, learn_more
from app.forms.mapped import Mapped
from app.forms.mapping import map_payload, preset_of, roots_of
from app.forms.meta import lead_payload, leadgens
from app.forms.recognising import recognise
from app.service.fate import Fate, foresee
from app.service.webhook_reading import FETCHED

# Without leadring.toml nothing is known of where may be rung; the other guards stand as they do by themselves.
NO_FILE: Final = Directory(Policy(), Limits(), Guards(country="off"), {}, {}, {})


@dataclass(frozen=True, slots=True)
class Forecast:
    """`read_as` is the preset that it is read by, `looks_like` the one that it gives away, `root` where its answers
    stand. `phone`: the number that would be rung; `refused` says why there is none. `words`: how many leads it only
    names. `lesson`: what has to stand under `map` for what was not found. `clock`: the policy's zone.
    """

    source: Source
    read_as: str
    looks_like: str
    root: str
    mapped: Mapped
    phone: Phone | None
    refused: str
    words: int
    fate: Fate
    lesson: Lesson
    clock: str

    @property
    def of_the_file(self) -> bool:
        """Whether it is read as a source of leadring.toml, and not as a preset alone."""
        return bool(self.source.tokens)


def of_preset(preset: str | None) -> Source:
    """What stands for a source where a payload is read as a builder's, or as whatever it looks like."""
    return Source(key=preset or "generic", preset=preset or "generic", site="", tokens=())


def forecast(
    payload: object,
    source: Source,
    directory: Directory | None,
    now: int,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
    received_at: int | None = None,
    taking: bool = True,
) -> Forecast:
    """What would become of a decoded payload; moments in milliseconds. `headers` of its request, if it was captured.

    `received_at` is when it came, for one that did. It depends on its arguments alone, and never raises.
    """
    known = directory or NO_FILE
    country = known.policy.default_country
    mapped = map_payload(payload, source, country)
    read_as, preset = preset_of(payload, source)
    phone, refused = _phone(mapped, country)
    # A source that is no preset of Meta's reads its webhook like any form; whoever names none asks what it is.
    words = len(leadgens(payload)) if source.preset == FETCHED or not source.tokens else 0
    if words:
        fate = Fate("to_fetch")
    elif source.preset == FETCHED and lead_payload(payload) is None:
        fate = Fate("ignored")
    else:
        fate = foresee(source, mapped, known, now if received_at is None else received_at, now, taking=taking)
    return Forecast(
        source=source,
        read_as=read_as,
        looks_like=recognise(payload, headers),
        root=root_in(payload, roots_of(source, preset)),
        mapped=mapped,
        phone=phone,
        refused=refused,
        words=words,
        fate=fate,
        lesson=learn_more(payload, source, country),
        clock=known.policy.timezone,
    )


def _phone(mapped: Mapped, country: str) -> tuple[Phone | None, str]:
    try:
        return read_phone(mapped.fields.get("phone"), country), ""
    except PhoneRefused as refused:
        return None, refused.reason
