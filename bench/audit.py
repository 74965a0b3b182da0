"""What the database says afterwards: whether anything was lost, and whether an agent ever had two calls at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from bench.books import Books
from bench.figures import CannotMeasure
from bench.load import until
from bench.stub import Call

# Milliseconds by which what is written may overlap: a claim is dated by the moment of its roster, and where thousands
# of forms come at once, or replicas and database share two cores, it waits for its turn after that. By the provider's
# clock nothing overlaps at all.
APART = 5000


async def states(books: Books) -> Counter[str]:
    """How many leads are in which state."""
    return Counter(dict(await books.rows("SELECT state, count(*) FROM leads GROUP BY 1")))


async def settled(books: Books) -> bool:
    """Whether no lead waits or is dialled."""
    return not await books.rows("SELECT 1 FROM leads WHERE state IN ('waiting', 'dialing') LIMIT 1")


async def until_settled(books: Books, seconds: float) -> None:
    """Wait until every lead has ended; CannotMeasure with what is left after `seconds`."""
    try:
        await until(lambda: settled(books), seconds, "every lead has ended")
    except CannotMeasure as error:
        tables = ("leads", "attempts", "agents", "cdrs")
        left = {name: await books.rows(f"SELECT state, count(*) FROM {name} GROUP BY 1") for name in tables}  # noqa: S608
        raise CannotMeasure(f"{error}; {left}") from error


async def agents_at_work(books: Books) -> int:
    """How many agents are reserved or on a call."""
    ((found,),) = await books.rows("SELECT count(*) FROM agents WHERE attempt_id IS NOT NULL")
    return int(found)


async def nothing_lost(books: Books, accepted: Collection[str]) -> None:
    """CannotMeasure unless every lead that was answered with 202 is in the table."""
    stored = {lead for (lead,) in await books.rows("SELECT id FROM leads")}
    lost = set(accepted) - stored
    if lost:
        raise CannotMeasure(f"{len(lost)} of {len(accepted)} accepted leads are not in the database")


async def nobody_twice(books: Books, calls: Collection[Call], talk: float, *, apart: int = 0) -> None:
    """CannotMeasure when an agent had two calls at once, a lead was rung twice, or a request had no attempt.

    By the provider, whose calls each take `talk` seconds; and by what is written, give or take `apart` milliseconds.
    """
    _one_call_at_a_time(calls, talk)
    last: dict[str, tuple[str, int]] = {}
    known: set[str] = set()
    for attempt, agent, reserved, ended in await books.rows(
        "SELECT id, agent_id, reserved_at, ended_at FROM attempts ORDER BY reserved_at, id"
    ):
        before = last.get(agent)
        if before is not None and reserved < before[1] - apart:
            raise CannotMeasure(f"{agent} had {before[0]} and {attempt} at the same time")
        last[agent] = (attempt, 2**62 if ended is None else ended)
        known.add(attempt)
    attempts = Counter(call.attempt for call in calls)
    leads = Counter(call.lead for call in calls)
    twice = [name for counted in (attempts, leads) for name, count in counted.items() if count > 1]
    if twice:
        raise CannotMeasure(f"the provider was asked twice for {twice[:3]}")
    strangers = set(attempts) - known
    if strangers:
        raise CannotMeasure(f"{len(strangers)} requests came from no attempt on disk")


def _one_call_at_a_time(calls: Collection[Call], talk: float) -> None:
    busy: dict[str, Call] = {}
    for call in sorted(calls, key=lambda call: call.at):
        before = busy.get(call.extension)
        if before is not None and call.at < before.at + talk:
            raise CannotMeasure(f"{call.extension} was rung for {call.attempt} during the call of {before.attempt}")
        busy[call.extension] = call
