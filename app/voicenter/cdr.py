"""The provider's final account of a leg (CDR), pushed minutes after the call; read tolerant, never trusted.

Fields and their meanings: facts 2.2 to 2.6; rows of the call log, with names of their own: facts 4. Two records
come for one call, one per leg, perhaps with different ids, so nothing here decides what belongs together: it only
says what each record claims.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from app.ports import CallRecord
from app.voicenter import body as bodies
from app.voicenter.cdr_body import MAX_RECORDS, inside, open_records
from app.voicenter.cdr_values import call_id, link, moment, phone, seconds, text, whole
from app.voicenter.custom_data import custom_data, our_variables

Leg = Literal[1, 2]
Side = Leg | Literal["incoming"] | None
T = TypeVar("T")

# "Click2Call leg1" / "Click2Call leg2"; as numbers, the Call Log's CdrType (facts 2.3).
_LEGS: Final[dict[str, Leg]] = {
    "click2callleg1": 1,
    "click2callleg2": 2,
    "clicktocallleg1": 1,
    "clicktocallleg2": 2,
    "9": 1,
    "10": 2,
}
# "Click 2 IVR", "Click 2 IVR Incoming", "Click 2 Queue Incoming" (facts 2.3).
_IVRS: Final = frozenset({"click2ivr", "click2ivrincoming", "click2queueincoming", "17", "18", "19"})
# "Incoming Call" and "Queue" (facts 2.3): somebody phoned in. No other type is known to be that.
_INCOMING: Final = frozenset({"incomingcall", "queue", "1", "8"})
_MOST_WRAPS: Final = 3
_TYPES: Final = ("type", "cdrtype", "typename")  # the call log gives the name and the number


def decode_body(raw: bytes, content_type: str) -> str:
    """A push's body as text to store: UTF-8 unless it says and is something else. Never raises."""
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type[:500], re.IGNORECASE)
    return bodies.decode(raw, charset[1] if charset else "")


def read_call_records(body: str) -> list[CallRecord]:
    """The records in one push: an object, an array, JSON in a string, a form or XML-RPC; at most 100. Never raises.

    Empty for a body that is none of these, and for test pings: objects that say neither which call they are
    about nor what became of it. An object that only wraps others must have some that say both.
    """
    return _records(open_records(body), wraps=0)[:MAX_RECORDS]


def _records(objects: list[dict[str, Any]], wraps: int) -> list[CallRecord]:
    """The records among `objects`, which were found under so many `wraps`."""
    found: list[CallRecord] = []
    for fields in objects:
        if wraps < _MOST_WRAPS and (inner := _records(inside(fields), wraps + 1)):
            found += inner
            continue
        record = _record(fields)
        if _tells_of_a_call(record, wrapped=wraps > 0):
            found.append(record)
    return found


def _tells_of_a_call(record: CallRecord, *, wrapped: bool) -> bool:
    named = bool(record.call_id or record.original_call_id or record.attempt_id or record.lead_id)
    if wrapped:  # may be anything: which call alone, or what alone, is not enough
        return named and bool(record.type or record.status)
    return named or bool(record.type and record.status)


def _record(raw: Mapping[str, Any]) -> CallRecord:
    """What one object claims, if it is a record at all."""
    fields = bodies.lowered(raw)
    ours = our_variables(fields)
    kinds = [_plain(kind) for name in _TYPES if (kind := text(fields.get(name))) is not None]
    leg = next((_LEGS[kind] for kind in kinds if kind in _LEGS), None)
    incoming = _is_incoming(fields, kinds, ours)
    side: Side = "incoming" if incoming else leg
    return CallRecord(
        # One id under several names, by the vendor's own account (facts 2.4).
        call_id=_first(fields, call_id, "ivruniqueid", "ivr_unique_id", "ivrid", "callid"),
        original_call_id=_original(fields),
        leg=leg,
        type=_first(fields, text, *_TYPES) or "",
        status=(_first(fields, text, "status", "dialstatus") or "").upper(),
        # The newer names are talk and ring time and nothing else (facts 2.2).
        talk_seconds=_talk(fields, incoming=incoming),
        ring_seconds=_first(fields, seconds, "actualcalldialtime", "dialtime", "ringtime"),
        agent_leg_status=(_first(fields, text, "leg1dialstatusname") or "").upper() or None,
        extension=_first(fields, text, *_AGENT_SIDE[side]),
        phone=_first(fields, phone, *_LEAD_SIDE[side]),
        attempt_id=_first(ours, call_id, "attempt"),
        lead_id=_first(ours, call_id, "lead"),
        recording=_first(fields, link, "record", "recordurl"),
        price=_first(fields, text, "price"),
        raw_time=_first(fields, whole, "time"),
        started_at=_first(fields, moment, "date"),  # the call log's; a push has `time` only (facts 2.6)
        ivr=any(kind in _IVRS for kind in kinds),
        incoming=incoming,
        # An extension of nobody's says that no agent was reached (facts 2.2); records without the field say nothing.
        agent_reached=bool(text(fields["extenuser"])) if incoming and "extenuser" in fields else None,
    )


def _is_incoming(fields: Mapping[str, Any], kinds: list[str], ours: Mapping[str, str]) -> bool:
    """Whether all that a record says of its kind is that of somebody who phoned in. A call of ours never is."""
    direction = _plain(text(fields.get("direction")) or "")
    return bool(kinds) and _INCOMING.issuperset(kinds) and not ours and direction in ("", "incoming")


def _talk(fields: Mapping[str, Any], *, incoming: bool) -> int | None:
    """Seconds of talk; of a call through a queue the older field has the waiting in it, too (facts 2.2)."""
    talk = _first(fields, seconds, "actualcallduration")
    if talk is not None:
        return talk
    whole_call = _first(fields, seconds, "duration")
    waited = _first(fields, seconds, "seconds_waiting_in_queue") if incoming else None
    return whole_call if whole_call is None or waited is None else max(0, whole_call - waited)


def _plain(kind: str) -> str:
    """A type's name without spaces, signs and case."""
    return re.sub(r"[\W_]", "", kind).lower()


def _original(fields: Mapping[str, Any]) -> str | None:
    """The id of the other call; the call log has it among the custom data (facts 4)."""
    for place in (fields, *custom_data(fields)):
        if (found := call_id(place.get("originalivruniqueid"))) is not None:
            return found
    return None


# On leg 1 the provider reverses caller and target: the agent is the one who is called (facts 2.3).
_AGENT_SIDE: Final[dict[Side, tuple[str, ...]]] = {
    "incoming": ("extenuser", "targetextension"),
    1: ("extenuser", "targetextension", "callerextension"),
    2: ("extenuser", "callerextension", "targetextension"),
    None: ("extenuser", "callerextension", "targetextension"),
}
# A number on the other side is the lead's where the agent, rung second, is on the first; a SIP code is no number.
_LEAD_SIDE: Final[dict[Side, tuple[str, ...]]] = {
    "incoming": ("callerphone", "caller", "callernumber"),  # the target is us
    1: ("callerphone", "caller", "callernumber", "target", "targetnumber"),
    2: ("callerphone", "target", "targetnumber", "caller", "callernumber"),
    None: ("callerphone", "target", "targetnumber", "caller", "callernumber"),
}


def _first(fields: Mapping[str, Any], read: Callable[[Any], T | None], *names: str) -> T | None:
    """The first of `names` whose value can be read."""
    for name in names:
        value = read(fields.get(name))
        if value is not None:
            return value
    return None
