"""POST /f/{site}: the action of an ordinary form. No script needed, nothing typed is lost."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from slowapi.errors import RateLimitExceeded

from app.domain.languages import known_language
from app.domain.text import as_text, clean
from app.errors import ForbiddenOrigin, IdempotencyMismatch, InFlight, RateLimited, Refusal, UnknownSite
from app.service.answered import Answered
from app.service.submission import Submission, fingerprint_text, key_of
from app.web.addresses import own_origin
from app.web.bodies import read_fields
from app.web.desk import Desk, desk
from app.web.leads import accepted, problems, source_of
from app.web.limits import client_address, retry_after
from app.web.page_answers import (
    STYLESHEET,
    WITH_FORM,
    choices,
    html,
    language_of,
    navigates,
    refused,
    retry_header,
    status_address,
    zone_name,
)
from app.web.pages import contact_form
from app.web.pages.rendering import put
from app.web.pages.words import WORDS
from app.web.problems import localized, problem

router = APIRouter(tags=["forms"])

TWIN_PATIENCE: Final = 30  # tenths of a second a double click waits for its first half
TWINS_WITHIN: Final = 10_000  # milliseconds in which the same words from the same address are one submission
NEXT_LENGTH: Final = 2000  # characters of `_next`


@router.post("/f/{site}", operation_id="submit_form", responses=problems(400, 403, 404, 413, 415, 422, 429, 503))
async def submit(request: Request, site: str) -> Response:
    """A browser gets a page or a redirect to one; a script that asks for JSON gets what POST /v1/leads answers."""
    at = desk(request)
    fields: dict[str, object] = {}
    try:
        limited = await _counted(request, at)
        # What was typed is read even past the limit: the page that says so gives it back.
        fields = await read_fields(request)
        source_of(fields)  # the widget's word, where it left a form of its own to the browser: known at this door
        if limited is not None:
            raise limited
        answered = await _submit(request, at, site, fields)
    except Refusal as refusal:
        if not navigates(request):
            return problem(request, refusal)
        return await _given_back(request, at, site, fields, refusal)
    if not navigates(request):
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
    if not key_of(submission):
        submission = _with_key(submission, at)
    for _ in range(TWIN_PATIENCE):
        try:
            return await at.intake.submit(submission)
        except InFlight:
            # The other half of a double click is being stored; its answer is ours in a moment.
            await asyncio.sleep(0.1)
    return await at.intake.submit(submission)


def _with_key(submission: Submission, at: Desk) -> Submission:
    """For a form without an id: the same words from the same address within seconds are the same submission.

    Without it the second half of a double click, whose answer the browser follows, would only join the lead: a
    visitor who could look at the call and not cancel it.
    """
    when = at.store.clock.now() // TWINS_WITHIN
    words = "\n".join((submission.site or "", submission.client, str(when), fingerprint_text(submission.fields)))
    return replace(submission, idempotency_key="twin-" + at.tokens.fingerprint(words)[:40])


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
    return status_address(key, answered.lead_id, token, language)


async def _given_back(request: Request, at: Desk, key: str, fields: dict[str, object], refusal: Refusal) -> Response:
    """The form with everything that was typed, or a page that says why there is no form to give back."""
    site = at.rules.site(key)
    language = language_of(request, site, as_text(fields.get("language")))
    if site is None or isinstance(refusal, UnknownSite | ForbiddenOrigin) or not fields:
        return refused(request, site, refusal, language)
    errors = {error.field: error.message for error in refusal.errors}
    # An id that is itself what is wrong would be refused for ever.
    stale = isinstance(refusal, IdempotencyMismatch) or "submission_id" in errors
    values = {name: _typed(value) for name, value in fields.items() if name != "submission_id"}
    page = contact_form(
        action=f"/f/{quote(key)}",
        site_name=site.name,
        values=values,
        errors=errors,
        notice="" if errors else _notice(refusal, language),
        language=language,
        submission_id=(None if stale else as_text(fields.get("submission_id"))) or uuid4().hex,
        telephone=site.telephone,
        stylesheet=STYLESHEET,
        slots=choices(await at.slots.offered(key), at.rules, language) if "call_at" in values else (),
        zone=zone_name(at.rules),
    )
    return html(page, refusal.status, site, WITH_FORM | retry_header(refusal))


def _typed(value: object) -> str | list[str]:
    """As the form sent it: several boxes of one name stay several."""
    return [as_text(item) for item in value] if isinstance(value, list) else as_text(value)


def _notice(refusal: Refusal, language: str) -> str:
    """What is wrong with none of the fields, and when it may be sent again, in so far as that is known."""
    notice = localized(refusal, language)
    if isinstance(refusal, RateLimited) and refusal.retry_after:
        notice += " " + put(WORDS[language]["retry_in"], str(refusal.retry_after))
    return notice
