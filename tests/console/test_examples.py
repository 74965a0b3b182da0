"""/console/map: an example that is chosen is read, told, and put into the form; nothing else happens."""

from __future__ import annotations

import html

import httpx
import pytest

from app.directory_types import PRESETS
from app.forms.examples import examples
from tests.console.told_page import read_page
from tests.console.visiting import MAP, assert_console, hand_in, shown
from tests.web.service import Service

# Those two pass on what they are given, and are read as what it looks like.
READ_AS = {"zapier": "generic", "make": "generic"}


def pasted(page: httpx.Response) -> str:
    """What stands in the textarea; the line end that HTML drops at its beginning is no part of it."""
    inside = page.text.split("<textarea", 1)[1].split(">", 1)[1].split("</textarea>", 1)[0]
    return html.unescape(inside.removeprefix("\n"))


async def test_the_form_offers_each_of_them_and_none_is_chosen(client: httpx.AsyncClient) -> None:
    answer = await client.get(MAP)
    assert_console(answer)
    select = answer.text.split('<select id="example"', 1)[1].split("</select>", 1)[0]
    assert select.count("<option") == 1 + len(PRESETS)
    assert all(f'<option value="{preset}">' in select for preset in PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
async def test_it_is_read_as_its_builder_and_stands_in_the_form(client: httpx.AsyncClient, preset: str) -> None:
    answer = await hand_in(client, example=preset)
    page = assert_console(answer)
    assert read_page(answer.text).headline == f"read as {READ_AS.get(preset, preset)}"
    assert "reads as +972542345678" in shown(answer)
    assert pasted(answer) == examples()[preset].text
    assert [option.get("value") for option in page.all("option") if "selected" in option] == []


async def test_another_is_read_while_the_one_before_still_stands_there(client: httpx.AsyncClient) -> None:
    """As a browser sends a textarea: with CR LF. What somebody changed is not thrown away."""
    for before in ("jotform", "wix"):
        left = "\r\n".join(examples()[before].text.splitlines())
        answer = await hand_in(client, left, example="tally")
        assert pasted(answer) == examples()["tally"].text
        assert_console(await hand_in(client, left + "x", example="tally"), 422)


async def test_what_was_put_there_reads_the_same_when_it_is_pasted(client: httpx.AsyncClient) -> None:
    for preset in PRESETS:
        chosen = await hand_in(client, example=preset)
        again = await hand_in(client, pasted(chosen), **{"as": preset})
        assert read_page(again.text).lines == read_page(chosen.text).lines, preset


async def test_it_may_be_read_as_a_source_of_the_file(client: httpx.AsyncClient) -> None:
    answer = await hand_in(client, example="typeform", **{"as": "source:quiz"})
    assert read_page(answer.text).headline == "read as typeform for [sources.quiz]"


async def test_nothing_of_it_is_stored(service: Service, client: httpx.AsyncClient) -> None:
    assert_console(await hand_in(client, example="elementor"))
    assert await service.rows("SELECT id FROM leads") == []
    assert await service.rows("SELECT id FROM deliveries") == []
    assert service.telephony.calls == []
