"""The time zones of each country, as the time zone database lists them (zone.tab)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


def zones_of(country: str) -> tuple[str, ...]:
    """Names of the zones whose clocks are used in the country (two letters); empty for one that is not listed."""
    return _zones().get(country, ())


@cache
def _zones() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found[country] = (*found.get(country, ()), zone)
    return MappingProxyType(found)
