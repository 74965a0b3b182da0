"""Health. /livez touches nothing; /readyz asks the database; Redis and provider only ever warn."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.clock import to_iso
from app.errors import NotWritable, StorageUnavailable
from app.web.desk import Desk, desk

router = APIRouter(tags=["ops"])
NO_STORE = {"Cache-Control": "no-store"}
DATABASE_SECONDS = 1.0


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
        "switches": _switches(at),
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
            trouble = await at.store.ready()
    except NotWritable as error:
        return {"status": "fail", "output": str(error)}
    except StorageUnavailable:
        return {"status": "fail", "output": "the database does not answer"}
    except TimeoutError:
        return {"status": "fail", "output": f"the database took longer than {DATABASE_SECONDS:g} s"}
    return _warning(trouble)


async def _limiter(at: Desk) -> bool:
    return at.limiter_check is None or await at.limiter_check()


def _provider(at: Desk) -> dict[str, Any]:
    return _warning(at.provider_check() if at.provider_check is not None else None)


def _switches(at: Desk) -> dict[str, Any]:
    """Who turned them, and why, is for those with the token."""
    said = {"taking": "no leads are taken", "dialling": "no calls are placed"}
    off = [f"{said[name]} since {to_iso(switch.since)}" for name, switch in at.switches.known.items() if not switch.on]
    return _warning("; ".join(off) or None)


def _warning(trouble: str | None) -> dict[str, Any]:
    return {"status": "pass"} if trouble is None else {"status": "warn", "output": trouble}
