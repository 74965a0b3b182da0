"""Health and metrics. /livez touches nothing; /readyz asks the database; Redis and provider only ever warn."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.errors import StorageUnavailable, Unauthorized
from app.metrics import CONTENT_TYPE
from app.web.desk import Desk, desk
from app.web.leads import problems

log = structlog.get_logger("leadring.ops")
router = APIRouter(tags=["ops"])
NO_STORE = {"Cache-Control": "no-store"}
DATABASE_SECONDS = 1.0
READY_KEPT = 1.0  # seconds an answer of the database is good for


@router.get("/livez", operation_id="live")
async def live(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "pass", "version": desk(request).version, "checks": {}}, headers=NO_STORE)


@router.get("/readyz", operation_id="ready", responses={503: {"description": "Not ready"}})
@router.get("/healthz", operation_id="health", responses={503: {"description": "Not ready"}})
async def ready(request: Request) -> Response:
    """Database reachable, schema current, not going down: 200. Anything else 503."""
    at = desk(request)
    checks: dict[str, dict[str, Any]] = {
        "database": await _database(at),
        "shutdown": {"status": "fail" if at.draining else "pass"},
        "rate_limit": {"status": "pass" if await _limiter(at) else "warn"},
        "provider": _provider(at),
    }
    status = "pass"
    for check in checks.values():
        if check["status"] == "fail":
            status = "fail"
        elif check["status"] == "warn" and status == "pass":
            status = "warn"
    body = {"status": status, "version": at.version, "checks": checks}
    return JSONResponse(body, 503 if status == "fail" else 200, headers=NO_STORE)


async def _database(at: Desk) -> dict[str, Any]:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await at.store.ready()
    except StorageUnavailable:
        return {"status": "fail", "output": "the database does not answer"}
    except TimeoutError:
        return {"status": "fail", "output": f"the database took longer than {DATABASE_SECONDS:g} s"}
    return {"status": "pass"}


async def _limiter(at: Desk) -> bool:
    return at.limiter_check is None or await at.limiter_check()


def _provider(at: Desk) -> dict[str, Any]:
    trouble = at.provider_check() if at.provider_check is not None else None
    return {"status": "pass"} if trouble is None else {"status": "warn", "output": trouble}


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
