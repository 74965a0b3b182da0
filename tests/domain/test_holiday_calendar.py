"""Eves and Hol HaMoed fall on the days on which the calendars on the wall have them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.holiday_calendar import eve_on, hol_hamoed_on, holiday_on

EVES = {
    2026: ["04-01", "04-07", "04-21", "05-21", "09-11", "09-20", "09-25", "10-02"],
    2027: ["04-21", "04-27", "05-11", "06-10", "10-01", "10-10", "10-15", "10-22"],
    2028: ["04-10", "04-16", "05-01", "05-30", "09-20", "09-29", "10-04", "10-11"],
}
FEASTS = (
    "Pesach",
    "Seventh day of Pesach",
    "Independence Day",
    "Shavuot",
    "Rosh Hashanah",
    "Yom Kippur",
    "Sukkot",
    "Simchat Torah / Shemini Atzeret",
)
FIRST_DAYS = {
    2026: ("2026-04-02", "2026-09-26"),
    2027: ("2027-04-22", "2027-10-16"),
    2028: ("2028-04-11", "2028-10-05"),
}


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [day for offset in range(366) if (day := first + timedelta(days=offset)).year == year]


def hebrew_day(hebrew_year: int, days: int) -> date:
    """The day so many days after the first of Tishrei, by the calendar's own arithmetic (Dershowitz, Reingold)."""

    def elapsed(year: int) -> int:
        months = (235 * year - 234) // 19
        parts = 12084 + 13753 * months
        day = 29 * months + parts // 25920
        return day + 1 if 3 * (day + 1) % 7 < 3 else day

    def delay(year: int) -> int:
        before, this, after = (elapsed(one) for one in (year - 1, year, year + 1))
        if after - this == 356:
            return 2
        return 1 if this - before == 382 else 0

    return date.fromordinal(elapsed(hebrew_year) + delay(hebrew_year) - 1373427 + days)


@pytest.mark.parametrize("year", EVES)
def test_every_feast_of_israel_has_its_eve_and_no_other_day_is_one(year: int) -> None:
    """The eve of Independence Day is Memorial Day; that of Simchat Torah is Hoshana Rabba."""
    found = {day: name.removesuffix(" (observed)") for day in days_of(year) if (name := eve_on("IL", day))}
    assert found == {date.fromisoformat(f"{year}-{day}"): feast for day, feast in zip(EVES[year], FEASTS, strict=True)}


@pytest.mark.parametrize("year", range(2024, 2045))
def test_the_days_agree_with_the_arithmetic_of_the_hebrew_calendar(year: int) -> None:
    """Feasts by the month Tishrei, and by the next one: from Pesach to Rosh HaShana it is 163 days, always."""
    tishrei = hebrew_day(year + 3761, 0)
    pesach = tishrei - timedelta(days=163)
    by_name = {
        "Rosh Hashanah": tishrei,
        "Yom Kippur": tishrei + timedelta(days=9),
        "Sukkot": tishrei + timedelta(days=14),
        "Simchat Torah / Shemini Atzeret": tishrei + timedelta(days=21),
        "Pesach": pesach,
        "Seventh day of Pesach": pesach + timedelta(days=6),
        "Shavuot": pesach + timedelta(days=50),
    }
    for name, day in by_name.items():
        assert eve_on("IL", day - timedelta(days=1)) == name
        assert name in holiday_on("IL", ("public",), day)
    sukkot = {tishrei + timedelta(days=offset): "Hol HaMoed Sukkot" for offset in range(15, 21)}
    matzot = {pesach + timedelta(days=offset): "Hol HaMoed Pesach" for offset in range(1, 6)}
    assert {day: name for day in days_of(year) if (name := hol_hamoed_on(day))} == matzot | sukkot


@pytest.mark.parametrize("year", FIRST_DAYS)
def test_hol_hamoed_is_five_days_of_pesach_and_six_of_sukkot(year: int) -> None:
    pesach, sukkot = (date.fromisoformat(text) for text in FIRST_DAYS[year])
    found = [day for day in days_of(year) if hol_hamoed_on(day)]
    assert found == [pesach + timedelta(days=day) for day in range(1, 6)] + [
        sukkot + timedelta(days=day) for day in range(1, 7)
    ]


def test_a_holiday_is_no_eve_of_the_next_one() -> None:
    """Rosh HaShana has two days, and Christmas is followed by Boxing Day."""
    assert holiday_on("IL", ("public",), date(2026, 9, 13))
    assert eve_on("IL", date(2026, 9, 12)) == ""
    assert eve_on("GB", date(2026, 12, 25)) == ""
    assert eve_on("GB", date(2026, 12, 24)) == "Christmas Day"


def test_the_eve_of_new_year_is_in_the_year_before() -> None:
    assert eve_on("US", date(2026, 12, 31)) == "New Year's Day"


def test_holidays_of_other_kinds_have_no_eve() -> None:
    """Purim 2026 is on 3 March, Tisha B'Av on 23 July."""
    assert holiday_on("IL", ("optional",), date(2026, 3, 3)) == "Purim"
    assert eve_on("IL", date(2026, 3, 2)) == ""
    assert eve_on("IL", date(2026, 7, 22)) == ""
