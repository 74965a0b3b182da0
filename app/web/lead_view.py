"""A lead's own view, opened by the token it was given: status, live stream, cancel."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.domain.text import as_text
from app.service.lead_view import View
from app.web.bodies import read_fields
from app.web.desk import desk
from app.web.leads import problems

router = APIRouter(tags=["leads"])
Token = Annotated[str, Query(max_length=64)]


def body(view: View) -> dict[str, Any]:
    """The status as the contract has it."""
    return asdict(view)


def _json(view: View) -> Response:
    return Response(json.dumps(body(view), ensure_ascii=False), 200, {"Cache-Control": "no-store"}, "application/json")


@router.get("/v1/leads/{lead_id}", operation_id="see_lead", responses=problems(404, 422, 503))
async def see(request: Request, lead_id: str, token: Token = "") -> Response:
    """Where the request stands."""
    return _json(await desk(request).views.see(lead_id, token))


@router.delete("/v1/leads/{lead_id}", operation_id="cancel_lead", responses=problems(404, 409, 422, 503))
async def cancel(request: Request, lead_id: str, token: Token = "") -> Response:
    """Cancel what is not ringing yet."""
    return _json(await desk(request).views.cancel(lead_id, token))


@router.patch(
    "/v1/leads/{lead_id}",
    operation_id="move_lead",
    responses=problems(400, 404, 408, 409, 413, 415, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "object", "properties": {"call_at": {"type": "string"}}}}
                for kind in ("application/json", "application/x-www-form-urlencoded")
            },
        }
    },
)
async def move(request: Request, lead_id: str, token: Token = "") -> Response:
    """Another time for the call: `call_at`, ISO 8601 with offset."""
    fields = await read_fields(request)
    return _json(await desk(request).views.move(lead_id, token, as_text(fields.get("call_at"))))


async def _may_see(request: Request, lead_id: str, token: Token = "") -> str:
    await desk(request).views.see(lead_id, token)
    return token


@router.get(
    "/v1/leads/{lead_id}/events",
    operation_id="follow_lead",
    response_class=EventSourceResponse,
    responses=problems(404, 422, 503),
)
async def follow(
    request: Request, lead_id: str, token: Annotated[str, Depends(_may_see)]
) -> AsyncIterator[ServerSentEvent]:
    """The status now and after every change, as events named `status`; `end` when nothing more will come."""
    async for view in desk(request).views.follow(lead_id, token):
        yield ServerSentEvent(raw_data=json.dumps(body(view), ensure_ascii=False), event="status")
        if view.final:
            yield ServerSentEvent(raw_data="{}", event="end")
