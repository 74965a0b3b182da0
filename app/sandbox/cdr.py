"""The two call detail records of a Click2Call call, as the provider pushes them.

Keys, statuses and types from facts 2.2 and 2.3; `time` is Israel's wall clock written as epoch seconds (2.6);
the var_* come back in `CustomData`, prefix kept (2.5). The field evidence of 2.4 (two records, at least one
under another id) is why leg 2 by default carries its own `ivruniqueid` and names the CALLID in
`OriginalIvrUniqueID`.
"""

import calendar
import math
from datetime import datetime

from .behaviour import phone_key
from .calls import ISRAEL, Call, Leg, new_call_id

RECORDINGS = "https://cpanel.voicenter.co.il/CallsHistory/PlayRecord/"

Record = dict[str, object]


def israel_epoch(at: float) -> int:
    """The wall clock in Israel at `at`, read as if it were UTC: two or three hours ahead of the true epoch."""
    return calendar.timegm(datetime.fromtimestamp(at, ISRAEL).timetuple())


def call_records(call: Call, *, same_id: bool, agent_name: str) -> tuple[Record, Record]:
    """Leg 1 (the agent) and leg 2 (the lead) of a call that is over."""
    request = call.request
    leg1 = _record(call, call.agent, agent_name) | {
        "ivruniqueid": call.call_id,
        "type": "Click2Call leg1",
        "caller": request.phone_caller_id or request.target,
        "target": request.extension,
        "callerextension": "",
        "targetextension": request.extension,
    }
    leg2 = _record(call, call.lead, agent_name) | {
        "ivruniqueid": call.call_id,
        "type": "Click2Call leg2",
        "caller": request.target_caller_id or request.extension,
        "target": _international(request.target),
        "callerextension": request.extension,
        "targetextension": "" if request.target.isdecimal() else request.target,
        "leg1DialStatusName": call.agent.status,
    }
    if not same_id:
        leg2 |= {"ivruniqueid": new_call_id(call.started_at), "OriginalIvrUniqueID": call.call_id}
    if request.record and call.lead.status == "ANSWER":
        leg2["record"] = f"{RECORDINGS}{call.call_id}.mp3"
    return leg1, leg2


def _record(call: Call, leg: Leg, agent_name: str) -> Record:
    # Whole seconds, rounded up: a conversation of a tenth of a second did take place.
    duration, dial_time = math.ceil(leg.talk_seconds), math.ceil(leg.ring_seconds)
    return {
        "status": leg.status,
        "time": israel_epoch(leg.rang_at or call.started_at),
        "duration": duration,
        "dialtime": dial_time,
        "actualCallDuration": duration,
        "actualCallDialtime": dial_time,
        "isAnswer": int(leg.status == "ANSWER"),
        "direction": "outgoing",
        "extenUser": call.request.extension,
        "callerPhone": call.request.target,
        "did": "",
        "queueid": 0,
        "queuename": "",
        "record": "",
        "price": 0,
        "representative_name": agent_name,
        "representative_code": "",
        "CustomData": dict(call.request.variables),
    }


def _international(number: str) -> str:
    key = phone_key(number)
    return "972" + key[1:] if key.isdecimal() and key.startswith("0") else number
