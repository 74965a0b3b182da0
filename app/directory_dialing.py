"""The dialing window of [policy]: which timetable holds on the clock of the lead's own number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from app.directory_hours import countries, time_zones
from app.directory_reading import Table, nearest
from app.directory_types import Hours
from app.directory_zones import zones_of

DIALING_KEYS = ("dialing_window", "dialing_zones")


def read_dialing_window(table: Table, hours: Collection[str]) -> str | None:
    """The name of one of the `hours` of the file, or None."""
    name = table.text("dialing_window") or None
    if name is not None and name not in hours:
        table.wrong("dialing_window", f'names "{name}", but there is no [hours.{name}]{nearest(name, hours)}')
        return None
    return name


def read_dialing_zones(table: Table) -> Mapping[str, str]:
    """The one time zone by which a country is taken, by country."""
    value = table.values.get("dialing_zones", {})
    if not isinstance(value, dict):
        table.wrong("dialing_zones", 'must be a table, such as { US = "America/New_York" }')
        return MappingProxyType({})
    found: dict[str, str] = {}
    for country, zone in value.items():
        there_are = zones_of(country)
        if not there_are and country not in countries():
            table.wrong("dialing_zones", f'"{country}" must be a country in two capital letters, such as "US"')
        elif not isinstance(zone, str) or zone not in (there_are or time_zones()):
            near = nearest(str(zone), there_are or time_zones())
            table.wrong("dialing_zones", f'"{country}" must be one of the time zones of that country{near}')
        else:
            found[country] = zone
    return MappingProxyType(found)


def check_dialing_window(name: str | None, hours: Mapping[str, Hours], mistakes: list[str]) -> None:
    """A window that never opens would keep every lead waiting."""
    window = hours.get(name or "")
    if window is not None and not any(window.week) and not window.extra_open:
        mistakes.append(f"policy: dialing_window names hours.{name}, which is never open: nobody would be rung")
