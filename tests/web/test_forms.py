"""POST /f/{site}: a form without script. Nothing that was typed is lost, and nobody is sent to a strange place."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.domain.languages import LANGUAGES
from app.domain.sentences import SENTENCES
from app.errors import StorageUnavailable
from tests.web import pages
from tests.web.conftest import Start
from tests.web.pages import assert_page
from tests.web.problem import assert_problem, assert_retry_after
from tests.web.service import DIRECTORY, EVIL, GOOD, OTHER, Service, eventually

BROWSER = pages.BROWSER | {"origin": GOOD}
TYPED = {"name": "Noa", "phone": "0542345678", "email": "noa@example.com", "message": "two\nlines", "rooms": "3"}
HOSTILE = "\"'><script>alert(1)</script><b a='"


async def browse(client: httpx.AsyncClient, key: str = "main", /, **fields: Any) -> httpx.Response:
    return await client.post(f"/f/{key}", data=TYPED | fields, headers=BROWSER)


async def test_a_browser_is_sent_to_the_built_in_page(service: Service, client: httpx.AsyncClient) -> None:
    response = await browse(client)
    assert response.status_code == 303
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["location"].startswith("/f/main/thanks?lead=")
    thanks = await client.get(response.headers["location"])
    page = assert_page(thanks, 200)
    assert "Example Ltd" in page.text
    assert page.one("html")["dir"] == "ltr"
    (row,) = await service.rows("SELECT source, name, extra FROM leads")
    assert (row["source"], row["name"], row["extra"]) == ("form", "Noa", '{"rooms": "3"}')


async def test_the_thanks_page_without_the_right_token_says_nothing(client: httpx.AsyncClient) -> None:
    location = (await browse(client)).headers["location"]
    lead = parse_qs(urlsplit(location).query)["lead"][0]
    for query in (
        f"lead={lead}",
        f"lead={lead}&token=x",
        "lead=x&token=y",
        "token=y",
        f"lead={HOSTILE}&token={HOSTILE}",
    ):
        page = assert_page(await client.get(f"/f/main/thanks?{query}", headers=BROWSER), 404)
        assert "There is nothing here any more. Please check the link." in page.text
        assert page.renews is None
        assert "Thank you" not in page.text, "nobody promises a call that there is not"
        assert "Dana" not in page.text
        assert "Yossi" not in page.text
        assert_problem(await client.get(f"/f/main/thanks?{query}"), 404, "not_found")
    page = assert_page(await client.get("/f/main/thanks"), 200)
    assert "Thank you! We will call you" in page.text, "where no lead is named"
    assert_problem(await client.get("/f/canary/thanks"), 404, "unknown_site", "canary")


async def test_the_sites_own_page_and_a_listed_next_win(client: httpx.AsyncClient) -> None:
    """`_next` when its origin is listed, else the site's page, else ours."""
    with_own = await client.post("/f/hebrew", data=TYPED, headers=BROWSER | {"origin": OTHER})
    assert with_own.headers["location"] == "https://other.example.org/thanks?from=form"
    listed = {"_next": f"{OTHER}/done?x=1#top"}
    response = await client.post("/f/hebrew", data=TYPED | listed, headers=BROWSER | {"origin": OTHER})
    assert (response.status_code, response.headers["location"]) == (303, f"{OTHER}/done?x=1#top")


