"""The line watch: asks the provider who is there and what is on the line, and holds our books against it.

One process of the deployment asks, and only while there is somebody to ask about. Calls are followed through their
phases; an unknown call that is seen is confirmed; an agent whose call has left the line is free; and who is busy or
away by the provider's account is not rung. An answer that cannot be believed changes nothing, and is said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from app.domain import moves, reconciling
from app.domain import presence as judging
from app.domain.lead import Attempt, Lead
from app.domain.line import ExtensionNow, LineCall
from app.domain.moves import Move
from app.domain.open_calls import OpenCall
from app.domain.presence import Verdict
from app.domain.stories import Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Presence, Store
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.rules import Rules

log = structlog.get_logger("leadring.line")

IDLE: Final = 1.0  # seconds between looks at our own tables
QUIET: Final = 2  # with no call on the line, every second question is enough
STALE_AFTER: Final = 60_000  # milliseconds a call that is over may still be shown
HAUNTED_FOR: Final = 300_000  # milliseconds until such a call is taken to hang there, in an answer that is not old
HIDDEN_FOR: Final = 10_000  # milliseconds past the ring times that a call may stay unseen


@dataclass(frozen=True, slots=True)
class Sight:
    """How well the line is seen: when it was last believed (ms), and what is wrong since, if anything."""

    believed_at: int | None = None
    doubt: str | None = None


class LineWatch:
    """Follows calls and agents. `apart` is the least time between two questions, in seconds."""

    def __init__(
        self,
        store: Store,
        presence: Presence,
        rules: Rules,
        dispatcher: Dispatcher,
        hub: Hub,
        metrics: Metrics,
        *,
        apart: float,
    ) -> None:
        self._store = store
        self._presence = presence
        self._rules = rules
        self._dispatcher = dispatcher
        self._hub = hub
        self._metrics = metrics
        self._apart = apart
        self._verdicts: dict[str, Verdict] = {}
        self._everybody_left = 0
        self._missing: set[str] = set()  # attempts whose call was not on the line at the last look
        self._quiet = 0
        self._haunted_since: int | None = None
        self.sight = Sight()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            pause = min(IDLE, self._apart)
            try:
                if self._store.polls() and await self.watch():
                    pause = self._apart
            except StorageUnavailable as error:
                log.warning("line.storage_unavailable", error=str(error))
            except Exception:
                # Without this loop nobody is told how calls go on; the calls themselves need it not.
                log.exception("line.failed")
            await asyncio.sleep(pause)

    async def watch(self) -> bool:
        """One question, when there is anything to ask about; whether one was due."""
        calls = await self._store.open_calls()
        if not calls:
            if not self._rules.anybody_on_shift(self._store.clock.now()):
                return False
            self._quiet += 1
            if self._quiet % QUIET == 0 and self.sight.doubt is None:
                return True
        told = await self._presence.look()
        now = self._store.clock.now()
        if told is None:
            self._doubt("blind")
            return True
        ghosts = await self._ghosts(told, now)
        if not ghosts:
            self._haunted_since = None
        elif now < (self._haunted_since or now) + HAUNTED_FOR:
            self._haunted_since = self._haunted_since or now
            self._doubt("stale")
            return True
        told = judging.without(told, ghosts)
        for call in calls:
            await self._follow(call, told, now)
        self._missing &= {call.id for call in calls}
        await self._note_agents(told, now)
        return True

    # ------------------------------------------------------------------------------------------- belief

    async def _ghosts(self, told: Sequence[ExtensionNow], now: int) -> set[str]:
        """Attempts whose call is still shown on its extension although its record came long ago.

        That is how an old answer looks. Where it goes on, it is a call that hangs there, and only that one is not
        believed. On another extension the call may have been passed on, and is nobody's mistake.
        """
        shown = {line.attempt_id: one.extension for one in told for line in one.calls if line.attempt_id is not None}
        if not shown:
            return set()
        over = await self._store.calls_over(list(shown), now - STALE_AFTER)
        return {attempt for attempt, extension in over.items() if shown[attempt] == extension}

    def _doubt(self, reason: str) -> None:
        self._metrics.presence_doubts.labels(reason).inc()
        if self.sight.doubt != reason:
            log.warning("line.doubted", reason=reason)
        self.sight = Sight(self.sight.believed_at, reason)

    def _believe(self, now: int) -> None:
        if self.sight.doubt is not None:
            log.info("line.believed_again", after=self.sight.doubt)
        self.sight = Sight(now)
        self._metrics.presence_believed.set(now / 1000)

    # -------------------------------------------------------------------------------------------- calls

    async def _follow(self, call: OpenCall, told: Sequence[ExtensionNow], now: int) -> None:
        line = judging.call_of(call, told)
        if line is not None:
            self._missing.discard(call.id)
            await self._seen(call, line, now)
        elif call.state == "unknown":
            await self._unseen(call, told, now)
        elif call.state == "placed" and call.holds_agent:
            await self._perhaps_left(call, told, now)

    async def _seen(self, call: OpenCall, line: LineCall, now: int) -> None:
        policy = self._rules.policy
        if call.state != "placed":

            def confirm(attempt: Attempt, lead: Lead) -> Move | None:
                if attempt.state == "refused" and (lead.state != "waiting" or lead.attempt_id != attempt.id):
                    return None  # it was repeated, or the lead has gone another way
                return reconciling.after_sighting(line.call_id, policy, now)

            if not await self._settle(call, confirm):
                return
            call = replace(call, state="placed")
        phase = judging.PHASES.get(call.first_leg, {}).get(line.status) if line.status else None
        look_at = now + policy.assume_call * moves.SECOND
        if await self._store.note_sighting(call, phase, look_at, now + moves.ASK_PLACED * moves.SECOND) and phase:
            self._tell(call, phase, now)

    async def _unseen(self, call: OpenCall, told: Sequence[ExtensionNow], now: int) -> None:
        """Another look at an unknown call found nothing, where there would have been something to see."""
        if call.unknown_at is None or call.line_looks >= len(moves.LINE_LOOKS):
            return
        if now < call.unknown_at + moves.LINE_LOOKS[call.line_looks] * moves.SECOND:
            return
        if not any(one.extension == call.extension for one in told):
            return
        if call.holds_agent:
            await self._settle(call, lambda attempt, _lead: reconciling.after_line_miss(attempt))
        await self._store.note_line_look(call.id)

    async def _perhaps_left(self, call: OpenCall, told: Sequence[ExtensionNow], now: int) -> None:
        """Twice in a row not on the line: over, as far as the agent goes."""
        policy = self._rules.policy_of(call.agent_id)
        rings = (policy.ring_agent + policy.ring_lead) * moves.SECOND
        if not judging.has_left(call, told, now, may_hide=rings + HIDDEN_FOR):
            self._missing.discard(call.id)
        elif call.id not in self._missing:
            self._missing.add(call.id)
        else:
            self._missing.discard(call.id)
            await self._settle(call, lambda _attempt, _lead: reconciling.after_call_left(policy, now))

    async def _settle(self, call: OpenCall, decide: moves.Decide) -> bool:
        moved: Moved | None = await self._store.settle(call.id, (call.state,), decide, "presence", self._rules.caps)
        if moved is None:
            return False
        log.info(f"call.{moved.move.event}", lead_id=call.lead_id, attempt_id=call.id, agent_id=call.agent_id)
        self._hub.changed([call.lead_id])
        if moved.move.agent != "on_call":
            self._dispatcher.wake()
        return True

    def _tell(self, call: OpenCall, phase: str, now: int) -> None:
        if phase != "agent_ringing" and call.agent_answered_at is None:
            waited = max(0, now - call.received_at) / 1000
            self._metrics.lead_to_agent_answer.labels(call.site).observe(waited)
        log.info("call.phase", lead_id=call.lead_id, attempt_id=call.id, phase=phase)
        self._hub.changed([call.lead_id])

    # ------------------------------------------------------------------------------------------- agents

    async def _note_agents(self, told: Sequence[ExtensionNow], now: int) -> None:
        directory = self._rules.directory
        people = [agent for agent in directory.agents.values() if agent.enabled]
        verdicts = judging.verdicts(people, told, directory.policy.logged_out)
        if not verdicts and any(judging.is_listed(agent) for agent in people):
            self._doubt("unknown_extensions")
            return
        if judging.everybody_left(self._verdicts, verdicts):
            self._everybody_left += 1
            if self._everybody_left < judging.BELIEVED_AFTER:
                self._doubt("everybody_left")
                return
        self._everybody_left = 0
        self._believe(now)
        self._verdicts = verdicts
        if await self._store.note_presence(verdicts, now + judging.KNOWN_FOR):
            self._dispatcher.wake()
