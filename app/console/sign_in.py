"""/console: the password, the first page behind it, and the way out."""

from __future__ import annotations

from typing import Final

import structlog
from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.console.answer import HOME, PAGES, page, sign_in_page
from app.console.door import COOKIE, console_router, is_signed_in
from app.domain.text import as_text
from app.service import sessions
from app.web.addresses import base_url
from app.web.admin import opens
from app.web.bodies import read_fields
from app.web.desk import desk

router = console_router()
log = structlog.get_logger("leadring.console")

NO_STORE: Final = {"Cache-Control": "no-store"}


@router.get("")
async def home(request: Request) -> Response:
    """What there is to look at; for whoever is not signed in, the question for the password."""
    return page("home.html", here=HOME) if is_signed_in(request) else sign_in_page(200)


@router.get("/sign-in")
async def sign_in_again() -> Response:
    """For whoever reloads the address at which a wrong token was refused."""
    return RedirectResponse(HOME, 303, NO_STORE)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """A session for who knows the admin token. Every try counts against the limit per client, the right one too:
    past it nobody learns from the answer whether a token was right."""
    at = desk(request)
    await at.gate(request)
    fields = await read_fields(request)
    then = as_text(fields.get("then"))
    if not opens(at, as_text(fields.get("token"))):
        log.warning("console.turned_away", why="wrong token")
        return sign_in_page(401, then=then, error="This is not the admin token.")
    log.info("console.signed_in")
    answer = RedirectResponse(then if then in {one.path for one in PAGES} else HOME, 303, NO_STORE)
    answer.set_cookie(
        COOKIE,
        sessions.begin(at.tokens, at.admin_token or "", at.store.clock.now()),
        max_age=sessions.LASTS // 1000,
        path=HOME,
        secure=base_url(request).startswith("https://"),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
async def sign_out() -> Response:
    """The browser forgets the session."""
    answer = RedirectResponse(HOME, 303, NO_STORE)
    answer.delete_cookie(COOKIE, path=HOME, httponly=True, samesite="strict")
    return answer
