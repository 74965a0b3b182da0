"""POST /f/{site}: the action of an ordinary form. No script needed, nothing typed is lost."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict
from typing import Annotated, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from slowapi.errors import RateLimitExceeded

from app.directory import Site
from app.domain.messages import known_language, sentence
from app.domain.text import as_text, clean
from app.errors import ForbiddenOrigin, IdempotencyMismatch, InFlight, NotFound, RateLimited, Refusal, UnknownSite
from app.service.answered import Answered
from app.service.lead_view import View
from app.service.submission import Submission
from app.web.addresses import own_origin
from app.web.bodies import read_fields
from app.web.desk import Desk, desk
from app.web.leads import accepted, problems
from app.web.limits import client_address, retry_after
from app.web.pages import contact_form, problem_page, thank_you
from app.web.problems import localized, problem

router = APIRouter(tags=["forms"])

STYLESHEET: Final = "/static/pages.css"
PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
TWIN_PATIENCE: Final = 30  # tenths of a second a double click waits for its first half
REFRESH_SECONDS: Final = 5
NEXT_LENGTH: Final = 2000  # characters of `_next`


@router.post("/f/{site}", operation_id="submit_form", responses=problems(400, 403, 404, 413, 415, 422, 429, 503))
async def submit(request: Request, site: str) -> Response:
    """A browser gets a page or a redirect to one; a script that asks for JSON gets what POST /v1/leads answers."""
    at = desk(request)
    fields: dict[str, object] = {}
    try:
        refused = await _counted(request, at)
        # What was typed is read even past the limit: the page that says so gives it back.
        fields = await read_fields(request)
        if refused is not None:
            raise refused
        answered = await _submit(request, at, site, fields)
    except Refusal as refusal:
        if not _navigates(request):
            return problem(request, refusal)
        return _given_back(request, at, site, fields, refusal)
    if not _navigates(request):
        return accepted(answered)
    return RedirectResponse(_next(at, site, fields, answered), 303, {"Cache-Control": "no-store"})


async def _counted(request: Request, at: Desk) -> RateLimited | None:
    try:
        await at.gate(request)
    except RateLimitExceeded:
        at.metrics.rate_limited.inc()
        return RateLimited(await asyncio.to_thread(retry_after, request))
    return None


async def _submit(request: Request, at: Desk, site: str, fields: dict[str, object]) -> Answered:
    submission = Submission(
        fields=fields,
        source="form",
        client=client_address(request),
        origin=request.headers.get("origin"),
        site=site,
        trusted_origin=own_origin(request),
    )
    for _ in range(TWIN_PATIENCE):
        try:
            return await at.intake.submit(submission)
        except InFlight:
            # The other half of a double click is being stored; its answer is ours in a moment.
            await asyncio.sleep(0.1)
    return await at.intake.submit(submission)


def _navigates(request: Request) -> bool:
    mode = request.headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    return "text/html" in request.headers.get("accept", "")


def _next(at: Desk, key: str, fields: dict[str, object], answered: Answered) -> str:
    """Where the browser goes: `_next` when its origin is the site's, the site's own page, else ours."""
    site = at.rules.directory.sites[key]
    wanted = clean(as_text(fields.get("_next")), NEXT_LENGTH)
    with contextlib.suppress(ValueError):  # what is no address is as if it were not there
        parts = urlsplit(wanted)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}".lower() in site.origins:
            return wanted
    if site.thank_you_url:
        return site.thank_you_url
    token = answered.status_url.split("token=", 1)[1]
    language = known_language(as_text(fields.get("language"))[:16] or site.language)
    return f"/f/{quote(key)}/thanks?lead={answered.lead_id}&token={token}&lang={language}"


def _given_back(request: Request, at: Desk, key: str, fields: dict[str, object], refusal: Refusal) -> Response:
    """The form with everything that was typed, or a page that says why there is no form to give back."""
    site = at.rules.site(key)
    language = _language(request, site, fields)
    if site is None or isinstance(refusal, UnknownSite | ForbiddenOrigin) or not fields:
        page = problem_page(title=refusal.title, detail=str(refusal), language=language, stylesheet=STYLESHEET)
        return HTMLResponse(page, refusal.status, PAGE_HEADERS | _retry(refusal))
    errors = {error.field: error.message for error in refusal.errors}
    # An id that is itself what is wrong would be refused for ever.
    stale = isinstance(refusal, IdempotencyMismatch) or "submission_id" in errors
    if not errors:
        errors = {"phone": localized(refusal, language)}
    page = contact_form(
        action=f"/f/{quote(key)}",
        site_name=site.name,
        values={name: as_text(value) for name, value in fields.items() if name != "submission_id"},
        errors=errors,
        language=language,
        submission_id=(None if stale else as_text(fields.get("submission_id"))) or uuid4().hex,
        telephone=site.telephone,
        stylesheet=STYLESHEET,
    )
    headers = PAGE_HEADERS | {"Referrer-Policy": "strict-origin-when-cross-origin"} | _retry(refusal)
    return HTMLResponse(page.encode("utf-8", "replace"), refusal.status, headers)


def _retry(refusal: Refusal) -> dict[str, str]:
    return {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}


def _language(request: Request, site: Site | None, fields: dict[str, object]) -> str:
    told = as_text(fields.get("language"))[:16]
    if told:
        return told
    return site.language if site else request.headers.get("accept-language", "en")[:8]


@router.get("/f/{site}/thanks", operation_id="form_thanks", responses=problems(404))
async def thanks(
    request: Request,
    site: str,
    lead: Annotated[str, Query(max_length=64)] = "",
    token: Annotated[str, Query(max_length=64)] = "",
    lang: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The built-in thank-you page; it renews itself until the lead's story is over."""
    at = desk(request)
    found = at.rules.site(site)
    if found is None:
        raise UnknownSite
    view: View | None = None
    try:
        view = await at.views.see(lead, token) if lead else None
    except NotFound:
        view = None
    page = thank_you(
        site_name=found.name,
        language=lang or found.language,
        message=_thanks(view, lang or found.language),
        status=asdict(view) if view else None,
        refresh_seconds=REFRESH_SECONDS if view and not view.final else None,
        stylesheet=STYLESHEET,
        telephone=found.telephone,
    )
    return HTMLResponse(page, 200, PAGE_HEADERS)


def _thanks(view: View | None, language: str) -> str:
    return sentence("dialing" if view and view.state == "dialing" else "waiting", language)
