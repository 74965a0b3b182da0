"""The moments at which anything opens or closes: sites, shifts, and the dialing window on the clocks of the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.directory import Directory, Hours
from app.domain.dialing_window import window_of
from app.domain.phone import country_of
from app.domain.uncovered import open_spans


def boundaries(directory: Directory, phones: Iterable[str], since: int, until: int) -> list[int]:
    """All of them in that time (epoch ms), in order."""
    found = {
        moment
        for hours in (*directory.hours.values(), *_on_clocks(directory, phones))
        for span in open_spans(hours, since, until)
        for moment in span
    }
    return sorted(moment for moment in found if since < moment < until)


def _on_clocks(directory: Directory, phones: Iterable[str]) -> Iterator[Hours]:
    window = window_of(directory)
    if window is not None:
        for country in {country_of(phone) for phone in phones}:
            yield from window.on_clocks(country)
