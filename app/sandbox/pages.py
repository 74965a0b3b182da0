"""The phones page, and the stream of events that keeps it alive."""

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from .calls import Call, Side
from .phones import STATUSES, Phone
from .sandbox import Sandbox
from .words import WORDS, Language

MOST_PHONES = 4
MOST_RECENT = 8
_FEWEST_SECONDS_BETWEEN = 0.03
# No frame-ancestors: the page is meant to be shown beside the demo form.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)

_templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
router = APIRouter()


@router.get("/", include_in_schema=False)
async def phones_page(request: Request, lang: str = "en") -> Response:
    """Two telephones: the agent's and the lead's."""
    language: Language = "he" if lang == "he" else "en"
    sandbox: Sandbox = request.app.state.sandbox
    words = WORDS[language]
    title = words["title_many" if _more_than_two(sandbox) else "title"]
    headers = {
        "content-security-policy": _POLICY,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    return _templates.TemplateResponse(
        request,
        "phones.html",
        {"lang": language, "words": words, "title": title, "statuses": STATUSES},
        headers=headers,
    )


@router.get("/sandbox/events", response_class=EventSourceResponse, include_in_schema=False)
async def events(request: Request, find: str = "") -> AsyncIterable[ServerSentEvent]:
    """The whole picture, again after every change; of the agents those that fit `find`."""
    sandbox: Sandbox = request.app.state.sandbox
    while not sandbox.changed.closed:
        seen = sandbox.changed.count
        yield ServerSentEvent(data=snapshot(sandbox, find), event="state", retry=1000)
        # Under a load test the picture changes faster than anybody can look.
        await asyncio.sleep(_FEWEST_SECONDS_BETWEEN)
        if sandbox.changed.count == seen:
            await sandbox.changed.wait()


def snapshot(sandbox: Sandbox, find: str = "") -> dict[str, object]:
    """What the page shows: phones, most recent first, each with its present or last call; recent calls.

    `find` picks agents by a part of name or number; `agents_in_all` and `agents_found` say how many there are.
    """
    recent = list(sandbox.engine.calls)[: -MOST_RECENT - 1 : -1]
    agents = sandbox.phones.on_side("agent")
    leads = [phone for phone in sandbox.phones.on_side("lead") if not _is_outside(sandbox, phone)]
    sought = find.strip().lower()
    found = [phone for phone in agents if sought in phone.name.lower() or sought in phone.number.lower()]
    return {
        "now": sandbox.clock.now(),
        "agents": [_show(sandbox, phone) for phone in _shown(sandbox, found)],
        "agents_in_all": len(agents),
        "agents_found": len(found),
        "leads": [_show(sandbox, phone) for phone in _shown(sandbox, leads)],
        "more_than_two": _more_than_two(sandbox),
        "recent": [call.as_json() | {"agent_name": _name(sandbox, call.agent.number)} for call in recent],
    }


def _more_than_two(sandbox: Sandbox) -> bool:
    return any(len(sandbox.phones.on_side(side)) > 1 for side in get_args(Side))


def _name(sandbox: Sandbox, number: str) -> str:
    phone = sandbox.phones.find(number)
    return phone.name if phone is not None else number


def _is_outside(sandbox: Sandbox, phone: Phone) -> bool:
    # Who calls an agent from elsewhere is no lead, and needs no hand on the telephone.
    call = sandbox.engine.live_call(phone.number)
    return call is not None and call.incoming


def _shown(sandbox: Sandbox, phones: list[Phone]) -> list[Phone]:
    # A phone in a call is never crowded out by one that was merely used later; of the leads' phones that
    # are in no call only the last one stays, the agents' stay all.
    live: list[Phone] = []
    quiet: list[Phone] = []
    for phone in phones:
        (quiet if sandbox.engine.live_call(phone.number) is None else live).append(phone)
    quiet_agents = [phone for phone in quiet if phone.side == "agent"]
    return (live + (quiet_agents or ([] if live else quiet[:1])))[:MOST_PHONES]


def _show(sandbox: Sandbox, phone: Phone) -> dict[str, object]:
    call = sandbox.engine.live_call(phone.number) or _last_call(sandbox, phone)
    return {
        "number": phone.number,
        "name": phone.name,
        "online": phone.online,
        "extension": sandbox.phones.is_extension(phone.number),
        "status": phone.user_status,
        "leg": call.leg_of(phone.number).side if call is not None else phone.side,
        "call": call.as_json() if call is not None else None,
    }


def _last_call(sandbox: Sandbox, phone: Phone) -> Call | None:
    if not phone.seen:
        return None
    for call in reversed(sandbox.engine.calls):
        for leg in (call.agent, call.lead):
            if leg.number == phone.number and leg.rang_at is not None and (phone.side == "agent" or not call.incoming):
                return call
    return None
