"""One sandbox: its phones, calls, scripts and memory. The HTTP routes and tests both speak to this object."""

import asyncio
from collections.abc import Callable

from .behaviour import Behaviour, BehaviourBook
from .call_log import CallLog, CallLogOptions
from .calls import Call, Side
from .cdr import call_records
from .cdr_push import CdrOptions, CdrPush, Pushed
from .clock import Clock, RealClock
from .engine import CannotError, Engine, OutsideState
from .journal import Journal, Received
from .phones import Extensions, Phones
from .signals import Signal


class Sandbox:
    """Everything a sandbox knows. All methods belong to the event loop that serves it."""

    def __init__(
        self,
        *,
        code: str,
        cdr: CdrOptions,
        behaviour: Behaviour | None,
        extensions: Extensions | None,
        clock: Clock | None,
        call_log: CallLogOptions | None = None,
    ) -> None:
        self.code = code
        self.clock: Clock = clock or RealClock()
        self.changed = Signal()
        self.released = Signal()
        self._cdr_at_start = cdr
        self._call_log_at_start = call_log or CallLogOptions()
        self.phones = Phones(extensions)
        self.book = BehaviourBook(behaviour)
        self.journal = Journal()
        self.cdr = CdrPush(cdr, self.clock, self.changed)
        self.call_log = CallLog(self._call_log_at_start, self.clock)
        self.engine = Engine(self.clock, self.phones, self.changed.fire, self._call_ended)
        # What the lists said last, for answers that are told to be stale; by the name of the list.
        self.last_lists: dict[str, list[dict[str, object]]] = {}

    def set_behaviour(self, key: str, behaviour: Behaviour) -> None:
        """Script an extension, a number, `*`, `active_calls`, `roster` or `call_log`."""
        self.book.set(key, behaviour)

    def clear_behaviour(self, key: str | None = None) -> None:
        """Back to the default, and let go of every request that still hangs."""
        self.book.clear(key)
        self.released.fire()

    def first_of(self, phone: str, target: str) -> Side:
        """Whose phone rings first. What an extension is, or leads to an IVR, is the agent's; else leg 1 is."""
        return "lead" if self._is_agents(target) and not self._is_agents(phone) else "agent"

    def _is_agents(self, number: str) -> bool:
        return self.phones.is_extension(number) or self.book.ivr_of(number) is not None

    def busy(self, extension: str, phone: str = "0722776700", state: OutsideState = "talking") -> Call:
        """Put the agent on a call of somebody else; raises CannotError when one of the two is in a call."""
        return self.engine.bring_in(extension, phone, state)

    def free(self, extension: str) -> Call:
        """End the call of somebody else; raises CannotError when there is none on the extension."""
        call = self.engine.live_call(extension)
        if call is None or not call.incoming:
            raise CannotError(f"{extension} is in no call from outside")
        self.engine.terminate(extension, by="elsewhere")
        return call

    def login(self, extension: str, status: int) -> None:
        """The onlineUserStatus of an extension's user: 1 Login, 2 Logout, 3 Lunch … (facts 3.2)."""
        self.phones.use(extension, "agent").user_status = status
        self.changed.fire()

    def _call_ended(self, call: Call) -> None:
        agent, options = self.phones.find(call.agent.number), self.cdr.options
        recorded = call_records(
            call,
            agent_name=agent.name if agent else call.agent.number,
            same_id=options.same_id,
            original_id=options.original_id,
            ivr_record=options.ivr_record,
        )
        self.call_log.keep(recorded)
        self.cdr.call_ended(call, recorded)

    def receive(self, received: Received) -> None:
        """Remember a request and wake whoever waits for it."""
        self.journal.add(received)
        self.changed.fire()

    def requests(self, api: str | None = "click2call") -> list[Received]:
        """What was received so far, oldest first."""
        return self.journal.of(api)

    @property
    def calls(self) -> list[Call]:
        """All calls, oldest first."""
        return list(self.engine.calls)

    async def wait_until(self, enough: Callable[[], bool], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until that holds, looked at after every change; raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not enough():
                if self.changed.closed:
                    raise RuntimeError("the sandbox is closed")
                await self.changed.wait()

    async def wait_for_requests(
        self,
        n: int,
        timeout: float = 10.0,  # noqa: ASYNC109 - the deadline is part of the question
        api: str | None = "click2call",
    ) -> list[Received]:
        """Wait until `n` requests have come in; raises TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: len(self.journal.of(api)) >= n, timeout)
        return self.journal.of(api)

    async def wait_for_calls_ended(self, n: int, timeout: float = 10.0) -> list[Call]:  # noqa: ASYNC109
        """Wait until `n` calls are over; raises TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: len(self._over()) >= n, timeout)
        return self._over()

    async def wait_for_cdr(self, n: int, timeout: float = 10.0) -> list[Pushed]:  # noqa: ASYNC109
        """Wait until `n` tries to push a record were made; raises TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: len(self.cdr.log) >= n, timeout)
        return list(self.cdr.log)

    def _over(self) -> list[Call]:
        return [call for call in self.engine.calls if not call.live]

    def reset(self) -> None:
        """As new: no calls, requests or log, default behaviour, all phones online, all options of the start."""
        self.engine.reset()
        self.cdr.forget()
        self.cdr.options = self._cdr_at_start
        self.call_log.forget()
        self.call_log.options = self._call_log_at_start
        self.last_lists.clear()
        self.phones.reset()
        self.journal.clear()
        self.clear_behaviour()
        self.changed.fire()

    def release_all(self) -> None:
        """Let go of everything that waits, for good: hanging requests, event streams."""
        self.released.close()
        self.changed.close()

    async def close(self) -> None:
        """End all calls without a word and give up undelivered records."""
        self.release_all()
        self.engine.reset()
        await self.cdr.stop()
