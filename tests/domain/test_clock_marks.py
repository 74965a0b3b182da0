"""The marks of a clock on the wall, also on the nights on which it jumps."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain.clock_marks import Marks

MINUTE = 60_000


def ms(local: str, zone: str, fold: int = 0) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "step", "moment", "before", "after"),
    [
        ("Asia/Jerusalem", 15, "2026-06-14 12:07:30", "2026-06-14 12:00", "2026-06-14 12:15"),
        ("Asia/Jerusalem", 15, "2026-06-14 12:15", "2026-06-14 12:15", "2026-06-14 12:30"),
        # Midnight begins anew: 23:55 is the 45th of these marks.
        ("Asia/Jerusalem", 50, "2026-06-14 23:59", "2026-06-14 23:20", "2026-06-15 00:00"),
        # 02:00 becomes 03:00, so there is no mark at two; a quarter to two is followed by three.
        ("Asia/Jerusalem", 120, "2026-03-27 03:30", "2026-03-27 00:00", "2026-03-27 04:00"),
        ("Asia/Jerusalem", 15, "2026-03-27 01:50", "2026-03-27 01:45", "2026-03-27 03:00"),
        ("Asia/Jerusalem", 45, "2026-03-27 03:10", "2026-03-27 03:00", "2026-03-27 03:45"),
        # Half an hour is left out: 02:00 becomes 02:30.
        ("Australia/Lord_Howe", 60, "2026-10-04 02:40", "2026-10-04 01:00", "2026-10-04 03:00"),
    ],
)
def test_the_mark_before_and_the_one_after(zone: str, step: int, moment: str, before: str, after: str) -> None:
    marks = Marks(ZoneInfo(zone), step * MINUTE)
    found = marks.before(ms(moment, zone))
    assert found == ms(before, zone)
    assert marks.after(found) == ms(after, zone)


def test_a_mark_that_comes_twice_is_two() -> None:
    """2026-10-25 in Jerusalem: 02:00 becomes 01:00, and the hour from one to two is lived through again."""
    zone, marks = "Asia/Jerusalem", Marks(ZoneInfo("Asia/Jerusalem"), 30 * MINUTE)
    mark, found = ms("2026-10-25 01:00", zone), []
    for _ in range(5):
        found.append(mark)
        mark = marks.after(mark)
    again = [ms(f"2026-10-25 {face}", zone, fold) for fold in (0, 1) for face in ("01:00", "01:30")]
    assert found == [*again, ms("2026-10-25 02:00", zone)]
    assert marks.before(ms("2026-10-25 01:40", zone, fold=1)) == ms("2026-10-25 01:30", zone, fold=1)
