"""What the console's tests share: a browser at its pages, and what every one of them must keep."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx

from tests.web.pages import BROWSER, Page, assert_page

ADMIN_TOKEN = "admin-canary-token-of-the-console"
OURS = BROWSER | {"sec-fetch-site": "same-origin", "origin": "http://leadring.test"}
MAP = "/console/map"


async def sign_in(client: httpx.AsyncClient, token: str = ADMIN_TOKEN, **more: str) -> httpx.Response:
    return await client.post("/console/sign-in", data={"token": token, **more})


async def hand_in(client: httpx.AsyncClient, payload: str | bytes = "", **fields: Any) -> httpx.Response:
    """The form of /console/map; bytes are uploaded, text is pasted."""
    file = ("captured.txt", payload) if isinstance(payload, bytes) else ("", b"")
    told = {"as": "", "content_type": "", "delivery": "", "delivery_id": ""} | fields
    told["payload"] = payload if isinstance(payload, str) else ""
    return await client.post(MAP, data=told, files={"file": file})


def assert_console(response: httpx.Response, status: int = 200) -> Page:
    """A page of the console: one of ours by every rule, for no frame, and with forms to itself alone."""
    page = assert_page(response, status)
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "img-src data:" in policy
    assert response.headers["referrer-policy"] == "same-origin"
    assert len(page.all("h1")) == 1
    assert page.one("html")["lang"] == "en"
    labelled = {attrs["for"] for attrs in page.all("label")}
    for tag in ("input", "select", "textarea"):
        assert {attrs["id"] for attrs in page.all(tag) if attrs.get("type") != "hidden"} <= labelled
    assert ADMIN_TOKEN not in response.text
    return page


def shown(response: httpx.Response) -> str:
    """The text of the page, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def told(page: str) -> str:
    """The part of the page that says what the payload becomes."""
    (found,) = re.findall(r'<section class="told".*?</section>', page, re.DOTALL)
    return str(found)
