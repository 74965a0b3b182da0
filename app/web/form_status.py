"""What becomes of a form that was sent without script: the thank-you page, and from it to cancel and to move."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.directory import Site
from app.domain.messages import sentence
from app.domain.text import as_text
from app.errors import Conflict, Invalid, NotFound, Refusal, UnknownSite
from app.service.lead_view import View
from app.web.bodies import read_fields
from app.web.desk import Desk, desk
from app.web.leads import problems
from app.web.page_answers import (
    STYLESHEET,
    choices,
    html,
    language_of,
    moment_of,
    page_language,
    refused,
    status_address,
    zone_name,
)
from app.web.pages import cancel_page, move_page, thank_you
from app.web.pages.renewal import renew_after

router = APIRouter(tags=["forms"])

SMALL: Final = 64  # characters of an id or a token
Id = Annotated[str, Query(max_length=SMALL)]
Word = Annotated[str, Query(max_length=16)]


@router.get(
    "/f/{site}/thanks", operation_id="form_thanks", response_class=HTMLResponse, responses=problems(404, 422, 503)
)
async def thanks(
    request: Request, site: str, lead: Id = "", token: Id = "", lang: Word = "", renew: Word = "", late: Word = ""
) -> Response:
    """The built-in thank-you page; it renews itself until the lead's story is over, or with `renew=no` not at all.

    Where no lead is named it only thanks. A lead that is not there, or a token that does not open it, is not thanked
    for: somebody may wait for that call.
    """
    at = desk(request)
    found = at.rules.site(site)
    if found is None:
        return refused(request, None, UnknownSite(), language_of(request, None, lang))
    language = page_language(found, lang)
    view: View | None = None
    try:
        view = await at.views.see(lead, token) if lead or token else None
    except Refusal as refusal:
        return refused(request, found, refusal, language)
    now = at.store.clock.now()
    when = view.expected_call_at if view else None
    seconds = renew_after(asdict(view), at.rules.local(now)) if view and renew != "no" else None
    page = thank_you(
        site_name=found.name,
        language=language,
        message=sentence("waiting", language),
        notice=sentence("conflict", language) if view and late else "",
        status=asdict(view) if view else None,
        when=at.rules.say_time(moment_of(when), now, language) if when else "",
        links=_links(at, found, view, lead, quote(token), language, still=renew == "no") if view else {},
        refresh_seconds=seconds,
        stylesheet=STYLESHEET,
        telephone=found.telephone,
    )
    return html(page, 200, found)


def _links(at: Desk, site: Site, view: View, lead: str, token: str, language: str, *, still: bool) -> dict[str, str]:
    """What the visitor can still do: everything with the lead's own token, nothing but look with a duplicate's."""

    def to(step: str, **more: str) -> str:
        return status_address(site.key, lead, token, language, step, **more)

    if view.final:
        return {"again": f"/f/{quote(site.key)}?lang={language}"}
    found = {"go_on": to("thanks")} if still else {"hold_still": to("thanks", renew="no")}
    if view.state == "waiting" and at.tokens.scope(lead, token) == "own":
        found |= {"move": to("move"), "cancel": to("cancel")}
    return found


async def _movable(request: Request, site: str, lead: str, token: str, lang: str) -> tuple[Site, str] | Response:
    """The site and the language, when there is still something to change; else where to go instead."""
    at = desk(request)
    found = at.rules.site(site)
    if found is None:
        return refused(request, None, UnknownSite(), language_of(request, None, lang))
    language = page_language(found, lang)
    try:
        view = await at.views.see(lead, token)
    except Refusal as refusal:
        return refused(request, found, refusal, language)
    if at.tokens.scope(lead, token) != "own":
        return refused(request, found, NotFound(), language)
    if view.state != "waiting":
        return _back(found, lead, token, language, late=view.state != "cancelled")
    return found, language


def _back(site: Site, lead: str, token: str, language: str, *, late: bool = False) -> Response:
    more = {"late": "yes"} if late else {}
    address = status_address(site.key, quote(lead), quote(token), language, **more)
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


@router.get(
    "/f/{site}/cancel", operation_id="ask_before_cancel", response_class=HTMLResponse, responses=problems(404, 422, 503)
)
async def ask_before_cancel(request: Request, site: str, lead: Id = "", token: Id = "", lang: Word = "") -> Response:
    """Asks once more; a call that can no longer be cancelled leads back to its status."""
    found = await _movable(request, site, lead, token, lang)
    if isinstance(found, Response):
        return found
    of, language = found
    page = cancel_page(
        site_name=of.name,
        language=language,
        stylesheet=STYLESHEET,
        action=f"/f/{quote(site)}/cancel",
        hidden={"lead": lead, "token": token, "lang": language},
        back=status_address(site, quote(lead), quote(token), language),
    )
    return html(page, 200, of)


@router.get("/f/{site}/move", operation_id="ask_when", response_class=HTMLResponse, responses=problems(404, 422, 503))
async def ask_when(request: Request, site: str, lead: Id = "", token: Id = "", lang: Word = "") -> Response:
    """The moments that have room, to choose from."""
    found = await _movable(request, site, lead, token, lang)
    if isinstance(found, Response):
        return found
    return await _moments(request, *found, lead, token)


async def _moments(
    request: Request, site: Site, language: str, lead: str, token: str, error: str = "", status: int = 200
) -> Response:
    at = desk(request)
    page = move_page(
        site_name=site.name,
        language=language,
        stylesheet=STYLESHEET,
        action=f"/f/{quote(site.key)}/move",
        hidden={"lead": lead, "token": token, "lang": language},
        back=status_address(site.key, quote(lead), quote(token), language),
        slots=choices(await at.slots.offered(site.key), at.rules, language),
        zone=zone_name(at.rules),
        error=error,
    )
    return html(page, status, site)


@router.post(
    "/f/{site}/cancel",
    operation_id="cancel_by_form",
    status_code=303,
    response_class=RedirectResponse,
    responses=problems(400, 404, 408, 413, 415, 503),
)
async def cancel(request: Request, site: str) -> Response:
    """Cancels with the lead's own token, which stands in the form, and goes back to the status, whatever it is."""
    return await _change(request, site, move=False)


@router.post(
    "/f/{site}/move",
    operation_id="move_by_form",
    status_code=303,
    response_class=RedirectResponse,
    responses=problems(400, 404, 408, 413, 415, 422, 503),
)
async def move(request: Request, site: str) -> Response:
    """Another time for the call, `call_at`, with the lead's own token; then back to the status."""
    return await _change(request, site, move=True)


async def _change(request: Request, key: str, *, move: bool) -> Response:
    at = desk(request)
    site = at.rules.site(key)
    if site is None:
        return refused(request, None, UnknownSite(), language_of(request, None))
    language = page_language(site, "")
    try:
        fields = await read_fields(request)
        language = page_language(site, as_text(fields.get("lang")))
        lead, token = as_text(fields.get("lead"))[:SMALL], as_text(fields.get("token"))[:SMALL]
        try:
            if move:
                await at.views.move(lead, token, as_text(fields.get("call_at")))
            else:
                await at.views.cancel(lead, token)
        except Conflict:
            return _back(site, lead, token, language, late=True)
        except Invalid as invalid:
            told = " ".join(sentence(f"{error.field}.{error.code}", language) for error in invalid.errors)
            return await _moments(request, site, language, lead, token, told, invalid.status)
    except Refusal as refusal:
        return refused(request, site, refusal, language)
    return _back(site, lead, token, language)
