"""What really happened, in the same account as a replay gives; and what was asked for, reckoned back from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.domain.deadline import WARNED
from app.domain.guards import Hit
from app.domain.hits import read_hit
from app.domain.moves import SECOND
from app.domain.past_day import Deed, PastCall, PastDay, PastLead
from app.domain.states import LEAD_FINAL
from app.service.replay.habits import pick_up_of, reaction_of
from app.service.replay.ledger import CallMade, LeadEnd, Ledger
from app.service.rules import Rules

NEVER_LEFT: Final = ("reserved", "refused", "not_sent", "lapsed", "absent")  # attempts of which no call came


def set_time(past: PastLead, deadline_then: int, moved: Deed | None = None) -> int | None:
    """For when the lead had its call set, as far as the record tells; None where it had not.

    `moved`: what it was moved to then. The moment itself is kept only while the lead waits. Afterwards it is taken to
    be when the lead was first called, or, where nobody was free in time, one `deadline_then` (s) before it was told so.
    """
    asked = [deed for deed in past.deeds if deed.event == "scheduled" and deed.why == "scheduled"]
    since = moved or next((deed for deed in asked if deed.who == "intake"), None)
    if since is None:
        return None
    until = next((deed.at for deed in asked if deed.at > since.at), None)
    if past.state == "waiting" and past.reason == "scheduled" and until is None:
        return past.due_at
    told = [deed.at + WARNED - deadline_then * SECOND for deed in past.deeds if deed.event == "promised"]
    called = [call.reserved_at for call in past.calls]
    found = [moment for moment in (*told, *called) if moment >= since.at]
    return min(found, default=max(since.at, past.deadline_at - deadline_then * SECOND))


def record(day: PastDay, rules: Rules) -> Ledger:
    """The account of what happened up to the end of the day. `rules`: those in force, for when sites had opened."""
    leads: list[LeadEnd] = []
    calls: list[CallMade] = []
    for past in day.all:
        made = [call for call in past.calls if call.state not in NEVER_LEFT and call.began_at < day.until]
        leads += [_end(past, made, day.until, rules), *_repeats(past)]
        calls += [_call(past, call) for call in made]
    put_off = sum(deed.event == "number_cap" for past in day.all for deed in past.deeds if deed.at < day.until)
    return Ledger(tuple(leads), tuple(sorted(calls, key=lambda call: call.at)), put_off)


def _end(past: PastLead, calls: list[PastCall], until: int, rules: Rules) -> LeadEnd:
    waited = next((deed for deed in past.deeds if deed.event == "scheduled" and deed.who == "intake"), None)
    origin: int | None = past.received_at
    if waited is not None:
        asked_for = set_time(past, rules.policy.deadline)
        origin = rules.next_ring(past.site, past.phone, past.received_at) if asked_for is None else asked_for
    talked = next((call for call in calls if call.outcome == "connected"), None)
    result, reason = _result(past, talked is not None, until)
    return LeadEnd(
        past.id,
        past.site,
        past.phone,
        past.received_at,
        result,
        reason,
        origin,
        waited is None,
        calls[0].began_at if calls else None,
        _conversation_at(talked) if talked is not None else None,
        sum(deed.event == "promised" and deed.at < until for deed in past.deeds),
        tuple(_hits(past, until)),
    )


def _result(past: PastLead, talked: bool, until: int) -> tuple[str, str | None]:
    if talked:
        return "connected", None
    if past.ended_at is not None and past.ended_at < until and past.state in LEAD_FINAL:
        return past.state, past.reason
    if past.state == "held" and not any(deed.event == "held" and deed.at >= until for deed in past.deeds):
        return "held", past.reason
    return "waiting", None


def _hits(past: PastLead, until: int) -> Iterator[Hit]:
    """What the guards said. Holds that are no guard's (a refusal, an outage) are results, and no hits."""
    for deed in past.deeds:
        if deed.at >= until or deed.why is None:
            continue
        guard, mode, _ = read_hit(deed.why)
        if deed.event == "observed":
            yield Hit(guard, "hold" if mode == "hold" else "observe")
        elif deed.event == "held" and deed.who in ("guard", "sweeper"):
            yield Hit(guard, "hold")
        elif deed.event == "spam":
            yield Hit(guard, "refuse")


def _repeats(past: PastLead) -> Iterator[LeadEnd]:
    joined = [deed for deed in past.deeds if deed.event == "joined"]
    for number, deed in enumerate(joined, 1):
        name = f"{past.id} again {number}"
        yield LeadEnd(name, past.site, past.phone, deed.at, "joined", None, None, True, None, None, 0, again=True)


def _call(past: PastLead, call: PastCall) -> CallMade:
    pick_up, reaction = pick_up_of(call), reaction_of(call)
    missed = pick_up is not None and not pick_up.took
    talk = reaction.talk if reaction is not None and not missed else 0
    until = call.left_at or call.ended_at or call.began_at
    return CallMade(past.id, call.agent_id, call.began_at, until, missed, talk or 0)


def _conversation_at(call: PastCall) -> int | None:
    """When both talked: by the legs' ringing, else when it was seen or reported."""
    if call.leg1_ring is not None and call.leg2_ring is not None:
        return call.began_at + (call.leg1_ring + call.leg2_ring) * SECOND
    return call.connected_at
