"""The line watch: asks the provider who is there and what is on the line, and holds our books against it.

One process of the deployment asks, and only while there is somebody to ask about. Calls are followed through their
phases; an unknown call that is seen is confirmed; an agent whose call has left the line is free; and who is busy or
away by the provider's account is not rung. An answer that cannot be believed changes nothing, and is said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from app.domain import moves, reconciling, whose_call
from app.domain import presence as judging
from app.domain.lead import Attempt, Lead
from app.domain.line import ExtensionNow, LineCall
from app.domain.moves import Move
from app.domain.open_calls import OpenCall
from app.domain.stories import Moved
from app.errors import StorageUnavailable
from app.metrics import Metrics
from app.ports import Presence, Store
from app.service.belief import Belief, Sight
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.rules import Rules

log = structlog.get_logger("leadring.line")

IDLE: Final = 1.0  # seconds between looks at our own tables
QUIET: Final = 2  # with no call on the line, every second question is enough
STALE_AFTER: Final = 60_000  # milliseconds a call that is over may still be shown
HIDDEN_FOR: Final = 10_000  # milliseconds past the ring times that a call may stay unseen
UNBROKEN: Final = 15_000  # milliseconds in which a call is seen and then missed twice, where no look is left out


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
        self._belief = Belief(metrics)
        self._missing: set[str] = set()  # attempts whose call was not on the line at the last look
        self._quiet = 0
        self._tells_answers = False

    @property
    def sight(self) -> Sight:
        """How well the line is seen."""
        return self._belief.sight

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
                self._belief.doubt("failed")
            await asyncio.sleep(pause)

    async def watch(self) -> bool:
        """One question, when there is anything to ask about; whether one was due."""
        calls = await self._calls()
        if not any(self._worth_asking(call) for call in calls):
            if not self._rules.anybody_on_shift(self._store.clock.now()):
                return False
            self._quiet += 1
            if self._quiet % QUIET == 0 and self.sight.doubt is None:
                return True
        told = await self._presence.look()
        now = self._store.clock.now()
        if told is None:
            self._belief.doubt("blind")
            return True
        if any(call.state == "refused" for call in calls):
            # What was sent while we asked may be on the line already, and must not be taken for one that was refused.
            calls = await self._calls()
        told = judging.merged(told)
        believed = self._belief.weigh(told, await self._ghosts(told, now), now)
        if believed is None:
            return True
        doubtful = whose_call.ids_to_know(calls, believed)
        others = await self._store.known_calls(doubtful) if doubtful else ()
        shown = whose_call.on_line(calls, believed, now, others)
        for call in calls:
            if call.state != "sending":
                await self._follow(call, shown.get(call.id), believed, now)
        self._missing &= {call.id for call in calls}
        await self._note_agents(believed, now)
        return True

    async def _calls(self) -> list[OpenCall]:
        """All that may be on the line, as far back as a call can last."""
        policy = self._rules.policy
        longest = (policy.ring_agent + policy.ring_lead + policy.max_duration) * moves.SECOND
        return await self._store.open_calls(self._store.clock.now() - longest)

    def _worth_asking(self, call: OpenCall) -> bool:
        """A refused call is, while it may begin, and as long as it is seen; it is known again for longer than that."""
        if call.state != "refused":
            return True
        rings = (self._rules.policy.ring_agent + self._rules.policy.ring_lead) * moves.SECOND
        heard = max(call.sending_at or 0, call.seen_at or 0)
        return heard > self._store.clock.now() - rings - HIDDEN_FOR

    async def _ghosts(self, told: Sequence[ExtensionNow], now: int) -> set[str]:
        """Attempts whose call is shown on its extension although its record came, or it cannot have lasted so long.

        On another extension the call may have been passed on, and is nobody's mistake.
        """
        shown = {line.attempt_id: one.extension for one in told for line in one.calls if line.attempt_id is not None}
        if not shown:
            return set()
        policy = self._rules.policy
        longest = (policy.max_duration + policy.ring_agent + policy.ring_lead) * moves.SECOND + STALE_AFTER
        over = await self._store.calls_over(list(shown), now - STALE_AFTER, now - longest)
        return {attempt for attempt, extension in over.items() if shown[attempt] == extension}

    # -------------------------------------------------------------------------------------------- calls

    async def _follow(self, call: OpenCall, line: LineCall | None, told: Sequence[ExtensionNow], now: int) -> None:
        if line is not None:
            self._missing.discard(call.id)
            await self._seen(call, line, now)
            return
        if call.state == "unknown":
            await self._unseen(call, told, now)
        if call.holds_agent:
            await self._perhaps_left(call, told, now)

    async def _seen(self, call: OpenCall, line: LineCall, now: int) -> None:
        policy = self._rules.policy
        ask_at = now + moves.ASK_PLACED * moves.SECOND
        if call.state != "placed":

            def confirm(attempt: Attempt, lead: Lead) -> Move | None:
                if attempt.state == "refused":
                    return reconciling.after_refuted_refusal(line.call_id, lead, policy, now)
                return reconciling.after_sighting(line.call_id, policy, now)

            if await self._settle(call, confirm) is None:
                if call.state == "refused" and await self._store.note_refuted(call, _its_id(call, line), ask_at):
                    log.warning("call.refused_and_seen", lead_id=call.lead_id, attempt_id=call.id)
                    self._hub.changed([call.lead_id])
                return
            call = replace(call, state="placed")
        phase = judging.PHASES.get(call.first_leg, {}).get(line.status) if line.status else None
        look_at = now + policy.assume_call * moves.SECOND
        if await self._store.note_sighting(call, phase, look_at, ask_at) and phase:
            self._tell(call, phase, now)

    async def _unseen(self, call: OpenCall, told: Sequence[ExtensionNow], now: int) -> None:
        """Another look at an unknown call found nothing, where there would have been something to see."""
        if call.unknown_at is None or call.line_looks >= len(moves.LINE_LOOKS):
            return
        if now < call.unknown_at + moves.LINE_LOOKS[call.line_looks] * moves.SECOND:
            return
        if not any(one.extension == call.extension for one in told):
            return
        await self._store.note_line_look(call.id)

    async def _perhaps_left(self, call: OpenCall, told: Sequence[ExtensionNow], now: int) -> None:
        """Twice in a row not on the line: over, as far as the agent goes."""
        policy = self._rules.policy_of(call.agent_id)
        rings = (policy.ring_agent + policy.ring_lead) * moves.SECOND
        hidden = rings + HIDDEN_FOR
        if not judging.has_left(call, told, now, may_hide=hidden, changed_at=self._belief.changed_at):
            self._missing.discard(call.id)
        elif call.id not in self._missing:
            self._missing.add(call.id)
        else:
            self._missing.discard(call.id)
            unanswered = await self._went_unanswered(call, now)

            def decide(attempt: Attempt, lead: Lead) -> Move | None:
                # A record of the agent's leg says more than what was seen of it; the lead's will follow.
                if not unanswered or attempt.leg1_status is not None:
                    return reconciling.after_call_left(attempt, policy, now)
                return reconciling.after_unanswered(attempt, lead, policy, now, opening=self._rules.opening(lead.site))

            moved = await self._settle(call, decide)
            if moved is not None and moved.move.outcome == "agent_no_answer":
                self._metrics.attempts.labels("agent_no_answer").inc()

    async def _went_unanswered(self, call: OpenCall, now: int) -> bool:
        """Whether a call that has left was seen ringing at its agent and never any further.

        Believed only of an account that has been seen to show more than that once an agent answers: how it shows such
        calls is not documented (facts 3.2). And only when nobody looked away meanwhile, be it that we stood still or
        that the provider was silent: in half a minute an agent may have answered, and the lead have talked.
        """
        if call.first_leg != "agent" or call.agent_ringing_at is None or call.agent_answered_at is not None:
            return False
        if call.seen_at is None or now - call.seen_at > UNBROKEN:
            return False
        if not self._tells_answers:
            self._tells_answers = await self._store.line_tells_answers()
        return self._tells_answers

    async def _settle(self, call: OpenCall, decide: moves.Decide) -> Moved | None:
        moved: Moved | None = await self._store.settle(call.id, (call.state,), decide, "presence", self._rules.caps)
        if moved is None:
            return None
        log.info(f"call.{moved.move.event}", lead_id=call.lead_id, attempt_id=call.id, agent_id=call.agent_id)
        self._hub.changed([call.lead_id])
        if moved.move.agent != "on_call" or moved.move.takes_lead:
            self._dispatcher.wake()  # somebody is free: this one's agent, or whoever was reserved for the repeat
        return moved

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
            self._belief.doubt("unknown_extensions")
        elif self._belief.credible(verdicts):
            self._belief.believe(verdicts, now)
            if await self._store.note_presence(verdicts, now + judging.KNOWN_FOR):
                self._dispatcher.wake()


def _its_id(call: OpenCall, line: LineCall) -> str | None:
    """The id by which the call's records may be known: only where a mark, and not a guess, says whose call it is."""
    return line.call_id if line.attempt_id == call.id or line.call_id == call.call_id else None
