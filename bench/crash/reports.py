"""The provider's reports: records of both legs when a call is over; most at once, some late, some twice, some never.

A record that was not taken with a 200 is sent again, to whichever replica, until the campaign ends.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from bench.crash.crew import Crew
from bench.crash.history import Report, Request
from bench.crash.wire import NoAnswer, ask

TOKEN: Final = "crash-cdr-path-token-0123"
PATIENCE: Final = 8.0
AGAIN: Final = (0.5, 2.0)  # seconds until a record is sent once more
LATE: Final = (2.0, 14.0)  # seconds; some come when nobody waits for them any more
STRANGER_EVERY: Final = 5.0  # seconds between records of calls that are not ours
MANNERS: Final[Mapping[str, int]] = {"at once": 60, "late": 15, "twice": 15, "never": 10}
# By outcome, what is said of leg 1 and of leg 2; None: no record of it.
SAID: Final[Mapping[str, tuple[str, str | None]]] = {
    "connected": ("ANSWER", "ANSWER"),
    "agent_no_answer": ("NOANSWER", None),
    "lead_no_answer": ("ANSWER", "NOANSWER"),
    "lead_busy": ("ANSWER", "BUSY"),
}


class Reports:
    """Reports to the replicas at `ports`. `good`: everything, at once. `crew` are the reports under way."""

    def __init__(self, rng: random.Random, ports: Sequence[int]) -> None:
        self.good = False
        self.done: Counter[str] = Counter()
        self._rng = rng
        self._ports = ports
        self.crew = Crew()
        self._strangers = itertools.count(1)

    def over(self, request: Request) -> None:
        """This call is over: report it, in one manner or another."""
        manner = "at once" if self.good else self._rng.choices(list(MANNERS), list(MANNERS.values()))[0]
        self.done[manner] += 1
        if manner != "never":
            self.crew.add(self._report(request, manner))

    async def strangers(self) -> None:
        """Until cancelled: every now and then a record of a call that is not ours."""
        while True:
            await asyncio.sleep(STRANGER_EVERY)
            call = Request(0.0, "0541111111", "", "", "SIPnobody", "", call_id=f"stranger{next(self._strangers):020d}")
            self.crew.add(self._deliver(record(call, 2, "ANSWER", named=False), None))

    async def _report(self, request: Request, manner: str) -> None:
        said = [(leg, status) for leg, status in enumerate(SAID[request.outcome], 1) if status is not None]
        request.expected_reports = len(said)
        if self._rng.random() < 0.2:
            said.reverse()
        if manner == "late":
            await asyncio.sleep(self._rng.uniform(*LATE))
        for leg, status in said:
            report = Report(leg, time.monotonic())
            request.reports.append(report)
            text = record(request, leg, status)
            for _ in range(2 if manner == "twice" else 1):
                await self._deliver(text, report)

    async def _deliver(self, text: bytes, report: Report | None) -> None:
        while True:
            try:
                answer = await ask(
                    self._rng.choice(self._ports), "POST", f"/v1/voicenter/cdr/{TOKEN}", text, patience=PATIENCE
                )
            except NoAnswer as error:
                self.done[f"not taken: {error}"] += 1
            else:
                self.done[f"answered {answer.status}"] += 1
                if answer.status == 200:
                    if report is not None and report.acked_at is None:
                        report.acked_at = time.monotonic()
                    return
            await asyncio.sleep(self._rng.uniform(*AGAIN))


def record(call: Request, leg: int, status: str, *, named: bool = True) -> bytes:
    """One leg's record as the vendor's page has it; `named`: with our variables among its custom data."""
    talk = 7 if status == "ANSWER" else 0
    fields: dict[str, object] = {
        "ivruniqueid": call.call_id,
        "type": f"Click2Call leg{leg}",
        "status": status,
        "caller": call.person if leg == 1 else call.extension,
        "target": call.extension if leg == 1 else call.person,
        "time": int(time.time()),
        "duration": talk,
        "dialtime": 2,
        "actualCallDuration": talk,
        "actualCallDialtime": 2,
        "direction": "outgoing",
        "extenUser": call.extension,
        "callerPhone": call.person,
    }
    if named:
        fields["CustomData"] = {"var_lead": call.lead, "var_attempt": call.attempt}
    if leg == 2:
        fields["leg1DialStatusName"] = "ANSWER"
    return json.dumps(fields).encode()
