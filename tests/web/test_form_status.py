"""From the thank-you page, without a script: see how it stands, cancel, move. The lead's own token opens it all."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.domain.languages import LANGUAGES
from app.domain.sentences import SENTENCES
from app.errors import StorageUnavailable
from app.web.pages.words import WORDS
from tests.web.pages import BROWSER, OURS, Page, assert_page
from tests.web.service import GOOD, Service, eventually

FORM = BROWSER | {"origin": GOOD}


async def sent(client: httpx.AsyncClient, site: str = "night", **fields: str) -> str:
    """The address of the thank-you page of a form that was sent."""
    response = await client.post(f"/f/{site}", data={"phone": "0542345678"} | fields, headers=FORM)
    assert response.status_code == 303, response.text
    return str(response.headers["location"])


def carried(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def see(client: httpx.AsyncClient, address: str) -> Page:
    return assert_page(await client.get(address, headers=BROWSER), 200)


def way(page: Page, step: str) -> str:
    (found,) = [link for link in page.links if f"/{step}?" in link]
    return found


async def test_a_call_is_cancelled_in_two_steps_and_the_status_says_so(
    service: Service, client: httpx.AsyncClient
) -> None:
    page = await see(client, await sent(client))
    asked = await see(client, way(page, "cancel"))
    assert asked.one("form")["method"] == "post"
    assert (await service.rows("SELECT state FROM leads")) == [{"state": "waiting"}], "a GET changes nothing"
    response = await client.post(asked.one("form")["action"], data=dict(asked.sends), headers=OURS)
    assert response.status_code == 303
    assert response.headers["referrer-policy"] == "no-referrer"
    after = await see(client, response.headers["location"])
    assert "Cancelled. We will not call you." in after.text
    assert after.renews is None
    assert [link for link in after.links if "/cancel?" in link or "/move?" in link] == []
    assert "/f/night?lang=en" in after.links, "another one can be asked for"
    assert (await service.rows("SELECT state FROM leads")) == [{"state": "cancelled"}]
    # Back in the browser, and once more: nothing breaks, and nothing is said that is not so.
    again = await client.get(way(page, "cancel"), headers=BROWSER)
    assert again.status_code == 303
    twice = await client.post(asked.one("form")["action"], data=dict(asked.sends), headers=OURS)
    assert twice.status_code == 303


async def test_a_call_is_moved_to_an_offered_moment(service: Service, client: httpx.AsyncClient) -> None:
    page = await see(client, await sent(client))
    assert "at 22:00" in page.text
    asked = await see(client, way(page, "move"))
    offered = [attrs["value"] for attrs in asked.all("option")]
    assert len(offered) > 3
    assert "Jerusalem" in asked.text
    chosen = dict(asked.sends) | {"call_at": offered[-1]}
    response = await client.post(asked.one("form")["action"], data=chosen, headers=OURS)
    assert response.status_code == 303
    after = await see(client, response.headers["location"])
    assert "We will call you on " in after.text
    (row,) = await service.rows("SELECT reason, due_at FROM leads")
    assert row["reason"] == "scheduled"


@pytest.mark.parametrize("call_at", ["", "soon", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "😀"])
async def test_a_moment_that_cannot_be_gives_the_choice_back(client: httpx.AsyncClient, call_at: str) -> None:
    address = await sent(client)
    body = carried(address) | {"call_at": call_at, "lang": "fr"}
    page = assert_page(await client.post("/f/night/move", data=body, headers=OURS), 422)
    choice = page.one("select")
    assert choice["aria-invalid"] == "true"
    assert "call_at-error" in choice["aria-describedby"]
    assert "L’heure de l’appel" in page.text


async def test_what_rings_already_can_be_neither_cancelled_nor_moved(
    service: Service, client: httpx.AsyncClient
) -> None:
    address = await sent(client, "main")
    await eventually(lambda: len(service.telephony.calls) == 1, "the request left")
    page = await see(client, address)
    assert [link for link in page.links if "/cancel?" in link or "/move?" in link] == []
    for step in ("cancel", "move"):
        asked = await client.get(address.replace("/thanks?", f"/{step}?"), headers=BROWSER)
        assert asked.status_code == 303
        body = carried(address) | {"call_at": "2026-01-05T12:00:00Z"}
        response = await client.post(f"/f/main/{step}", data=body, headers=OURS)
        assert response.status_code == 303
        assert "This is not possible any more." in (await see(client, response.headers["location"])).text
    assert await service.rows("SELECT state FROM leads") == [{"state": "dialing"}]


async def test_without_the_own_token_nothing_can_be_changed(service: Service, client: httpx.AsyncClient) -> None:
    """Neither a wrong token, nor none, nor that of a duplicate, which may only look."""
    own = carried(await sent(client))
    joined = await sent(client, name="Somebody else")
    assert carried(joined)["lead"] == own["lead"]
    look = await see(client, joined)
    assert "at 22:00" in look.text
    assert [link for link in look.links if "/cancel?" in link or "/move?" in link] == []
    for token in (carried(joined)["token"], "x", "", own["token"][:-1], own["token"] + "x", "\u05d0"):
        body = {"lead": own["lead"], "token": token, "call_at": "2026-01-06T20:00:00Z"}
        for step in ("cancel", "move"):
            assert_page(await client.post(f"/f/night/{step}", data=body, headers=OURS), 404)
            asked = await client.get(f"/f/night/{step}", params=body | {"call_at": ""}, headers=BROWSER)
            assert_page(asked, 404)
    (row,) = await service.rows("SELECT state, due_at FROM leads")
    assert row["state"] == "waiting"


async def test_a_double_click_keeps_the_token_that_may_cancel(service: Service, client: httpx.AsyncClient) -> None:
    """A form without an id of its own: whichever answer the browser follows, it is the same."""
    assert await sent(client) == await sent(client)
    assert len(await service.rows("SELECT id FROM leads")) == 1


async def test_the_same_words_are_another_request_when_the_first_is_over(
    service: Service, client: httpx.AsyncClient
) -> None:
    """What makes a double click one submission must not swallow a request that is meant."""
    first = carried(await sent(client))
    await client.post("/f/night/cancel", data=first, headers=OURS)
    service.clock.advance(11)
    assert carried(await sent(client))["lead"] != first["lead"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_step_speaks_the_visitors_language(client: httpx.AsyncClient, language: str) -> None:
    words = WORDS[language]
    address = await sent(client, language=language)
    page = await see(client, address)
    asked, moments = await see(client, way(page, "cancel")), await see(client, way(page, "move"))
    for shown, said in ((page, words["thanks_title"]), (asked, words["cancel_title"]), (moments, words["move_send"])):
        assert said in shown.text
        assert shown.one("html")["lang"] == language
        assert shown.one("html")["dir"] == ("rtl" if language in ("he", "ar") else "ltr")
    back = await client.post("/f/night/cancel", data=dict(asked.sends), headers=OURS)
    assert words["cancelled"] in (await see(client, back.headers["location"])).text
    missing = assert_page(await client.get("/f/canary/thanks", headers=BROWSER | {"accept-language": language}), 404)
    assert SENTENCES[language]["unknown_site"] in missing.text


async def test_the_page_renews_itself_less_often_as_time_goes_by(service: Service, client: httpx.AsyncClient) -> None:
    address = await sent(client, "nobody")
    found = []
    for minutes in (0, 3, 20):
        service.clock.advance(minutes * 60)
        found.append((await see(client, address)).renews)
    assert found == [5, 15, 60]
    still = await see(client, address + "&renew=no")
    assert still.renews is None
    assert WORDS["en"]["still"] in still.text
    (go_on,) = [link for link in still.links if "/thanks?" in link]
    assert (await see(client, go_on)).renews == 60


async def test_no_address_with_a_token_is_told_to_anybody(client: httpx.AsyncClient) -> None:
    """No referrer leaves these pages, and they may be framed by the site's own pages alone."""
    address = await sent(client)
    for step in ("thanks", "cancel", "move"):
        response = await client.get(address.replace("/thanks?", f"/{step}?"), headers=BROWSER)
        assert response.headers["referrer-policy"] == "no-referrer"
        assert f"frame-ancestors 'self' {GOOD}" in response.headers["content-security-policy"]


