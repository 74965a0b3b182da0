"""Who is on the phone (`GetExtensionsCalls`), and which extensions there are (`GetExtensions`); facts 3.1, 3.2.

A wrong code is answered with ERR 0 and an empty list, as the vendor does; only a missing code is an error. Our
own reading where the vendor is silent: while the extension's own phone rings, `callstatus` is Ringing; while it
waits for the other side, Dialing; both with `answered` 0; Talking and 1 once both are connected. Only extensions
are listed, whichever leg they are; a mobile that stands for an agent is not. Times are Israel's wall clock.
"""

import hmac
import zlib

from fastapi import APIRouter, Request, Response

from .answers import json_answer, respond
from .behaviour import Behaviour
from .calls import Call, Leg
from .cdr import OUR_DID, RECORDINGS, israel_epoch
from .incoming import read_parameters
from .journal import Received, redacted
from .parameters import RefusedError
from .phones import LOGGED_IN, Phone
from .sandbox import Sandbox

ACTIVE_CALLS_PATH = "/comet/api/getextensionscalls"
ROSTER_PATH = "/comet/api/getextensions"

_NO_CODE = {"active_calls": "Authorization failed.", "roster": "Unauthorized"}

router = APIRouter()


@router.api_route(ACTIVE_CALLS_PATH, methods=["GET", "POST"], include_in_schema=False)
async def active_calls(request: Request) -> Response:
    """The live calls of every extension, or of one."""
    return await _answer(request, "active_calls")


@router.api_route(ROSTER_PATH, methods=["GET", "POST"], include_in_schema=False)
async def roster(request: Request) -> Response:
    """All extensions, without any state."""
    return await _answer(request, "roster")


async def _answer(request: Request, api: str) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    try:
        params = await read_parameters(request)
    except RefusedError:
        params = {}
    given = {name.lower(): value for name, value in params.items()}
    behaviour = sandbox.book.take_api(api)
    body = _list(sandbox, api, given, behaviour)
    sandbox.receive(
        Received(
            at=sandbox.clock.now(),
            api=api,
            method=request.method,
            params=redacted(params),
            action="",
            phone=given.get("extension", ""),
            target="",
            answer=behaviour.answer or "normal",
            rang=False,
            errorcode=int(str(body["ERR"])),
            call_id="",
        )
    )
    return await respond(json_answer(body), behaviour, sandbox.released)


def _list(sandbox: Sandbox, api: str, given: dict[str, str], behaviour: Behaviour) -> dict[str, object]:
    if behaviour.answer == "refuse":
        number = 2 if behaviour.errorcode is None else behaviour.errorcode
        return {"ERR": number, "DESC": behaviour.message or "Internal error.", "EXTENSIONS": []}
    if not given.get("code"):
        return {"ERR": 1, "DESC": _NO_CODE[api], "EXTENSIONS": []}
    known = hmac.compare_digest(given["code"].encode(), sandbox.code.encode())
    if not known or behaviour.answer == "empty":
        return {"ERR": 0, "DESC": "OK", "EXTENSIONS": []}
    if behaviour.answer != "stale" or api not in sandbox.last_lists:
        show = _listed if api == "roster" else _active
        sandbox.last_lists[api] = [show(sandbox, phone) for phone in sandbox.phones.extensions()]
    one = given.get("extension", "") if api == "active_calls" else ""
    shown = [each for each in sandbox.last_lists[api] if one in {"", each.get("username")}]
    return {"ERR": 0, "DESC": "OK", "EXTENSIONS": shown}


def _number_of(phone: Phone) -> int:
    """A stable eight-digit id for a phone, as the vendor's numbers look."""
    return 10_000_000 + zlib.crc32(phone.number.encode()) % 90_000_000


def _listed(_sandbox: Sandbox, phone: Phone) -> dict[str, object]:
    return {
        "SIP": phone.number,
        "Name": phone.name,
        "SpeedDial": "",
        "AccountID": 10_000_001,
        "AccountName": "Sandbox",
        "UserName": phone.name,
        "UserEmail": "",
    }


def _active(sandbox: Sandbox, phone: Phone) -> dict[str, object]:
    call = sandbox.engine.live_call(phone.number)
    number = _number_of(phone)
    return {
        "name": phone.name,
        "representative": phone.name,
        "username": phone.number,
        "extensionID": number,
        "userID": number,
        "onlineUserID": number if phone.user_status == LOGGED_IN else 0,
        "onlineUserStatus": phone.user_status,
        "calls": [_live(call, call.leg_of(phone.number))] if call is not None else [],
    }


def _live(call: Call, leg: Leg) -> dict[str, object]:
    request, connected_at = call.request, call.connected_at
    if leg.held:
        status = "Hold"
    elif connected_at is not None:
        status = "Talking"
    else:
        status = "Ringing" if leg.state == "ringing" else "Dialing"
    return {
        "callStarted": israel_epoch(call.started_at),
        "callAnswered": israel_epoch(connected_at) if connected_at is not None else 0,
        "answered": int(connected_at is not None),
        "callername": request.phone_caller_name if leg is call.leg1 else request.target_caller_name,
        "callerphone": call.other(leg).number,
        "callstatus": status,
        "customdata": dict(request.variables),
        "direction": "Incoming" if call.incoming else "Outgoing",
        "ivrid": call.call_id,
        "recording": {
            "Filename": f"{RECORDINGS}{call.call_id}.mp3" if request.record else "",
            "IsMuted": 0,
        },
        "did": OUR_DID if call.incoming else "",
    }
