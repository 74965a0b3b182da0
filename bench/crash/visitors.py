"""Visitors: each sends one form, again with the same id until it is promised a call, and remembers the promise."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from bench.crash.crew import Crew
from bench.crash.history import Submission
from bench.crash.wire import Answer, NoAnswer, ask

PATIENCE: Final = 8.0  # seconds for one answer
INSISTS: Final = 45.0  # seconds until a visitor gives up
AGAIN: Final = (0.2, 2.0)  # seconds until the next try: so long at first, longer each time, so long at most
ONCE_MORE: Final = 0.1  # of those who were promised a call send the same form again
ROOM: Final = 50  # visitors at a time
AT_ONCE: Final = 8  # of them, as after a mailing
TICK: Final = 0.25
TRICKLE: Final = 2.0  # leads a second at least, so that faults that wait for one do not wait for ever


class Visitors:
    """They come as fast as `due` says (how many should have been there by now), and at least in a trickle.

    `crew` are those who still wait for a promise; `strange` is what nobody should hear.
    """

    def __init__(self, rng: random.Random, ports: Sequence[int], first: int) -> None:
        self.submissions: list[Submission] = []
        self.strange: list[str] = []
        self._rng = rng
        self._ports = ports
        self._first = first
        self.crew = Crew()

    async def come(self, due: Callable[[], float]) -> None:
        """Until cancelled. Who has come goes on insisting."""
        latest = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            wanted = int(due()) - len(self.submissions)
            if wanted <= 0 and time.monotonic() - latest > 1 / TRICKLE:
                wanted = 1
            for _ in range(min(wanted, AT_ONCE, ROOM - len(self.crew))):
                self._enter()
                latest = time.monotonic()

    def _enter(self) -> None:
        number = self._first + len(self.submissions)
        name = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        one = Submission(name, f"054{number:07d}", time.monotonic())
        self.submissions.append(one)
        self.crew.add(self._insist(one))

    async def _insist(self, one: Submission) -> None:
        least, most = AGAIN
        while time.monotonic() < one.sent_at + INSISTS:
            answer = await self._send(one)
            if answer is not None and answer.status == 202:
                one.acked_at = time.monotonic()
                if self._rng.random() < ONCE_MORE:
                    await self._send(one)
                return
            if answer is not None and answer.status not in (409, 503):
                return  # strange, and written down
            await asyncio.sleep(self._rng.uniform(least / 2, least))
            least = min(least * 1.5, most)

    async def _send(self, one: Submission) -> Answer | None:
        form = {
            "site": "main",
            "name": "Noa",
            "phone": f"{one.person[:3]}-{one.person[3:]}",
            "language": "en",
            "source": "widget",
            "submission_id": one.id,
        }
        try:
            answer = await ask(
                self._rng.choice(self._ports), "POST", "/v1/leads", json.dumps(form).encode(), patience=PATIENCE
            )
        except NoAnswer as error:
            one.heard[str(error)] += 1
            return None
        one.heard[str(answer.status)] += 1
        self._judge(one, answer)
        return answer

    def _judge(self, one: Submission, answer: Answer) -> None:
        told = json.loads(answer.body)
        if answer.status == 202:
            one.leads.append(told["lead_id"])
            return
        code, later = told.get("code"), answer.retry_after
        if (answer.status, code) == (409, "in_flight"):
            return
        if (answer.status, code) == (503, "storage_unavailable") and later is not None and later.isdecimal():
            return
        self.strange.append(f"submission {one.id} heard {answer.status} {code}, Retry-After {later}")
