"""The door of /console. Each file of its pages makes its router here.

There is no token in the forms: a browser says which page a form was sent from, and the cookie goes nowhere but here
(SameSite=Strict). Both are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from slowapi.errors import RateLimitExceeded

from app.console.answer import page, sign_in_page
from app.errors import ForbiddenOrigin, RateLimited, Refusal, StorageUnavailable, Unauthorized, Unavailable
from app.service import sessions
from app.web.addresses import own_origin
from app.web.desk import desk
from app.web.limits import retry_after
from app.web.page_answers import retry_header

COOKIE: Final = "leadring_console"
_OUR_PAGES: Final = ("same-origin", "none")  # none: a person pressed reload, or typed the address


class NotSignedIn(Unauthorized):
    """Please sign in first."""


class SentFromElsewhere(ForbiddenOrigin):
    """This was sent from another page than the console's own."""


class ConsoleRoute(APIRoute):
    """A route whose refusals are pages, and whose forms are taken from our own pages only."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                if request.method == "POST":
                    _sent_from_here(request)
                return await inner(request)
            except NotSignedIn:
                return sign_in_page(401, then=request.url.path)
            except RateLimitExceeded:
                desk(request).metrics.rate_limited.inc()
                return _refused(request, RateLimited(await asyncio.to_thread(retry_after, request)))
            except StorageUnavailable:
                return _refused(request, Unavailable("The database cannot be read just now; please try again."))
            except Refusal as refusal:
                return _refused(request, refusal)

        return handler


def console_router() -> APIRouter:
    """A router below /console."""
    return APIRouter(prefix="/console", include_in_schema=False, route_class=ConsoleRoute)


def is_signed_in(request: Request) -> bool:
    """Whether the browser shows a session that is good."""
    at = desk(request)
    word = request.cookies.get(COOKIE, "")
    return sessions.is_good(at.tokens, at.admin_token or "", word, at.store.clock.now())


async def signed_in(request: Request) -> None:
    """Goes before every page but the first: NotSignedIn."""
    if not is_signed_in(request):
        raise NotSignedIn


def _sent_from_here(request: Request) -> None:
    """SentFromElsewhere when the browser says so. Who is no browser says nothing, and has no cookie of anybody."""
    told = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    here = {own_origin(request), f"{request.url.scheme}://{request.url.netloc}"}
    if told not in (None, *_OUR_PAGES) or (told is None and origin is not None and origin not in here):
        raise SentFromElsewhere


def _refused(request: Request, refusal: Refusal) -> Response:
    detail = str(refusal)
    if refusal.retry_after:
        detail += f" In {refusal.retry_after} seconds it can be tried again."
    return page(
        "refused.html",
        refusal.status,
        signed_in=is_signed_in(request),
        headers=retry_header(refusal),
        title=refusal.title,
        detail=detail,
    )
