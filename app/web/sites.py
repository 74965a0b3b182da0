"""GET /v1/sites/{site}: what a form may know before it asks."""

from __future__ import annotations

import asyncio
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
    """Open or closed, how long it usually takes, and what to say."""
    at = desk(request)
    slots, wait = await asyncio.gather(at.slots.offered(site), at.usual_wait.of(site))
    view = see_site(site, at.rules, at.store.clock, slots, wait=wait, taking=at.switches.taking)
    return Response(
        json.dumps(asdict(view), ensure_ascii=False), 200, {"Cache-Control": "public, max-age=15"}, "application/json"
    )
