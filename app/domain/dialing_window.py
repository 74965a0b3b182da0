"""The dialing window: the local hours in which a lead's own number may be rung, by the clocks of its country.

Read strictly: where a country has several time zones and the policy names none, the window has to be open in all of
them. A number tells where it belongs, not where its telephone is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from app.directory import Directory, Hours
from app.directory_zones import zones_of
from app.domain.hours import is_open, next_common_opening, next_opening

HORIZON: Final = 31  # days from a site's next opening on in which a common moment is looked for


class DialingWindow:
    """The policy's window, made ready to be read on any clock."""

    def __init__(self, window: Hours, directory: Directory) -> None:
        self._window = window
        self._policy = directory.policy
        self._on_clocks: dict[str | None, tuple[Hours, ...]] = {}

    def clocks(self, country: str | None) -> tuple[str, ...]:
        """The time zones that count for numbers of this country; the policy's own where none is known."""
        if country is None:
            return (self._policy.timezone,)
        if country in self._policy.dialing_zones:
            return (self._policy.dialing_zones[country],)
        return zones_of(country) or (self._policy.timezone,)

    def on_clocks(self, country: str | None) -> tuple[Hours, ...]:
        """The window as it is read on each of those clocks."""
        if country not in self._on_clocks:
            self._on_clocks[country] = tuple(replace(self._window, timezone=zone) for zone in self.clocks(country))
        return self._on_clocks[country]

    def is_open(self, country: str | None, at: datetime) -> bool:
        """Whether numbers of this country may be rung at `at` (aware)."""
        return all(is_open(hours, at) for hours in self.on_clocks(country))

    def next_opening(self, country: str | None, site: Hours | None, after: datetime) -> datetime | None:
        """The earliest moment, from `after` on, at which window and site (None: always) are open, in UTC.

        None when there is none in the 31 days after the site's next opening: such a number can never be rung.
        """
        first = after if site is None else next_opening(site, after)
        if first is None:
            return None
        together: Sequence[Hours] = (*self.on_clocks(country), *([site] if site is not None else []))
        return next_common_opening(together, first, horizon_days=HORIZON)


def window_of(directory: Directory) -> DialingWindow | None:
    """The dialing window in force; None when the file names none."""
    name = directory.policy.dialing_window
    return None if name is None else DialingWindow(directory.hours[name], directory)


def never_rung(directory: Directory, at: datetime) -> list[str]:
    """Sentences about the countries of the policy whose numbers a site can never ring, looking from `at` on."""
    window = window_of(directory)
    if window is None:
        return []
    found: list[str] = []
    for country in directory.policy.countries:
        for site in directory.sites.values():
            hours = directory.hours[site.hours] if site.hours is not None else None
            if window.next_opening(country, hours, at) is None:
                zones = len(window.clocks(country))
                several = f"in all of its {zones} time zones at once" if zones > 1 else "on its clock"
                found.append(f"{site.key}: the dialing window of {country}, {several}, is never open while the site is")
    return found
