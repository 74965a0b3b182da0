"""T7: what a claim costs while a thousand, a hundred thousand, a million leads wait, and as many are over.

The store's own functions are timed, in turn on databases of each size, so that whatever slows the machine down slows
all of them. A claim is undone after it was timed: its reservation lapses, as the sweeper would have it. PostgreSQL is
measured as autovacuum leaves it, with statistics; SQLite as the service leaves it, without any.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection

from app.directory import parse_directory
from app.domain.lead import Attempt, Claim, Lead, NewLead
from app.domain.moves import Move
from app.domain.phone import Phone
from app.ids import new_id
from app.service.rules import Rules
from app.service.tokens import Tokens
from app.store import migrate
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from bench import crowd
from bench.figures import CannotMeasure, Figure, median
from bench.postgres import durable_postgres
from bench.service import AGENTS
from bench.workbench import Workbench

T = TypeVar("T")

FLAT: Final = 1.25
LEASE: Final = 5_000
AT_ONCE: Final = 32  # leads that the dispatcher claims in one transaction, at most
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Size:
    """So many leads wait, and so many are over."""

    waiting: int
    finished: int = 0


@dataclass
class Place:
    """A database of one size, with what was timed there (seconds)."""

    store: SqlStore
    rules: Rules
    one: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    scraped: list[float] = field(default_factory=list)

    async def claim(self, expected: int) -> list[Claim]:
        """As the dispatcher does; CannotMeasure unless it is so many."""
        found = await self.store.claim(
            self.rules.roster(self.store.clock.now()),
            owner="bench",
            lease=LEASE,
            calls=self.rules.directory.guards.calls,
            caps=(),
            most=AT_ONCE,
            numbers=self.rules.number_cap(self.store.clock.now()),
        )
        if len(found.claims) != expected:
            raise CannotMeasure(f"{len(found.claims)} leads were claimed where {expected} should have been")
        return found.claims

    async def undo(self, claims: Sequence[Claim]) -> None:
        """Nothing was sent: lead and agent are free again."""

        def decide(attempt: Attempt, lead: Lead) -> Move | None:
            return self.rules.after_silence(attempt, lead, self.store.clock.now())

        settled = [
            await self.store.settle(claim.attempt.id, ("reserved",), decide, "bench", self.rules.caps)
            for claim in claims
        ]
        if None in settled:
            raise CannotMeasure("a reservation did not lapse")

    async def free(self, agents: int) -> None:
        """So many are free; the others are on calls of somebody else's."""

        def arrange(conn: Connection) -> None:
            conn.exec_driver_sql("UPDATE agents SET state = 'available', attempt_id = NULL, until = NULL")
            conn.exec_driver_sql(
                f"UPDATE agents SET state = 'on_call', attempt_id = 'elsewhere ' || id WHERE listed > {agents}"  # noqa: S608
            )

        await self.store.engine.write(arrange)

    async def accept(self, new: NewLead) -> None:
        """As intake does, with the guards that count."""
        guards = self.rules.directory.guards
        caps = self.rules.caps(new.received_at)
        accepted = await self.store.accept(new, guards.cooldown, guards.calls, caps)
        if accepted.kind != "new":
            raise CannotMeasure(f"a new lead was taken for {accepted.kind}")


async def on_sqlite(bench: Workbench) -> list[Figure]:
    """All sizes on SQLite files, each a copy of the one before that was filled further."""
    file = bench.folder / "backlog.db"
    await asyncio.to_thread(migrate.upgrade, f"sqlite:///{file}")
    copies: list[Path] = []
    for statements in _steps("sqlite", bench):
        await crowd.into_sqlite(file, statements)
        copies.append(bench.folder / f"backlog-{len(copies)}.db")
        await asyncio.to_thread(shutil.copyfile, file, copies[-1])
    file.unlink()
    try:
        return await _measure(bench, "SQLite", [f"sqlite:///{copy}" for copy in copies])
    finally:
        for copy in copies:
            copy.unlink()


async def on_postgres(bench: Workbench) -> list[Figure]:
    """The same on PostgreSQL databases."""
    async with durable_postgres() as server:
        books = await server.migrated()
        name = books.url.rpartition("/")[2]
        urls: list[str] = []
        for statements in _steps("postgresql", bench):
            await crowd.into_postgres(books.url, statements)
            copy = f"backlog_{len(urls)}"
            await asyncio.to_thread(server.execute, f"CREATE DATABASE {copy} TEMPLATE {name} STRATEGY file_copy")
            urls.append(server.url(copy))
        return await _measure(bench, "PostgreSQL", urls)


