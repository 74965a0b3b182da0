"""POST /v1/leads: counted, parsed, checked; answered only after the lead is on disk."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.service.answered import Answered
from app.service.submission import Submission
from app.web.addresses import own_origin
from app.web.bodies import read_fields
from app.web.desk import desk
from app.web.limits import client_address

router = APIRouter(tags=["leads"])

SOURCES: Final = frozenset({"widget", "form", "api"})

_FIELDS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["phone"],
    "properties": {
        "phone": {"type": "string", "maxLength": 64, "examples": ["054-234-5678"]},
        "site": {"type": "string", "examples": ["main"]},
        "name": {"type": "string", "examples": ["נועה לוי"]},
        "email": {"type": "string"},
        "message": {"type": "string"},
        "language": {"type": "string", "examples": ["he"]},
        "consent": {"type": "string"},
        "consent_text": {"type": "string"},
        "submission_id": {"type": "string", "maxLength": 64},
        "call_at": {"type": "string", "description": "ISO 8601 with offset: a callback then instead of a call now"},
        "page_url": {"type": "string"},
        "referrer": {"type": "string"},
    },
    "additionalProperties": True,
}
_PROBLEM: Final[dict[str, Any]] = {
    "description": "A problem, as RFC 9457",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code", "request_id"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "request_id": {"type": "string"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "field": {"type": "string"},
                                "code": {"type": "string"},
                                "message": {"type": "string"},
                            },
                        },
                    },
                },
            }
        }
    },
}
_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["lead_id", "outcome", "status_url", "expected_call_at", "message"],
    "properties": {
        "lead_id": {"type": "string"},
        "outcome": {"enum": ["dialing", "waiting", "scheduled", "duplicate"]},
        "status_url": {"type": "string"},
        "expected_call_at": {"type": ["string", "null"], "format": "date-time"},
        "message": {"type": "string"},
    },
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented error answers of a route."""
    return dict.fromkeys(statuses, _PROBLEM)


@router.post(
    "/v1/leads",
    operation_id="submit_lead",
    summary="Ask to be called",
    status_code=202,
    responses={
        202: {"description": "On disk", "content": {"application/json": {"schema": _ANSWER}}},
        **problems(400, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra={
        "parameters": [
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 64}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": _FIELDS}
                for kind in (
                    "application/json",
                    "application/x-www-form-urlencoded",
                    "multipart/form-data",
                    "text/plain",
                )
            },
        },
    },
)
async def submit(request: Request) -> Response:
    """Four content types, 16 KiB. The same `submission_id` (or Idempotency-Key) and body replays the answer."""
    at = desk(request)
    await at.gate(request)
    fields = await read_fields(request)
    answered = await at.intake.submit(
        Submission(
            fields=fields,
            source=source_of(fields),
            client=client_address(request),
            origin=request.headers.get("origin"),
            idempotency_key=request.headers.get("idempotency-key"),
            trusted_origin=own_origin(request),
        )
    )
    return accepted(answered)


def accepted(answered: Answered) -> Response:
    """The 202 of the contract."""
    return Response(answered.text(), 202, {"Cache-Control": "no-store"}, "application/json")


def source_of(fields: dict[str, object]) -> str:
    """How the lead came in, as far as it says so in words that we know: the label set stays bounded.

    Such a word is taken out; a form's own field of that name ("How did you find us?") stays with the lead.
    """
    told = fields.get("source")
    if not isinstance(told, str) or told not in SOURCES:
        return "api"
    del fields["source"]
    return told
