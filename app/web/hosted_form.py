"""GET /f/{site}: the form itself, on a page of ours: for a link in a profile, a QR code, an e-mail."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.directory import Site
from app.domain.messages import sentence
from app.domain.text import EXTRA_FIELDS, clean
from app.errors import NotTaking, UnknownSite
from app.service.submission import is_attribution
from app.web.addresses import base_url
from app.web.desk import Desk, desk
from app.web.leads import problems
from app.web.page_answers import (
    STYLESHEET,
    WITH_FORM,
    choices,
    html,
    language_of,
    page_language,
    refused,
    zone_name,
)
from app.web.pages import contact_form

router = APIRouter(tags=["forms"])

CARRIED: Final = 300  # characters of one campaign field


@router.get("/f/{site}", operation_id="show_form", response_class=HTMLResponse, responses=problems(404, 422, 503))
async def show(request: Request, site: str, lang: Annotated[str, Query(max_length=16)] = "") -> Response:
    """The form of a site; `utm_*` and click ids of its address travel with the lead."""
    at = desk(request)
    found = at.rules.site(site)
    if found is None:
        return refused(request, None, UnknownSite(), language_of(request, None, lang))
    language = page_language(found, lang)
    if not at.switches.taking:
        return refused(request, found, NotTaking(), language)
    now = at.store.clock.now()
    is_open = at.rules.is_open(found, now)
    busy = is_open and (await at.usual_wait.of(site)).busy
    slots = [] if is_open and not busy else choices(await at.slots.offered(site), at.rules, language)
    page = contact_form(
        action=f"/f/{quote(site)}",
        site_name=found.name,
        values=_campaign(request) | _blank(found, language, base_url(request)),
        errors={},
        language=language,
        submission_id=uuid4().hex,
        telephone=found.telephone,
        stylesheet=STYLESHEET,
        intro=sentence("busy", language) if busy else _intro(at, found, now, language, is_open=is_open),
        slots=slots,
        zone=zone_name(at.rules),
    )
    return html(page, 200, found, WITH_FORM)


def _intro(at: Desk, site: Site, now: int, language: str, *, is_open: bool) -> str:
    if is_open:
        return sentence("open", language)
    opens = at.rules.opening(site.key)(now)
    return sentence("closed", language, time=at.rules.say_time(opens, now, language))


def _campaign(request: Request) -> dict[str, str]:
    """What the address says of where the visitor came from, and nothing else of it."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if is_attribution(name) and name not in found and len(found) < EXTRA_FIELDS:
            found[name] = clean(value, CARRIED)
    return found


def _blank(site: Site, language: str, base: str) -> dict[str, str]:
    found = {"message": "", "language": language, "page_url": f"{base}/f/{quote(site.key)}"}
    return found | ({"consent_text": site.consent_text} if site.consent_text else {})
