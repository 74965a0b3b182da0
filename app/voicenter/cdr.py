"""The provider's final account of a leg (CDR), pushed minutes after the call; read tolerant, never trusted.

Fields and their meanings: facts 2.2 to 2.6. Two records come for one call, one per leg, perhaps with different
ids, so nothing here decides what belongs together: it only says what each record claims.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from app.ports import CallRecord
from app.voicenter import body as bodies
from app.voicenter.cdr_body import open_records
from app.voicenter.cdr_values import call_id, link, phone, seconds, text, whole

Leg = Literal[1, 2]
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
# CustomData, CUSTOM_DATA, customdata; and the same flattened by a form: CustomData[var_lead] (facts 2.5).
_CUSTOM: Final = re.compile(r"custom_?data(?:[\[.](\w{1,64})\]?)?")


def decode_body(raw: bytes, content_type: str) -> str:
    """A push's body as text to store: UTF-8 unless it says and is something else. Never raises."""
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type[:500], re.IGNORECASE)
    return bodies.decode(raw, charset[1] if charset else "")


def read_call_records(body: str) -> list[CallRecord]:
    """The records in one push: an object, an array, JSON in a string, a form or XML-RPC. Never raises.

    Empty for a body that is none of these, and for test pings: objects that say neither which call they are
    about nor what became of it.
    """
    return [record for fields in open_records(body) if (record := _record(fields)) is not None]


def _record(raw: Mapping[str, Any]) -> CallRecord | None:
    fields = _lowered(raw)
    ours = _our_variables(fields)
    kind = _first(fields, text, "type", "cdrtype", "typename") or ""
    leg = _LEGS.get(re.sub(r"[\W_]", "", kind).lower())
    record = CallRecord(
        # One id under several names, by the vendor's own account (facts 2.4).
        call_id=_first(fields, call_id, "ivruniqueid", "ivr_unique_id", "ivrid", "callid"),
        original_call_id=_first(fields, call_id, "originalivruniqueid"),
        leg=leg,
        type=kind,
        status=(_first(fields, text, "status", "dialstatus") or "").upper(),
        # The newer names are talk and ring time and nothing else (facts 2.2).
        talk_seconds=_first(fields, seconds, "actualcallduration", "duration"),
        ring_seconds=_first(fields, seconds, "actualcalldialtime", "dialtime"),
        agent_leg_status=(_first(fields, text, "leg1dialstatusname") or "").upper() or None,
        extension=_first(fields, text, *_AGENT_SIDE[leg]),
        phone=_first(fields, phone, *_LEAD_SIDE[leg]),
        attempt_id=_first(ours, call_id, "attempt"),
        lead_id=_first(ours, call_id, "lead"),
        recording=_first(fields, link, "record", "recordurl"),
        price=_first(fields, text, "price"),
        raw_time=_first(fields, whole, "time"),
    )
    named = record.call_id or record.original_call_id or record.attempt_id or record.lead_id
    return record if named or (record.type and record.status) else None


# On leg 1 the provider reverses caller and target: the agent is the one who is called (facts 2.3).
_AGENT_SIDE: Final[dict[Leg | None, tuple[str, ...]]] = {
    1: ("extenuser", "targetextension", "callerextension"),
    2: ("extenuser", "callerextension", "targetextension"),
    None: ("extenuser", "callerextension", "targetextension"),
}
_LEAD_SIDE: Final[dict[Leg | None, tuple[str, ...]]] = {
    1: ("callerphone", "caller"),
    2: ("callerphone", "target"),
    None: ("callerphone", "target"),
}


def _lowered(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by lower-case name; of names that differ in case only, the first that says something counts."""
    fields: dict[str, Any] = {}
    for name, value in raw.items():
        name = name.strip().lower()
        if fields.get(name) in (None, ""):
            fields[name] = value
    return fields


def _first(fields: Mapping[str, Any], read: Callable[[Any], T | None], *names: str) -> T | None:
    """The first of `names` whose value can be read."""
    for name in names:
        value = read(fields.get(name))
        if value is not None:
            return value
    return None


def _our_variables(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`lead` and `attempt`, wherever they came back; the spelling we sent, `var_`, before the bare one."""
    found: dict[str, Any] = {}
    for prefix in ("var_", ""):
        for place in (*_custom_data(fields), fields):
            for name in ("lead", "attempt"):
                if text(place.get(prefix + name)) is not None:
                    found.setdefault(name, place[prefix + name])
    return found


def _custom_data(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = []
    flattened: dict[str, Any] = {}
    for name, value in fields.items():
        match = _CUSTOM.fullmatch(name)
        if match and match[1]:
            flattened[match[1]] = value
        elif match:
            inner = [value] if isinstance(value, Mapping) else open_records(value)
            places.extend(_lowered(each) for each in inner)
    return [*places, flattened]
