"""/embed: makes the lines that put the form on a website, from an address; no login, no secret, no list of sites.

The sites are not listed. Each key is public, since it stands on its own website, but the list of them all tells
whom else the operator works for. The key is typed, and checked as anybody can check it: there is such a site or not.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup, escape

from app.directory import Site
from app.directory_sites import normal_origin
from app.domain.languages import LANGUAGES, RIGHT_TO_LEFT, known_language, preferred_language, spoken
from app.domain.text import clean
from app.errors import NotFound
from app.web.addresses import base_url, own_origin
from app.web.desk import Desk, desk
from app.web.files import ANYWHERE, Asset
from app.web.page_answers import STYLESHEET, html
from app.web.pages.embed_words import EMBED_WORDS
from app.web.pages.rendering import render
from app.web.pages.snippets import MODES, Script, Wish, policy_lines, snippet, style_rule
from app.web.sites import see as see_site

router = APIRouter(include_in_schema=False)

NAMES: Final = {"he": "עברית", "en": "English", "ar": "العربية", "ru": "Русский", "fr": "Français", "es": "Español"}
KINDS: Final = {"site": {"required": ""}, "colour": {"maxlength": "7"}, "tel": {"type": "tel"}, "page": {"type": "url"}}
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
SANE_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
TELEPHONE: Final = re.compile(r"[0-9+*#() .-]{2,32}")
Text = Annotated[str, Query(max_length=300)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of the page says, as typed, and what is wrong with it by field."""

    values: dict[str, str]
    wish: Wish | None
    errors: dict[str, str]
    origin: str


def _typed(site: Text = "", mode: Text = "", language: Text = "", colour: Text = "", tel: Text = "") -> dict[str, str]:
    """What both the page and the preview are asked for, as it was typed."""
    typed = {"site": site, "mode": mode, "language": language, "colour": colour, "tel": tel}
    return {name: clean(value, 300) for name, value in typed.items()}


Typed = Annotated[dict[str, str], Depends(_typed)]


@router.get("/embed")
async def embed(request: Request, typed: Typed, page: Text = "", lang: Text = "") -> Response:
    """The page: a form, and below it what was asked for."""
    at = desk(request)
    tag = _page_language(request, lang)
    asked = _read(at, typed | {"page": clean(page, 300)}, EMBED_WORDS[tag])
    words = EMBED_WORDS[tag]
    other = "en" if tag == "he" else "he"
    body = render(
        "embed.html",
        tag,
        STYLESHEET,
        words=words,
        values=asked.values,
        errors=asked.errors,
        kinds=KINDS,
        menus={
            "mode": [(name, words[name]) for name in MODES],
            "language": [("", words["page_language"]), *((name, NAMES[name]) for name in LANGUAGES)],
        },
        other={"language": other, "address": "/embed?" + urlencode(asked.values | {"lang": other})},
        made=_made(request, asked, tag) if asked.wish else None,
    )
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; frame-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    return html(body, 404 if "site" in asked.errors else 200, headers={"Content-Security-Policy": policy})


def _page_language(request: Request, lang: str) -> str:
    wanted = spoken(lang) or preferred_language(request.headers.get("accept-language", ""))
    return wanted if wanted in EMBED_WORDS else "en"


def _read(at: Desk, values: dict[str, str], words: Any) -> Asked:
    """Wrong wishes are told and left out; without a site there is nothing to make."""
    sites = at.rules.directory.sites
    if not values["site"] and len(sites) == 1:
        values["site"] = next(iter(sites))  # the one there is needs no naming: a form may leave it out, too
    values["mode"] = values["mode"] if values["mode"] in MODES else MODES[0]
    values["language"] = spoken(values["language"]) or ""
    errors = {}
    site = sites.get(values["site"])
    if values["site"] and site is None:
        errors["site"] = words["wrong_site"]
    for name, pattern in (("colour", COLOUR), ("tel", TELEPHONE)):
        if values[name] and not pattern.fullmatch(values[name]):
            errors[name] = words[f"wrong_{name}"]
    origin = _origin(values["page"])
    if values["page"] and not origin:
        errors["page"] = words["wrong_page"]
    if site is None:
        return Asked(values, None, errors, origin)
    colour, telephone = ("" if name in errors else values[name] for name in ("colour", "tel"))
    wish = Wish(site, values["mode"], values["language"], colour, telephone or site.telephone or "")
    return Asked(values, wish, errors, origin)


