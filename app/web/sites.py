"""GET /v1/sites/{site}: what a form may know before it asks."""

from __future__ import annotations

import json
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.service.sites import see_site
from app.web.desk import desk
from app.web.leads import problems

router = APIRouter(tags=["sites"])


@router.get("/v1/sites/{site}", operation_id="see_site", responses=problems(404))
async def see(request: Request, site: str) -> Response:
    """Open or closed, and what to say."""
    at = desk(request)
    view = see_site(site, at.rules, at.store.clock, await at.slots.offered(site), taking=at.switches.taking)
    return Response(
        json.dumps(asdict(view), ensure_ascii=False), 200, {"Cache-Control": "public, max-age=15"}, "application/json"
    )
