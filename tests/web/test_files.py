"""The widget and our pages' own files: cached right, readable from every site, and nothing beside them."""

from __future__ import annotations

import base64
import gzip
import hashlib
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from app.web.files import load
from tests.web.conftest import Start
from tests.web.exchange import Exchange
from tests.web.problem import assert_problem
from tests.web.service import Service

STATIC = Path(__file__).parent.parent.parent / "static"
WIDGET = (STATIC / "widget.js").read_bytes()
HASH = load(STATIC / "widget.js").hash


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/widget/v1.js", "public, max-age=300, stale-while-revalidate=86400"),
        (f"/widget/v1.{HASH}.js", "public, max-age=31536000, immutable"),
    ],
)
async def test_the_widget_is_served_to_every_site(client: httpx.AsyncClient, path: str, cache: str) -> None:
    """Evergreen for minutes, by hash for ever; ETag and 304; gzip when asked; readable cross-origin for SRI."""
    for encoding in ("identity", "gzip"):
        response = await client.get(path, headers={"accept-encoding": encoding, "origin": "https://anywhere.example"})
        assert response.status_code == 200
        assert response.content == WIDGET
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["cache-control"] == cache
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "accept-encoding" in response.headers["vary"].lower()
        assert response.headers["x-content-type-options"] == "nosniff"
        assert (response.headers.get("content-encoding") == "gzip") is (encoding == "gzip")
    etag = response.headers["etag"]
    known = await client.get(path, headers={"if-none-match": etag})
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == etag
    assert known.headers["cache-control"] == cache
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize("language", ["ar", "es", "fr", "ru"])
async def test_the_widgets_words_are_served_to_every_site(client: httpx.AsyncClient, language: str) -> None:
    """As the evergreen widget is: for minutes, in UTF-8, compressed when asked, readable from every origin."""
    content = (STATIC / "words" / f"{language}.json").read_bytes()
    for encoding in ("identity", "gzip"):
        response = await client.get(f"/widget/words/{language}.json", headers={"accept-encoding": encoding})
        assert (response.status_code, response.content) == (200, content)
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=86400"
        assert response.headers["access-control-allow-origin"] == "*"
        assert (response.headers.get("content-encoding") == "gzip") is (encoding == "gzip")


@pytest.mark.parametrize("name", ["de.json", "..%2fwidget.js", "fr", "", "x" * 300])
async def test_no_other_words_are_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/widget/words/{name}")).status_code == 404


@pytest.mark.parametrize("form", ["W/{}", '"a", {}', '{}, "b"', "*", 'W/"x",W/{}'])
async def test_every_form_of_if_none_match_is_understood(client: httpx.AsyncClient, form: str) -> None:
    """A proxy that compresses makes the tag weak; a cache may ask with several (RFC 9110, 13.1.2)."""
    etag = (await client.get("/widget/v1.js")).headers["etag"]
    response = await client.get("/widget/v1.js", headers={"if-none-match": form.replace("{}", etag)})
    assert response.status_code == 304


def test_the_integrity_value_is_that_of_the_bytes() -> None:
    expected = "sha384-" + base64.b64encode(hashlib.sha384(WIDGET).digest()).decode()
    assert load(STATIC / "widget.js").integrity == expected


def test_what_is_packed_unpacks_to_the_same_and_the_hash_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    file.write_bytes(b"x" * 5000)
    first = load(file)
    assert first.packed is not None
    assert gzip.decompress(first.packed) == first.content
    file.write_bytes(b"x" * 4999 + b"y")
    assert load(file).hash != first.hash


@pytest.mark.parametrize("digest", ["00000000", "", HASH.upper() + "x", HASH[:-1], "..%2fwidget", "x" * 300])
async def test_another_hash_is_not_this_widget(client: httpx.AsyncClient, digest: str) -> None:
    """A pinned page must never get other bytes than it pinned."""
    assert (await client.get(f"/widget/v1.{digest}.js")).status_code == 404


async def test_the_demo_is_there_in_both_languages(start: Start) -> None:
    async with start(sandbox_url="http://127.0.0.1:8001") as service, service.client() as client:
        for path, lang in (("/demo", "en"), ("/demo?lang=he", "he"), ("/demo/he", "he"), ("/demo/en", "en")):
            response = await client.get(path)
            assert response.status_code == 200
            assert f'lang="{lang}"' in response.text
            assert "__SANDBOX_URL__" not in response.text
            policy = response.headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
            assert "frame-src http://127.0.0.1:8001" in policy
        home = await client.get("/")
        assert (home.status_code, home.headers["location"]) == (307, "/demo")
        assert_problem(await client.get("/demo/fr"), 404, "not_found")
        assert_problem(await client.get("/demo?lang=" + "canary-xx"), 422, "invalid", "canary")


async def test_our_own_files_are_served(client: httpx.AsyncClient) -> None:
    for path, kind in (
        ("/static/pages.css", "text/css; charset=utf-8"),
        ("/demo/assets/demo.css", "text/css; charset=utf-8"),
        ("/demo/assets/demo.js", "text/javascript; charset=utf-8"),
        ("/demo/assets/house.svg", "image/svg+xml"),
    ):
        response = await client.get(path)
        assert (response.status_code, response.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize("base", ["/static/", "/demo/assets/", "/widget/", "/demo/"])
@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../app/main.py",
        "..%2fapp%2fmain.py",
        "%2e%2e/app/main.py",
        "..%5capp%5cmain.py",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "....//....//etc/passwd",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "%00",
        "pages.css%00.html",
        "demo",
        ".",
        "",
        "~root",
        "a" * 300,
        "%D7%90" * 200,
        "pages.css/",
        "pages.css%20",
        ".env",
    ],
)
async def test_nothing_but_our_files_can_be_reached(service: Service, base: str, name: str) -> None:
    """Whatever a path is made of (servers decode it, and do not resolve its dots): not found, and no failure."""
    exchange = Exchange(service.app, "GET", unquote(base + name))
    await exchange.done()
    assert exchange.status in (307, 404), (base + name, exchange.status)
    for never in (b"root:", b"create_app", b"[policy]"):
        assert never not in exchange.body


async def test_a_link_out_of_the_folder_is_not_followed(start: Start, tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (tmp_path / "secret.css").write_text("canary")
    (static / "link.css").symlink_to(tmp_path / "secret.css")
    async with start(static=static) as service, service.client() as client:
        assert_problem(await client.get("/static/link.css"), 404, "not_found", "canary")


async def test_memory_does_not_grow_with_the_names_that_are_asked_for(
    service: Service, client: httpx.AsyncClient
) -> None:
    for number in range(200):
        await client.get(f"/static/no-{number}.css")
    assert len(service.app.state.files._loaded) <= 1
