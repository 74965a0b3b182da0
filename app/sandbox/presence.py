"""Who is on the phone (`GetExtensionsCalls`), and which extensions there are (`GetExtensions`); facts 3.1, 3.2.

A wrong code is answered with ERR 0 and an empty list, as the vendor does; only a missing code is an error. Our
own reading where the vendor is silent: while the agent's phone rings, `callstatus` is Ringing; while the lead's
rings, Dialing; both with `answered` 0; Talking and 1 once both are connected. Times are Israel's wall clock.
"""

import hmac
import zlib

from fastapi import APIRouter, Request, Response

from .answers import json_answer, respond
from .calls import Call
from .cdr import RECORDINGS, israel_epoch
from .incoming import read_parameters
from .journal import Received, redacted
from .parameters import RefusedError
from .phones import LOGGED_IN, Phone
from .sandbox import Sandbox

ACTIVE_CALLS_PATH = "/comet/api/getextensionscalls"
ROSTER_PATH = "/comet/api/getextensions"

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
    phones = sandbox.phones.on_side("agent")
    error, description = 0, "OK"
    if not given.get("code"):
        error, description = 1, "Authorization failed." if api == "active_calls" else "Unauthorized"
    if not hmac.compare_digest(given.get("code", "").encode(), sandbox.code.encode()):
        phones = []
    if given.get("extension") and api == "active_calls":
        phones = [phone for phone in phones if phone.number == given["extension"]]
    show = _active if api == "active_calls" else _listed
    behaviour = sandbox.book.take_api(api)
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
            errorcode=error,
            call_id="",
        )
    )
    body = {"ERR": error, "DESC": description, "EXTENSIONS": [show(sandbox, phone) for phone in phones]}
    return await respond(json_answer(body), behaviour, sandbox.released)


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
        "calls": [_live(call)] if call is not None else [],
    }


def _live(call: Call) -> dict[str, object]:
    connected_at = call.lead.answered_at
    unconnected = "Ringing" if call.agent.state == "ringing" else "Dialing"
    status = unconnected if connected_at is None else "Talking"
    return {
        "callStarted": israel_epoch(call.started_at),
        "callAnswered": israel_epoch(connected_at) if connected_at is not None else 0,
        "answered": int(connected_at is not None),
        "callername": call.request.phone_caller_name,
        "callerphone": call.request.target,
        "callstatus": status,
        "customdata": dict(call.request.variables),
        "direction": "Outgoing",
        "ivrid": call.call_id,
        "recording": {
            "Filename": f"{RECORDINGS}{call.call_id}.mp3" if call.request.record else "",
            "IsMuted": 0,
        },
        "did": "",
    }
