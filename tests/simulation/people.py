"""Who comes from outside: visitors with their forms, operators at their desk, and the provider with its records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from app.clock import to_iso
from app.domain.lead import Term
from app.domain.switches import SwitchName
from app.errors import InFlight, Refusal, StorageUnavailable
from app.service.submission import Submission
from tests.simulation.replica import TOKENS, Replica

if TYPE_CHECKING:
    from tests.simulation.world import World

PATIENCE: Final = 20.0  # seconds that a browser, a desk or the provider waits for an answer
AGAIN: Final = 30.0  # seconds until the provider pushes a record again that was not taken
DEEDS: Final = (
    "cancel",
    "move",
    "release",
    "release",
    "pause",
    "resume",
    "hang up",
    "turn dialling off",
    "turn taking off",
)

Work = Callable[[], Coroutine[Any, Any, object]]


class People:
    """Everybody of one world. Who is told that a lead is stored is known to the witness from then on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self) -> None:
        """Decide who comes when."""
        temper, chance = self._world.temper, self._world.chance
        for number in range(temper.leads):
            arrives = chance.uniform(0.0, temper.arrivals)
            fields: dict[str, object] = {
                "phone": f"054-{1_000_000 + chance.randrange(temper.phones)}",
                "site": chance.choice(("main", "main", "sales")),
                "name": f"visitor {number}",
            }
            if chance.random() < 0.1:
                at = self._world.starts_at + round((arrives + chance.uniform(30.0, 3000.0)) * 1000)
                fields["call_at"] = str(to_iso(at))
            key = f"submission {number}" if chance.random() < 0.8 else None
            submission = Submission(fields, source="widget", client="203.0.113.9", idempotency_key=key)
            visit = partial(self._visit, f"visitor {number}", submission)
            self._world.later(arrives, visit)
            if key and chance.random() < 0.3:  # a double click, or a browser that tries again by itself
                self._world.later(arrives + chance.choice((0.0, 0.01, 1.0)), visit)
        for _ in range(temper.persons):
            self._world.later(chance.uniform(0.0, temper.arrivals + 600.0), self._deed)

    async def _visit(self, name: str, submission: Submission) -> None:
        """Send the form; with a key of its own, again and again until it is taken."""
        note = self._world.witness.note
        for _ in range(4 if submission.idempotency_key else 1):
            replica = self._world.some_replica()
            if replica is not None:
                try:
                    answer = await replica.ask(partial(replica.intake.submit, submission), PATIENCE)
                    self._world.witness.acknowledge(name, answer.lead_id)
                    return
                except InFlight:
                    note("a visitor is asked to wait")
                except (Refusal, TimeoutError) as error:
                    note(f"a visitor is refused: {type(error).__name__}")
            await asyncio.sleep(self._world.chance.uniform(0.5, 8.0))

    def deliver(self, body: str, delay: float) -> None:
        """The provider's push, in so many seconds, to whoever the proxy sends it."""

        async def push() -> None:
            for _ in range(self._world.chance.randint(1, 3)):
                replica = self._world.some_replica()
                if replica is not None:
                    try:
                        await replica.ask(partial(replica.outcomes.keep, body), PATIENCE)
                        return
                    except (StorageUnavailable, TimeoutError):
                        self._world.witness.note("a push failed")
                await asyncio.sleep(AGAIN)

        self._world.later(delay, push)

    async def _deed(self) -> None:
        """Somebody does something: a visitor with his lead, an operator with a lead, an agent or a call."""
        replica = self._world.some_replica()
        if replica is None:
            return
        deed = self._world.chance.choice(DEEDS)
        work = self._work(deed, replica)
        if work is None:
            return
        note = self._world.witness.note
        note(deed)
        try:
            await replica.ask(work, PATIENCE)
            replica.wake()
            if deed.startswith("turn "):
                await self._turned_off("dialling" if "dialling" in deed else "taking")
        except (Refusal, StorageUnavailable, TimeoutError) as error:
            note(f"{deed} was refused: {type(error).__name__}")

    async def _turned_off(self, name: SwitchName) -> None:
        """Until somebody turns it on again."""
        world = self._world
        if name == "dialling":
            world.witness.dialling_off(True)
        await asyncio.sleep(world.chance.choice((5.0, 100.0)))
        while True:
            replica = world.some_replica()
            if name == "dialling":
                world.witness.dialling_off(False)
            if replica is not None:
                try:
                    await replica.ask(partial(replica.store.turn, {name: True}, "operator", None), PATIENCE)
                    return
                except (StorageUnavailable, TimeoutError):
                    world.witness.note("turning it on was refused")
            await asyncio.sleep(5.0)

    def _work(self, deed: str, replica: Replica) -> Work | None:
        chance, store, views = self._world.chance, replica.store, replica.views
        leads = list(self._world.witness.acknowledged.values())
        lead, agent = chance.choice(leads) if leads else "", chance.choice(self._world.temper.agents)
        token, now = TOKENS.of_lead(lead, "own"), self._world.witness.now_ms()
        match deed:
            case "cancel":
                return partial(views.cancel, lead, token)
            case "move":
                return partial(views.move, lead, token, str(to_iso(now + chance.randint(1, 1_800_000))))
            case "release":
                return partial(store.release, lead, "operator", Term(now, now + 1_800_000, now + 40_000))
            case "pause":
                return partial(store.pause, agent, now + chance.randint(1000, 600_000), "lunch")
            case "resume":
                return partial(store.resume, agent)
            case "turn dialling off":
                return partial(store.turn, {"dialling": False}, "operator", "a test of the bell")
            case "turn taking off":
                return partial(store.turn, {"taking": False}, "operator", "a test of the door")
        return self._hang_up(replica)

    def _hang_up(self, replica: Replica) -> Work | None:
        """One of the calls that are on the line: it ends there, and is noted here."""
        now = self._world.loop.time()
        live = [call for call in self._world.provider.calls() if call.began < now < call.ends]
        if not live:
            return None
        call = self._world.chance.choice(live)
        self._world.provider.hang_up(call)
        return partial(replica.store.note_hang_up, call.request.lead_id, call.request.attempt_id, "operator")
