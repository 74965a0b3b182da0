"""A day as a replay gets it: written into a database, and read from it."""

from __future__ import annotations

from app.domain.past_day import PastDay
from app.store.engine import Engine
from app.store.past_days import LookBack, read_day
from app.store.read_only import open_read_only
from tests.replay.stored import write_leads


async def read_back(url: str, since: int, until: int, back: LookBack | None = None) -> PastDay:
    """What the database at `url` tells of that time; without `back` nothing of before is asked for."""
    async with open_read_only(url) as reader:
        assert reader is not None
        return await read_day(reader, since, until, lambda start: back or LookBack(since, since, since))


async def through(engine: Engine, url: str, day: PastDay) -> PastDay:
    """The same day, after it has been in a database."""
    await engine.write(write_leads, day.all)
    return await read_back(url, day.since, day.until)
