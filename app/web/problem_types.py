"""GET /problems/{code}: where the `type` of an error leads, a page that says what it is and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup, escape

from app.errors import NotFound, Refusal
from app.web.page_answers import STYLESHEET, html
from app.web.pages import problem_type_page

router = APIRouter(include_in_schema=False)

KEPT: Final = {"Cache-Control": "public, max-age=3600"}
# Statuses, and what to do: the table of docs/http.md, word for word, which a test holds to it.
TYPES: Final[dict[str, tuple[str, str]]] = {
    "malformed": (
        "400",
        "send a body that is what its content type says, in a request in HTTP/1.1. What is no request at all hears "
        "this as well, on a connection that ends then",
    ),
    "unauthorized": ("401", "send the bearer token; for a webhook: the address or its signature is wrong"),
    "origin_not_allowed": ("403", "add the page's origin to the site in `leadring.toml`"),
    "unknown_site": ("404", "name a site that exists"),
    "not_found": ("404", "check address and token"),
    "method_not_allowed": ("405", "use the documented method"),
    "timeout": ("408", "send the body within 10 seconds"),
    "in_flight": ("409", "ask again after a second, with the same id"),
    "conflict": ("409", "the lead rings or is over; it cannot be cancelled"),
    "too_large": (
        "413 or 431",
        "413: send at most 16 KiB, a webhook 64 KiB. 431: the request line and the headers are too large; 64 KiB "
        "always pass",
    ),
    "unsupported_media_type": ("415", "use one of the four content types, uncompressed"),
    "unreadable": (
        "422",
        "a webhook whose body is no form, or has no telephone number in it: see form builders",
    ),
    "invalid": ("422", "mend the fields in `errors`; for `phone`: `missing`, `impossible`, `not_callable`"),
    "idempotency_mismatch": ("422", "use a new `submission_id` for new content"),
    "rate_limited": ("429", "wait for `Retry-After`"),
    "internal": ("500", "a defect here; the request id finds it in the log"),
    "not_taking": (
        "503",
        "no leads are taken just now, by an operator's decision; show `detail`, which says so in the visitor's "
        "language, and a telephone number. What was stored before still has its answer",
    ),
    "storage_unavailable": ("503", "nothing was stored; send it again after `Retry-After`, with the same id"),
}


@router.get("/problems/{code}")
async def explain_problem(code: str) -> Response:
    """The page of one of our codes."""
    if code not in TYPES:
        raise NotFound
    statuses, remedy = TYPES[code]
    page = problem_type_page(
        code=code, statuses=statuses, title=_title(code, statuses), remedy=_sentence(remedy), stylesheet=STYLESHEET
    )
    return html(page, headers=KEPT)


def _title(code: str, statuses: str) -> str:
    """As in the errors themselves; where no refusal has the code, the status by its name."""
    for kind in _refusals(Refusal):
        if kind.code == code:
            return kind.title
    return HTTPStatus(int(statuses[:3])).phrase


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _refusals(below)


def _sentence(remedy: str) -> Markup:
    """With a capital and a full stop; what stands between backticks is for machines."""
    parts = (remedy[0].upper() + remedy[1:] + ".").split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )
