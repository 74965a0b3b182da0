"""When a leg began, by a record whose clock is in doubt.

The provider's `time` is seconds since the epoch, but by Israel's wall clock (strong inference, facts 2.6): two or
three hours ahead of the truth. Some live integrations read it as the plain epoch. So both readings are tried
against what we know: a leg cannot have begun before its request was sent, nor after its record came.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

BEFORE: Final = 120_000  # milliseconds the provider's clock may be behind ours
AFTER: Final = 120_000  # … and ahead
PROMPT: Final = 1_800_000  # milliseconds after its end within which a call's record normally comes
_SECOND: Final = 1000
_DAY: Final = 86_400_000
_YEAR_3000: Final = 32_503_680_000  # seconds; beyond it no datetime is asked for


@cache
def _israel() -> ZoneInfo:
    return ZoneInfo("Asia/Jerusalem")


def from_wall_clock(raw_time: int) -> int | None:
    """Epoch milliseconds of `raw_time`, seconds of Israel's wall clock written as if it were UTC; None for nonsense.

    The hour that comes twice in autumn is read as its first.
    """
    if not 0 < raw_time < _YEAR_3000:
        return None
    wall = datetime.fromtimestamp(raw_time, UTC).replace(tzinfo=_israel())
    return int(wall.timestamp()) * _SECOND


def started_at(sure: int | None, raw_time: int | None, sent_at: int, heard_at: int) -> int | None:
    """The leg's beginning in epoch ms: `sure` where the record is unmistakable, else what `raw_time` can mean.

    None when no reading lies between the request (`sent_at`) and its record (`heard_at`).
    """
    for moment in _readings(sure, raw_time):
        if sent_at - BEFORE <= moment <= heard_at + AFTER:
            return moment
    return None


def surely_before(sure: int | None, raw_time: int | None, sent_at: int, heard_at: int) -> bool:
    """Whether the leg began before the request, by every reading; a time of another day proves nothing."""
    readings = [moment for moment in _readings(sure, raw_time) if heard_at - _DAY < moment <= heard_at + AFTER]
    return bool(readings) and max(readings) < sent_at - BEFORE


def began_since(moment: int, sure: int | None, raw_time: int | None, heard_at: int, lasted: int) -> bool:
    """Whether a call that lasted so long (ms) began at `moment` or later, as far as its record can tell.

    It cannot have begun later than that long before its record came (`heard_at`). Of the readings of its time the one
    counts by which the record came promptly; where none did, all must say so; where it has no time, it may.
    """
    latest = heard_at - lasted
    readings = [sure] if sure is not None else [one for one in _readings(None, raw_time) if one <= latest + AFTER]
    prompt = [one for one in readings if one >= latest - PROMPT]
    return latest >= moment and all(one >= moment for one in prompt or readings)


def _readings(sure: int | None, raw_time: int | None) -> list[int]:
    plain = None if raw_time is None else raw_time * _SECOND
    wall = None if raw_time is None else from_wall_clock(raw_time)
    return [moment for moment in (sure, wall, plain) if moment is not None]
