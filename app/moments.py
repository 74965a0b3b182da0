"""Moments as people say and read them: on the policy's clock, without the parts that nobody looks at."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.clock import from_datetime, to_datetime
from app.directory_reading import parse_duration
from app.errors import ConfigurationError

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def read_moment(text: str) -> int:
    """Milliseconds of date and time with an offset; ConfigurationError for anything else."""
    try:
        return from_datetime(datetime.fromisoformat(text))
    except ValueError:
        raise ConfigurationError([f"{text}: give date and time with an offset, as 2026-11-23T09:00+02:00"]) from None


def read_end(text: str, now: int, zone: ZoneInfo) -> int:
    """A moment to come, in milliseconds: `18:00` (in `zone`, today or tomorrow), `2h` from now, or as read_moment.

    ConfigurationError for what is none of these, or over already.
    """
    text = text.strip()
    here = to_datetime(now).astimezone(zone)
    if match := _TIME_OF_DAY.fullmatch(text):
        at = time(int(match[1]), int(match[2]), tzinfo=zone)
        end = from_datetime(datetime.combine(here.date(), at))
        return end if end > now else from_datetime(datetime.combine(here.date() + timedelta(days=1), at))
    try:
        return now + parse_duration(text) * 1000
    except ValueError:
        pass  # no duration; then it has to be a whole date
    try:
        end = from_datetime(datetime.fromisoformat(text))
    except ValueError:
        raise ConfigurationError(
            [f"{text}: give a time of day as 18:00, a duration as 2h, or a date as 2026-11-23T09:00+02:00"]
        ) from None
    if end <= now:
        raise ConfigurationError([f"{text}: that is over already"])
    return end


def written(moment: int, zone: ZoneInfo) -> str:
    """Date and time in `zone`, to the second; the zone is named once by whoever prints it."""
    return to_datetime(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def written_short(moment: int, now: int, zone: ZoneInfo) -> str:
    """The time of day in `zone`, with the date where it is another day than that of `now`."""
    at, today = (to_datetime(one).astimezone(zone) for one in (moment, now))
    return at.strftime("%H:%M:%S" if at.date() == today.date() else "%Y-%m-%d %H:%M")
