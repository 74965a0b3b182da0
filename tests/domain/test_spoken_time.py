"""A moment within a sentence: the clock for today, day and clock otherwise, as each language has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.languages import LANGUAGES
from app.domain.spoken_time import say_time, time_label

JERUSALEM = ZoneInfo("Asia/Jerusalem")
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=JERUSALEM)  # a Tuesday


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=JERUSALEM)


@pytest.mark.parametrize(
    ("language", "today", "later"),
    [
        ("en", "at 16:05", "on Wednesday, 25 November at 09:30"),
        ("he", "בשעה 16:05", "ביום רביעי, 25 בנובמבר, בשעה 09:30"),
        ("ar", "في الساعة 16:05", "يوم الأربعاء 25 نوفمبر في الساعة 09:30"),
        ("ru", "в 16:05", "в среду, 25 ноября, в 09:30"),
        ("fr", "à 16:05", "mercredi 25 novembre à 09:30"),
        ("es", "a las 16:05", "el miércoles 25 de noviembre a las 09:30"),
    ],
)
def test_today_is_only_the_clock_and_another_day_is_named(language: str, today: str, later: str) -> None:
    assert say_time(at(24, 16, 5), NOW, language) == today
    assert say_time(at(25, 9, 30), NOW, language) == later


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("en", "Saturday 28 November, 09:30"),
        ("he", "שבת, 28 בנובמבר, 09:30"),
        ("ar", "السبت 28 نوفمبر، 09:30"),
        ("ru", "Суббота, 28 ноября, 09:30"),
        ("fr", "Samedi 28 novembre, 09:30"),
        ("es", "Sábado 28 de noviembre, 09:30"),
    ],
)
def test_in_a_list_the_day_stands_by_itself(language: str, label: str) -> None:
    assert time_label(at(28, 9, 30), language) == label


def test_what_grammar_asks_for() -> None:
    assert say_time(at(24, 1, 30), NOW, "es") == "a la 01:30"
    assert say_time(at(24, 13, 0), NOW, "es") == "a las 13:00"
    assert say_time(at(24, 9, 0), NOW - timedelta(days=7), "ru") == "во вторник, 24 ноября, в 09:00"
    assert say_time(at(28, 9, 0), NOW, "he") == "בשבת, 28 בנובמבר, בשעה 09:00"
    assert time_label(at(24, 9, 0), "he") == "יום שלישי, 24 בנובמבר, 09:00"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_day_and_month_has_a_name_of_its_own(language: str) -> None:
    days = {time_label(at(day, 9), language) for day in range(1, 8)}
    assert len({label.split()[0] + label.split()[1] for label in days}) == 7
    months = {say_time(datetime(2027, month, 15, 9, tzinfo=JERUSALEM), NOW, language) for month in range(1, 13)}
    assert len(months) == 12


def test_today_is_by_the_clock_on_the_wall_and_not_by_the_hours_between() -> None:
    evening = datetime(2026, 11, 24, 23, 50, tzinfo=JERUSALEM)
    assert say_time(evening + timedelta(minutes=20), evening, "en") == "on Wednesday, 25 November at 00:10"


def test_a_language_that_we_do_not_speak_hears_english() -> None:
    assert say_time(at(24, 16), NOW, "de") == "at 16:00"
