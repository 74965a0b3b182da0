"""T6: one, two and four replicas on one PostgreSQL: speed to request, throughput, CPU a lead, nothing lost or doubled.

The load goes to the replicas in turn, as a proxy would hand it out. Replicas, PostgreSQL, load and provider share
the cores there are: with two of them throughput cannot grow, and what is asked is that a lead costs no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import audit
from bench.client import Pool
from bench.figures import CannotMeasure, Figure, median, ms, percentile
from bench.hangups import Hangups
from bench.machine import CORES, on_cores
from bench.postgres import DurablePostgres, durable_postgres
from bench.speed_to_request import RATE, Seen, at_fixed_rate
from bench.stub import Stub
from bench.whole_job import TALK, Job
from bench.workbench import Workbench
from tests.servers import RedisServer

REPLICAS = (1, 2, 4)
ROUNDS = 3  # each number of replicas in turn: within minutes a machine may be half as fast again, and be so no more
CORES_TO_GROW = 4  # two replicas, the database, and the load with the provider
GROWTH = 1.6
CONSTANT = 0.2


@dataclass(frozen=True)
class Measured:
    """With so many replicas, in one round: T1's times, the whole job's rate and leads, seconds of CPU."""

    replicas: int
    seen: Seen
    rate: float
    leads: int
    spent: float
    database_spent: float


@dataclass(frozen=True)
class Together:
    """The rounds with so many replicas. Times and CPU are of all leads, the rate is the median round's."""

    rounds: Sequence[Measured]

    @property
    def replicas(self) -> int:
        return self.rounds[0].replicas

    @property
    def arrivals(self) -> list[float]:
        """Seconds from form to door."""
        return [at for one in self.rounds for at in one.seen.arrivals]

    @property
    def rate(self) -> float:
        return median([one.rate for one in self.rounds])

    @property
    def leads(self) -> int:
        return sum(one.leads for one in self.rounds)

    @property
    def cpu(self) -> float:
        """Seconds a lead, of all replicas."""
        return sum(one.spent for one in self.rounds) / self.leads

    @property
    def database_cpu(self) -> float:
        """Seconds a lead, of PostgreSQL."""
        return sum(one.database_spent for one in self.rounds) / self.leads


async def measure(bench: Workbench) -> list[Figure]:
    """All three, on one server and one Redis."""
    async with durable_postgres() as server:
        redis = RedisServer()
        try:
            rounds = [
                [await _with(bench, server, redis.url, many) for many in REPLICAS]
                for _ in range(int(bench.pick(ROUNDS, 1)))
            ]
        finally:
            redis.stop()
    found = [Together(each) for each in zip(*rounds, strict=True)]
    one = found[0]
    figures = [_speed(each) for each in found]
    for each in found:
        figures += _throughput(each, one)
    return figures


async def _with(bench: Workbench, server: DurablePostgres, redis_url: str, many: int) -> Measured:
    books = await server.migrated()
    async with Stub() as stub, bench.replicas(stub.url, many, books, redis_url) as replicas:
        pool, hangups = Pool(*replicas.ports), Hangups(TALK, *replicas.ports)
        stub.on_call = hangups.later
        try:
            await at_fixed_rate(pool, stub, bench.pick(2, 0.5))
            seen = await at_fixed_rate(pool, stub, bench.pick(8, 2))
            await audit.until_settled(books, 20)
            with on_cores(CORES):
                await Job(pool, hangups, books).work(bench.pick(2, 0.5))
                job = Job(pool, hangups, books)
                bench.sample(*replicas.services)
                before, database_before = replicas.cpu(), server.cpu()
                await job.work(bench.pick(10, 2))
                spent, database_spent = replicas.cpu() - before, server.cpu() - database_before
        finally:
            await hangups.close()
            pool.close()
        await job.audit(stub.calls, apart=audit.APART)
    busy = {lead for (lead,) in await books.rows("SELECT DISTINCT owner FROM attempts")}
    if len(busy) != many:
        raise CannotMeasure(f"{len(busy)} of {many} replicas placed calls")
    return Measured(many, seen, job.rate, len(job.accepted), spent, database_spent)


def _named(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"


def _speed(each: Together) -> Figure:
    t1, p99 = median(each.arrivals), percentile(each.arrivals, 0.99)
    return Figure(
        "T6",
        f"PostgreSQL, {_named(each.replicas)}: form → provider's door, {RATE:g}/s, p50",
        "≤ 8 ms",
        ms(t1),
        met=t1 <= 0.008,
        detail={"p99_ms": p99 * 1000, "leads": len(each.arrivals)},
    )


def _throughput(each: Together, one: Together) -> list[Figure]:
    growth, cost = each.rate / one.rate, each.cpu / one.cpu
    name = _named(each.replicas)
    detail = {"leads": each.leads, "rate": each.rate, "cpu_ms": each.cpu * 1000}
    # Both are asked from one to two; four on two cores shows what crowding costs.
    asked_to_grow = each.replicas == 2 and len(CORES) >= CORES_TO_GROW
    asked_to_cost = each.replicas == 2 and len(CORES) < CORES_TO_GROW
    lost = f"{each.leads:,} leads, none lost, none twice"
    return [
        Figure(
            "T6",
            f"  whole job, {name}: {lost}",
            f"≥ {GROWTH:g} ×" if asked_to_grow else "",
            f"{each.rate:,.0f}/s",
            f"{growth:.2f}",
            growth >= GROWTH if asked_to_grow else None,
            detail,
        ),
        Figure(
            "T6",
            f"  CPU a lead, {name} (and {ms(each.database_cpu)} in PostgreSQL)",
            f"within {CONSTANT:.0%} of one's" if asked_to_cost else "",
            ms(each.cpu),
            f"{cost:.2f}",
            cost <= 1 + CONSTANT if asked_to_cost else None,
        ),
    ]