def _origin(page: str) -> str:
    """The origin of a page's address as browsers send it, or nothing."""
    try:
        parts = urlsplit(page)
        return normal_origin(f"{parts.scheme}://{parts.netloc}") if page else ""
    except ValueError:
        return ""


def _made(request: Request, asked: Asked, tag: str) -> dict[str, Any]:
    """The pieces of text to copy, and where the preview is."""
    wish = asked.wish
    assert wish is not None
    base = base_url(request)
    evergreen, pinned = _scripts(request, base)
    texts = [("lines", "lines_hint" if wish.scripted else "plain_hint", snippet(wish, base, evergreen))]
    if wish.scripted:
        texts.append(("pinned", "pinned_hint", snippet(wish, base, pinned)))
    texts += [
        ("style", "style_hint", style_rule(wish)),
        ("policy", "policy_hint", policy_lines(wish, base)),
        ("hosted", "hosted_hint", f"{base}/f/{wish.site.key}" + (f"?lang={wish.language}" if wish.language else "")),
    ]
    shown = {name: asked.values[name] for name in ("site", "mode", "language", "colour", "tel")} | {"lang": tag}
    return {
        "parts": [{"name": name, "hint": hint, "text": text} for name, hint, text in texts if text],
        "preview": "/embed/preview?" + urlencode(shown),
        "origin": asked.origin,
        "allowed": _allowed(wish.site, asked.origin),
    }


def _allowed(site: Site, origin: str) -> bool | None:
    """Whether pages of this origin may send leads; None when no page is named."""
    return (not site.origins or origin in site.origins) if origin else None


def _scripts(request: Request, base: str) -> tuple[Script, Script]:
    asset: Asset = request.app.state.files.get("widget.js")
    return (
        Script(f"{base}/widget/v1.js"),
        Script(f"{base}/widget/v1.{asset.hash}.js", asset.integrity),
    )


@router.get("/embed/preview")
async def preview(request: Request, typed: Typed, lang: Text = "") -> Response:
    """The very lines, on an empty page that can send nothing: without forms, and without a way to the leads."""
    at = desk(request)
    tag = _page_language(request, lang)
    words = EMBED_WORDS[tag]
    asked = _read(at, typed | {"page": ""}, words)
    if asked.wish is None:
        raise NotFound
    wish, base = asked.wish, base_url(request)
    nonce = secrets.token_urlsafe(16)
    shown = known_language(wish.language or wish.site.language)
    lines = snippet(wish, base, _scripts(request, base)[0])
    # What the widget asks for is answered to a page from nowhere, which a frame without same-origin is.
    lines = lines.replace("<script async ", f'<script async data-api="{escape(base)}/embed/preview" ', 1)
    body = render(
        "preview.html",
        shown,
        STYLESHEET,
        words=words,
        told_in=tag,
        direction="rtl" if shown in RIGHT_TO_LEFT else "ltr",
        rule=Markup(style_rule(wish)),  # noqa: S704 - the colour is # and six hexadecimal digits
        nonce=nonce,
        snippet=Markup(lines),  # noqa: S704 - made by us, every value in it escaped
    )
    origin = own_origin(request)
    origin = origin if SANE_ORIGIN.fullmatch(origin) else "'self'"  # whatever a Host header says
    policy = (
        f"default-src 'none'; script-src {origin}; style-src {origin} 'nonce-{nonce}'; img-src data:; "
        f"connect-src {origin}/embed/preview/ {origin}/widget/words/; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-scripts"
    )
    return html(body, headers={"Content-Security-Policy": policy})


@router.get("/embed/preview/v1/sites/{site}")
async def preview_site(request: Request, site: str) -> Response:
    """What GET /v1/sites/{site} says, to a page from nowhere."""
    answer = await see_site(request, site)
    answer.headers.update(ANYWHERE)
    return answer


@router.get("/embed/preview/widget/words/{name}")
async def preview_words(name: Annotated[str, Path(pattern=r"^[a-z]{2}\.json$")]) -> Response:
    """The words of a language are where they always are."""
    return RedirectResponse(f"/widget/words/{name}", 307, ANYWHERE)
