"""Whose a call is: which attempt it comes from, where several of them may have made it. Pure.

Two attempts of one lead with one agent have both phones in common. What tells their calls apart is the provider's call
id, else our own variable, else the time: a call begins soon after the request that it comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from app.domain import call_times
from app.domain.line import ExtensionNow, LineCall
from app.domain.open_calls import OpenCall
from app.domain.phone import same_number

EARLY: Final = 3_000  # milliseconds that a call may seem to begin before its request: whole seconds, and two clocks
SOON: Final = 120_000  # milliseconds after its request within which a call, or its second leg, begins

Entry = tuple[str, LineCall]  # on which extension what is shown


def nearness(began: int | None, sent_at: int) -> tuple[int, int]:
    """How near a request is to a call that began then, by which the smallest wins; both in milliseconds.

    The request that was sent last before the call is the nearest: what lies within `SOON` before it comes first, and
    then whatever has the least time between. One for which no beginning is known comes last.
    """
    if began is None:
        return 2, 0
    after = began - sent_at
    return (0, after) if -EARLY <= after <= SOON else (1, abs(after))


def on_line(
    calls: Sequence[OpenCall], told: Sequence[ExtensionNow], now: int, others: Collection[str] = ()
) -> dict[str, LineCall]:
    """What the line shows of these attempts, by attempt; each entry is of one attempt at most.

    By call id, on any extension; of several attempts with one id the one that our variable names, else the latest.
    Then by our variable. Then by extension and number, where the entry has no other attempt's mark: `others` are the
    call ids of attempts of ours that are not among these.
    """
    latest_first = sorted(calls, key=lambda call: call.sending_at or 0, reverse=True)
    found: dict[str, LineCall] = {}
    unnamed: list[Entry] = []
    for extension, line in _entries(told):
        by_id = [call.id for call in latest_first if line.call_id is not None and call.call_id == line.call_id]
        if by_id:
            found.setdefault(line.attempt_id if line.attempt_id in by_id else by_id[0], line)
        else:
            unnamed.append((extension, line))
    for _, line in unnamed:
        if line.attempt_id is not None and any(call.id == line.attempt_id for call in calls):
            found.setdefault(line.attempt_id, line)
    for entry in unnamed:
        _, line = entry
        if line.attempt_id is None and line.call_id not in others:
            between = [call for call in latest_first if _has_its_phones(call, entry)]
            # Of two entries between the same phones, one of which is known, the other is its second leg.
            if between and not any(call.id in found for call in between):
                owner = _nearest(between, line, now)
                if owner is not None:
                    found[owner] = line
    return found


def ids_to_know(calls: Sequence[OpenCall], told: Sequence[ExtensionNow]) -> list[str]:
    """Call ids of entries that only their phones connect with these attempts: they may be another attempt's."""
    ours = {call.call_id for call in calls}
    return [
        entry[1].call_id
        for entry in _entries(told)
        if entry[1].call_id is not None
        and entry[1].call_id not in ours
        and entry[1].attempt_id is None
        and any(_has_its_phones(call, entry) for call in calls)
    ]


def _entries(told: Sequence[ExtensionNow]) -> list[Entry]:
    return [(one.extension, line) for one in told for line in one.calls]


def _has_its_phones(call: OpenCall, entry: Entry) -> bool:
    extension, line = entry
    return extension == call.extension and line.phone is not None and same_number(line.phone, call.phone)


def _nearest(calls: Sequence[OpenCall], line: LineCall, now: int) -> str | None:
    """The attempt that the call comes from, of these, latest first; None when it began before all of them.

    A leg may have another id than its call (facts 2.4), so another id rules nobody out; it decides where time does not.
    """
    fitting: list[tuple[tuple[int, int], bool, str]] = []
    for call in calls:
        sent_at = call.sending_at or 0
        if not call_times.surely_before(None, line.raw_time, sent_at, now):
            began = call_times.started_at(None, line.raw_time, sent_at, now)
            another_id = call.call_id is not None and line.call_id is not None
            fitting.append((nearness(began, sent_at), another_id, call.id))
    return min(fitting, key=lambda one: one[:2])[2] if fitting else None
