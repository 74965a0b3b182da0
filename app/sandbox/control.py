"""The sandbox's own API: scripts, phones and memory, for tests, the page and people with curl."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import ConfigDict

from .behaviour import ANYTHING, Behaviour
from .call_log import CallLogOptions
from .calls import Call, Side
from .cdr_push import CdrOptions
from .engine import CannotError, OutsideState
from .json_line import JsonLine
from .phones import STATUSES, Phone
from .sandbox import Sandbox

router = APIRouter(prefix="/sandbox", tags=["sandbox"], default_response_class=JsonLine)

Deed = Literal["answer", "decline", "ignore", "hangup", "hold", "resume", "free", "online", "offline"]


@dataclass(frozen=True, kw_only=True)
class KeyedBehaviour(Behaviour):
    """A behaviour and whom it is for: an extension, a number, `*`, `active_calls`, `roster` or `call_log`."""

    key: str = ANYTHING


@dataclass(frozen=True)
class UserStatus:
    """onlineUserStatus of an agent: 1 Login, 2 Logout, 3 Lunch … (facts 3.2); ValueError for any other number."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    status: int

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(map(str, STATUSES))}")


@dataclass(frozen=True)
class Outside:
    """A call that comes from somebody else: from which number, and how far it has come."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    phone: str = "0722776700"
    state: OutsideState = "talking"


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


def _agents(request: Request, number: str) -> str:
    """A number that an agent of this account may have, else 404: a slip of the pen makes no new extension."""
    if not _sandbox(request).phones.can_be_agents(number):
        raise HTTPException(404, f"{number} is not an extension of this account")
    return number


def _anybodys(request: Request, number: str) -> str:
    """Likewise, or any telephone number of the world outside."""
    return number if _sandbox(request).phones.knows(number) else _agents(request, number)


Agents = Annotated[str, Depends(_agents)]
Anybodys = Annotated[str, Depends(_anybodys)]


@router.get("/behaviour")
async def show_behaviour(request: Request) -> dict[str, dict[str, object]]:
    """All scripts by key; what is not said is left out."""
    book = _sandbox(request).book.all()
    return {key: {name: value for name, value in asdict(one).items() if value is not None} for key, one in book.items()}


@router.put("/behaviour", status_code=204)
async def set_behaviour(request: Request, wanted: KeyedBehaviour) -> None:
    """Replace the script of one key."""
    values = {field.name: getattr(wanted, field.name) for field in fields(Behaviour)}
    _sandbox(request).set_behaviour(wanted.key, Behaviour(**values))


@router.delete("/behaviour", status_code=204)
async def clear_behaviour(request: Request, key: str | None = None) -> None:
    """Forget one script, or all, and let go of hanging requests."""
    _sandbox(request).clear_behaviour(key)


@router.get("/requests")
async def show_requests(request: Request, api: str = "click2call") -> list[dict[str, object]]:
    """Requests received, oldest first; `api` is click2call, active_calls, roster, call_log or all."""
    return [one.as_json() for one in _sandbox(request).requests(None if api == "all" else api)]


@router.delete("/requests", status_code=204)
async def clear_requests(request: Request) -> None:
    """Forget the requests received."""
    _sandbox(request).journal.clear()


@router.get("/calls")
async def show_calls(request: Request) -> list[dict[str, object]]:
    """All calls, oldest first."""
    return [call.as_json() for call in _sandbox(request).calls]


@router.get("/cdr")
async def show_cdr(request: Request) -> dict[str, object]:
    """The options of the CDR push, and every try made so far."""
    cdr = _sandbox(request).cdr
    return {"options": asdict(cdr.options), "pushed": [asdict(one) for one in cdr.log]}


@router.put("/cdr", status_code=204)
async def set_cdr(request: Request, options: CdrOptions) -> None:
    """Replace the options of the CDR push, all of them."""
    _sandbox(request).cdr.options = options


@router.get("/call_log")
async def show_call_log(request: Request) -> CallLogOptions:
    """The options of the call log; its rows are asked for where the provider has them."""
    return _sandbox(request).call_log.options


@router.put("/call_log", status_code=204)
async def set_call_log(request: Request, options: CallLogOptions) -> None:
    """Replace the options of the call log, all of them."""
    _sandbox(request).call_log.options = options


@router.post("/reset", status_code=204)
async def reset(request: Request) -> None:
    """As new."""
    _sandbox(request).reset()


@router.get("/phones")
async def show_phones(request: Request, side: Side = "agent") -> list[dict[str, object]]:
    """All telephones of one side, and whether they are in a call."""
    sandbox = _sandbox(request)
    phones = sandbox.phones.on_side(side)
    return [asdict(one) | {"busy": sandbox.engine.live_call(one.number) is not None} for one in phones]


@router.post("/phones/{number}/status", status_code=204)
async def set_user_status(request: Request, number: Agents, wanted: UserStatus) -> None:
    """Log an agent's user in or out, or send it to lunch; active calls show it."""
    _sandbox(request).login(number, wanted.status)


@router.post("/phones/{number}/busy")
async def make_busy(request: Request, number: Agents, outside: Outside | None = None) -> dict[str, object]:
    """Put an agent on a call of somebody else; 409 when one of the two is in a call. `free` ends it."""
    wanted = outside or Outside()
    try:
        call = _sandbox(request).busy(number, wanted.phone, wanted.state)
    except CannotError as error:
        raise HTTPException(409, str(error)) from error
    return {"number": number, "call": call.as_json()}


@router.post("/phones/{number}/{deed}")
async def use_phone(request: Request, number: Anybodys, deed: Deed, side: Side | None = None) -> dict[str, object]:
    """A hand on a telephone; 409 when the phone is in no state for it. `side` names a phone that is new."""
    sandbox = _sandbox(request)
    try:
        call = do_with_phone(sandbox, number, deed, side)
    except CannotError as error:
        raise HTTPException(409, str(error)) from error
    return {"number": number, "call": call.as_json() if call is not None else None}


def do_with_phone(sandbox: Sandbox, number: str, deed: Deed, side: Side | None = None) -> Call | None:
    """Answer, decline, ignore, hang up, hold, end an outside call, switch on or off; raises CannotError."""
    match deed:
        case "answer":
            return sandbox.engine.answer(number)
        case "decline":
            return sandbox.engine.decline(number)
        case "ignore":
            return sandbox.engine.ignore(number)
        case "hangup":
            return sandbox.engine.hang_up(number)
        case "hold" | "resume":
            return sandbox.engine.hold(number, held=deed == "hold")
        case "free":
            return sandbox.free(number)
        case "online" | "offline":
            phone: Phone = sandbox.phones.find(number) or sandbox.phones.use(number, side or "lead")
            phone.online = deed == "online"
            sandbox.changed.fire()
            return sandbox.engine.live_call(number)