async def test_a_status_that_cannot_be_read_just_now_is_a_page_too(service: Service, client: httpx.AsyncClient) -> None:
    address = await sent(client)

    async def gone(_: str) -> None:
        raise StorageUnavailable("gone")

    service.desk.store.story = gone  # type: ignore[assignment, method-assign]
    page = assert_page(await client.get(address, headers=BROWSER), 503)
    assert WORDS["en"]["sorry_title"] in page.text


@pytest.mark.parametrize("step", ["cancel", "move"])
async def test_an_odd_body_is_a_page_and_no_crash(client: httpx.AsyncClient, step: str) -> None:
    for kind, body, status in (
        ("application/json", b"[1", 400),
        ("image/png", b"x", 415),
        ("application/x-www-form-urlencoded", b"", 404),
        ("application/x-www-form-urlencoded", b"lead=%ff%00&token=%ed%a0%80", 404),
        ("application/json", b'{"lead": {"a": [1]}, "token": ["\\ud800"], "lang": 7}', 404),
        ("application/x-www-form-urlencoded", b"lead=" + b"x" * 20_000, 413),
    ):
        response = await client.post(f"/f/night/{step}", content=body, headers=OURS | {"content-type": kind})
        assert_page(response, status)
    assert_page(await client.post(f"/f/canary/{step}", data={}, headers=OURS), 404)