@pytest.mark.parametrize(
    "target",
    [
        EVIL,
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://www.example.com",
        "data:text/html,x",
        f"{GOOD}@evil.example",
        f"{GOOD}@evil.example/{GOOD}",
        f"{GOOD}.evil.example",
        f"{GOOD}\\@evil.example",
        f"{GOOD}\\.evil.example/",
        f"{GOOD}%2eevil.example",
        f"{GOOD}:80@evil.example",
        f"https://user@{GOOD.removeprefix('https://')}",
        f"https:///{GOOD.removeprefix('https://')}",
        "https:www.example.com",
        "https:evil.example",
        f"{GOOD}:443@evil.example",
        f"{GOOD}:443",
        f"{GOOD}\t@evil.example",
        f"{GOOD} @evil.example",
        f"{GOOD};@evil.example",
        f"{GOOD}\r\n@evil.example",
        f"\x01{GOOD}@evil.example",
        "https:\\\\evil.example",
        "https:/evil.example",
        "//www.example.com@evil.example",
        "https://\u202emoc.elpmaxe.www",
        "https://www.ex\u00adample.com/",
        "https://xn--example-9ua.com",
        "https://www.example.com.",
        "https://[www.example.com",
        "https://[::1",
        "https://www.example.com:99999/",
        f"http://{GOOD.removeprefix('https://')}",
        f"https://evil.example/?{GOOD}",
        f"https://evil.example#{GOOD}/",
        "https://www.example.c\u043em/",
        "https://www\uff0eexample.com/",
        f"ftp://{GOOD.removeprefix('https://')}",
        "/relative",
        "?",
        " ",
        "x" * 5000,
    ],
)
async def test_next_is_no_open_redirect(client: httpx.AsyncClient, target: str) -> None:
    """Anything whose origin is not exactly a listed one is as if it were not there."""
    response = await browse(client, _next=target)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/f/main/thanks?lead=")


@pytest.mark.parametrize(
    "target",
    [
        f" {GOOD}/x",
        f"\t{GOOD}/x",
        "https://www.exa\tmple.com/x",
        f"{GOOD}/\r\nset-cookie: a=b",
        f"{GOOD}/\u0000x",
        f"{GOOD}/<script>",
        f"{GOOD}/שלום?ש=1",
        f"{GOOD}/\\evil.example",
        f"{GOOD}//evil.example",
        f"{GOOD.upper()}/x",
    ],
)
async def test_a_listed_next_with_odd_characters_stays_on_its_origin(client: httpx.AsyncClient, target: str) -> None:
    """Whatever becomes of it, the browser ends up at the listed origin or with us; no header can be smuggled in."""
    response = await browse(client, _next=target)
    assert response.status_code == 303
    location = response.headers["location"]
    assert "\r" not in location
    assert "\n" not in location
    assert "set-cookie" not in response.headers
    assert location.startswith((f"{GOOD}/", f"{GOOD.upper()}/", "/f/main/thanks?lead=")), location


async def test_a_mistake_gives_the_form_back_with_everything_typed(service: Service, client: httpx.AsyncClient) -> None:
    """422 as a page: each value in its field, the unknown ones hidden, the error at its field, the trap empty."""
    fields = {"phone": "12", "_next": f"{GOOD}/done", "utm_source": "ad", "submission_id": "sub-1", "_gotcha": "bot"}
    response = await browse(client, **fields)
    page = assert_page(response, 422)
    assert page.one("form")["action"] == "/f/main"
    assert page.values | {"phone": "12"} == page.values
    kept = TYPED | fields
    for name in ("name", "phone", "email", "rooms", "_next", "utm_source", "submission_id"):
        assert page.values[name] == kept[name], name
    assert page.values["_gotcha"] == ""
    assert "two\nlines" in page.text
    phone = next(a for tag, a in page.tags if a.get("name") == "phone")
    assert phone["aria-invalid"] == "true"
    assert phone["aria-describedby"] == "phone-error"
    assert await service.rows("SELECT id FROM leads") == []
    mended = page.values | {"message": "two\nlines", "phone": "0542345678"}
    assert (await client.post("/f/main", data=mended, headers=BROWSER)).headers["location"] == f"{GOOD}/done"


async def test_the_page_speaks_the_sites_language_and_direction(client: httpx.AsyncClient) -> None:
    response = await client.post("/f/hebrew", data=TYPED | {"phone": "1"}, headers=BROWSER | {"origin": OTHER})
    page = assert_page(response, 422)
    assert (page.one("html")["lang"], page.one("html")["dir"]) == ("he", "rtl")
    assert re.search("[א-ת]{3}", page.text)
    assert "03-5123456" in page.text
    english = await client.post(
        "/f/hebrew", data=TYPED | {"phone": "1", "language": "en"}, headers=BROWSER | {"origin": OTHER}
    )
    assert assert_page(english, 422).one("html")["dir"] == "ltr"


