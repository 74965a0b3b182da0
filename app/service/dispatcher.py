"""The dispatcher: takes due leads, reserves an agent for each, and places one call per attempt.

A step is a verb that says whether to go round again: tests call `round`, never the loop. Nothing polls on
the hot path; a one-second tick is the back-stop. Dials run in a task set of our own, which shutdown drains.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

import structlog

from app import faults
from app.domain import moves
from app.domain.lead import Attempt, Claim, Lead
from app.domain.moves import Move
from app.domain.phone import mask
from app.domain.stories import Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Answer, NotSent, Placed, Refused, Store, Telephony, Unknown
from app.service.breaker import Breaker
from app.service.call_requests import call_request
from app.service.hub import Hub
from app.service.rules import Rules
from app.service.standstill import Standstill
from app.service.switches import Switches

log = structlog.get_logger("leadring.dispatcher")

TICK = 1.0  # seconds between looks when nothing wakes us
SEND_LEASE = 10.0  # seconds past the provider's deadline until a silent sender is given up on
RESERVE_LEASE = 5.0  # seconds a reservation may stand before its request must be under way
STALE_INTENT = 2.0  # seconds between intent and request after which the request is not sent any more
INSIST = 120.0  # seconds that an answer is tried to be written: who is called by then knows no better
CLAIM_MOST = 32  # leads per claim


class Dispatcher:
    """Reserves and sends. `owner` names this process on its reservations; times in seconds unless said."""

    def __init__(
        self,
        store: Store,
        telephony: Telephony,
        rules: Rules,
        hub: Hub,
        metrics: Metrics,
        breaker: Breaker,
        *,
        owner: str,
        provider_timeout: float,
        switches: Switches,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._telephony = telephony
        self._rules = rules
        self._hub = hub
        self._metrics = metrics
        self._breaker = breaker
        self._switches = switches
        self._owner = owner
        self._timeout = provider_timeout
        self._jitter = jitter
        self._woken = asyncio.Event()
        self._dials: set[asyncio.Task[None]] = set()
        self._rounds = asyncio.Lock()
        self._waiting_for_round: list[asyncio.Future[set[str]]] = []
        self._dialling = True
        self._standstill = Standstill(store, rules, hub)
        self._served: set[str] = set()

    # ------------------------------------------------------------------------------------------ the loop

    def wake(self) -> None:
        """Something may be due, or somebody free: look now."""
        self._woken.set()

    async def run(self) -> None:
        """Rounds until cancelled: at once when woken, once a tick otherwise. A failing database only delays."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._woken.wait()
            self._woken.clear()
            try:
                while await self.round():
                    pass
            except StorageUnavailable as error:
                log.warning("dispatch.storage_unavailable", error=str(error))
            except Exception:
                # The loop must outlive whatever one round met: without it no lead is dialled again.
                log.exception("dispatch.round_failed")

    async def claimed_now(self) -> set[str]:
        """Wait for a round that begins after this call; the ids of the leads that it and the last one claimed.

        Submitters that come together share one round, and so one transaction.
        """
        waiter: asyncio.Future[set[str]] = asyncio.get_running_loop().create_future()
        self._waiting_for_round.append(waiter)
        self.wake()
        return await waiter

    async def round(self) -> bool:
        """Claim what is due for whom is free and start those dials. True when there may be more to claim."""
        async with self._rounds:
            if self._dialling and self._breaker.room(1) and await self._switches.may_dial():
                await self._standstill.look_back()
            waiting, self._waiting_for_round = self._waiting_for_round, []
            claimed: set[str] = set()
            # Whoever asks from here on may have been served by the round that was under way.
            served, self._served = self._served, claimed
            try:
                more = await self._claim(claimed)
            except BaseException:
                for waiter in waiting:
                    if not waiter.done():
                        waiter.set_result(set())
                raise
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(claimed | served)
            return more or bool(self._waiting_for_round)

    async def _claim(self, claimed: set[str]) -> bool:
        if not (self._dialling and await self._switches.may_dial()):
            return False
        asked_at = self._store.clock.monotonic()
        most = self._breaker.room(CLAIM_MOST)
        if most == 0:
            return False  # the provider fails: leads wait, no agent is taken, nobody's attempt becomes unknown
        now = self._store.clock.now()
        found = await self._store.claim(
            self._rules.roster(now),
            owner=self._owner,
            lease=int(RESERVE_LEASE * 1000),
            calls=self._rules.directory.guards.calls,
            caps=self._rules.caps(now),
            most=most,
            numbers=self._rules.number_cap(now),
        )
        self._breaker.taken(len(found.claims), asked_at)
        if found.held:
            self._metrics.guard_hits.labels("calls", self._rules.directory.guards.calls.mode).inc(len(found.held))
            log.warning("guard.calls", held=len(found.held), lead_ids=found.held)
        if found.put_off:
            log.info("lead.number_cap", lead_ids=found.put_off)
        self._hub.changed((*found.held, *found.put_off))
        for claim in found.claims:
            claimed.add(claim.lead.id)
            faults.point("dispatch.after_reserve")
            self._start(claim, asked_at)
        # Fewer than it may take means that leads or agents have run out.
        return len(found.claims) + len(found.held) + len(found.put_off) >= most

    def _start(self, claim: Claim, asked_at: float) -> None:
        task = asyncio.create_task(self.dial(claim, asked_at), name=f"dial {claim.attempt.id}")
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)

    # ----------------------------------------------------------------------------------------- one dial

    async def dial(self, claim: Claim, asked_at: float) -> None:
        """One attempt from intent to answer. Whatever happens here, the sweeper finds what is left.

        `asked_at`: the monotonic second at which the breaker was asked for its room.
        """
        with structlog.contextvars.bound_contextvars(lead_id=claim.lead.id, attempt_id=claim.attempt.id):
            try:
                await self._dial(claim, asked_at)
            except StorageUnavailable as error:
                log.warning("dispatch.storage_unavailable", error=str(error))
            except Exception:
                log.exception("dispatch.dial_failed")
            finally:
                self._breaker.given_back(asked_at)

    async def _dial(self, claim: Claim, asked_at: float) -> None:
        clock = self._store.clock
        lead, attempt = claim.lead, claim.attempt
        if not (self._dialling and self._switches.dialling and self._breaker.may_send(asked_at)):
            await self._let_go(attempt)
            return
        lease = int((self._timeout + SEND_LEASE) * 1000)
        intended = clock.monotonic()
        call = call_request(claim, self._rules.directory, clock.now())
        if not await self._store.begin_sending(claim, self._owner, lease, call.ring_agent if call else None):
            log.info("dispatch.reservation_lost")
            return
        faults.point("dispatch.after_intent")
        self._hub.changed([lead.id])
        if call is None:
            answer: Answer = NotSent("the agent is no longer in the directory")
        elif clock.monotonic() - intended > STALE_INTENT:
            answer = NotSent("the process stood still between intent and request")
        else:
            self._metrics.lead_to_request.observe(max(0, clock.now() - lead.received_at) / 1000)
            answer = await self._telephony.place(call)
            self._breaker.heard(answer, asked_at)
        faults.point("dispatch.before_record")
        await self._record(attempt, answer)

    async def _let_go(self, attempt: Attempt) -> None:
        """Nothing was sent and nothing will be: lead and agent are free for the next process at once."""

        def decide(current: Attempt, lead: Lead) -> Move | None:
            return self._rules.after_silence(current, lead, self._store.clock.now())

        await self._store.settle(attempt.id, ("reserved",), decide, "dispatcher", self._rules.caps)

    async def _record(self, attempt: Attempt, answer: Answer) -> None:
        """Write the answer, insisting for as long as a database may be away; then only the log has it."""
        give_up = self._store.clock.monotonic() + INSIST

        def decide(current: Attempt, lead: Lead) -> Move | None:
            now = self._store.clock.now()
            if current.state == "sending" or not isinstance(answer, Unknown):
                return moves.after_answer(
                    answer,
                    lead,
                    self._rules.policy,
                    now,
                    jitter=self._jitter(),
                    opening=self._rules.opening_for(lead.site, lead.phone),
                )
            return None

        while True:
            try:
                # An answer that comes after the sweeper said `unknown` still upgrades it.
                moved = await self._store.settle(
                    attempt.id, ("sending", "unknown"), decide, "dispatcher", self._rules.caps
                )
                break
            except StorageUnavailable:
                if self._store.clock.monotonic() > give_up:
                    log.exception("dispatch.answer_not_stored", call_id=getattr(answer, "call_id", None))
                    return
                await asyncio.sleep(0.2)
        faults.point("dispatch.after_record")
        if moved is not None:
            self._tell(moved, answer)

    def _tell(self, moved: Moved, answer: Answer) -> None:
        self._hub.changed([moved.lead.id])
        if moved.move.agent != "on_call":
            self.wake()  # somebody is free again, or the lead is due with somebody else
        match answer:
            case Placed(call_id=call_id):
                log.info("call.placed", call_id=call_id, agent_id=moved.attempt.agent_id, phone=mask(moved.lead.phone))
            case Refused(code=code, message=message, rule=rule):
                self._metrics.refusals.labels("http" if code is None else str(code)).inc()
                level = log.error if rule in ("agent_blocked", "request_wrong", "configuration") else log.warning
                level("call.refused", code=code, message=message, rule=rule, agent_id=moved.attempt.agent_id)
            case NotSent(why=why):
                log.warning("call.not_sent", why=why)
            case Unknown(why=why):
                log.error("call.unknown", why=why)
        if moved.move.attempt in ("refused", "not_sent"):
            self._metrics.attempts.labels(moved.move.attempt).inc()
        if moved.lead_state in ("failed", "held"):
            log.error("lead." + moved.lead_state, reason=moved.reason)

    # ---------------------------------------------------------------------------------------- the end

    def stop_dialling(self) -> None:
        """No new reservations and no new requests; what was sent is finished by `drain`."""
        self._dialling = False

    async def drain(self, deadline: float) -> int:
        """Wait for the dials under way, at most `deadline` seconds; how many were still not done."""
        self.stop_dialling()
        if not self._dials:
            return 0
        log.info("dispatch.draining", dials=len(self._dials), deadline=deadline)
        _, pending = await asyncio.wait(set(self._dials), timeout=deadline)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending, timeout=1)
        return len(pending)
