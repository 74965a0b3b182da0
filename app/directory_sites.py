"""[[sites]] of leadring.toml: who may send leads, and what belongs to them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import cast
from urllib.parse import urlsplit

from app.directory_extensions import read_extension
from app.directory_lines import MOST_LINES
from app.directory_options import SITE_OPTIONS, read_site_options
from app.directory_reading import Table, nearest
from app.directory_types import First, Site

SITE_KEYS = (
    "key",
    "name",
    "origins",
    "skills",
    "prefer",
    "agents",
    "fallback",
    "hours",
    "language",
    "thank_you_url",
    "telephone",
    "consent_text",
    "variables",
    "first",
    "ivr",
    "lines",
    "record",
    *SITE_OPTIONS,
)
KEY_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]*"
KEY_MEANS = "letters, digits, dashes and underscores"
MAX_VARIABLES = 8  # the provider takes 10 var_* (vendor page); two are ours: lead and attempt
OUR_VARIABLES = ("lead", "attempt")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLACEHOLDERS = re.compile(r"(?:[^{}]|\{[a-z][a-z0-9_]*\})*")


def normal_origin(text: str) -> str:
    """scheme://host[:port] the way browsers send it; ValueError with the reason for anything else."""
    if "*" in text:
        raise ValueError(f'"{text}": a star is refused; list every address')
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        raise ValueError(f'"{text}" is not a web address') from None
    host = url.hostname or ""
    if url.scheme not in _DEFAULT_PORTS or not host or re.search(r"[\s@\\]", url.netloc):
        raise ValueError(f'"{text}" must be an address such as "https://www.example.com"')
    if url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError(f'"{text}" must end after the host: an origin has no path')
    return f"{url.scheme}://{_normal_host(host, text)}" + (
        f":{port}" if port not in (None, _DEFAULT_PORTS[url.scheme]) else ""
    )


def _normal_host(host: str, text: str) -> str:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            raise ValueError(f'"{text}" is not a web address') from None
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError(f'"{text}" is not a web address') from None
    if not re.fullmatch(r"[a-z0-9_.-]+", name):
        raise ValueError(f'"{text}" is not a web address')
    return name


def read_site(table: Table, hours: Collection[str], warnings: list[str]) -> Site | None:
    """One site; None when it has no usable key."""
    key = table.required("key", pattern=KEY_PATTERN, means=KEY_MEANS)
    origins = _origins(table)
    if not origins and not table.values.get("origins"):
        warnings.append(f"{table.place}: origins is empty: any website may send leads here")
    site = Site(
        key=key or "",
        name=table.text("name", many=100) or key or "",
        origins=origins,
        skills=frozenset(table.texts("skills")),
        prefer=frozenset(table.texts("prefer")),
        agents=tuple(table.texts("agents")),
        fallback=tuple(table.texts("fallback")),
        hours=read_hours_name(table, hours),
        language=table.text("language", "he", pattern=r"[a-z]{2,3}(-[A-Za-z]{2,4})?", means='a language, as "he"'),
        thank_you_url=table.text("thank_you_url", pattern=r"https?://[^\s/]+\S*", means="a whole web address") or None,
        telephone=table.text("telephone", pattern=r"[0-9+*#() .-]{2,32}", means="a telephone number") or None,
        consent_text=table.text("consent_text") or None,
        variables=_variables(table),
        first=cast(First, table.choice("first", "agent", ("agent", "lead"))),
        ivr=read_extension(table, "ivr") if "ivr" in table.values else None,
        lines=table.whole("lines", 1, 1, MOST_LINES),
        record=table.flag("record", False) if "record" in table.values else None,
        provider_options=read_site_options(table),
    )
    if "lines" in table.values and "ivr" not in table.values:
        table.wrong("lines", "does nothing here: it belongs to ivr")
    warnings += [
        f"{table.place}: {name} does nothing here: all of its leads go to the IVR"
        for name in ("skills", "prefer", "agents", "fallback")
        if site.ivr and getattr(site, name)
    ]
    return site if key else None


def read_hours_name(table: Table, hours: Collection[str]) -> str | None:
    """The key `hours`: the name of one [hours.…]; None when it is missing or empty."""
    name = table.text("hours")
    if name and name not in hours:
        table.wrong("hours", f'names "{name}", but there is no [hours.{name}]{nearest(name, hours)}')
    return name if name in hours else None


def _origins(table: Table) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in table.texts("origins"):
        try:
            found[normal_origin(text)] = None
        except ValueError as error:
            table.wrong("origins", str(error))
    return tuple(found)


def _variables(table: Table) -> Mapping[str, str]:
    value = table.values.get("variables", {})
    found: dict[str, str] = {}
    if not isinstance(value, dict):
        table.wrong("variables", 'must be a table, such as { campaign = "spring" }')
        return MappingProxyType(found)
    if len(value) > MAX_VARIABLES:
        table.wrong("variables", f"holds {len(value)}, but at most {MAX_VARIABLES} fit beside our own two")
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", name):
            table.wrong("variables", f'"{name}" must be letters, digits and underscores')
        elif name.lower() in OUR_VARIABLES or name.lower() in (other.lower() for other in found):
            table.wrong("variables", f'"{name}" is taken')
        elif not isinstance(text, str) or len(text) > 255 or not text.isprintable():
            table.wrong("variables", f'"{name}" must be one line of text in quotation marks')
        elif not _PLACEHOLDERS.fullmatch(text):
            table.wrong("variables", f'"{name}" has a brace that is no placeholder such as {{name}}')
        else:
            found[name] = text
    return MappingProxyType(found)
