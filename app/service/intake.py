"""Intake: the phone becomes E.164, the guards decide, a double click becomes the same lead, and it is stored.

Nothing is answered before it is on disk. What the visitor is told is decided here, once, and kept with the
submission id so that a repeat hears the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import quote

import structlog

from app import faults
from app.clock import to_iso
from app.directory import Site
from app.domain.guards import Hit
from app.domain.intake_results import Accepted
from app.domain.lead import NewLead
from app.domain.messages import sentence
from app.domain.phone import mask
from app.domain.priority import told
from app.errors import (
    FieldError,
    ForbiddenOrigin,
    IdempotencyMismatch,
    InFlight,
    Invalid,
    NotTaking,
    RateLimited,
    StorageUnavailable,
    Unavailable,
    UnknownSite,
)
from app.metrics import Metrics
from app.ports import Store
from app.service.answered import Answered
from app.service.hub import Hub
from app.service.reading import NotCallable, read_submission
from app.service.rules import Rules
from app.service.slots import Slots
from app.service.submission import MAX_KEY, Submission, fingerprint_text, key_of, sort_fields
from app.service.switches import Switches
from app.service.tokens import Tokens

log = structlog.get_logger("leadring.intake")


class Dialler(Protocol):
    """Whoever dials what is stored: the dispatcher; nobody, in a command beside the service."""

    def wake(self) -> None:
        """There is something due."""
        ...

    async def claimed_now(self) -> set[str]:
        """The leads that a round right now reserves for an agent."""
        ...


class Intake:
    """Takes submissions in. One instance serves every door."""

    round_patience = 0.5  # seconds an answer waits to learn whether somebody was free

    def __init__(
        self,
        store: Store,
        rules: Rules,
        dispatcher: Dialler,
        hub: Hub,
        tokens: Tokens,
        metrics: Metrics,
        switches: Switches,
        slots: Slots,
    ) -> None:
        self._store = store
        self._rules = rules
        self._dispatcher = dispatcher
        self._hub = hub
        self._tokens = tokens
        self._metrics = metrics
        self._switches = switches
        self._slots = slots

    def site_of(self, submission: Submission) -> Site:
        """The site a submission is for, its origin allowed. UnknownSite, Invalid or ForbiddenOrigin."""
        sites = self._rules.directory.sites
        named = submission.site or str(submission.fields.get("site") or "").strip()
        if not named:
            if len(sites) > 1:
                raise Invalid([FieldError("site", "missing", sentence("site.missing", "en"))])
            named = next(iter(sites))
        site = sites.get(named)
        if site is None:
            raise UnknownSite
        origin = submission.origin
        if origin is not None and site.origins and origin not in site.origins and origin != submission.trusted_origin:
            # The first trap of a new site, localhost against 127.0.0.1 included: say what to write where.
            log.warning("origin.refused", site=site.key, origin=origin[:200], hint="add it to the site's origins")
            raise ForbiddenOrigin
        return site

    async def submit(self, submission: Submission) -> Answered:
        """Store the lead and say what happens next. Raises a Refusal when it is not stored."""
        site = self.site_of(submission)
        fields = sort_fields(submission.fields)
        language = fields.get("language") or site.language
        if not self._switches.taking:
            return await self._heard_before(submission, site, language)
        try:
            new, hits = read_submission(
                submission,
                site,
                fields,
                language,
                rules=self._rules,
                tokens=self._tokens,
                now=self._store.clock.now(),
            )
        except Invalid as refusal:
            if isinstance(refusal, NotCallable):
                self._count_hits(refusal.hits)
            known = await self._known(submission, site)
            if known is not None and known.kind == "replay":
                return self._again(known, language)
            self._count(site, submission, "invalid")
            raise
        new = await self._slots.booked(new)
        faults.point("intake.before_accept")
        accepted = await self._accept(new)
        faults.point("intake.after_accept")
        answer = await self._answer(submission, site, new, accepted, hits, language)
        if new.submission_id and accepted.kind in ("new", "duplicate", "orphan"):
            await self._remember(new, answer)
        faults.point("intake.before_answer")
        return answer

    async def _known(self, submission: Submission, site: Site) -> Accepted | None:
        """What became of this very submission before: what was right then (a time to come) may be wrong now."""
        key = key_of(submission)
        if not 0 < len(key) <= MAX_KEY:
            return None
        fingerprint = self._tokens.fingerprint(fingerprint_text(submission.fields))
        try:
            return await self._store.known_submission(site.key, key, fingerprint)
        except StorageUnavailable as error:
            raise Unavailable(sentence("storage_unavailable", site.language)) from error

    # ---------------------------------------------------------------------------------------- storing

    async def _accept(self, new: NewLead) -> Accepted:
        directory = self._rules.directory
        caps = self._rules.caps(new.received_at)
        try:
            # A visitor who goes away must not undo a commit that is under way.
            return await asyncio.shield(
                self._store.accept(new, directory.guards.cooldown, directory.guards.calls, caps)
            )
        except StorageUnavailable as error:
            raise Unavailable(sentence("storage_unavailable", new.language)) from error

    async def _remember(self, new: NewLead, answer: Answered) -> None:
        try:
            await self._store.remember_answer(new.site, new.submission_id or "", answer.text())
        except StorageUnavailable as error:
            # The lead is stored; a repeat will find it and hear where it stands by then.
            log.warning("intake.answer_not_kept", lead_id=answer.lead_id, error=str(error))

    # --------------------------------------------------------------------------------------- answering

    async def _answer(
        self, submission: Submission, site: Site, new: NewLead, accepted: Accepted, hits: list[Hit], language: str
    ) -> Answered:
        match accepted.kind:
            case "replay" | "orphan" | "in_flight" | "mismatch":
                return self._again(accepted, language)
            case "refused":
                self._count_hits([*hits, *accepted.hits])
                self._count(site, submission, "rate_limited")
                raise RateLimited(accepted.retry_after, sentence("rate_limited", language))
            case "duplicate":
                self._count(site, submission, "duplicate")
                log.info("lead.joined", lead_id=accepted.lead_id, site=site.key, source=submission.source)
                self._hub.changed([accepted.lead_id])
                if accepted.asked:
                    self._count_hits([*hits, *accepted.hits])
                if accepted.lifted:
                    self._dispatcher.wake()
                return self._say("duplicate", accepted.lead_id, language, scope="view", made=True)
        held = accepted.state in ("held", "spam")
        later = new.reason in ("closed", "scheduled")
        # First the phone, then the book-keeping.
        dialing = not held and not later and submission.waits and await self._claimed(new.id)
        self._count_hits([*hits, *accepted.hits])
        self._count(site, submission, accepted.state if held else "accepted")
        log.info(
            "lead.received",
            lead_id=new.id,
            site=site.key,
            source=submission.source,
            phone=mask(new.phone.e164),
            state="dialing" if dialing else accepted.state,
            reason=None if dialing else accepted.reason,
        )
        if not held and (later or not submission.waits):
            self._dispatcher.wake()
        if later and not held:
            return self._say("scheduled", new.id, language, at=told(new.due_at, new.rank), made=True)
        return self._say("dialing" if dialing else "waiting", new.id, language, made=True)

    def _again(self, known: Accepted, language: str) -> Answered:
        """What a submission hears that came before. InFlight or IdempotencyMismatch."""
        match known.kind:
            case "replay":
                return Answered.again(known.answer or "{}")
            case "in_flight":
                raise InFlight
            case "mismatch":
                raise IdempotencyMismatch
        return self._say("waiting", known.lead_id, language)

    async def _heard_before(self, submission: Submission, site: Site, language: str) -> Answered:
        """While no leads are taken, what is stored already still has its answer. NotTaking for everything else."""
        known = await self._known(submission, site)
        if known is None:
            self._count(site, submission, "not_taking")
            raise NotTaking(sentence("not_taking", language))
        return self._again(known, language)

    async def _claimed(self, lead_id: str) -> bool:
        """Whether an agent was free for this lead in the round right after it was stored."""
        try:
            async with asyncio.timeout(self.round_patience):
                claimed = lead_id in await self._dispatcher.claimed_now()
        except TimeoutError:
            return False
        # The dial has just begun: its statement leaves before the log line and the answer here take their time.
        await asyncio.sleep(0)
        return claimed

    def _say(
        self,
        outcome: str,
        lead_id: str,
        language: str,
        *,
        at: int | None = None,
        scope: str = "own",
        made: bool = False,
    ) -> Answered:
        token = self._tokens.of_lead(lead_id, "view" if scope == "view" else "own")
        values = {"time": self._rules.say_time(at, self._store.clock.now(), language)} if at is not None else {}
        return Answered(
            lead_id=lead_id,
            outcome=outcome,
            status_url=f"/v1/leads/{lead_id}?token={quote(token)}",
            expected_call_at=to_iso(at),
            message=sentence(outcome, language, **values),
            made=made,
        )

    # -------------------------------------------------------------------------------------- counting

    def _count(self, site: Site, submission: Submission, result: str) -> None:
        self._metrics.leads_received.labels(site.key, submission.source, result).inc()

    def _count_hits(self, hits: Iterable[Hit]) -> None:
        for hit in hits:
            self._metrics.guard_hits.labels(hit.guard, hit.mode).inc()
            log.info("guard." + hit.guard, mode=hit.mode)
