"""Hanging up: ends a call on an extension, after looking that it is one of ours.

The provider's terminate takes an extension and no call id (facts 1.3): it ends whatever is there when it arrives.
So the active calls are looked at first, and nothing is ended that is not known to be ours unless it is forced.
What is looked at is late by seconds (facts 3.2): another call may have taken its place in between, and no look
can rule that out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from app.errors import StorageUnavailable
from app.ports import HangsUp, HangUp, HungUp, LineCall, NotSent, Presence, Refused

log = structlog.get_logger("leadring.hanging_up")

Result = Literal["hung_up", "nothing_there", "not_ours", "cannot_look", "refused", "unknown", "not_sent"]
WHATEVER = "Voicenter takes no call id: it ends whatever is on the extension"


class CallBook(Protocol):
    """What is known of calls; both raise StorageUnavailable."""

    async def whose_call(self, attempt_id: str | None, call_id: str | None) -> str | None:
        """The id of the lead that this call is for; None when it is not ours."""
        ...

    async def note_hang_up(self, lead_id: str, attempt_id: str | None, who: str) -> None:
        """Write into the lead's history that the call was hung up, and by whom."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it. `message` is a sentence for a person; `lead_ids` are the leads whose calls were there.

    `code` is the provider's ERRORCODE, for `refused` only, and None when it refused in HTTP's words.
    """

    result: Result
    message: str
    lead_ids: tuple[str, ...] = ()
    code: int | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """The calls on an extension: ours, each with its lead, and how many others. `blind`: why nobody could look."""

    ours: tuple[tuple[str, LineCall], ...] = ()
    others: int = 0
    blind: str | None = None

    @property
    def leads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(lead_id for lead_id, _ in self.ours))


class HangingUp:
    """Ends calls. Without `presence` nobody can look, and only what is forced is done.

    `trouble` says why the last look saw nothing, where somebody knows.
    """

    def __init__(
        self,
        store: CallBook,
        telephony: HangsUp,
        presence: Presence | None,
        *,
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._store = store
        self._telephony = telephony
        self._presence = presence
        self._trouble = trouble

    async def hang_up(self, extension: str, *, force: bool, who: str) -> Done:
        """End the call on `extension`, for `who`; `force` ends it whosever it is, seen or not.

        At most one request. StorageUnavailable, with nothing done, when it cannot be learned whose call it is;
        what is forced is done all the same.
        """
        seen = await self._look(extension, force)
        done = None if force else _reason_not_to(seen, extension)
        if done is None:
            done = _heard(await self._telephony.hang_up(extension), seen, extension)
        log.info("hang_up." + done.result, who=who, forced=force, lead_ids=list(seen.leads), code=done.code)
        if done.result == "hung_up":
            await self._note(seen, who)
        return done

    async def _look(self, extension: str, force: bool) -> _Seen:
        if self._presence is None:
            return _Seen(blind="active calls are switched off")
        now = await self._presence.look()
        if now is None:
            why = self._trouble()
            return _Seen(blind="Voicenter did not tell its active calls" + (f" ({why})" if why else ""))
        here = [one for one in now if one.extension == extension]
        if not here:
            return _Seen(blind="Voicenter's active calls do not list this extension")
        try:
            return await self._whose([call for one in here for call in one.calls])
        except StorageUnavailable:
            if not force:
                raise
            return _Seen(blind="the database cannot be reached")

    async def _whose(self, calls: Sequence[LineCall]) -> _Seen:
        ours: list[tuple[str, LineCall]] = []
        for call in calls:
            lead_id = await self._store.whose_call(call.attempt_id, call.call_id)
            if lead_id is not None:
                ours.append((lead_id, call))
        return _Seen(tuple(ours), len(calls) - len(ours))

    async def _note(self, seen: _Seen, who: str) -> None:
        for lead_id, call in seen.ours:
            try:
                await self._store.note_hang_up(lead_id, call.attempt_id, who)
            except StorageUnavailable as error:
                # The call is over all the same; an error here would invite a second try, which ends the next call.
                log.error("hang_up.not_noted", lead_id=lead_id, who=who, error=str(error))


def _reason_not_to(seen: _Seen, extension: str) -> Done | None:
    """Why the call is left alone unless it is forced."""
    if seen.blind:
        return Done("cannot_look", f"Whose call is on {extension} cannot be seen: {seen.blind}. Nothing was done.")
    if not seen.others and not seen.ours:
        return Done("nothing_there", f"There is no call on {extension}. Nothing was done.")
    if seen.others:
        whose = (
            f"Beside ours there is another call on {extension}" if seen.ours else f"The call on {extension} is not ours"
        )
        said = f"{whose}, and {WHATEVER}. Nothing was done."
        return Done("not_ours", said, seen.leads)
    return None


def _heard(answer: HangUp, seen: _Seen, extension: str) -> Done:
    match answer:
        case HungUp():
            what = "our call" if seen.ours and not seen.others else "whatever was"
            return Done("hung_up", f"Voicenter says that it ended {what} on {extension}.", seen.leads)
        case Refused(code, said, _):
            number = "" if code is None else f" (code {code})"
            return Done("refused", f"Voicenter refused to hang up {extension}{number}: {said}", seen.leads, code)
        case NotSent(why):
            return Done("not_sent", f"Nothing was sent, {extension} is as it was: {why}", seen.leads)
        case _:
            return Done("unknown", f"Whether {extension} was hung up is not known: {answer.why}", seen.leads)
