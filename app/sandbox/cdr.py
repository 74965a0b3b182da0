"""The call detail records of a call, as the provider pushes them and as its call log keeps them.

Keys, statuses and types from facts 2.2 and 2.3; `time` is Israel's wall clock written as epoch seconds (2.6);
the var_* come back in `CustomData`, prefix kept (2.5). The field evidence of 2.4 (two records, at least one
under another id) is why leg 2 by default carries its own `ivruniqueid` and names the CALLID in
`OriginalIvrUniqueID`. A record that speaks of an IVR or a queue has its type from 2.3; when the provider writes
one, and whether beside leg 1 and leg 2 or instead of one of them, is not known.
"""

import calendar
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .behaviour import phone_key
from .calls import ISRAEL, Call, Leg

RECORDINGS = "https://cpanel.voicenter.co.il/CallsHistory/PlayRecord/"
OUR_DID = "0722776772"

IvrRecord = Literal["none", "added", "instead"]
Record = dict[str, object]

_LEG1, _LEG2, _INCOMING = (9, "Click2Call leg1"), (10, "Click2Call leg2"), (1, "Incoming Call")
_IVR_TYPES = {
    "ivr": (17, "Click 2 IVR"),
    "ivr_incoming": (18, "Click 2 IVR Incoming"),
    "queue": (19, "Click 2 Queue Incoming"),
}
# Agorot a minute, begun minutes count whole: invented, of the size of Israeli tariffs.
_MOBILE, _LANDLINE, _ABROAD = 12, 5, 45


@dataclass(frozen=True)
class Recorded:
    """One record; `at` is the true epoch second of its leg's start, `leg` "leg1", "leg2" or "ivr"."""

    record: Record
    leg: Literal["leg1", "leg2", "ivr"]
    cdr_type: int
    at: float


def israel_epoch(at: float) -> int:
    """The wall clock in Israel at `at`, read as if it were UTC: two or three hours ahead of the true epoch."""
    return calendar.timegm(datetime.fromtimestamp(at, ISRAEL).timetuple())


def call_records(
    call: Call, *, agent_name: str, same_id: bool = False, original_id: bool = True, ivr_record: IvrRecord = "none"
) -> list[Recorded]:
    """The records of a call that is over: one of an outside call; leg 1, leg 2 and perhaps the IVR's of ours."""
    if call.incoming:
        return [_incoming(call, agent_name)]
    request = call.request
    leg1 = _record(call, call.leg1, _LEG1, agent_name)
    leg1 |= {"caller": request.phone_caller_id or request.target, "callerextension": ""}
    leg2 = _record(call, call.leg2, _LEG2, agent_name)
    leg2 |= {
        "caller": request.target_caller_id or request.phone,
        "callerextension": _extension(request.phone),
        "leg1DialStatusName": call.leg1.status,
    }
    if not same_id:
        leg2["ivruniqueid"] = call.second_id
        if original_id:
            leg2["OriginalIvrUniqueID"] = call.call_id
    if request.record and call.leg2.status == "ANSWER":
        leg2["record"] = f"{RECORDINGS}{call.call_id}.mp3"
    made = [
        Recorded(leg1, "leg1", _LEG1[0], _start(call, call.leg1)),
        Recorded(leg2, "leg2", _LEG2[0], _start(call, call.leg2)),
    ]
    if call.behaviour.ivr is None or ivr_record == "none":
        return made
    number, name = _IVR_TYPES[call.behaviour.ivr]
    of_ivr = made[0 if call.first == "agent" else 1]
    ivr = Recorded(of_ivr.record | {"type": name}, "ivr", number, of_ivr.at)
    if ivr_record == "added":
        return [*made, ivr]
    return [ivr if one is of_ivr else one for one in made]


def _incoming(call: Call, agent_name: str) -> Recorded:
    record = _record(call, call.agent, _INCOMING, agent_name)
    record |= {"caller": call.lead.number, "callerextension": "", "did": OUR_DID, "direction": "incoming", "price": 0}
    return Recorded(record, "leg1", _INCOMING[0], call.started_at)


def _record(call: Call, leg: Leg, kind: tuple[int, str], agent_name: str) -> Record:
    # Whole seconds, rounded up: a conversation of a tenth of a second did take place.
    duration, dial_time = math.ceil(leg.talk_seconds), math.ceil(leg.ring_seconds)
    by_person = call.behaviour.ivr is None
    return {
        "ivruniqueid": call.call_id,
        "type": kind[1],
        "status": leg.status,
        "target": _international(leg.number),
        "targetextension": _extension(leg.number),
        "time": israel_epoch(_start(call, leg)),
        "duration": duration,
        "dialtime": dial_time,
        "actualCallDuration": duration,
        "actualCallDialtime": dial_time,
        "isAnswer": int(leg.status == "ANSWER"),
        "direction": "outgoing",
        "extenUser": call.agent.number if by_person else "",
        "callerPhone": call.lead.number,
        "did": "",
        "queueid": 0,
        "queuename": "",
        "record": "",
        "price": price(leg.number, duration),
        "representative_name": agent_name if by_person else "",
        "representative_code": "",
        "target_country": "Israel" if _international(leg.number).startswith("972") else "",
        "CustomData": dict(call.request.variables),
    }


def price(number: str, seconds: int) -> int:
    """What a leg costs in agorot: nothing between extensions or unanswered, else by the minute begun."""
    if not number.isdecimal() or seconds == 0:
        return 0
    key = phone_key(number)
    rate = _ABROAD if not key.startswith("0") else _MOBILE if key.startswith("05") else _LANDLINE
    return math.ceil(seconds / 60) * rate


def _start(call: Call, leg: Leg) -> float:
    return leg.rang_at or call.started_at


def _extension(number: str) -> str:
    return "" if number.isdecimal() else number


def _international(number: str) -> str:
    key = phone_key(number)
    return "972" + key[1:] if key.isdecimal() and key.startswith("0") else number
