"""The bare endpoint beside the service: its rate and its CPU a request, for the ratios."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench import load, visitors
from bench.child import Child
from bench.client import Pool
from bench.figures import median


@dataclass
class Yardstick:
    """The running bare endpoint; every round adds a value."""

    child: Child
    pool: Pool
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def round(self, seconds: float) -> None:
        """One closed loop with 64 connections."""
        before = self.child.cpu()["all"]
        run = await load.closed(self.pool, visitors.lead, seconds)
        run.expect("202")
        self.rates.append(run.rate)
        self.cpu.append((self.child.cpu()["all"] - before) / run.statuses["202"])

    @property
    def rate(self) -> float:
        """Requests a second; the median of the rounds."""
        return median(self.rates)

    @property
    def cpu_seconds(self) -> float:
        """CPU a request; the median of the rounds."""
        return median(self.cpu)
