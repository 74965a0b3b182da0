"""The seams on one screen: what the service needs from the outside, and from whom.

Telephony is implemented by app/voicenter, Store by app/store, Clock by app/clock.py. The service knows only
these; tests put a function or the sandbox in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from app.clock import Clock as Clock
from app.directory import CallCap, Cooldown
from app.domain.answers import Answer as Answer
from app.domain.answers import HangUp as HangUp
from app.domain.answers import HungUp as HungUp
from app.domain.answers import NotSent as NotSent
from app.domain.answers import Placed as Placed
from app.domain.answers import Refused as Refused
from app.domain.answers import Unknown as Unknown
from app.domain.calls import CallRecord as CallRecord
from app.domain.calls import CallRequest as CallRequest
from app.domain.guards import Cap, NumberCap
from app.domain.intake_results import Accepted, Claimed
from app.domain.lead import Claim, LateLead, Lead, NewLead, Term
from app.domain.line import ExtensionNow as ExtensionNow
from app.domain.line import LineCall as LineCall
from app.domain.line import LineStatus as LineStatus
from app.domain.moves import Decide
from app.domain.open_calls import OpenCall, UnheardCall
from app.domain.presence import Verdict
from app.domain.routing import Roster
from app.domain.stories import AgentState, Dossier, Gauges, KeptCdr, LeadStory, Moved
from app.domain.switches import Switch, SwitchName

# ----------------------------------------------------------------------------------------------- telephony


class Telephony(Protocol):
    """The only way out to the provider."""

    async def place(self, call: CallRequest) -> Answer:
        """Ask for one call, at most one request, within the total deadline. Never raises but CancelledError."""
        ...


class HangsUp(Protocol):
    """Ends what is on an extension."""

    async def hang_up(self, extension: str) -> HangUp:
        """Ask to end whatever is on `extension` now; the provider takes no call id. Raises CancelledError only."""
        ...


class Presence(Protocol):
    """The provider's account of who is there and what is on the line now. A hint: late by seconds, or absent."""

    async def look(self) -> Sequence[ExtensionNow] | None:
        """All extensions; None when that could not be learned or the list is empty. Raises CancelledError only."""
        ...


class CallLog(Protocol):
    """The provider's stored records, to be asked for what was never pushed."""

    async def calls(self, since: int, until: int) -> Sequence[str] | None:
        """The two legs' records of click-to-call calls in that time (ms), each as JSON text for `ReadCallRecords`.

        None when it could not be learned or there was more than it would give. Raises CancelledError only.
        """
        ...


ReadCallRecords = Callable[[str], list[CallRecord]]
"""Reads a stored CDR body into records; empty when it cannot be read. Never raises."""


# --------------------------------------------------------------------------------------------------- store


