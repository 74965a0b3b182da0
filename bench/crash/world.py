"""A world: one database with its replicas, its provider and its visitors, from the first lead to the last row."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.child import ROOT
from bench.crash import wire
from bench.crash.books import Database
from bench.crash.history import History
from bench.crash.nemesis import shut_doors
from bench.crash.plan import Plan
from bench.crash.processes import Launcher
from bench.crash.provider import TIMEOUT, Provider
from bench.crash.replica import Place, Replica
from bench.crash.reports import TOKEN, Reports
from bench.crash.visitors import INSISTS, Visitors

AGENTS: Final = 80
# Seconds an agent is taken to be busy without a report. Every call is over by then, also one whose request left 14
# seconds (replica.STANDS) after its intent, whose lease ended 12 seconds after it: so any overlap is a fault of ours.
ASSUME_CALL: Final = 30
SETTLES_WITHIN: Final = 45.0  # seconds: a lease and a sweep
DRAINS_WITHIN: Final = 75.0  # seconds: the leads that came last, and those of an agent's pause
SKEWS: Final = (-3600, 0, 3600)  # seconds by which the replicas' wall clocks are wrong, where the database's counts
METRICS_TOKEN: Final = "crash-metrics-token-0123"


class World:
    """`migrate`, `run` until cancelled, then `settle`: what everybody remembers is in `history` then.

    Its `provider` is opened and closed by whoever uses it.
    """

    def __init__(
        self,
        name: str,
        number: int,
        folder: Path,
        plan: Plan,
        launcher: Launcher,
        database: Database,
        redis_url: str | None,
        is_down: Callable[[float], bool],
    ) -> None:
        """`redis_url` makes it three replicas; without it there is one."""
        self.history = History(name)
        self.plan = plan
        self.database = database
        self.done: Counter[str] = Counter()
        self.provider = Provider(plan.rng(name, "provider"), self.history.requests, f"{number}")
        folder.mkdir()
        (folder / "leadring.toml").write_text(directory(), encoding="utf-8")
        env = self._env(folder, redis_url)
        self.replicas = [
            Replica(
                f"{name}-{index + 1}",
                Place(folder, env, skew),
                launcher,
                plan,
                self.history,
                is_down,
                plan.rng(name, "replica", index),
            )
            for index, skew in enumerate(SKEWS if redis_url else (0,))
        ]
        ports = [replica.port.number for replica in self.replicas]
        self.reports = Reports(plan.rng(name, "reports"), ports)
        self.provider.on_over = self.reports.over
        self.visitors = Visitors(plan.rng(name, "visitors"), ports, (number + 2) * 1_000_000)
        self.history.submissions = self.visitors.submissions
        self._folder, self._env_of_replicas, self._launcher = folder, env, launcher

    def _env(self, folder: Path, redis_url: str | None) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "LEADRING_DATABASE_URL": self.database.url,
            "LEADRING_VOICENTER_CODE": "crash-account-code",
            "LEADRING_VOICENTER_URL": self.provider.url,
            # Nobody but records tells what came of a call, so that nothing else mends what a fault has broken.
            "LEADRING_VOICENTER_MONITOR_URL": "",
            "LEADRING_VOICENTER_CALL_LOG_URL": "",
            "LEADRING_VOICENTER_CDR_TOKEN": TOKEN,
            "LEADRING_VOICENTER_TIMEOUT": f"{TIMEOUT:g}",
            "LEADRING_METRICS_TOKEN": METRICS_TOKEN,
            **({"LEADRING_RATE_LIMIT_URL": redis_url} if redis_url else {}),
        }

    async def migrate(self) -> None:
        """The schema, before anybody is killed: RuntimeError with the log when that fails."""
        log = self._folder / "migrate.log"
        process = await self._launcher.start(["migrate"], env=self._env_of_replicas, folder=self._folder, log=log)
        if await process.ended:
            raise RuntimeError(f"{self.history.world} has no schema:\n{log.read_text()[-2000:]}")

    async def run(self, leads: float) -> None:
        """Everything at once, until cancelled: lives, visitors, calls, and shut doors."""
        async with asyncio.TaskGroup() as together:
            for replica in self.replicas:
                together.create_task(replica.lives())
            together.create_task(self.visitors.come(lambda: leads * self.plan.progress))
            together.create_task(self.reports.strangers())
            together.create_task(shut_doors(self.provider, self.plan.rng(self.history.world, "door"), self.done))

    async def settle(self) -> None:
        """No faults any more: everything under way comes to its end, and how long that takes is remembered."""
        self.provider.good = self.reports.good = True
        async with self._at_rest():
            for replica in self.replicas:
                await replica.answers()
            began = time.monotonic()
            open_attempts = await self.database.open_attempts()
            while open_attempts and time.monotonic() < began + SETTLES_WITHIN:
                await asyncio.sleep(0.5)
                still = await self.database.open_attempts()
                open_attempts = {one: state for one, state in still.items() if one in open_attempts}
            self.history.open_after = [f"attempt {one} is {state}" for one, state in open_attempts.items()]
            self.history.settled_after = time.monotonic() - began
            await self.visitors.crew.finish(INSISTS)
            until = began + DRAINS_WITHIN
            while time.monotonic() < until:
                if not (self.reports.crew or await self.database.at_work()):
                    break
                await asyncio.sleep(0.5)
            self.history.gauge = await self._gauge()
            now = time.time_ns() // 1_000_000
            await asyncio.gather(*(replica.end() for replica in self.replicas))
        # Nobody moves anything any more: what is read now is what there is.
        await self.reports.crew.finish(0)
        self.history.books = await self.database.read(now)
        self.history.strange += self.visitors.strange

    def close(self) -> None:
        """Give up the ports."""
        for replica in self.replicas:
            replica.port.free()

    @asynccontextmanager
    async def _at_rest(self) -> AsyncIterator[None]:
        """The replicas run without a fault."""
        tasks = [asyncio.create_task(replica.rests()) for replica in self.replicas]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _gauge(self) -> float:
        """What the service itself counts as unaccounted."""
        port = self.replicas[0].port.number
        bearer = f"Authorization: Bearer {METRICS_TOKEN}\r\n"
        answer = await wire.ask(port, "GET", "/metrics", headers=bearer, patience=20)
        found = re.search(rb"^leadring_leads_unaccounted (\S+)$", answer.body, re.MULTILINE)
        if answer.status != 200 or found is None:
            raise RuntimeError(f"{self.history.world}: /metrics answered {answer.status} without the gauge")
        return float(found[1])

    @property
    def acknowledged(self) -> int:
        """Leads that were promised a call so far."""
        return sum(bool(one.leads) for one in self.history.submissions)

    @property
    def surprises(self) -> Counter[str]:
        """Tracebacks in the replicas' logs, by the event they stand at and their last line."""
        found: Counter[str] = Counter()
        for replica in self.replicas:
            if replica.log.exists():
                found += _tracebacks(replica.log.read_text(errors="replace"))
        return found


