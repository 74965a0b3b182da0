"""Under which address browsers know us."""

from __future__ import annotations

from fastapi import Request

from app.web.desk import desk


def base_url(request: Request) -> str:
    """Where browsers reach the service, without a trailing slash."""
    return (desk(request).public_url or str(request.base_url)).rstrip("/")


def own_origin(request: Request) -> str:
    """The origin of our own pages, as browsers send it."""
    return "/".join(base_url(request).split("/")[:3])
