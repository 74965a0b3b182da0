"""A lead's own view: where it stands, told without anything that only operations should know."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.clock import to_iso
from app.directory import options_for
from app.domain.lead import Event, Lead
from app.domain.messages import sentence
from app.domain.priority import told
from app.domain.states import LEAD_FINAL
from app.domain.stories import LeadStory
from app.domain.text import first_name
from app.errors import Conflict, FieldError, Invalid, NotFound, StorageUnavailable, Unavailable
from app.ports import Store
from app.service.callbacks import read_callback
from app.service.dispatcher import Dispatcher
from app.service.hub import Hub
from app.service.rules import Rules
from app.service.slots import Slots
from app.service.tokens import Tokens

# What a lead hears of its own history; everything else (guards, refusals, agents' troubles) stays inside.
TOLD = {
    "received": "received",
    "scheduled": "scheduled",
    "promised": "promised",
    "placed": "calling",
    "confirmed": "calling",
    "agent_ringing": "agent_ringing",
    "agent_answered": "agent_answered",
    "lead_ringing": "lead_ringing",
    "talking": "connected",
    "connected": "connected",
    "agent_no_answer": "agent_no_answer",
    "agent_offline": "agent_no_answer",
    "agent_blocked": "agent_no_answer",
    "lead_no_answer": "lead_no_answer",
    "lead_busy": "lead_busy",
    "lead_unreachable": "lead_no_answer",
    "short_call": "lead_no_answer",
    "cancelled": "cancelled",
    "phoned_in": "phoned_in",
    "exhausted": "exhausted",
    "expired": "expired",
    "failed": "failed",
}
RELOOK = 20.0  # seconds after which a stream looks without having been told: hints of other replicas may be lost
STREAM_FOR = 3600.0  # seconds a stream may live; the browser comes back by itself


@dataclass(frozen=True, slots=True)
class View:
    """The body of a status answer."""

    lead_id: str
    state: str
    outcome: str | None
    agent_name: str | None
    caller_id: str | None
    expected_call_at: str | None
    position: int | None
    timeline: list[dict[str, str | None]]

    @property
    def final(self) -> bool:
        return self.state in LEAD_FINAL


def _told(history: list[Event]) -> list[dict[str, str | None]]:
    """The history in the lead's words: each thing once per attempt, however many witnesses it had."""
    seen: set[tuple[str | None, str]] = set()
    timeline: list[dict[str, str | None]] = []
    for event in history:
        word = TOLD.get(event.event)
        if word is None or (event.attempt_id, word) in seen:
            continue
        seen.add((event.attempt_id, word))
        timeline.append({"at": to_iso(event.at), "event": word})
    return timeline


def _expected(lead: Lead, *, later: bool) -> int | None:
    """The moment that the lead is told: when it is due, or what was promised because nobody was free in time."""
    if lead.state != "waiting" or lead.due_at is None:
        return None
    return told(lead.due_at, lead.rank) if later else lead.promised_at


class LeadViews:
    """Status, stream and cancel, opened by the lead's token."""

    def __init__(
        self, store: Store, rules: Rules, dispatcher: Dispatcher, hub: Hub, tokens: Tokens, slots: Slots
    ) -> None:
        self._store = store
        self._rules = rules
        self._dispatcher = dispatcher
        self._hub = hub
        self._tokens = tokens
        self._slots = slots

    async def see(self, lead_id: str, token: str) -> View:
        """The lead as its own visitor may see it. NotFound for a wrong id or token alike."""
        if self._tokens.scope(lead_id, token) is None:
            raise NotFound
        try:
            story = await self._store.story(lead_id)
        except StorageUnavailable as error:
            raise Unavailable from error
        if story is None:
            raise NotFound
        return self._view(story)

    def _view(self, story: LeadStory) -> View:
        lead = story.lead
        state = "waiting" if lead.state in ("held", "spam") else lead.state
        directory = self._rules.directory
        agent = directory.agents.get(story.agent_id or "") if lead.state in ("dialing", "connected") else None
        later = state == "waiting" and lead.reason in ("closed", "scheduled", "retry")
        return View(
            lead_id=lead.id,
            state=state,
            outcome=lead.outcome,
            agent_name=first_name(agent.name) if agent and agent.line_of is None else None,
            caller_id=options_for(directory.policy, directory.sites.get(lead.site)).get("targetcallerid"),
            expected_call_at=to_iso(_expected(lead, later=later)),
            position=story.ahead + 1 if state == "waiting" and not later else None,
            timeline=_told(story.history),
        )

    async def follow(self, lead_id: str, token: str) -> AsyncIterator[View]:
        """The view now and after every change, until it is final, the stream is old or the service stops."""
        watch = self._hub.watch(lead_id)
        loop = asyncio.get_running_loop()
        until = loop.time() + STREAM_FOR
        last: View | None = None
        try:
            while True:
                watch.changed.clear()
                try:
                    view = await self.see(lead_id, token)
                except Unavailable:
                    return  # the browser comes back by itself, and hears the story when the database is back
                if view != last:
                    yield view
                    last = view
                if view.final or self._hub.closed or loop.time() >= until:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(RELOOK, until - loop.time())):
                        await watch.changed.wait()
        finally:
            self._hub.unwatch(lead_id, watch)

    async def move(self, lead_id: str, token: str, call_at: str) -> View:
        """Another time for the call. NotFound as in `see`; Invalid for the time; Conflict when it rings or is over."""
        if self._tokens.scope(lead_id, token) != "own":
            raise NotFound
        try:
            story = await self._store.story(lead_id)
            if story is None:
                raise NotFound
            language = story.lead.language
            moment, mistake = read_callback(call_at, self._store.clock.now())
            if moment is None:
                field = FieldError("call_at", mistake or "", sentence(f"call_at.{mistake}", language))
                raise Invalid([field], sentence("invalid", language))
            lead = story.lead
            due = await self._slots.book(lead.site, lead.phone, moment, leaving=lead.due_at)
            state = "held" if story.lead.state in ("held", "spam") else await self._reschedule(lead_id, due)
        except StorageUnavailable as error:
            raise Unavailable from error
        self._hub.changed([lead_id])
        self._dispatcher.wake()
        if state not in ("waiting", "held"):
            raise Conflict(f"The call cannot be moved any more: the request is {state}.")
        return await self.see(lead_id, token)

    async def _reschedule(self, lead_id: str, due: int) -> str | None:
        return await self._store.reschedule(lead_id, self._rules.term(due))

    async def cancel(self, lead_id: str, token: str) -> View:
        """Cancel what is not ringing yet. NotFound as in `see`; Conflict when it rings or is over."""
        if self._tokens.scope(lead_id, token) != "own":
            raise NotFound
        try:
            state = await self._store.cancel(lead_id, "lead")
        except StorageUnavailable as error:
            raise Unavailable from error
        if state is None:
            raise NotFound
        self._hub.changed([lead_id])
        if state != "cancelled":
            raise Conflict(f"The request cannot be cancelled any more: it is {state}.")
        return await self.see(lead_id, token)
