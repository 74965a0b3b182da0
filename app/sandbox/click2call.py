"""The Click2Call API: `/ForwardDialer/click2call.aspx`, GET and POST, answered as the vendor page says.

Business answers are always HTTP 200 with the code in the body (facts 1.8). Anybody can trigger them:

====  =====================================================================================================
code  when
====  =====================================================================================================
1     a parameter is missing or not as the vendor's table says, the code is wrong, or an extension is not one
      of the configured ones
2     the extension's name contains ERROR
3     the extension's name contains OFFLINE, or its phone is switched off and the device check of its leg
      (checkphonedevicestate, checktargetdevicestate) is true
4     the extension's name contains BLOCKED
====  =====================================================================================================

What the vendor answers to a wrong code, an unknown extension or a terminate with nothing to end is not
documented (facts 1.7, 7); code 1 for the first two and an OK without CALLID for the last are ours. A busy
extension has no code of its own either: the request is accepted and its leg is BUSY in the CDR. Device checks
look at extensions only: nobody knows whether a mobile is switched on.
"""

from fastapi import APIRouter, Request, Response

from .answers import click2call_answer, respond
from .behaviour import Behaviour
from .incoming import read_parameters
from .journal import Received, redacted
from .parameters import CallRequest, RefusedError, read_request, unknown_names
from .sandbox import Sandbox

PATH = "/forwarddialer/click2call.aspx"
_MESSAGES = {
    2: "Application error",
    3: "The representative's extension is offline",
    4: "Extension blocked for Click2Call calls",
}

router = APIRouter()


@router.api_route(PATH, methods=["GET", "POST"], include_in_schema=False)
async def click2call(request: Request) -> Response:
    """Start or end a call."""
    sandbox: Sandbox = request.app.state.sandbox
    params: dict[str, str] = {}
    behaviour, action = Behaviour(), ""
    call_id, rang = "", False
    try:
        params = await read_parameters(request)
        wanted = read_request(params, sandbox.code)
        action = wanted.action
        if wanted.action == "terminate":
            ended = sandbox.engine.terminate(wanted.phone)
            code, message, call_id = 0, "OK", ended.call_id if ended else ""
        else:
            code, message, behaviour = _decide(sandbox, wanted)
            if code == 0 and behaviour.rings_phones:
                first = sandbox.first_of(wanted.phone, wanted.target)
                call_id, rang = sandbox.engine.place(wanted, behaviour, first).call_id, True
            if behaviour.answer == "refuse":
                code = 2 if behaviour.errorcode is None else behaviour.errorcode
                message = behaviour.message or _MESSAGES.get(code, "Refused by the sandbox")
    except RefusedError as refusal:
        code, message = 1, str(refusal)
    given = {name.lower(): value for name, value in params.items()}
    sandbox.receive(
        Received(
            at=sandbox.clock.now(),
            api="click2call",
            method=request.method,
            params=redacted(params),
            action=action or given.get("action", ""),
            phone=given.get("phone", ""),
            target=given.get("target", ""),
            answer=behaviour.answer or "normal",
            rang=rang,
            errorcode=code,
            call_id=call_id,
            unknown=unknown_names(params),
        )
    )
    as_json = given.get("format", "").lower() == "json"
    shown_id = call_id if code == 0 else ""
    return await respond(click2call_answer(code, message, shown_id, as_json=as_json), behaviour, sandbox.released)


def _decide(sandbox: Sandbox, wanted: CallRequest) -> tuple[int, str, Behaviour]:
    phones = sandbox.phones
    if not wanted.floating and not phones.knows(wanted.phone):
        raise RefusedError("Phone is not an extension of this account")
    if not phones.knows(wanted.target):
        raise RefusedError("Target is not an extension of this account")
    agent, lead = wanted.phone, wanted.target
    if sandbox.first_of(agent, lead) == "lead":
        agent, lead = lead, agent
    behaviour = sandbox.book.take(agent, lead)
    name = agent.upper()
    if "BLOCKED" in name:
        return 4, _MESSAGES[4], behaviour
    if "ERROR" in name:
        return 2, _MESSAGES[2], behaviour
    for number, checked in (
        (wanted.phone, wanted.check_phone_device_state),
        (wanted.target, wanted.check_target_device_state),
    ):
        off = not phones.is_online(number) or (number == agent and behaviour.agent == "offline")
        if (number == agent and "OFFLINE" in name) or (checked and off and phones.is_extension(number)):
            phones.use(number, "agent" if number == agent else "lead")
            sandbox.changed.fire()
            return 3, _MESSAGES[3], behaviour
    return 0, "OK", behaviour