async def test_what_was_typed_is_text_and_never_markup(client: httpx.AsyncClient) -> None:
    fields = dict.fromkeys((*TYPED, "submission_id", "_next", "consent_text", "language", HOSTILE), HOSTILE)
    page = assert_page(await browse(client, **fields), 422)
    assert page.values["name"] == HOSTILE
    assert page.values[HOSTILE] == HOSTILE
    night = await client.post("/f/night", data=TYPED | {"phone": "1"}, headers=BROWSER)
    assert "Night <&> Sons" in assert_page(night, 422).text


async def test_a_browser_form_may_be_json_with_anything_in_it(client: httpx.AsyncClient) -> None:
    """A stranger with `Accept: text/html` may send what no form can; the page still comes."""
    as_json = BROWSER | {"content-type": "application/json"}
    for value in ("\ud800", "\u0000", ["a", {"b": 1}], {"a": "\udfff"}, None, 7, 1e300):
        for name in ("name", "phone", "submission_id", "other", "consent_text", "language"):
            fields = json.dumps({"phone": "1", name: value})
            response = await client.post("/f/main", content=fields, headers=as_json)
            assert_page(response, 422)
    for target in (f"{GOOD}/\ud800", "\ud800", ["x"], {"a": 1}, 5):
        fields = json.dumps({"phone": "0542345678", "_next": target})
        response = await client.post("/f/main", content=fields, headers=as_json)
        assert response.status_code == 303


async def test_past_the_limit_the_form_comes_back_too(start: Start) -> None:
    """429 with what was typed; sending it again later is enough."""
    async with start(toml=DIRECTORY.replace("100000/minute", "1/minute")) as service, service.client() as client:
        assert (await browse(client)).status_code == 303
        response = await browse(client, name="Naomi")
        page = assert_page(response, 429)
        assert assert_retry_after(response) <= 60
        assert page.values["name"] == "Naomi"
        assert page.values["phone"] == "0542345678"
        assert not [attrs for _, attrs in page.tags if "aria-invalid" in attrs], "no field is to blame"
        assert re.search("again in \u2068[0-9]+\u2069 seconds", page.text)
        assert "leadring_rate_limited_total 1.0" in service.desk.metrics.render().decode()


