"""Metrics: what Prometheus reads. Figures that only the tables know are read at each scrape."""

from __future__ import annotations

import asyncio
import hmac

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import StorageUnavailable, Unauthorized
from app.metrics import CONTENT_TYPE
from app.web.desk import Desk, desk
from app.web.leads import problems
from app.web.ops import DATABASE_SECONDS, NO_STORE

log = structlog.get_logger("leadring.ops")
router = APIRouter(tags=["ops"])


@router.get("/metrics", operation_id="metrics", responses=problems(401))
async def metrics(request: Request) -> Response:
    """Prometheus text. With LEADRING_METRICS_TOKEN set, only for its bearer."""
    at = desk(request)
    if at.metrics_token:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), at.metrics_token.encode()):
            raise Unauthorized
    await _refresh(at)
    return Response(at.metrics.render(), headers=NO_STORE, media_type=CONTENT_TYPE)


async def _refresh(at: Desk) -> None:
    """Set the gauges that only the tables know. Without a database they are left out of date, not absent."""
    now = at.store.clock.now()
    for site in at.rules.directory.sites.values():
        at.metrics.open.labels(site.key).set(int(at.rules.is_open(site, now)))
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            gauges = await at.store.gauges()
    except (StorageUnavailable, TimeoutError):
        return
    except Exception:
        # A scrape must not fail for one figure: the counters and the process's own say what is wrong.
        log.exception("metrics.gauges_failed")
        return
    for family, values in ((at.metrics.waiting, gauges.waiting), (at.metrics.agents, gauges.agents)):
        family.clear()
        for label, value in values.items():
            family.labels(label).set(value)
    at.metrics.oldest.clear()
    for label, value in gauges.oldest.items():
        at.metrics.oldest.labels(label).set(value / 1000)
    at.metrics.unaccounted.set(gauges.unaccounted)
    at.metrics.unknown.set(gauges.unknown)
