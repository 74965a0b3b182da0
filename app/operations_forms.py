"""`leadring map` and `leadring sources learn`: what would be read of a captured payload, and what to write for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.clock import SystemClock, to_iso
from app.directory import Directory, Source
from app.directory_reading import nearest
from app.directory_types import PRESETS
from app.domain.phone import Phone, PhoneRefused, read_phone
from app.errors import ConfigurationError, Refusal
from app.forms.captured import LONGEST, Captured, read_captured
from app.forms.learning import learn as learn_from
from app.forms.mapped import Mapped
from app.forms.payload import decode
from app.forms.signatures import can_sign
from app.operations import AsJson, read_both
from app.service.forecast import Forecast, forecast, of_preset
from app.service.forecast_words import NOTHING_KEEPS_IT, Told, ToldField, not_decoded, told_fields, told_of
from app.sources_file import add_source, new_table

cli = typer.Typer()
Payload = Annotated[str, typer.Argument(help="A file with a captured body or a whole HTTP request; - for stdin.")]
ContentType = Annotated[str | None, typer.Option(help="Of the body; else the request's, or guessed.")]
PresetName = Annotated[str | None, typer.Option(help="Read it as this builder's, whatever it looks like.")]


@cli.command("map")
def map_(
    payload: Payload,
    source: Annotated[str | None, typer.Option(help="A source of leadring.toml; else by the request's path.")] = None,
    preset: PresetName = None,
    content_type: ContentType = None,
    as_json: AsJson = False,
) -> None:
    """Say what would be read of a form builder's payload, where it was found, and whether it would be rung."""
    if source is not None and preset is not None:
        raise ConfigurationError(["give --source or --preset, not both"])
    captured = _captured(payload, content_type)
    value = _decoded(captured)
    directory = _directory(needed=source is not None)
    chosen = _source(captured, directory, source, preset)
    found = forecast(value, chosen, directory, SystemClock().now(), headers=captured.headers)
    told = told_of(found)
    print(json.dumps(_as_json(found, told), ensure_ascii=False) if as_json else "\n".join(_lines(told)))
    if found.phone is None:
        print(f"leadring: {told.advice}", file=sys.stderr)
        raise SystemExit(2)


def learn(
    payload: Payload,
    name: Annotated[str, typer.Option(help="What the source is to be called.")],
    site: Annotated[str | None, typer.Option(help="The site its leads belong to.")] = None,
    preset: PresetName = None,
    content_type: ContentType = None,
    write: Annotated[bool, typer.Option("--write", help="Append it to leadring.toml.")] = False,
) -> None:
    """Make the [sources.…] table for a captured payload, and the address to paste into the form builder."""
    captured = _captured(payload, content_type)
    value = _decoded(captured)
    _known_preset(preset)
    settings, directory = read_both(need_code=False)
    lesson = learn_from(value, captured.headers, directory.policy.default_country, preset)
    table = new_table(name, lesson.preset, site, directory, lesson.map)
    phone, reason = _phone(lesson.mapped, directory.policy.default_country)
    if write and phone is None:
        raise ConfigurationError([f"nothing is written: no telephone number was found in {payload}: {reason}"])
    base = (settings.public_url or "https://YOUR-HOST").rstrip("/")
    if write:
        add_source(settings.config, name, table)
        print(f"written to {settings.config} as [sources.{name}]; it is read at the next reload (SIGHUP) or start")
    else:
        print(
            f"add this to {settings.config}; or run it again with --write, which makes another token and address:\n\n"
            f"{table.text}"
        )
    print(f"the address for the form builder:\n\n{base}/v1/hooks/{name}/{table.token}\n")
    print(f"it looks like {lesson.preset}; of this payload would be read:")
    print("\n".join(_fields(told_fields(lesson.mapped, phone, reason))))
    for sentence in (*lesson.unsure, *_missing(lesson.mapped, phone), *_unproven(lesson.preset, settings.public_url)):
        print(f"look: {sentence}")


