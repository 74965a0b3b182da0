"""[sources.*] of leadring.toml: the form builders whose webhooks are taken, and how each is known and read.

A secret stands in the file itself, or, as `file:PATH`, in a file of its own that is read when the directory is. Two
at a time are taken, so that one can be changed without losing a lead: the old and the new.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

from app.directory_reading import Table, nearest
from app.directory_sites import KEY_MEANS, KEY_PATTERN
from app.directory_types import PRESETS, Source

SOURCE_KEYS: Final = ("preset", "token", "site", "map", "root", "signing_secret", "access_token", "max_age", "keep_raw")
# Who can prove that a body is theirs (app/forms/signatures.py says how; a test holds the two together).
SIGNING: Final = ("wpforms", "webflow", "typeform", "hubspot", "google_ads", "meta", "tally")
# What may stand under `map` and means something; any other name becomes a label beside the lead.
FIELDS: Final = (
    *("phone", "phone_prefix", "name", "first_name", "last_name", "email", "message", "language", "call_at"),
    *("consent", "consent_text", "page_url", "referrer", "delivery_id", "submitted_at"),
)
MOST_SECRETS: Final = 2
SHORTEST_TOKEN: Final = 16  # characters: it stands in an address, and whoever guesses it may make phones ring
LONGEST_SECRET: Final = 4096  # bytes of a secret's file
_IN_A_PATH: Final = r"[A-Za-z0-9._~-]+"


def read_sources(top: Table, sites: Collection[str], fresh_for: int) -> dict[str, Source]:
    """Every [sources.…], under its name; `fresh_for` is what `max_age` is where a source does not say."""
    value = top.values.get("sources")
    outer = top.table("sources", tuple(value) if isinstance(value, dict) else ())
    return {key: _read(key, outer.table(key, SOURCE_KEYS), sites, fresh_for) for key in outer.values}


def secrets_of_sources(sources: Mapping[str, Source]) -> list[str]:
    """Everything of them that must not be in a log."""
    return [
        secret
        for one in sources.values()
        for secret in (*one.tokens, *one.signing_secrets, *([one.access_token] if one.access_token else []))
    ]


def _read(key: str, table: Table, sites: Collection[str], fresh_for: int) -> Source:
    if not re.fullmatch(KEY_PATTERN, key) or len(key) > 64:
        table.wrong("", f"must be named with {KEY_MEANS}, at most 64 of them")
    preset = table.choice("preset", "generic", PRESETS)
    signing = _secrets(table, "signing_secret")
    access = _secrets(table, "access_token")
    if signing and preset not in SIGNING:
        table.wrong("signing_secret", f'does nothing here: preset = "{preset}" cannot sign')
    if access and preset != "meta":
        table.wrong("access_token", 'does nothing here: it belongs to preset = "meta"')
    return Source(
        key=key,
        preset=preset,
        site=_site(table, sites),
        tokens=_tokens(table),
        signing_secrets=signing,
        access_token=access[0] if access else None,
        map=_map(table),
        root=table.text("root", many=200) or None,
        max_age=table.seconds("max_age", fresh_for, 1, 30 * 86400),
        keep_raw=table.seconds("keep_raw", 7 * 86400, 0, 90 * 86400),
    )


def _site(table: Table, sites: Collection[str]) -> str:
    named = table.text("site")
    if not named:
        if len(sites) != 1:
            table.wrong("site", "is missing: it must name one of the sites")
        return next(iter(sites), "")
    if named not in sites:
        table.wrong("site", f'names "{named}", but there is no such site{nearest(named, sites)}')
    return named


def _tokens(table: Table) -> tuple[str, ...]:
    found = _secrets(table, "token")
    if not found and "token" not in table.values:
        table.wrong("token", "is missing")
    for token in found:
        if len(token) < SHORTEST_TOKEN or not re.fullmatch(_IN_A_PATH, token):
            table.wrong(
                "token",
                f"must be at least {SHORTEST_TOKEN} letters, digits, dots, dashes, tildes or underscores: "
                "it is a part of an address",
            )
    return found


def _secrets(table: Table, key: str) -> tuple[str, ...]:
    """One secret, or a list of at most two, each as text or as `file:PATH`."""
    value = table.values.get(key)
    if value is None:
        return ()
    told = table.texts(key) if isinstance(value, list) else (table.text(key),)
    if not any(told):
        table.wrong(key, "is empty")
    if len(told) > MOST_SECRETS:
        table.wrong(key, f"holds {len(told)}, but at most {MOST_SECRETS} are taken: the old and the new")
    return tuple(secret for text in told if text and (secret := _secret(table, key, text)))


def _secret(table: Table, key: str, text: str) -> str:
    if not text.startswith("file:"):
        return text
    path = Path(text.removeprefix("file:"))
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_SECRET + 1)
        secret = content.decode().strip()
    except OSError as error:
        table.wrong(key, f"names {path}, which cannot be read: {error.strerror}")
        return ""
    except UnicodeDecodeError:
        table.wrong(key, f"names {path}, which is not text")
        return ""
    if not secret or len(content) > LONGEST_SECRET:
        table.wrong(key, f"names {path}, which {'is empty' if not secret else 'is too long for a secret'}")
        return ""
    return secret


def misspelt(source: Source) -> Iterator[str]:
    """Names under `map` that are no field of a lead, and nearly one: they would be labels of something else."""
    for name in source.map:
        near = get_close_matches(name, FIELDS, n=1, cutoff=0.8) if name not in FIELDS else []
        if near:
            yield f'sources.{source.key}.map: {name} is kept as a label of its own; did you mean "{near[0]}"?'


def _map(table: Table) -> Mapping[str, tuple[str, ...]]:
    """Our field → the names under which this source sends it, the first one that is filled counts."""
    value = table.values.get("map", {})
    found: dict[str, tuple[str, ...]] = {}
    if not isinstance(value, dict):
        table.wrong("map", 'must be a table, such as { phone = "Mobile number" }')
        return MappingProxyType(found)
    inner = Table(value, f"{table.place}.map", tuple(value), table.mistakes)
    for name, told in value.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            inner.wrong(name, "is no field of a lead: lower-case letters, digits and underscores")
            continue
        names = inner.texts(name) if isinstance(told, list) else (inner.text(name),)
        if not any(names):
            inner.wrong(name, "must be the name of a field, or a list of names")
        found[name] = tuple(one for one in names if one)
    return MappingProxyType(found)
