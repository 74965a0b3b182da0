"""The door of /v1/admin: for whoever has LEADRING_ADMIN_TOKEN. Each file of admin routes makes its router here."""

from __future__ import annotations

import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import NotFound, Unauthorized
from app.web.desk import desk

_bearer: Final = HTTPBearer(auto_error=False, description="LEADRING_ADMIN_TOKEN")


async def admitted(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
    """Goes before every admin route: NotFound while no token is set, Unauthorized without the right one.

    Whoever tries tokens is slowed down by the limit per client; who has the right one never is.
    """
    at = desk(request)
    token = at.admin_token
    if not token:
        raise NotFound
    if given is None or not hmac.compare_digest(given.credentials.strip().encode(), token.encode()):
        await at.gate(request)
        raise Unauthorized


def admin_router() -> APIRouter:
    """A router below /v1/admin that asks for the token. Routes read their body by themselves, after that."""
    return APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(admitted)])