def _unproven(preset: str, public_url: str | None) -> Iterator[str]:
    """What is to be done before the address is given away."""
    if can_sign(preset):
        yield f"{preset} can prove that a request is its own: put what it signs with under signing_secret"
    if not public_url:
        yield "LEADRING_PUBLIC_URL is not set: put your own host where the address says YOUR-HOST"


def _captured(payload: str, content_type: str | None) -> Captured:
    try:
        if payload == "-":
            content = sys.stdin.buffer.read(LONGEST + 1)
        else:
            with Path(payload).open("rb") as file:
                content = file.read(LONGEST + 1)
    except OSError as error:
        raise ConfigurationError([f"{payload}: cannot be read: {error.strerror}"]) from None
    if len(content) > LONGEST:
        raise ConfigurationError([f"{payload}: is longer than {LONGEST} bytes"])
    return read_captured(content, content_type)


def _decoded(captured: Captured) -> object:
    try:
        return decode(captured.content_type, captured.body)
    except Refusal as refusal:
        raise ConfigurationError([not_decoded(captured.content_type, refusal)]) from None


def _directory(*, needed: bool) -> Directory | None:
    """The directory; None where it is missing or wrong, unless the command cannot do without."""
    try:
        return read_both(need_code=False)[1]
    except ConfigurationError:
        if needed:
            raise
        return None


def _known_preset(preset: str | None) -> None:
    if preset is not None and preset not in PRESETS:
        raise ConfigurationError([f"--preset: there is no {preset}{nearest(preset, PRESETS)}: {', '.join(PRESETS)}"])


def _source(captured: Captured, directory: Directory | None, name: str | None, preset: str | None) -> Source:
    _known_preset(preset)
    known = directory.sources if directory is not None else {}
    if name is not None and name not in known:
        raise ConfigurationError([f"--source: there is no [sources.{name}]{nearest(name, known)}"])
    named = name or (captured.source if preset is None else None)
    if named is not None and named in known:
        return known[named]
    return of_preset(preset)


def _phone(mapped: Mapped, country: str) -> tuple[Phone | None, str]:
    try:
        return read_phone(mapped.fields.get("phone"), country), ""
    except PhoneRefused as refused:
        return None, refused.reason


def _lines(told: Told) -> list[str]:
    lines = [told.headline, *_fields(told.fields)]
    if told.beside:
        lines += ["", "kept beside them, for the agent:", *(f"  {name}: {value}" for name, value in told.beside)]
    lines += ["", *(f"{what}: {said}" for what, said in told.facts)]
    lines += [f"not rung: {hindrance}" for hindrance in told.not_rung] or [NOTHING_KEEPS_IT]
    if told.to_write:
        lines += ["", f"{told.instead}:", "", told.to_write.rstrip()]
    return lines


def _fields(fields: Iterable[ToldField]) -> list[str]:
    lines: list[str] = []
    for field in fields:
        lines += [f"  {field.name}: {field.value}", f"      from {field.where} ({field.by}), {field.surely}"]
        if field.number:
            lines.append(f"      {field.number}")
    return lines or ["  nothing"]


def _missing(mapped: Mapped, phone: Phone | None) -> list[str]:
    found = [] if phone is not None else ["no value reads as a number: is there one in this payload?"]
    return found + ["there is no name: leads will be shown by their number"] * ("name" not in mapped.fields)


def _as_json(found: Forecast, told: Told) -> dict[str, object]:
    mapped = found.mapped
    return {
        "preset": found.read_as,
        "looks_like": found.looks_like,
        "fields": dict(mapped.fields),
        "extra": dict(mapped.extra),
        "found_as": dict(mapped.found_as),
        "evidence": {field: asdict(evidence) for field, evidence in mapped.evidence.items()},
        "low_confidence": mapped.low_confidence,
        "delivery_id": mapped.delivery_id,
        "submitted_at": to_iso(mapped.submitted_at),
        "is_test": mapped.is_test,
        "phone": asdict(found.phone) if found.phone is not None else None,
        "phone_refused": found.refused or None,
        "not_rung": list(told.not_rung),
        "verdict": found.fate.verdict,
        "to_write": told.to_write or None,
    }
