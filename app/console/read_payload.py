"""/console/map: what a form builder's payload becomes. Nothing is stored, and nobody is rung."""

from __future__ import annotations

from typing import Final

from fastapi import Depends, Request
from fastapi.responses import Response

from app.console.answer import page
from app.console.door import console_router, signed_in
from app.console.handed_in import HandedIn, read_handed_in
from app.console.reading import A_SOURCE, TOO_LONG, Answer, WrongForm, read
from app.console.shown_example import chosen_example, with_example
from app.directory_types import PRESETS
from app.domain.deliveries import ONLY_TOLD, Delivery
from app.errors import TooLarge
from app.forms.captured import MULTIPART
from app.service.forecast_words import NOTHING_KEEPS_IT, short
from app.web.desk import Desk, desk

router = console_router()

SOURCES_SHOWN: Final = 20  # those that sent last
SHOWN_OF_EACH: Final = 10  # deliveries
CONTENT_TYPES: Final = ("application/json", "application/x-www-form-urlencoded", MULTIPART, "text/plain")


@router.get("/map", dependencies=[Depends(signed_in)])
async def ask(request: Request) -> Response:
    """The form."""
    return await _page(desk(request), HandedIn())


@router.post("/map", dependencies=[Depends(signed_in)])
async def say(request: Request) -> Response:
    """The form, and what becomes of what was handed in."""
    at = desk(request)
    given = HandedIn()
    try:
        given = await read_handed_in(request)
        given, example = chosen_example(given)
        answer = await read(at, given)
        return await _page(at, with_example(given, example) if example is not None else given, answer)
    except TooLarge:
        return await _page(at, given, wrong=WrongForm("payload", TOO_LONG, 413))
    except WrongForm as wrong:
        return await _page(at, given, wrong=wrong)


async def _page(at: Desk, given: HandedIn, answer: Answer | None = None, wrong: WrongForm | None = None) -> Response:
    directory = at.rules.directory
    return page(
        "read_payload.html",
        wrong.status if wrong is not None else 200,
        here="/console/map",
        given=given,
        choices=[(A_SOURCE + key, f"{key} ({source.preset})") for key, source in directory.sources.items()],
        presets=PRESETS,
        content_types=CONTENT_TYPES,
        kept=await _kept(at),
        clock=at.rules.policy.timezone,
        told=answer.told if answer is not None else None,
        nothing_keeps_it=NOTHING_KEEPS_IT,
        delivery=_line(at, answer.delivery) if answer is not None and answer.delivery is not None else "",
        wrong={wrong.field: str(wrong)} if wrong is not None else {},
    )


async def _kept(at: Desk) -> list[tuple[str, list[tuple[str, str]]]]:
    """The latest deliveries of which a body is kept, by source: the id of each, and a line about it."""
    store = at.deliveries.store
    counts = {one.source: one.last_at for one in await store.delivery_counts()}
    sources = sorted((key for key in at.rules.directory.sources if key in counts), key=lambda key: -counts[key])
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for source in sources[:SOURCES_SHOWN]:
        latest: list[Delivery] = await store.deliveries(source, 0, (), SHOWN_OF_EACH)
        lines = [(one.id, _line(at, one)) for one in latest if one.body is not None and one.verdict not in ONLY_TOLD]
        if lines:
            found.append((source, lines))
    return found


def _line(at: Desk, one: Delivery) -> str:
    became = f"{one.verdict} ({short(one.why)})" if one.why else one.verdict
    return f"{at.rules.local(one.received_at):%Y-%m-%d %H:%M:%S}  {became}  {one.id}"