class Store(Protocol):
    """Where leads live. Every method is one transaction that is durable when it returns.

    StorageUnavailable when the database cannot be reached; nothing has been done then, except where a
    commit's answer was lost.
    """

    @property
    def clock(self) -> Clock: ...

    async def accept(self, new: NewLead, cooldown: Cooldown, calls: CallCap, caps: Sequence[Cap]) -> Accepted: ...

    async def known_submission(self, site: str, key: str, fingerprint: str) -> Accepted | None: ...

    async def remember_answer(self, site: str, key: str, answer: str) -> None: ...

    async def claim(
        self,
        roster: Roster,
        *,
        owner: str,
        lease: int,
        calls: CallCap,
        caps: Sequence[Cap],
        most: int,
        numbers: NumberCap | None = None,
    ) -> Claimed: ...

    async def begin_sending(self, claim: Claim, owner: str, lease: int, ring_agent: int | None = None) -> bool: ...

    async def settle(
        self,
        attempt_id: str,
        expected: Sequence[str],
        decide: Decide,
        who: str,
        caps_at: Callable[[int], Sequence[Cap]],
    ) -> Moved | None: ...

    async def overdue_attempts(self) -> list[str]: ...

    async def abandon_others(self, owner: str) -> int: ...

    async def expire(self) -> list[str]: ...

    async def put_off(self, site: str, term: Term) -> int:
        """The due leads of a site that has closed wait for its opening, the freshest first. How many."""
        ...

    async def late(self, by: int) -> list[LateLead]:
        """The leads that nobody is being rung for, and whose deadline is over at `by` (ms)."""
        ...

    async def promise(self, lead_id: str, at: int, expires: int) -> bool:
        """Write that the lead is told of another time, which is its deadline now; False when it is past that."""
        ...

    async def after_standstill(self, gap: int, fresh_for: int) -> list[str]:
        """Note that calls can be placed now; hold the leads that waited through a time in which none could.

        Such a time is more than `gap` ms since the last such note; held are those that are due for more than
        `fresh_for` ms, but for the backlog and those that were rung before. Their ids.
        """
        ...

    async def due_numbers(self, site: str, most: int) -> list[tuple[str, str]]:
        """Ids and numbers of a site's due leads, longest due first."""
        ...

    async def put_off_leads(self, ids: Sequence[str], term: Term) -> list[str]:
        """Have those of these leads that are still due wait until `due`; their ids."""
        ...

    async def hold_leads(self, ids: Sequence[str]) -> list[str]:
        """Hold those of these leads that are still due, as their numbers can never be rung; their ids."""
        ...

    async def end_pauses(self) -> int: ...

    async def next_due(self, sites: Sequence[str]) -> int | None: ...

    async def booked(
        self, sites: Sequence[str], since: int, until: int, *, overdue: bool
    ) -> Mapping[str, Mapping[int, int]]:
        """By site, how many waiting leads are due when, from `since` up to `until`; with `overdue` older ones there."""
        ...

    async def waits(self, site: str, since: int) -> list[int | None]:
        """Milliseconds that the site's newest leads since then waited for their phone to ring; None: it never did."""
        ...

    async def oldest_due(self, site: str) -> int | None:
        """Since when the site's longest waiting lead is due; None when nobody is."""
        ...

    async def story(self, lead_id: str) -> LeadStory | None: ...

    async def dossier(self, lead_id: str, numbers: NumberCap | None) -> Dossier | None:
        """What an explanation of the lead is made of; None when there is no such lead."""
        ...

    async def cancel(self, lead_id: str, who: str) -> str | None: ...

    async def reschedule(self, lead_id: str, term: Term) -> str | None: ...

    async def release(self, lead_id: str, who: str, term: Term) -> str | None: ...

    async def leads(self, states: Sequence[str], most: int) -> list[Lead]: ...

    async def sync_agents(self, ids: Sequence[str]) -> None: ...

    async def agent_states(self) -> Mapping[str, AgentState]: ...

    async def pause(self, agent: str, until: int | None, reason: str) -> bool: ...

    async def resume(self, agent: str) -> bool: ...

    async def report(
        self, body: str, records: Sequence[CallRecord], decide: Decide, caps_at: Callable[[int], Sequence[Cap]]
    ) -> list[Moved]:
        """Keep a CDR's text, and apply its records as far as they can be applied now."""
        ...

    async def kept_cdrs(self) -> list[KeptCdr]: ...

    async def apply_cdr(
        self, cdr: KeptCdr, records: Sequence[CallRecord], decide: Decide, caps_at: Callable[[int], Sequence[Cap]]
    ) -> list[Moved]: ...

    async def put_back_cdr(self, cdr: KeptCdr) -> None: ...

    async def phoned_in(
        self, body: str, record: CallRecord, phone_key: str, agent: str | None, talk: int
    ) -> str | None:
        """End the waiting lead with this number who phoned in, by a record of the kept CDR `body`; its id.

        None when there is no such lead, or the call began before it came. `talk` in seconds.
        """
        ...

    def polls(self) -> bool:
        """Whether this process is the one of the deployment that asks the provider how things stand."""
        ...

    async def open_calls(self, refused_since: int | None = None) -> list[OpenCall]:
        """The attempts whose calls are, or may be, on the line.

        With `refused_since` also those whose request is not answered yet (`sending`), and those sent since then that
        the provider refused with an error of its own, and that may have rung all the same.
        """
        ...

    async def note_sighting(self, call: OpenCall, phase: str | None, look_at: int, ask_at: int) -> bool:
        """Write that the call is on the line, and what its phase proves; True when that was news."""
        ...

    async def note_refuted(self, call: OpenCall, call_id: str | None, ask_at: int) -> bool:
        """Write that a refused call is on the line, whose lead goes another way, and when to ask the call log of it."""
        ...

    async def known_calls(self, call_ids: Sequence[str]) -> Collection[str]:
        """Those of these call ids that are on an attempt of ours, whatever became of it."""
        ...

    async def note_line_look(self, attempt_id: str) -> None: ...

    async def calls_over(self, attempt_ids: Sequence[str], before: int, sent_before: int) -> Mapping[str, str]:
        """Those of these attempts that ended, by a record, before `before`, or were sent before `sent_before`.

        With their extensions, by id.
        """
        ...

    async def line_tells_answers(self) -> bool:
        """Whether this account has lately shown a call of ours ringing at an agent, and then that he answered."""
        ...

    async def note_presence(self, verdicts: Mapping[str, Verdict], until: int) -> bool:
        """Keep what was told of the agents, to count until then; True when somebody is free who was not."""
        ...

    async def unheard_calls(self) -> list[UnheardCall]:
        """The attempts about which the call log is to be asked now."""
        ...

    async def note_log_look(self, attempt_id: str, ask_at: int | None, *, looked: bool, missed: bool) -> None:
        """Write when to ask the call log next (None: never), and count the question if it was answered."""
        ...

    async def whose_call(self, attempt_id: str | None, call_id: str | None) -> str | None:
        """The lead whose attempt, live or just over, that call belongs to; None when it is not ours."""
        ...

    async def note_hang_up(self, lead_id: str, attempt_id: str | None, who: str) -> None: ...

    async def switches(self) -> Mapping[SwitchName, Switch]: ...

    async def turn(self, wanted: Mapping[SwitchName, bool], who: str, why: str | None) -> Mapping[SwitchName, Switch]:
        """Turn these switches, and tell the other processes; both as they stand then."""
        ...

    async def gauges(self) -> Gauges: ...

    async def secret_key(self) -> str: ...

    async def forget_submissions(self, before: int) -> int: ...

    async def forget_deliveries(self, kept: Mapping[str, int]) -> int:
        """Drop what webhooks brought: bodies after their source's seconds, rows when nothing is known again by them."""
        ...

    async def ready(self) -> str | None:
        """What will keep it from being so before long, in words; None while nothing will.

        StorageUnavailable when the database does not answer or its schema is not ours; NotWritable when its disk is
        full or fails, also while small writes still get through.
        """
        ...
