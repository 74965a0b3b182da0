"""`leadring map` and `leadring sources learn`: what would be read of a captured payload, and what to write for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from app.clock import SystemClock, to_iso
from app.directory import Directory, Policy, Source
from app.directory_reading import in_words, nearest
from app.directory_types import PRESETS
from app.domain import guards
from app.domain.phone import Phone, PhoneRefused, read_phone
from app.errors import ConfigurationError, Refusal
from app.forms.captured import Captured, read_captured
from app.forms.learning import learn as learn_from
from app.forms.mapped import Mapped
from app.forms.mapping import map_payload, preset_of
from app.forms.meta import leadgens
from app.forms.payload import MAX_BYTES, decode
from app.forms.signatures import can_sign
from app.operations import AsJson, read_both
from app.sources_file import add_source, new_table

LONGEST_FILE: Final = MAX_BYTES + 64 * 1024  # bytes: a body, and the headers of its request
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
    policy = directory.policy if directory is not None else Policy()
    mapped = map_payload(value, chosen, policy.default_country)
    phone, reason = _phone(mapped, policy.default_country)
    hindrances = _hindrances(mapped, phone, chosen, directory, reason)
    read_as = preset_of(value, chosen)[0]
    if as_json:
        print(json.dumps(_as_json(mapped, phone, reason, read_as, hindrances), ensure_ascii=False))
    else:
        print("\n".join(_told(mapped, phone, reason, chosen, read_as, hindrances)))
    if phone is None:
        print(f"leadring: {_what_to_write(mapped, value)}", file=sys.stderr)
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
    print("\n".join(_fields(lesson.mapped, phone, reason)))
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
            content = sys.stdin.buffer.read(LONGEST_FILE + 1)
        else:
            with Path(payload).open("rb") as file:
                content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise ConfigurationError([f"{payload}: cannot be read: {error.strerror}"]) from None
    if len(content) > LONGEST_FILE:
        raise ConfigurationError([f"{payload}: is longer than {LONGEST_FILE} bytes"])
    return read_captured(content, content_type)


def _decoded(captured: Captured) -> object:
    try:
        return decode(captured.content_type, captured.body)
    except Refusal as refusal:
        raise ConfigurationError([f"as {captured.content_type.split(';')[0]}: {refusal} ({refusal.code})"]) from None


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
    return Source(key=preset or "generic", preset=preset or "generic", site="", tokens=())


def _phone(mapped: Mapped, country: str) -> tuple[Phone | None, str]:
    try:
        return read_phone(mapped.fields.get("phone"), country), ""
    except PhoneRefused as refused:
        return None, refused.reason


def _hindrances(
    mapped: Mapped, phone: Phone | None, source: Source, directory: Directory | None, reason: str
) -> list[str]:
    """What would keep it from being rung, as far as the payload alone tells."""
    found: list[str] = []
    if phone is None:
        found.append(f"no number to call: {reason}")
    if mapped.is_test:
        found.append("the builder says that it is a test: no lead is made of it")
    if mapped.low_confidence:
        found.append("the phone is only guessed: by default such a lead is held for a person")
    if mapped.fields.get("_gotcha"):
        found.append("the trap for robots is filled: it is taken for spam")
    if phone is not None and directory is not None:
        hits = guards.look_at_number(phone, directory)
        found += [f"the guard {hit.guard} would {hit.mode} it" for hit in hits if hit.mode in ("hold", "refuse")]
    if mapped.submitted_at is not None and SystemClock().now() - mapped.submitted_at > source.max_age * 1000:
        found.append(f"it was sent more than {in_words(source.max_age)} ago: now it would be held as stale")
    return found


def _told(
    mapped: Mapped, phone: Phone | None, reason: str, source: Source, read_as: str, hindrances: list[str]
) -> list[str]:
    lines = [f"read as {read_as}" + (f" for [sources.{source.key}]" if source.tokens else "")]
    lines += _fields(mapped, phone, reason)
    if mapped.extra:
        lines += [
            "",
            "kept beside them, for the agent:",
            *(f"  {name}: {_short(mapped.extra[name])}" for name in mapped.extra),
        ]
    lines += ["", f"id of the submission: {mapped.delivery_id or 'none; the same body twice is one lead'}"]
    lines.append(f"sent: {to_iso(mapped.submitted_at) or 'not said'}")
    lines += [f"not rung: {hindrance}" for hindrance in hindrances] or ["nothing in it keeps it from being rung"]
    return lines


def _fields(mapped: Mapped, phone: Phone | None, reason: str) -> list[str]:
    lines: list[str] = []
    order = {"phone": 0, "name": 1, "email": 2, "message": 3}
    for field in sorted(mapped.fields, key=lambda name: order.get(name, 9)):
        lines.append(f"  {field}: {_short(mapped.fields[field])}")
        lines.append(f"      from {mapped.found_as[field]}")
        if field == "phone":
            lines.append(f"      {_as_number(phone, reason, guessed=mapped.low_confidence)}")
    return lines or ["  nothing"]


def _as_number(phone: Phone | None, reason: str, *, guessed: bool) -> str:
    if phone is None:
        return f"this cannot be rung: {reason}"
    sure = "" if phone.valid else ", which its country has not given out as far as is known"
    return f"reads as {phone.e164}, {phone.kind}, {phone.country or 'of no single country'}{sure}" + (
        "; a guess" if guessed else ""
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _missing(mapped: Mapped, phone: Phone | None) -> list[str]:
    found = [] if phone is not None else ["no value reads as a number: is there one in this payload?"]
    return found + ["there is no name: leads will be shown by their number"] * ("name" not in mapped.fields)


def _what_to_write(mapped: Mapped, payload: object) -> str:
    """A sentence for whoever has to say where the phone is."""
    if leadgens(payload):
        return "Meta's webhook only names its leads; the service asks Meta for the answers, and reads those"
    if "phone" in mapped.fields:
        return "what stands where the phone should be cannot be rung"
    names = ", ".join(f'"{name}"' for name in list(mapped.extra)[:8])
    seen = f": among its fields are {names}" if names else ""
    return f'no phone was found; write map = {{ phone = "…" }} with the name of the right field{seen}'


def _as_json(
    mapped: Mapped, phone: Phone | None, reason: str, read_as: str, hindrances: list[str]
) -> dict[str, object]:
    return {
        "preset": read_as,
        "fields": dict(mapped.fields),
        "extra": dict(mapped.extra),
        "found_as": dict(mapped.found_as),
        "low_confidence": mapped.low_confidence,
        "delivery_id": mapped.delivery_id,
        "submitted_at": to_iso(mapped.submitted_at),
        "is_test": mapped.is_test,
        "phone": asdict(phone) if phone is not None else None,
        "phone_refused": reason or None,
        "not_rung": hindrances,
    }
