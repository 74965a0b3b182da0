"""POST /v1/voicenter/cdr/{token}: the provider reports what happened. Kept first, answered at once, applied after."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.errors import NotFound
from app.web.bodies import read_body
from app.web.desk import desk
from app.web.leads import problems

router = APIRouter(tags=["provider"])

CDR_BYTES = 512 * 1024
# What the provider's own receiver code answers (facts 2.7); the status decides anyway.
ACKNOWLEDGED = {"err": 0, "errdesc": "OK"}


@router.post("/v1/voicenter/cdr/{token}", operation_id="report_call", responses=problems(404, 413, 503))
async def report(request: Request, token: str) -> Response:
    """200 once the raw record is stored, also for repeats and for calls that are not ours."""
    at = desk(request)
    if not at.cdr_token or not hmac.compare_digest(token.encode(), at.cdr_token.encode()):
        raise NotFound
    raw = await read_body(request, CDR_BYTES)
    if raw.strip():
        await at.outcomes.keep(at.decode_cdr(raw, request.headers.get("content-type", "")))
    return JSONResponse(ACKNOWLEDGED)
