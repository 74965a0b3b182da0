"""/v1/admin/leads/{id}/explain: why this agent and none of the others, what happened, and what happens next."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from app.errors import NotFound, StorageUnavailable, Unavailable
from app.service.explain import look_up
from app.service.explanation import as_json
from app.web.admin import admin_router
from app.web.desk import desk
from app.web.leads import problems
from app.web.ops import NO_STORE

router = admin_router()

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_WORD: Final[dict[str, Any]] = {"type": ["string", "null"]}
_AT: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_OR_NEVER: Final[dict[str, Any]] = {"type": ["string", "null"], "format": "date-time"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_OTHERS: Final = _list(_object(reason=_TEXT, agents=_list(_TEXT), text=_TEXT))
_WAITING: Final = _object(
    rank=_TEXT,
    ahead={"type": ["integer", "null"]},
    turn=_TEXT,
    deadline_at=_AT,
    promised_at=_OR_NEVER,
    expires_at=_OR_NEVER,
    agents=_OTHERS,
)
_EXPLANATION: Final = _object(
    lead_id=_TEXT,
    state=_TEXT,
    reason=_WORD,
    summary=_TEXT,
    next=_object(what=_TEXT, at=_OR_NEVER, why=_TEXT),
    history=_list(_object(at=_AT, text=_TEXT)),
    choices=_list(
        _object(
            at=_AT,
            number={"type": "integer"},
            agent=_TEXT,
            by=_WORD,
            why=_TEXT,
            others=_OTHERS,
            attempt=_list(_TEXT),
        )
    ),
    guards=_list(_object(at=_AT, guard=_TEXT, mode=_TEXT, decided={"type": "boolean"}, text=_TEXT)),
    waiting={"oneOf": [_WAITING, {"type": "null"}]},
)
_FOUND: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The lead explained", "content": {"application/json": {"schema": _EXPLANATION}}}
}


@router.get(
    "/leads/{lead_id}/explain", operation_id="admin_explain_lead", responses={**_FOUND, **problems(401, 404, 422, 503)}
)
async def explain(request: Request, lead_id: str) -> Response:
    """What happened to a lead, why this agent and none of the others, and what happens next, when and why then."""
    at = desk(request)
    try:
        found = await look_up(at.store, at.rules, lead_id)
    except StorageUnavailable as error:
        raise Unavailable("The lead could not be read just now; please try again.") from error
    if found is None:
        raise NotFound
    return Response(json.dumps(as_json(found), ensure_ascii=False), 200, NO_STORE, "application/json")
