"""A page of the console as an answer: the strictest policy, never kept, never framed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi.responses import Response

from app.web.page_answers import STYLESHEET, html
from app.web.pages.rendering import render, templates_of

_TEMPLATES: Final = templates_of("app.console")
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # Under `no-referrer` a browser would send our own forms as from nowhere.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be gone to."""

    path: str
    name: str
    about: str


HOME: Final = "/console"
PAGES: Final = (
    Page(
        "/console/map",
        "Read a payload",
        "What a form builder's webhook becomes: which of its fields are found, by what, and whether it would be rung.",
    ),
)


def page(
    template: str,
    status: int = 200,
    *,
    here: str = "",
    signed_in: bool = True,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """The template with these values. `here` is its path, where it is one that can be gone to; `signed_in`: whether
    there is a way to the other pages, and out."""
    ways = PAGES if signed_in else ()
    body = render(template, "en", STYLESHEET, _TEMPLATES, pages=ways, home=HOME, here=here, **values)
    return html(body, status, headers=_HEADERS | (headers or {}))


def sign_in_page(status: int, *, then: str = "", error: str = "") -> Response:
    """Asks for the password, and goes on to `then`, one of PAGES."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    known = then if then in {one.path for one in PAGES} else ""
    return page("sign_in.html", status, signed_in=False, headers=headers, then=known, error=error)
