"""/embed makes the exact lines from its address: without a login, a secret or a list of the sites."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import httpx
import pytest

from tests.web.conftest import Start
from tests.web.pages import BROWSER, Page
from tests.web.service import CDR_TOKEN, CODE, GOOD, ONE_SITE, Service

UNKNOWN = "canary"
HOSTILE = "\"'><script>alert(1)</script>"


async def make(client: httpx.AsyncClient, /, **wishes: str) -> tuple[Page, str]:
    """The page for these wishes, and its text."""
    response = await client.get("/embed", params={"lang": "en"} | wishes, headers=BROWSER)
    assert response.status_code == (404 if wishes.get("site") in (UNKNOWN, HOSTILE) else 200), response.text[:500]
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["x-robots-tag"] == "noindex"
    page = Page(response.text)
    assert [attrs["src"] for attrs in page.all("script")] == ["/static/embed.js"]
    assert not [a for _, a in page.tags if any(name.startswith("on") or name == "style" for name in a)]
    return page, page.text


async def test_it_lists_no_sites_and_tells_no_secret(client: httpx.AsyncClient) -> None:
    for _, text in (await make(client), await make(client, site="main")):
        for secret in (CODE, CDR_TOKEN, "Example Ltd", "דוגמה", "Night", "No Skill", "SIPdana1", "Dana"):
            assert secret not in text
    page, _ = await make(client)
    assert not page.all("pre")
    assert not page.all("iframe")


async def test_the_only_site_needs_no_naming(start: Start) -> None:
    async with start(toml=ONE_SITE) as service, service.client() as client:
        page, text = await make(client)
        assert page.one("input", id="site")["value"] == "main"
        assert 'data-site="main"' in text


@pytest.mark.parametrize(
    ("mode", "lines", "policy"),
    [
        (
            "inline",
            '<script async src="http://leadring.test/widget/v1.js" data-site="main"></script>\n'
            "<callback-widget></callback-widget>",
            "script-src http://leadring.test; connect-src http://leadring.test",
        ),
        (
            "float",
            '<script async src="http://leadring.test/widget/v1.js" data-site="main" data-auto></script>',
            "script-src http://leadring.test; connect-src http://leadring.test",
        ),
        (
            "button",
            '<button type="button" data-callback-open>Call me back</button>',
            "script-src http://leadring.test; connect-src http://leadring.test",
        ),
        (
            "form",
            '<form action="http://leadring.test/f/main" method="post" accept-charset="utf-8">',
            "form-action http://leadring.test",
        ),
        (
            "take_over",
            '<form action="http://leadring.test/f/main" method="post" accept-charset="utf-8" data-callback-form>',
            "script-src http://leadring.test; connect-src http://leadring.test; form-action http://leadring.test",
        ),
    ],
)
async def test_every_mode_has_its_lines_and_its_policy(
    client: httpx.AsyncClient, mode: str, lines: str, policy: str
) -> None:
    page, text = await make(client, site="main", mode=mode)
    assert lines in text
    assert f"\n{policy}\n" in text.replace("</code>", "\n") or policy in text
    assert ("integrity=" in text) == (mode != "form")
    assert page.one("iframe")["sandbox"] == "allow-scripts"
    assert "http://leadring.test/f/main" in text


async def test_the_pinned_lines_are_those_of_the_widget_that_is_served(client: httpx.AsyncClient) -> None:
    _, text = await make(client, site="main", mode="inline")
    found = re.search(r'src="http://leadring\.test(/widget/v1\.[0-9a-f]+\.js)"\s+integrity="sha384-([^"]+)"', text)
    assert found is not None
    served = await client.get(found[1])
    assert served.status_code == 200
    assert base64.b64encode(hashlib.sha384(served.content).digest()).decode() == found[2]


async def test_wishes_stand_in_the_lines(client: httpx.AsyncClient) -> None:
    wishes = {"site": "hebrew", "mode": "float", "language": "ru", "colour": "#aB12cd", "tel": "03-000 0000"}
    page, text = await make(client, **wishes)
    assert 'data-site="hebrew" data-lang="ru" data-tel="03-000 0000" data-auto' in text
    assert "callback-widget { --leadring-accent: #aB12cd; }" in text
    assert "/f/hebrew?lang=ru" in text
    assert page.one("option", selected="", value="ru")
    _, plain = await make(client, **wishes | {"mode": "form"})
    assert "Перезвоните мне" in plain
    assert "form-action http://leadring.test https://other.example.org" in plain, "where its thank-you page is"


async def test_the_sites_telephone_is_offered_without_asking(client: httpx.AsyncClient) -> None:
    _, text = await make(client, site="hebrew")
    assert 'data-tel="03-5123456"' in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("site", UNKNOWN),
        ("site", HOSTILE),
        ("colour", "reddish"),
        ("colour", "#12345"),
        ("colour", "#123456;}"),
        ("tel", "call me"),
        ("tel", HOSTILE),
        ("page", "javascript:alert(1)"),
        ("page", "www.example.com"),
        ("page", "https://*.example.com"),
        ("page", HOSTILE),
    ],
)
async def test_a_wrong_wish_is_told_at_its_field_and_left_out(
    client: httpx.AsyncClient, field: str, value: str
) -> None:
    page, text = await make(client, **{"site": "main", field: value})
    wrong = page.one("input", id=field)
    assert wrong["aria-invalid"] == "true"
    assert f"{field}-error" in wrong["aria-describedby"]
    assert page.one("a", href=f"#{field}")
    assert value not in text


@pytest.mark.parametrize(
    ("address", "may"),
    [(f"{GOOD}/contact?x=1", True), ("HTTPS://WWW.EXAMPLE.COM", True), ("https://evil.example/", False)],
)
async def test_it_says_whether_a_page_may_send_leads(client: httpx.AsyncClient, address: str, may: bool) -> None:
    _, text = await make(client, site="main", page=address)
    assert ("This page may send leads" in text) == may
    assert ('"https://evil.example"' in text) == (not may)
    assert GOOD not in text or may, "the origins that are listed are not told"


async def test_it_speaks_hebrew_and_english(client: httpx.AsyncClient) -> None:
    for headers, params, language in (
        ({"accept-language": "he-IL"}, {}, "he"),
        ({"accept-language": "ru"}, {}, "en"),
        ({"accept-language": "he"}, {"lang": "en"}, "en"),
        ({}, {"lang": "he"}, "he"),
    ):
        page = Page((await client.get("/embed", params=params, headers=BROWSER | headers)).text)
        assert page.one("html")["lang"] == language
        assert page.one("html")["dir"] == ("rtl" if language == "he" else "ltr")


@pytest.mark.parametrize("mode", ["inline", "float", "button", "form", "take_over"])
async def test_the_preview_is_the_lines_and_can_send_nothing(client: httpx.AsyncClient, mode: str) -> None:
    params = {"site": "main", "mode": mode, "colour": "#aabbcc", "tel": "03-1"}
    response = await client.get("/embed/preview", params=params)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "sandbox allow-scripts;" in policy + ";"
    assert "form-action 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    (connect,) = [part for part in policy.split("; ") if part.startswith("connect-src")]
    assert "/v1/leads" not in connect
    assert connect.split()[1:] == ["http://leadring.test/embed/preview/", "http://leadring.test/widget/words/"]
    page = Page(response.text)
    for script in page.all("script"):
        assert script["src"] == "http://leadring.test/widget/v1.js"
        assert script["data-api"] == "http://leadring.test/embed/preview"
    (nonce,) = {attrs["nonce"] for attrs in page.all("style")} or {""}
    assert f"'nonce-{nonce}'" in policy or mode == "form"
    assert (await client.post("/embed/preview/v1/leads", data={"phone": "0542345678"})).status_code == 404


async def test_what_the_preview_asks_for_is_answered_to_a_page_from_nowhere(
    service: Service, client: httpx.AsyncClient
) -> None:
    nowhere = {"origin": "null"}
    view: Any = await client.get("/embed/preview/v1/sites/main", headers=nowhere)
    assert view.headers["access-control-allow-origin"] == "*"
    assert view.json() == (await client.get("/v1/sites/main")).json()
    words = await client.get("/embed/preview/widget/words/ru.json", headers=nowhere)
    assert (words.status_code, words.headers["location"]) == (307, "/widget/words/ru.json")
    assert words.headers["access-control-allow-origin"] == "*"
    for odd in ("..%2f..%2fx.json", "russian.json", "ru.js"):
        assert (await client.get(f"/embed/preview/widget/words/{odd}")).status_code in (404, 422)
    assert (await client.get("/embed/preview", params={"site": "canary"})).status_code == 404
    assert await service.rows("SELECT id FROM leads") == []


async def test_a_strange_host_header_stays_text(client: httpx.AsyncClient) -> None:
    """The address in the lines is the one that was asked for, unless LEADRING_PUBLIC_URL says better."""
    odd = {"host": 'x"><script src=y>;script-src *'}
    for path in ("/embed?site=main", "/embed?site=main&mode=form", "/embed/preview?site=main"):
        response = await client.get(path, headers=odd)
        policy = response.headers["content-security-policy"]
        assert "script-src *" not in policy
        assert [attrs["src"] for attrs in Page(response.text).all("script") if attrs.get("src") == "y"] == []


@pytest.mark.parametrize("language", ["en", "he"])
async def test_the_demo_leads_to_it_and_to_the_plain_form(client: httpx.AsyncClient, language: str) -> None:
    demo = Page((await client.get(f"/demo/{language}")).text)
    for address in (f"/embed?lang={language}", f"/f/main?lang={language}"):
        assert address in demo.links
        assert (await client.get(address, headers=BROWSER)).status_code == 200
