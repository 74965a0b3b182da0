"""Our own pages as answers: their headers, their language, and a refusal told to somebody who came by browser."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from app.clock import from_datetime
from app.directory import Site
from app.domain.languages import known_language, preferred_language, spoken
from app.domain.spoken_time import time_label
from app.errors import Refusal
from app.service.rules import Rules
from app.web.pages import Choice, problem_page
from app.web.pages.words import WORDS
from app.web.problems import localized, problem

STYLESHEET: Final = "/static/pages.css"
_POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'"
# A page with a form of ours: under `no-referrer` a browser would send it as from nowhere.
WITH_FORM: Final = {"Referrer-Policy": "strict-origin-when-cross-origin"}


def html(page: str, status: int = 200, site: Site | None = None, headers: dict[str, str] | None = None) -> Response:
    """The page under the strictest policy: nothing inline, not kept, not indexed, framed by the site's pages alone.

    There is no form-action in it: browsers would hold the redirect to the site's own thank-you page against it.
    """
    framed = "'none'" if site is None else " ".join(("'self'", *site.origins)) if site.origins else "*"
    out = {
        "Content-Security-Policy": f"{_POLICY}; frame-ancestors {framed}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return HTMLResponse(page.encode("utf-8", "replace"), status, out | (headers or {}))


def navigates(request: Request) -> bool:
    """Whether a person's browser asks for a page, rather than a script for data."""
    mode = request.headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    return "text/html" in request.headers.get("accept", "")


def language_of(request: Request, site: Site | None, told: str = "") -> str:
    """The language of an answer: the one that was asked for, else the site's, else what the browser wishes."""
    if told:
        return known_language(told[:16])
    if site is not None:
        return known_language(site.language)
    return preferred_language(request.headers.get("accept-language", ""))


def page_language(site: Site, asked: str) -> str:
    """The language of a page that is asked for by its address: what is not spoken here is the site's."""
    return spoken(asked) or known_language(site.language)


def refused(request: Request, site: Site | None, refusal: Refusal, language: str) -> Response:
    """A refusal: a page in the visitor's language for a browser, problem+json for everything else."""
    if not navigates(request):
        return problem(request, refusal)
    page = problem_page(
        title=WORDS[language]["sorry_title"],
        detail=localized(refusal, language),
        language=language,
        stylesheet=STYLESHEET,
        site_name=site.name if site else "",
        telephone=site.telephone if site else None,
    )
    return html(page, refusal.status, site, retry_header(refusal))


def retry_header(refusal: Refusal) -> dict[str, str]:
    """`Retry-After`, where the refusal knows."""
    return {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}


def choices(slots: list[str], rules: Rules, language: str) -> list[Choice]:
    """The offered moments (ISO 8601), told on the policy's clock."""
    return [Choice(slot, time_label(rules.local(moment_of(slot)), language)) for slot in slots]


def moment_of(iso: str) -> int:
    """Milliseconds of a moment that we wrote ourselves."""
    return from_datetime(datetime.fromisoformat(iso))


def zone_name(rules: Rules) -> str:
    """The policy's clock for people: `Jerusalem`."""
    return rules.policy.timezone.rsplit("/", 1)[-1].replace("_", " ")


def status_address(key: str, lead: str, token: str, language: str, step: str = "thanks", **more: str) -> str:
    """The page of a lead; `token` as it stands in an address."""
    query = f"lead={lead}&token={token}&lang={language}"
    return f"/f/{quote(key)}/{step}?{query}" + (f"&{urlencode(more)}" if more else "")
