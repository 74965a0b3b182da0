"""GET /f/{site}: the form on a page of ours; what it shows, what it carries, and that it works."""

from __future__ import annotations

import httpx
import pytest

from app.domain.languages import LANGUAGES
from app.domain.sentences import SENTENCES
from app.web.pages.words import WORDS
from tests.web.conftest import Start
from tests.web.pages import BROWSER, OURS, assert_page
from tests.web.problem import assert_problem
from tests.web.service import DIRECTORY, GOOD, Service

CONSENT = DIRECTORY.replace('key = "main"', 'key = "main"\nconsent_text = "I <agree> to be called."', 1)


async def test_the_page_can_be_sent_as_it_is(service: Service, client: httpx.AsyncClient) -> None:
    """One GET, one POST with everything the page carries, and the lead says where it came from."""
    address = "/f/main?utm_source=insta&gclid=abc&utm_source=second&phone=1&evil=1&lang=en"
    page = assert_page(await client.get(address, headers=BROWSER), 200)
    assert "Example Ltd" in page.text
    assert SENTENCES["en"]["open"] in page.text
    sends = dict(page.sends)
    assert (sends["utm_source"], sends["gclid"], sends["language"]) == ("insta", "abc", "en")
    assert sends["phone"] == ""
    assert "evil" not in sends
    response = await client.post(page.one("form")["action"], data=sends | {"phone": "0542345678"}, headers=OURS)
    assert response.status_code == 303
    (row,) = await service.rows("SELECT site, source, attribution, extra FROM leads")
    assert (row["site"], row["source"], row["extra"]) == ("main", "form", "{}")
    assert '"utm_source": "insta"' in row["attribution"]
    assert await service.rows("SELECT key FROM submissions") == [{"key": sends["submission_id"]}]


async def test_each_page_is_a_submission_of_its_own(client: httpx.AsyncClient) -> None:
    ids = {dict(assert_page(await client.get("/f/main"), 200).sends)["submission_id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_closed_site_says_so_and_offers_its_moments(client: httpx.AsyncClient, language: str) -> None:
    page = assert_page(await client.get(f"/f/night?lang={language}", headers=BROWSER), 200)
    words = WORDS[language]
    assert (page.one("html")["lang"], words["send"] in page.text) == (language, True)
    assert SENTENCES[language]["closed"].split("{time}")[0] in page.text
    first, *slots = page.all("option")
    assert first["value"] == ""
    assert words["soonest"] in page.text
    assert len(slots) > 3
    chosen = dict(page.sends) | {"phone": "0542345678", "call_at": slots[2]["value"]}
    wrong = assert_page(await client.post("/f/night", data=chosen | {"phone": "1"}, headers=OURS), 422)
    assert wrong.one("option", selected="")["value"] == slots[2]["value"], "the choice is given back, too"
    assert (await client.post("/f/night", data=chosen, headers=OURS)).status_code == 303


async def test_the_consent_is_asked_and_its_words_are_kept(start: Start) -> None:
    async with start(toml=CONSENT) as service, service.client() as client:
        page = assert_page(await client.get("/f/main", headers=BROWSER), 200)
        assert "checked" not in page.one("input", name="consent")
        assert "I <agree> to be called." in page.text
        await client.post("/f/main", data=dict(page.sends) | {"phone": "0542345678"}, headers=OURS)
        (row,) = await service.rows("SELECT consent, consent_text FROM leads")
        assert (row["consent"], row["consent_text"]) == ("true", "I <agree> to be called.")


async def test_while_nothing_is_taken_there_is_no_form_but_a_telephone(
    service: Service, client: httpx.AsyncClient
) -> None:
    await service.desk.switches.turn({"taking": False}, "test", None)
    page = assert_page(await client.get("/f/hebrew", headers=BROWSER), 503)
    assert not page.all("form")
    assert page.one("a", href="tel:035123456")
    assert SENTENCES["he"]["not_taking"] in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_unknown_site_is_told_in_the_visitors_language(client: httpx.AsyncClient, language: str) -> None:
    headers = BROWSER | {"accept-language": f"de, {language}-XX;q=0.8, en;q=0.1"}
    for response in (
        await client.get("/f/canary", headers=headers),
        await client.post("/f/canary", data={"phone": "1"}, headers=headers),
    ):
        page = assert_page(response, 404)
        assert page.one("html")["lang"] == language
        assert SENTENCES[language]["unknown_site"] in page.text
        assert "canary" not in page.text
    assert_problem(await client.get("/f/canary"), 404, "unknown_site", "canary")


async def test_only_the_sites_pages_may_frame_it(client: httpx.AsyncClient) -> None:
    response = await client.get("/f/main", headers=BROWSER)
    assert response.headers["content-security-policy"].endswith(f"frame-ancestors 'self' {GOOD}")
    missing = await client.get("/f/canary", headers=BROWSER)
    assert missing.headers["content-security-policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize("lang", ["de", "x", "<b>", "iw", "he-IL", ""])
async def test_a_language_that_is_not_spoken_is_the_sites(client: httpx.AsyncClient, lang: str) -> None:
    page = assert_page(await client.get("/f/hebrew", params={"lang": lang}, headers=BROWSER), 200)
    assert page.one("html")["lang"] == "he"
