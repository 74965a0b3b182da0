"""Open time without anybody: measured to the minute, on the days the clocks change, too."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import parse_directory
from app.domain import coverage
from app.domain.shifts import Span, joined
from app.domain.uncovered import common, in_words, minutes, nobody_there, open_spans, without

JERUSALEM = ZoneInfo("Asia/Jerusalem")
AGENT = '[[agents]]\nid = "{id}"\nextension = "SIP{id}"\nhours = "{hours}"\n'
FILE = """
[hours.office]
sun-thu = ["09:00-18:00"]
fri = ["09:00-12:30"]
[hours.early]
sun-thu = ["08:00-12:00"]
fri = ["09:00-12:00"]
[hours.late]
sun-thu = ["12:30-24:00"]
[hours.nights]
mon-sun = ["22:00-02:30"]
[[sites]]
key = "main"
origins = ["https://x.example"]
hours = "{site}"
{more}
"""


def at(day: date, hour: int = 0, minute: int = 0) -> int:
    return int(datetime.combine(day, time(hour, minute), JERUSALEM).timestamp() * 1000)


def file(site: str, *shifts: str, more: str = "") -> str:
    agents = "".join(AGENT.format(id=f"agent{number}", hours=hours) for number, hours in enumerate(shifts))
    return FILE.format(site=site, more=more) + agents


def holes(text: str, since: int, until: int) -> list[Span]:
    directory = parse_directory(text)
    return nobody_there(directory, directory.sites["main"], since, until)


THURSDAY = date(2026, 11, 26)


def test_the_minutes_between_two_shifts_and_after_the_last_are_uncovered() -> None:
    day = (at(THURSDAY), at(THURSDAY + timedelta(days=1)))
    assert holes(file("office", "early", "late"), *day) == [(at(THURSDAY, 12), at(THURSDAY, 12, 30))]
    assert holes(file("office", "early"), *day) == [(at(THURSDAY, 12), at(THURSDAY, 18))]
    assert holes(file("office", "office"), *day) == []


def test_only_the_time_that_is_asked_about_counts() -> None:
    """Also where it begins or ends in the middle of a hole."""
    asked = (at(THURSDAY, 12, 10), at(THURSDAY, 12, 20))
    assert holes(file("office", "early", "late"), *asked) == [asked]
    assert holes(file("office", "early", "late"), at(THURSDAY, 18), at(THURSDAY, 20)) == []


def test_an_ivr_is_always_there() -> None:
    text = file("office", "early", more='ivr = "0722776772"')
    assert holes(text, at(THURSDAY), at(THURSDAY + timedelta(days=1))) == []


@pytest.mark.parametrize(
    ("day", "lasts"),
    [(date(2026, 10, 25), 5.5), (date(2027, 3, 26), 4.0), (THURSDAY, 4.5)],
    ids=["clocks set back", "clocks set forward", "another night"],
)
def test_a_night_in_which_the_clocks_change_is_as_long_as_it_was(day: date, lasts: float) -> None:
    """From 22:00 to 02:30. Israel sets them at two: back in the night to Sunday, forward in the night to Friday, when
    half past two is left out and means the moment of the change."""
    evening = at(day - timedelta(days=1), 20)
    (night,) = open_spans(parse_directory(file("nights", "nights")).hours["nights"], evening, at(day, 12))
    assert minutes([night]) / 60 == lasts


def test_it_says_the_same_as_the_schedule_that_is_read_aloud() -> None:
    """`leadring check` and a replay never contradict each other."""
    directory = parse_directory(file("office", "early", "late"))
    sunday = date(2026, 11, 22)
    read = coverage.holes(directory, directory.sites["main"], from_=sunday)
    spans = nobody_there(directory, directory.sites["main"], at(sunday), at(sunday + timedelta(days=7)))
    said = [in_words(span, "Asia/Jerusalem") for span in spans]
    assert len(read) == len(said) == 6
    for whole, short in zip(said, read, strict=True):
        day, _, hours = whole.split(" ")
        assert short == f"main: {day} {hours} nobody can take a call"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ((at(THURSDAY, 12), at(THURSDAY, 12, 30)), "Thursday 2026-11-26 12:00–12:30"),
        ((at(THURSDAY, 18), at(THURSDAY + timedelta(days=1))), "Thursday 2026-11-26 18:00–24:00"),
        ((at(THURSDAY, 22), at(THURSDAY + timedelta(days=1), 2)), "Thursday 2026-11-26 22:00–2026-11-27 02:00"),
        ((at(THURSDAY), at(THURSDAY + timedelta(days=7))), "Thursday 2026-11-26 00:00–2026-12-03 00:00"),
    ],
)
def test_a_span_is_told_with_its_day(span: Span, words: str) -> None:
    assert in_words(span, "Asia/Jerusalem") == words


some = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=8).map(
    lambda found: joined((start, start + length) for start, length in found)
)


@given(spans=some, others=some)
def test_what_is_left_and_what_is_common_are_what_a_count_of_moments_says(
    spans: list[Span], others: list[Span]
) -> None:
    def moments(found: list[Span]) -> set[int]:
        return {moment for start, end in found for moment in range(start, end)}

    assert moments(without(spans, others)) == moments(spans) - moments(others)
    assert moments(common(spans, others)) == moments(spans) & moments(others)
    assert without(spans, []) == spans
    assert without(spans, spans) == []
