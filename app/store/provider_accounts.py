"""The part of the store that speaks of the provider's own accounts: records, what is on the line, the call log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.clock import Clock
from app.domain.guards import Cap
from app.domain.moves import Decide
from app.domain.open_calls import OpenCall, UnheardCall
from app.domain.presence import Verdict
from app.domain.stories import KeptCdr, Moved
from app.ports import CallRecord
from app.store import cdrs, phoned_in, refusals, reports, sightings, unheard
from app.store.engine import Engine

T = TypeVar("T")

log = logging.getLogger("leadring.store")


class ProviderAccounts:
    """What the provider tells, kept and applied; see app.ports.Store for what every method promises."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def clock(self) -> Clock:
        return self.engine.clock

    def _now(self) -> int:
        return self.engine.clock.now()

    async def _write(self, leads_of: Callable[[T], Iterable[str]], fn: Callable[..., T], *args: Any) -> T:
        """Run a write, and tell watchers on other replicas which leads it moved."""
        result = await self.engine.write(fn, *args)
        for lead_id in leads_of(result):
            self.engine.tell("lead", lead_id)
        return result

    async def report(
        self, body: str, records: Sequence[CallRecord], decide: Decide, caps_at: Callable[[int], Sequence[Cap]]
    ) -> list[Moved]:
        def report(conn: Connection) -> list[Moved]:
            return reports.report(conn, body, records, decide, caps_at, self._now())

        try:
            return await self._write(_leads_of, report)
        except (ValueError, RuntimeError, IntegrityError):
            # Nothing of it stands; kept at least, it is tried again and then set aside.
            log.exception("a report could not be applied")
            await self.keep_cdr(body)
            return []

    async def keep_cdr(self, body: str) -> bool:
        """Keep a report without looking at it; False when exactly this text was kept before."""
        return await self.engine.write_one(cdrs.keep, body, self._now()) is not None

    async def kept_cdrs(self) -> list[KeptCdr]:
        return await self.engine.read_one(cdrs.kept)

    async def apply_cdr(
        self, cdr: KeptCdr, records: Sequence[CallRecord], decide: Decide, caps_at: Callable[[int], Sequence[Cap]]
    ) -> list[Moved]:
        return await self._write(_leads_of, reports.apply, cdr, records, decide, caps_at, self._now())

    async def put_back_cdr(self, cdr: KeptCdr) -> None:
        await self.engine.write(cdrs.put_back, cdr, self._now(), failed=True)

    async def phoned_in(
        self, body: str, record: CallRecord, phone_key: str, agent: str | None, talk: int
    ) -> str | None:
        return await self._write(
            lambda ended: [ended] if ended else [], phoned_in.note, body, record, phone_key, agent, talk, self._now()
        )

    def polls(self) -> bool:
        return self.engine.polls

    async def open_calls(self, refused_since: int | None = None) -> list[OpenCall]:
        return await self.engine.read(refusals.with_refused, refused_since)

    async def note_sighting(self, call: OpenCall, phase: str | None, look_at: int, ask_at: int) -> bool:
        return await self._write(
            lambda news: [call.lead_id] if news else [], sightings.note, call, phase, self._now(), look_at, ask_at
        )

    async def note_refuted(self, call: OpenCall, call_id: str | None, ask_at: int) -> bool:
        return await self._write(
            lambda news: [call.lead_id] if news else [], refusals.note_refuted, call, call_id, self._now(), ask_at
        )

    async def known_calls(self, call_ids: Sequence[str]) -> Collection[str]:
        return await self.engine.read(sightings.known_calls, list(call_ids))

    async def note_line_look(self, attempt_id: str) -> None:
        await self.engine.write_one(sightings.note_look, attempt_id)

    async def calls_over(self, attempt_ids: Sequence[str], before: int, sent_before: int) -> Mapping[str, str]:
        return await self.engine.read(sightings.over, list(attempt_ids), before, sent_before)

    async def line_tells_answers(self) -> bool:
        return await self.engine.read_one(sightings.tells_answers)

    async def note_presence(self, verdicts: Mapping[str, Verdict], until: int) -> bool:
        return await self.engine.write(sightings.note_presence, verdicts, self._now(), until)

    async def unheard_calls(self) -> list[UnheardCall]:
        return await self.engine.read_one(unheard.due, self._now())

    async def note_log_look(self, attempt_id: str, ask_at: int | None, *, looked: bool, missed: bool) -> None:
        await self.engine.write_one(unheard.note_look, attempt_id, ask_at, looked=looked, missed=missed)

    async def whose_call(self, attempt_id: str | None, call_id: str | None) -> str | None:
        return await self.engine.read_one(unheard.whose, attempt_id, call_id)

    async def note_hang_up(self, lead_id: str, attempt_id: str | None, who: str) -> None:
        await self._write(lambda _: [lead_id], unheard.note_hang_up, lead_id, attempt_id, who, self._now())


def lead_of_moved(moved: Moved | None) -> list[str]:
    """The lead that a settlement moved, for whoever watches it."""
    return [] if moved is None else [moved.lead.id]


def _leads_of(settled: list[Moved]) -> list[str]:
    return [moved.lead.id for moved in settled]