class Dead:
    """A store whose database is gone."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def accept(self, *_: Any) -> Any:
        raise StorageUnavailable("gone")


async def test_without_a_database_the_form_comes_back_too(service: Service, client: httpx.AsyncClient) -> None:
    service.desk.intake._store = Dead(service.desk.store)
    response = await browse(client)
    page = assert_page(response, 503)
    assert assert_retry_after(response) >= 1
    assert page.values["phone"] == "0542345678"


async def test_what_cannot_be_given_back_is_a_page_that_says_why(client: httpx.AsyncClient) -> None:
    """Too large, of a strange site, from a strange page, of a strange type: a page, not JSON, with its status."""
    assert_page(await browse(client, message="m" * 20_000), 413)
    assert_page(await browse(client, "canary"), 404)
    assert_page(await client.post("/f/main", data=TYPED, headers=BROWSER | {"origin": EVIL}), 403)
    assert_page(await client.post("/f/main", data=TYPED, headers=BROWSER | {"origin": "null"}), 403)
    assert_page(await client.post("/f/main", content=b"x", headers=BROWSER | {"content-type": "image/png"}), 415)
    assert_page(await client.post("/f/main", content=b"{", headers=BROWSER | {"content-type": "text/plain"}), 400)


async def test_a_used_submission_id_is_not_given_back(client: httpx.AsyncClient) -> None:
    """Back, another number, send: the page that says no must not carry the id that made it say no."""
    await browse(client, submission_id="sub-1")
    page = assert_page(await browse(client, submission_id="sub-1", phone="0542345679"), 422)
    assert page.values["submission_id"] != "sub-1"
    again = await client.post("/f/main", data=page.values, headers=BROWSER)
    assert again.status_code == 303


async def test_an_overlong_submission_id_is_not_given_back(client: httpx.AsyncClient) -> None:
    page = assert_page(await browse(client, submission_id="s" * 65), 422)
    assert (await client.post("/f/main", data=page.values, headers=BROWSER)).status_code == 303


async def test_a_double_click_is_one_lead_and_one_place_to_go(service: Service, client: httpx.AsyncClient) -> None:
    """Two submits of one form, the second while the first is being stored: both browsers arrive at the same page."""
    first, second = await asyncio.gather(browse(client, submission_id="s"), browse(client, submission_id="s"))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert len(await service.rows("SELECT id FROM leads")) == 1
    await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")


async def test_a_form_without_an_id_sent_twice_joins(service: Service, client: httpx.AsyncClient) -> None:
    """One lead, and for either answer the token that may cancel it: the browser follows the second."""
    first, second = await asyncio.gather(browse(client), browse(client))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert len(await service.rows("SELECT id FROM leads")) == 1
    await eventually(lambda: len(service.telephony.calls) == 1, "one request to the provider")


async def test_other_words_of_the_same_number_join_and_may_only_look(
    service: Service, client: httpx.AsyncClient
) -> None:
    first, second = [await browse(client, name=name) for name in ("Noa", "Naomi")]
    assert first.headers["location"] != second.headers["location"]
    assert len(await service.rows("SELECT id FROM leads")) == 1


async def test_boxes_of_one_name_all_come_back_and_are_all_kept(service: Service, client: httpx.AsyncClient) -> None:
    """Two ticked boxes are two values: given back as two, kept with the lead as both."""
    boxes = {"topic": ["roof", "garage", "roof"], "empty": ["", "x"], "phone": "12"}
    page = assert_page(await browse(client, **boxes), 422)
    assert [value for name, value in page.sends if name == "topic"] == ["roof", "garage"]
    mended: dict[str, Any] = {"topic": ["roof", "garage"], "phone": "0542345678"}
    assert (await client.post("/f/main", data=mended, headers=BROWSER)).status_code == 303
    assert await service.rows("SELECT extra FROM leads") == [{"extra": '{"topic": "roof, garage"}'}]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_mistake_is_told_in_the_language_of_the_form(client: httpx.AsyncClient, language: str) -> None:
    page = assert_page(await browse(client, phone="1", language=language), 422)
    assert page.text.count(SENTENCES[language]["phone.impossible"]) == 2, "in the summary and at the field"
    assert page.one("html")["lang"] == language
    assert "autofocus" in page.one("div", role="alert")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-mode": "cors", "accept": "*/*"},
        {"sec-fetch-mode": "cors", "accept": "text/html"},
        {"accept": "application/json"},
        {"accept": "*/*"},
    ],
)
async def test_a_script_gets_json(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """By fetch the answers are those of POST /v1/leads."""
    sent = headers | {"origin": GOOD}
    response = await client.post("/f/main", data=TYPED, headers=sent)
    assert (response.status_code, response.json()["outcome"]) == (202, "dialing")
    assert response.headers["access-control-allow-origin"] == GOOD
    bad = await client.post("/f/main", data=TYPED | {"phone": "1"}, headers=sent)
    assert_problem(bad, 422, "invalid", "noa@example.com")
    assert_problem(await client.post("/f/canary", data=TYPED, headers=sent), 404, "unknown_site", "canary")


async def test_the_path_names_the_site_whatever_the_body_says(service: Service, client: httpx.AsyncClient) -> None:
    await browse(client, "main", site="hebrew")
    assert await service.rows("SELECT site FROM leads") == [{"site": "main"}]