def _tracebacks(log: str) -> Counter[str]:
    """How often which exception stands in a log of JSON lines."""
    found: Counter[str] = Counter()
    for match in re.finditer(r'"event": "([^"]*)".*?"exception": "((?:[^"\\]|\\.)*)"', log):
        found[f"{match[1]}: {match[2].rsplit(chr(92) + 'n', 1)[-1][:200]}"] += 1
    return found + Counter({"a traceback outside the log's lines": len(re.findall("(?m)^Traceback", log))})


def directory() -> str:
    """leadring.toml. Agents in a fixed order: who is free is rung again at once, so that a hold that ends too early
    shows; and nothing but their number limits how many calls there are."""
    agents = "".join(
        f'\n[[agents]]\nid = "agent{number}"\nname = "Agent {number}"\nextension = "SIPcrash{number}"\n'
        f"priority = {number}\n"
        for number in range(1, AGENTS + 1)
    )
    return f"""
[policy]
timezone = "Asia/Jerusalem"
wrap_up = "0s"
assume_call = "{ASSUME_CALL}s"
retry_lead = ["2s"]
routing = "priority"
[limits]
per_client = "1000000/minute"
[guards]
cooldown = "off"
calls = {{ mode = "hold", per_hour = "unlimited", per_day = 1000000 }}
[[sites]]
key = "main"
name = "Example Ltd"
language = "en"
{agents}"""
