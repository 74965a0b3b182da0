"""The door of /v1/admin: for whoever has LEADRING_ADMIN_TOKEN. Each file of admin routes makes its router here."""

from __future__ import annotations

import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import NotFound, Unauthorized
from app.web.desk import Desk, desk

_bearer: Final = HTTPBearer(auto_error=False, description="LEADRING_ADMIN_TOKEN")


def opens(at: Desk, given: str) -> bool:
    """Whether this is the admin token; how long it takes to say so tells nothing of it."""
    token = at.admin_token
    return bool(token) and hmac.compare_digest(given.strip().encode("utf-8", "replace"), (token or "").encode())


async def admitted(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
    """Goes before every admin route: NotFound while no token is set, Unauthorized without the right one.

    Whoever tries tokens is slowed down by the limit per client; who has the right one never is.
    """
    at = desk(request)
    if not at.admin_token:
        raise NotFound
    if given is None or not opens(at, given.credentials):
        await at.gate(request)
        raise Unauthorized


def admin_router() -> APIRouter:
    """A router below /v1/admin that asks for the token. Routes read their body by themselves, after that."""
    return APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(admitted)])
