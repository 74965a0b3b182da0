"""A moment as a phrase within a sentence, in the language's own way: `on Tuesday, 24 November at 09:00`.

Today needs only the clock. The phrase brings its own preposition, so that a sentence only has a place for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.languages import known_language


@dataclass(frozen=True, slots=True)
class _Way:
    """How one language says it. `days` begin on Monday, `months` in January; `on` is a day, `at` a clock time."""

    days: tuple[str, ...]
    months: tuple[str, ...]
    on: str = "{day} {date} {month}"
    at: str = "{clock}"
    label: str = "{day} {date} {month}, {clock}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_WAYS: Final[Mapping[str, _Way]] = {
    "en": _Way(
        _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
        _words("January February March April May June July August September October November December"),
        on="on {day}, {date} {month}",
        at="at {clock}",
    ),
    "he": _Way(
        _words("שני שלישי רביעי חמישי שישי שבת ראשון"),
        _words("ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר"),
        on="ביום {day}, {date} ב{month},",
        at="בשעה {clock}",
        label="יום {day}, {date} ב{month}, {clock}",
    ),
    "ar": _Way(
        _words("الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد"),
        _words("يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"),
        on="يوم {day} {date} {month}",
        at="في الساعة {clock}",
        label="{day} {date} {month}، {clock}",
    ),
    "ru": _Way(
        _words("понедельник вторник среду четверг пятницу субботу воскресенье"),
        _words("января февраля марта апреля мая июня июля августа сентября октября ноября декабря"),
        on="{day}, {date} {month},",
        at="в {clock}",
        label="{day}, {date} {month}, {clock}",
    ),
    "fr": _Way(
        _words("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        _words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        on="{day} {date} {month}",
        at="à {clock}",
    ),
    "es": _Way(
        _words("lunes martes miércoles jueves viernes sábado domingo"),
        _words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        on="el {day} {date} de {month}",
        at="a las {clock}",
        label="{day} {date} de {month}, {clock}",
    ),
}
_RUSSIAN_NAMES: Final = {"среду": "среда", "пятницу": "пятница", "субботу": "суббота"}


def say_time(at: datetime, now: datetime, language: str) -> str:
    """When `at` is, for somebody to whom it is `now`; both on the same clock on the wall."""
    tag = known_language(language)
    way = _WAYS[tag]
    clock = way.at.format(clock=f"{at:%H:%M}")
    if tag == "es" and at.hour == 1:
        clock = f"a la {at:%H:%M}"
    if at.date() == now.date():
        return clock
    day = way.days[at.weekday()]
    phrase = way.on.format(day=day, date=at.day, month=way.months[at.month - 1])
    if tag == "ru":
        phrase = ("во " if day == "вторник" else "в ") + phrase
    if tag == "he" and day == "שבת":
        phrase = phrase.replace("ביום שבת", "בשבת")
    return f"{phrase} {clock}"


def time_label(at: datetime, language: str) -> str:
    """The moment as an entry of a list: `Tuesday 24 November, 09:00`."""
    tag = known_language(language)
    way = _WAYS[tag]
    day = way.days[at.weekday()]
    label = way.label.format(
        day=_RUSSIAN_NAMES.get(day, day), date=at.day, month=way.months[at.month - 1], clock=f"{at:%H:%M}"
    )
    label = label.replace("יום שבת", "שבת")
    return label[0].upper() + label[1:]
