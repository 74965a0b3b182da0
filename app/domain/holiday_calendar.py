"""Days that a country's calendar sets apart: its holidays, their eves, and the days between the feasts.

The `holidays` package lists days, not eves. Of the days between the feasts (Hol HaMoed) it leaves out the last one
of Sukkot, Hoshana Rabba, which is filled in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays

# By the package's own names: the English ones, "Pesach holiday", are translations that may be bettered.
_FEASTS: Final = {"חול המועד סוכות": "Hol HaMoed Sukkot", "חול המועד פסח": "Hol HaMoed Pesach"}
_DAY: Final = timedelta(days=1)


def holiday_on(country: str, categories: tuple[str, ...], day: date) -> str:
    """The name of the holiday that this day is, in English where the package has it; empty when it is none."""
    return _holidays(country, categories, day.year).get(day, "")


def eve_on(country: str, day: date) -> str:
    """The name of the public holiday that the next day is; empty where there is none, or this day is one itself."""
    if holiday_on(country, ("public",), day):
        return ""
    return holiday_on(country, ("public",), day + _DAY)


def hol_hamoed_on(day: date) -> str:
    """ "Hol HaMoed Sukkot" or "Hol HaMoed Pesach" on the days between the first and the last of the feast in Israel."""
    return _hol_hamoed(day.year).get(day, "")


@lru_cache(maxsize=64)
def _holidays(country: str, categories: tuple[str, ...], year: int) -> Mapping[date, str]:
    languages = holidays.country_holidays(country).supported_languages
    found = holidays.country_holidays(
        country, years=year, categories=categories, language="en_US" if "en_US" in languages else None
    )
    return {day: found[day] for day in found}


@lru_cache(maxsize=16)
def _hol_hamoed(year: int) -> Mapping[date, str]:
    listed = holidays.country_holidays("IL", years=year, categories=("optional",), language="he")
    found = {day: _FEASTS[name] for day in listed for name in listed.get_list(day) if name in _FEASTS}
    for day, feast in list(found.items()):
        rabba = day + _DAY
        if rabba not in found and eve_on("IL", rabba):
            found[rabba] = feast
    return found
