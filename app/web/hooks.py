"""POST /v1/hooks/{source}/{token}: what form builders send. Stored, answered, then dialled.

What each answer makes of a sender decides which one it gets. Elementor tells its visitor that the form failed for
anything but exactly 200, so whatever is stored is a 200, whether the lead is held, known already, or spam. HubSpot,
Webflow, Typeform and Tally send again after a 5xx, HubSpot for three days and not after a 4xx: so 503 is for what
could not be stored, and 422 for what would be no better the next time. docs/http.md has the whole table.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from app.directory import Source
from app.errors import Unauthorized
from app.forms.payload import MAX_BYTES
from app.forms.signatures import Delivery
from app.web.addresses import base_url
from app.web.bodies import read_body
from app.web.desk import Desk, desk
from app.web.leads import problems

router = APIRouter(tags=["webhooks"])

_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["outcome"],
    "properties": {"outcome": {"enum": ["accepted", "duplicate", "test", "ignored"]}},
}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        kind: {"schema": {"type": "object", "additionalProperties": True}}
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    }
    | {"text/plain": {"schema": {"type": "string"}}},
}


@router.post(
    "/v1/hooks/{source}/{token}",
    operation_id="take_delivery",
    summary="A form builder's webhook",
    responses={
        200: {"description": "On disk", "content": {"application/json": {"schema": _ANSWER}}},
        **problems(400, 401, 408, 413, 422, 429, 503),
    },
    openapi_extra={"requestBody": _BODY},
)
async def take(request: Request, source: str, token: str) -> Response:
    """200 once the lead, or the body, is on disk; also for repeats, tests, and what a guard stops."""
    at = desk(request)
    found = await _admitted(request, at, source, token)
    await at.source_gate(request)
    body = await read_body(request, MAX_BYTES)
    await _verified(request, at, found, body)
    outcome = await at.hooks.take(found, request.headers.get("content-type", ""), body)
    return JSONResponse({"outcome": outcome}, headers={"Cache-Control": "no-store"})


@router.get(
    "/v1/hooks/{source}/{token}",
    operation_id="try_hook",
    summary="Whether the address is right",
    response_class=PlainTextResponse,
    responses=problems(401, 429),
)
async def look(request: Request, source: str, token: str) -> Response:
    """For builders that try an address before they use it, and Meta's handshake."""
    at = desk(request)
    found = await _admitted(request, at, source, token)
    await at.source_gate(request)
    try:
        text = at.hooks.greeting(found, dict(request.query_params))
    except Unauthorized:
        await at.gate(request)
        raise
    return PlainTextResponse(text, headers={"Cache-Control": "no-store"})


@router.head("/v1/hooks/{source}/{token}", include_in_schema=False)
async def probe(request: Request, source: str, token: str) -> Response:
    """As the GET, without its text."""
    return await look(request, source, token)


async def _admitted(request: Request, at: Desk, source: str, token: str) -> Source:
    """The source; a wrong address counts against whoever tries it."""
    try:
        return at.hooks.admit(source, token)
    except Unauthorized:
        await at.gate(request)
        raise


async def _verified(request: Request, at: Desk, source: Source, body: bytes) -> None:
    query = f"?{request.url.query}" if request.url.query else ""
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = base_url(request) + request.url.path + query
    try:
        at.hooks.verify(source, Delivery(request.method, url, headers, body))
    except Unauthorized:
        await at.gate(request)
        raise