def sizes(bench: Workbench) -> list[Size]:
    """From few to many; the last has as many that are over."""
    least, more, most = (
        int(bench.pick(full, quick)) for full, quick in ((1_000, 1_000), (100_000, 5_000), (1_000_000, 20_000))
    )
    return [Size(least), Size(more), Size(most), Size(most, most)]


def _steps(dialect: str, bench: Workbench) -> list[list[str]]:
    now = time.time_ns() // 1_000_000
    steps: list[list[str]] = []
    before = Size(0)
    for size in sizes(bench):
        added: list[str] = []
        if size.waiting > before.waiting:
            added += crowd.waiting(dialect, before.waiting + 1, size.waiting, now)
        if size.finished > before.finished:
            added += crowd.finished(dialect, size.finished, now)
        steps.append(added)
        before = size
    return steps


async def _measure(bench: Workbench, engine: str, urls: Sequence[str]) -> list[Figure]:
    rounds = int(bench.pick(200, 15))
    async with contextlib.AsyncExitStack() as stack:
        places = [await stack.enter_async_context(opened(url)) for url in urls]
        for place in places:
            await place.free(1)
        for number in range(rounds + 10):
            for place in places:
                claims = await _timed(place.one if number >= 10 else [], place.claim(1))
                await place.undo(claims)
        for place in places:
            await place.free(AGENTS)
        for number in range(rounds // 5 + 2):
            for place in places:
                claims = await _timed(place.many if number >= 2 else [], place.claim(AT_ONCE))
                await place.undo(claims)
        for number in range(rounds + 10):
            for place in places:
                new = _lead(place.store.clock.now())
                await _timed(place.accepted if number >= 10 else [], place.accept(new))
        for _ in range(3):
            for place in places:
                await _timed(place.scraped, place.store.gauges())
    told = " → ".join(_in_words(size) for size in sizes(bench))
    return [
        _figure(f"{engine}, {told}: a claim for the one free agent", [place.one for place in places], 1),
        _figure(f"  {AT_ONCE} claims at once, each", [place.many for place in places], AT_ONCE),
        _figure("  a new lead accepted", [place.accepted for place in places], 1),
        _figure("  the gauges of a scrape", [place.scraped for place in places], 1, asked=False),
    ]


async def _timed(times: list[float], doing: Awaitable[T]) -> T:
    began = time.perf_counter()
    result = await doing
    times.append(time.perf_counter() - began)
    return result


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Place]:
    engine = open_engine(url, alone=True)
    await engine.start()
    try:
        store = SqlStore(engine)
        rules = Rules(parse_directory(_directory()))
        await store.sync_agents(list(rules.directory.agents))
        yield Place(store, rules)
    finally:
        await engine.close()


def _directory() -> str:
    sites = "".join(f'\n[[sites]]\nkey = "{site}"\nname = "{site.title()}"\n' for site in crowd.SITES)
    agents = "".join(
        f'\n[[agents]]\nid = "agent{number}"\nname = "Agent {number}"\nextension = "SIPbench{number}"\n'
        for number in range(AGENTS)
    )
    return f"[guards]\ncalls = {{ mode = 'hold', per_hour = 1000000, per_day = 1000000 }}\n{sites}{agents}"


def _lead(now: int) -> NewLead:
    number = next(_numbers)
    return NewLead(
        id=new_id(),
        site=crowd.SITES[number % len(crowd.SITES)],
        source="widget",
        phone=Phone(f"+97258{number:07d}", "IL", "mobile", True),
        phone_key=Tokens("bench").phone_key(str(number)),
        client_key=Tokens("bench").client_key(str(number)),
        received_at=now,
        due_at=now,
        expires_at=now + crowd.HOUR,
        deadline_at=now + 40_000,
        reason="no_agent",
        submission_id=new_id(),
        fingerprint="f",
    )


def _in_words(size: Size) -> str:
    many = f"{size.waiting // 1000:,} k" if size.waiting < 1_000_000 else f"{size.waiting // 1_000_000} M"
    return f"{many} wait" + (", as many are over" if size.finished else "")


def _figure(name: str, times: Sequence[Sequence[float]], each: int, *, asked: bool = True) -> Figure:
    medians = [median(found) / each for found in times]
    ratio = max(medians) / medians[0]
    told = " → ".join(f"{seconds * 1000:.2f}" for seconds in medians) + " ms"
    return Figure("T7", name, f"≤ {FLAT:g} ×" if asked else "", told, f"{ratio:.2f}", ratio <= FLAT if asked else None)
